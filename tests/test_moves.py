"""The table of moved names: each row on this Django, the documents, the stubs."""

from __future__ import absolute_import

import ast
import fnmatch
import io
import json
import os
import re
import subprocess
import sys
from importlib import import_module

import django
import pytest
from asking import APPS
from conftest import give_up
from django.core.exceptions import ImproperlyConfigured
from processes import output_of

import django_compat
from django_compat._moved import NAMED, OLDEST, Move, by_name, find
from django_compat.moves import MOVES, NAMES

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
RELEASE = django.VERSION[:2]
DJANGO_SIX = """
    MiddlewareMixin ValuesQuerySet ValuesListQuerySet Support_ValuesQuerySet
    Support_ValuesListQuerySet include url path re_path force_text smart_text force_str
    smart_str gettext gettext_lazy gettext_noop ngettext ngettext_lazy ugettext
    ugettext_lazy ugettext_noop ungettext ungettext_lazy CompatibilityBaseCommand
    CompatibilityAppCommand CompatibilityLabelCommand ProxyParser
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
# Django had something at the newest place before, that meant less or another thing: on
# Python 2 bytes, or an older signature.
ANOTHER_THING = set(
    """
    CompatibilityAppCommand CompatibilityBaseCommand CompatibilityLabelCommand
    DjangoJSONEncoder EmailValidator Origin SafeString URLValidator display_for_field
    force_str gettext gettext_lazy gettext_noop include ngettext ngettext_lazy render
    render_to_string slugify smart_bytes smart_str static
    url_has_allowed_host_and_scheme
    """.split()
)


def run_script(*arguments):
    """Run asking.py in a process of its own; return its JSON."""
    path = [ROOT] + [entry for entry in sys.path if entry]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(path))
    env.pop("DJANGO_SETTINGS_MODULE", None)
    words = [os.path.join(HERE, "asking.py")] + list(arguments)
    return json.loads(output_of(words, env).splitlines()[-1])


def read(*path):
    with io.open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


NEED_GDAL = {name for name in NAMES if NAMES[name].loads == "django.contrib.gis"}


@pytest.fixture(params=["without GDAL", "with GDAL"])
def names(request):
    """Return the names that need no library, then those that do."""
    if request.param == "without GDAL":
        return sorted(set(NAMES) - NEED_GDAL)
    if "gis" not in APPS:
        give_up("GDAL is not installed: apt-get install gdal-bin")
    return sorted(NEED_GDAL)


@pytest.fixture(scope="module")
def answers():
    """Return ``{name: what came of asking for it}``, in a project."""
    return run_script()


@pytest.mark.everywhere
def test_names_are_there_exactly_where_their_rows_say_so(answers, names):
    """Each resolves to the object at its place, and is bound; or ImportError helps."""
    for name in names:
        row, answer = NAMES[name], answers[name]
        assert answer["listed"] is row.is_available(), name
        if row.is_available():
            assert (answer["error"], answer["text"]) == (None, ""), name
            assert answer["same"] and answer["bound"], name
            continue
        assert answer["error"] == "ImportError", name
        if "needs the package" in answer["text"]:
            assert row.needs and "pip install" in answer["text"]
            continue
        row = row.new or row
        release = row.gone if row.is_gone() else row.added
        parts = ["django_compat." + row.name, "Django %d.%d" % release, row.instead]
        parts.append(django.get_version())
        assert [part for part in parts if part not in answer["text"]] == []


@pytest.mark.everywhere
def test_names_warn_once_where_django_has_them_no_more(answers, names):
    """The importing line is told what is gone, since when, and what to use."""
    for name in names:
        row, told = NAMES[name], answers[name]["told"]
        told = [entry for entry in told if "is gone since" in entry[2]]
        if not row.is_gone() or not row.is_available():
            assert told == [], name
            continue
        (filename, line, text, category), = told
        assert (filename, line) == ("asking", 4), name
        use = row.new.name if row.new else row.instead
        parts = [name, "gone since Django %d.%d" % row.gone, "Use " + use]
        assert [part for part in parts if part not in text] == []
        named = "RemovedInDjango%d%dWarning" % row.gone
        assert category == (named if row.gone in NAMED else "DeprecationWarning"), name


def test_star_gives_what_all_lists_and_does_not_warn(answers):
    """What this Django dropped is in dir() only; the rest is given."""
    assert answers["*"]["missing"] == []
    assert answers["*"]["told"] == []
    dropped = [row.name for row in NAMES.values() if row.is_gone()]
    assert set(dropped) & set(answers["*"]["given"]) == set()
    assert "reverse" in answers["*"]["given"]


def test_star_without_settings_gives_what_needs_none():
    """A process that has no settings is not stopped by it, from 1.6 on."""
    if django.VERSION < (1, 6):
        return  # django.db itself needs settings there
    found = run_script("alone")
    assert (found["missing"], found["told"]) == ([], [])
    assert "gettext" in found["given"]
    assert "GenericForeignKey" not in found["given"]


def test_nothing_is_told_of_what_django_still_has(answers):
    """A name that was never dropped says nothing, on any Django."""
    told = [name for name in NAMES if not NAMES[name].gone and answers[name]["told"]]
    assert told == []


def test_django_has_no_newer_place_yet():
    """No row is late: what is chosen is the newest place that this Django has."""
    early = set()
    for row in NAMES.values():
        chosen = row.place()
        if chosen not in row.places:
            continue
        for place in row.places[: row.places.index(chosen)]:
            if place.startswith("django.") and is_there(place):
                early.add(row.name)
    assert early <= ANOTHER_THING


def is_there(place):
    """Tell whether there is something at a place."""
    try:
        find(place)
    except (ImportError, AttributeError, ImproperlyConfigured):  # the last for GDAL
        return False
    return True


def test_all_names_of_the_other_shims_are_there():
    """django_six 1.0.5 and django-compat 1.0.15 can be replaced, on every Django."""
    missing = {
        name
        for name in DJANGO_SIX + DJANGO_COMPAT
        if not NAMES[name].is_available()
    }
    assert {"close_connection", "close_old_connections"} <= set(dir(django_compat))
    assert missing <= ({"mock"} if sys.version_info[0] == 2 else set())


def test_rows_are_sorted_and_newest_first():
    """The table reads like a dictionary, and no release of a row is out of order."""
    names = [row.name for row in MOVES]
    assert names == sorted(names)
    for row in NAMES.values():
        releases = list(row.since) + [row.added]
        assert releases == sorted(releases, reverse=True), row.name
        assert len(row.since) == len(row.places) - 1, row.name
        if row.added > OLDEST or (row.gone and not row.new):
            assert row.instead or row.new, row.name


def test_backports_are_where_the_table_says():
    """Each place of ours exists, whatever Django is at hand would need it."""
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


def test_apps_is_djangos_and_ours_is_in_its_module():
    """``apps`` is the registry, also after our module of that name was loaded."""
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


def test_no_other_name_is_a_module_of_ours():
    """Python binds a submodule by its name: the surface knows the one that clashes."""
    files = os.listdir(os.path.join(ROOT, "django_compat"))
    modules = {os.path.splitext(file)[0] for file in files}
    assert modules & set(NAMES) == django_compat._SHADOWED
    assert set(django_compat._NAMES) & set(NAMES) == set()


def test_resolving_loads_no_more_than_the_place():
    """A name from django.utils loads neither models nor forms nor another backport."""
    code = (
        "import json, sys; from django_compat import lru_cache, import_string\n"
        "print(json.dumps(sorted(n for n in sys.modules if sys.modules[n])))"
    )
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([ROOT] + sys.path))
    output = subprocess.check_output([sys.executable, "-c", code], env=env)
    loaded = json.loads(output.decode("utf-8"))
    heavy = ("django.db", "django.forms", "django.template", "django.contrib")
    assert [name for name in loaded if name.startswith(heavy)] == []
    assert len([name for name in loaded if "backports" in name]) <= 3


@pytest.mark.everywhere
def test_documents_are_current():
    """docs/moved-names.rst is what its script makes of the table."""
    sys.path.insert(0, os.path.join(ROOT, "docs"))
    try:
        moved_names = import_module("moved_names")
    finally:
        del sys.path[0]
    assert read("docs", "moved-names.rst") == moved_names.render()


@pytest.mark.everywhere
def test_stubs_have_every_name():
    """A type checker knows each name of the table, and no other."""
    code = read("django_compat", "__init__.pyi")
    section = code.split("# Moved names", 1)[1].split("\n", 1)[1]
    found = set()
    for line in section.splitlines():
        if line.startswith(("from ", "import ")):
            found.add(line.split(" as ")[-1])
        elif line and not line.startswith(("#", " ")):
            found.add(line.replace("=", ":").split(":")[0].strip())
    assert found == set(NAMES)


def vanished():
    """Yield the module and the name of all that vanished."""
    text = read("docs", "vanished-names.txt").replace("\n    ", " ")
    for line in text.splitlines():
        head, _, names = line.partition(": ")
        for name in names.split():
            yield head.split()[1], name


def test_each_vanished_name_has_a_row_or_a_reason():
    """No name that a Django has dropped was forgotten; and no reason is for nothing."""
    lines = read("docs", "vanished-reasons.txt").splitlines()
    patterns = {
        pattern: re.compile(fnmatch.translate(pattern))
        for line in lines
        if line and not line.startswith((" ", "#"))
        for pattern in line.split()
    }
    places = {place for row in NAMES.values() for place in row.places}
    forgotten, used, seen = [], set(), set()
    for module, name in vanished():
        key = "%s:%s" % (module, name)
        if key in seen or key in places or module in places:
            continue
        seen.add(key)
        hits = {each for each in patterns if patterns[each].match(key)}
        used |= hits
        if not hits:
            forgotten.append(key)
    assert forgotten == []
    assert set(patterns) - used == set()


def test_row_with_an_unknown_fact_is_refused():
    """A misspelt fact in the table fails at once, and so does a name with two rows."""
    with pytest.raises(TypeError) as caught:
        Move("a", "b:c", sinse=(1, 4))
    assert "sinse" in str(caught.value)
    with pytest.raises(ValueError):
        by_name([Move("a", "b:c"), Move("a", "d:e")])
