"""The table of moved names: each row on this Django, its page in docs, the stubs."""

from __future__ import absolute_import

import ast
import fnmatch
import json
import os
import re
import subprocess
import sys
from importlib import import_module

import django
import pytest
from django.core.exceptions import ImproperlyConfigured

import django_compat
from django_compat._names.row import OLDEST, WARNED_RELEASES, Move, by_name, load
from django_compat._names.table import MOVES, NAMES
from support.asking import APPS
from support.processes import output_of
from support.repository import ROOT, TESTS, read
from support.required import skip_or_fail

# All names of the packages django_six 1.0.5 and django-compat 1.0.15.
DJANGO_SIX = """
    MiddlewareMixin ValuesQuerySet ValuesListQuerySet Support_ValuesQuerySet
    Support_ValuesListQuerySet include url path re_path force_text smart_text force_str
    smart_str gettext gettext_lazy gettext_noop ngettext ngettext_lazy ugettext
    ugettext_lazy ugettext_noop ungettext ungettext_lazy CompatibilityBaseCommand
    CompatibilityAppCommand CompatibilityLabelCommand ProxyParser BaseCommand AppCommand
    LabelCommand CommandError make_option django
""".split()
DJANGO_COMPAT = """
    BytesIO DjangoJSONEncoder EmailValidator GenericForeignKey HttpResponseBase
    ImproperlyConfigured JsonResponse LocaleRegexProvider LocaleRegexURLResolver
    NoReverseMatch RegexURLPattern RegexURLResolver Resolver404 ResolverMatch
    SortedDict StringIO URLPattern URLResolver URLValidator VariableNode View
    add_to_builtins admin_utils atomic basestring clean_manytomany_helptext
    clear_url_caches commit commit_on_success conditional_escape create_permissions
    django force_text format_html get_callable get_current_site get_ident get_mod_func
    get_model get_model_name get_ns_resolver get_resolver get_script_prefix
    get_template_loaders get_urlconf get_user_model get_user_model_path
    get_user_permission_codename get_user_permission_full_codename get_username_field
    handler404 handler500 import_module import_string include is_valid_path mock
    parse_qs patterns python_2_unicode_compatible render_to_string resolve resolve_url
    reverse reverse_lazy rollback set_script_prefix set_urlconf settings simplejson
    six slugify smart_text str sys unicode unittest unquote_plus url urlencode
    urlparse urlresolvers urlunparse user_model_label
""".split()
# An older Django has an object of another meaning at the newest place: it returns bytes
# on Python 2, or takes other arguments.
OTHER_MEANING = set(
    """
    CompatibilityAppCommand CompatibilityBaseCommand CompatibilityLabelCommand
    DjangoJSONEncoder EmailValidator JsonResponse MaxLengthValidator MaxValueValidator
    MinLengthValidator MinValueValidator Origin SafeString URLValidator
    display_for_field force_str get_template_from_string gettext gettext_lazy
    gettext_noop include ip_address_validators ngettext ngettext_lazy render
    render_to_string slugify smart_bytes smart_str static
    url_has_allowed_host_and_scheme urlsafe_base64_encode
    """.split()
)


def run_script(*arguments):
    """Run support/asking.py in a new process; return its JSON."""
    path = [ROOT] + [entry for entry in sys.path if entry]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(path))
    env.pop("DJANGO_SETTINGS_MODULE", None)
    command = [os.path.join(TESTS, "support", "asking.py")] + list(arguments)
    return json.loads(output_of(command, env).splitlines()[-1])


NEED_GDAL = {name for name in NAMES if NAMES[name].loads == "django.contrib.gis"}


@pytest.fixture(params=["without GDAL", "with GDAL"])
def names(request):
    """Return the names that need no GDAL, then the names that need it."""
    if request.param == "without GDAL":
        return sorted(set(NAMES) - NEED_GDAL)
    if "gis" not in APPS:
        skip_or_fail("GDAL is not installed: apt-get install gdal-bin")
    return sorted(NEED_GDAL)


@pytest.fixture(scope="module")
def imports():
    """Return ``{name: the facts of its import}``, from a process with settings."""
    return run_script()


@pytest.mark.contract
def test_names_exist_exactly_where_their_rows_say_so(imports, names):
    """A name gives the object at its place; else ImportError says what to use."""
    for name in names:
        row, facts = NAMES[name], imports[name]
        assert facts["listed"] is row.is_available(), name
        if row.is_available():
            assert (facts["error"], facts["text"]) == (None, ""), name
            assert facts["same"] and facts["bound"], name
            continue
        assert facts["error"] == "ImportError", name
        if "needs the package" in facts["text"]:
            assert row.needs and "pip install" in facts["text"]
            continue
        row = row.new or row
        release = row.gone if row.is_gone() else row.added
        parts = ["django_compat." + row.name, "Django %d.%d" % release, row.instead]
        parts.append(django.get_version())
        assert [part for part in parts if part not in facts["text"]] == []


@pytest.mark.contract
def test_names_warn_once_where_django_dropped_them(imports, names):
    """The warning points at the importing line; it names the release and a new name."""
    for name in names:
        row, caught = NAMES[name], imports[name]["warnings"]
        caught = [entry for entry in caught if "is gone since" in entry[2]]
        if not row.is_gone() or not row.is_available():
            assert caught == [], name
            continue
        (filename, line, text, category), = caught
        assert (filename, line) == ("asking", 4), name
        use = row.new.name if row.new else row.instead
        parts = [name, "gone since Django %d.%d" % row.gone, "Use " + use]
        assert [part for part in parts if part not in text] == []
        expected = "DeprecationWarning"
        if row.gone in WARNED_RELEASES:
            expected = "RemovedInDjango%d%dWarning" % row.gone
        assert category == expected, name


@pytest.mark.contract
def test_names_do_not_warn_where_django_has_them(imports):
    """A name that no Django dropped never warns."""
    names = [name for name in NAMES if not NAMES[name].gone]
    assert [name for name in names if imports[name]["warnings"]] == []


@pytest.mark.contract
def test_star_gives_all_and_does_not_warn(imports):
    """``import *`` leaves out the names that this Django dropped."""
    assert imports["*"]["missing"] == []
    assert imports["*"]["warnings"] == []
    dropped = [row.name for row in NAMES.values() if row.is_gone()]
    assert set(dropped) & set(imports["*"]["given"]) == set()
    assert "reverse" in imports["*"]["given"]


@pytest.mark.contract
@pytest.mark.skipif(
    django.VERSION < (1, 6), reason="django.db needs settings before Django 1.6"
)
def test_star_without_settings_leaves_out_names_that_need_them():
    """``import *`` works without settings."""
    facts = run_script("alone")
    assert (facts["missing"], facts["warnings"]) == ([], [])
    assert "gettext" in facts["given"]
    assert "GenericForeignKey" not in facts["given"]


@pytest.mark.contract
def test_rows_choose_the_newest_place():
    """No newer place of a row exists on this Django."""
    late = set()
    for row in NAMES.values():
        chosen = row.place()
        if chosen not in row.places:
            continue
        for place in row.places[: row.places.index(chosen)]:
            if place.startswith("django.") and place_exists(place):
                late.add(row.name)
    assert late <= OTHER_MEANING


def place_exists(place):
    """Return True if there is an object at a place."""
    try:
        load(place)
    except (ImportError, AttributeError, ImproperlyConfigured):  # the last: no GDAL
        return False
    return True


@pytest.mark.contract
def test_all_names_of_the_other_shims_are_available():
    """django_compat can replace django_six 1.0.5 and django-compat 1.0.15."""
    missing = {
        name
        for name in DJANGO_SIX + DJANGO_COMPAT
        if not NAMES[name].is_available()
    }
    assert {"close_connection", "close_old_connections"} <= set(dir(django_compat))
    assert missing <= ({"mock"} if sys.version_info[0] == 2 else set())


def test_rows_are_sorted_and_newest_first():
    """Rows are in the order of their names, and releases of a row in their order."""
    names = [row.name for row in MOVES]
    assert names == sorted(names)
    for row in NAMES.values():
        releases = list(row.since) + [row.added]
        assert releases == sorted(releases, reverse=True), row.name
        assert len(row.since) == len(row.places) - 1, row.name
        if row.added > OLDEST or (row.gone and not row.new):
            assert row.instead or row.new, row.name


def test_backports_are_where_the_table_says():
    """Each backport exists in the sources, whether or not this Django needs it."""
    for row in NAMES.values():
        for place in row.places:
            module, _, name = place.partition(":")
            if module.startswith("django_compat."):
                path = module.replace(".", "/") + ".py"
                tree = ast.parse(read(path).encode("utf-8"))
                bound = {
                    getattr(node, "name", None) or getattr(target, "id", None)
                    for node in tree.body
                    for target in getattr(node, "targets", [node])
                }
                assert name in bound, place


@pytest.mark.contract
def test_apps_is_the_registry_of_django():
    """``django_compat.apps`` is Django's registry, and still our module for imports."""
    ours = import_module("django_compat.apps")
    assert sys.modules["django_compat.apps"] is ours
    from django_compat.apps import install

    assert install is ours.install
    if django.VERSION < (1, 7):
        with pytest.raises(ImportError):
            django_compat.apps
    else:
        from django.apps import apps

        assert django_compat.apps is apps


def test_submodules_clash_with_no_name_but_apps():
    """Python binds a submodule to its name, so the clash needs code in ``_lazy``."""
    files = os.listdir(os.path.join(ROOT, "django_compat"))
    modules = {os.path.splitext(file)[0] for file in files}
    assert modules & set(NAMES) == django_compat._SHADOWED
    assert set(django_compat._NAMES) & set(NAMES) == set()


HEAVY = ("django.db", "django.forms", "django.template", "django.contrib")
# The files of backports that any process may load.
LIGHT_BACKPORTS = "http placeholders text utils".split()


@pytest.mark.contract
@pytest.mark.parametrize(
    "line",
    ["from django_compat import lru_cache, import_string"]
    + ["import django_compat._names.backports." + name for name in LIGHT_BACKPORTS],
)
def test_names_load_nothing_heavy(line):
    """A name of django.utils loads no models, forms or templates."""
    code = (
        "import json, sys; %s\n"
        "print(json.dumps(sorted(n for n in sys.modules if sys.modules[n])))"
    )
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([ROOT] + sys.path))
    command = [sys.executable, "-c", code % line]
    output = subprocess.check_output(command, env=env)
    loaded = json.loads(output.decode("utf-8"))
    assert [name for name in loaded if name.startswith(HEAVY)] == []
    assert len([name for name in loaded if "_names.backports" in name]) <= 3


def test_documents_tell_ambiguous_and_weaker_names():
    """A reader learns which of two objects a name is, and whose rules are weaker."""
    for name, text in [
        ("quote", "the admin's"),
        ("unquote", "the admin's"),
        ("urlencode", "urllib.parse"),
        ("urlparse", "the function"),
        ("DurationField", "the model field"),
        ("JSONField", "the model field"),
        ("static", "the function"),
        ("slugify", "not the filter"),
        ("is_safe_url", "weaker"),
        ("EmailValidator", "weaker"),
        ("URLValidator", "weaker"),
        ("escapejs", "weaker"),
    ]:
        section = read("docs", "moved-names.rst").split("\n``%s``\n" % name)[1]
        note = section.split("\n\n")[0].split("- note: ")[1]
        assert text in note, name


def test_documents_are_current():
    """docs/moved-names.rst is the output of docs/moved_names.py."""
    sys.path.insert(0, os.path.join(ROOT, "docs"))
    try:
        moved_names = import_module("moved_names")
    finally:
        del sys.path[0]
    assert read("docs", "moved-names.rst") == moved_names.render()


def test_stubs_have_every_name():
    """The stubs export each public name, and no other name.

    mypy holds that the stubs define what they export, and .ci/stubs.py --check that the
    types of moved names are those of the table's places.
    """
    code = read("django_compat", "__init__.pyi")
    lists = re.findall(r"^__all__ \+?= \[(.+?)\]", code, re.MULTILINE | re.DOTALL)
    names = re.findall(r'"(\w+)"', "".join(lists))
    assert sorted(names) == sorted(list(NAMES) + list(django_compat._NAMES))


def test_each_name_that_apps_ship_a_fallback_for_has_a_row():
    """An app can replace its own conditional imports; the file says which apps."""
    lines = read("docs", "fallback-names.txt").splitlines()
    names = [name for line in lines if line[0] != "#" for name in line.split()]
    assert len(names) > 300
    assert set(names) - set(NAMES) == set()


def vanished():
    """Yield module, name and successor of each entry in docs/vanished-names.txt."""
    text = read("docs", "vanished-names.txt").replace("\n    ", " ")
    for line in text.splitlines():
        head, _, entries = line.partition(": ")
        for entry in entries.split():
            name, _, successor = entry.partition("=")
            yield head.split()[1], name, successor


def test_each_vanished_name_has_a_row_or_a_reason():
    """Each name that a Django dropped is explained, and each reason has a name.

    A name that the newest Django has elsewhere needs a reason that says so: its pattern
    has "=" and the module. So no reason calls a name removed that has a successor.
    """
    lines = read("docs", "vanished-reasons.txt").splitlines()
    patterns = {
        pattern: re.compile(fnmatch.translate(pattern))
        for line in lines
        if line and not line.startswith((" ", "#"))
        for pattern in line.split()
    }
    places = {place for row in NAMES.values() for place in row.places}
    forgotten, used, seen = [], set(), set()
    for module, name, successor in vanished():
        place = "%s:%s" % (module, name)
        if place in seen or name in NAMES or module in places:
            continue
        seen.add(place)
        if successor:
            place += "=" + successor
        hits = {
            pattern
            for pattern in patterns
            if patterns[pattern].match(place) and ("=" in pattern) == bool(successor)
        }
        used |= hits
        if not hits:
            forgotten.append(place)
    assert forgotten == []
    assert set(patterns) - used == set()


def test_row_with_an_unknown_fact_is_refused():
    """A misspelt fact raises TypeError, a name with two rows ValueError."""
    with pytest.raises(TypeError) as caught:
        Move("a", "b:c", sinse=(1, 4))
    assert "sinse" in str(caught.value)
    with pytest.raises(ValueError):
        by_name([Move("a", "b:c"), Move("a", "d:e")])
