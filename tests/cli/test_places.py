"""The facts of places.txt against the Django that is installed, and the advice."""

from __future__ import absolute_import

import ast
import io
import json
import os
import subprocess
import sys

import django
import pytest

from django_compat._cli.places import (
    PATH,
    RELEASES,
    BadRange,
    Places,
    parse_range,
)
from django_compat.matrix import SERIES

THIS = django.VERSION[:2]
# Import each module of Django that can be imported here; print its file, the names
# that dir() lists, and those of the names asked for that it has. Models can be imported
# if their application is installed. A star also brings modules that somebody loaded:
# these are left out.
IMPORT_ALL = """
import importlib, json, pkgutil, sys, types, warnings
warnings.simplefilter("ignore")
import django
from django.conf import settings
contrib = "admin auth contenttypes sessions messages staticfiles sites flatpages"
contrib += " redirects humanize sitemaps"
settings.configure(
    INSTALLED_APPS=["django.contrib." + name for name in contrib.split()],
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3"}},
    SECRET_KEY="x", SITE_ID=1, TEMPLATES=[], MIDDLEWARE=[],
)
getattr(django, "setup", int)()
asked = json.load(open(sys.argv[1]))
modules = {}
for _, name, _ in pkgutil.walk_packages(django.__path__, "django.", lambda name: None):
    try:
        modules[name] = importlib.import_module(name)
    except BaseException:  # a library is missing, or it is a script
        continue

def names(name):
    module = modules[name]
    listed = {
        key for key in dir(module)
        if type(getattr(module, key)) is not types.ModuleType  # some objects are lazy
        or not getattr(module, key).__name__.startswith("django.")
    }
    given = {key for key in asked.get(name, ()) if hasattr(module, key)}
    return [getattr(module, "__file__", None), sorted(listed), sorted(given)]

print(json.dumps({name: names(name) for name in modules}))
"""
NOT_MODULES = ("django.bin", "_template", "profiler-hotshot", "__main__", ".tests.")
NOT_MODULES += ("2to3_fixes",)
# Variables of a list comprehension, or of "except ... as", which Python 2 keeps.
LEFT_OVER = "x z k cls num e e1 sentinel __warningregistry__".split()
# Appended to __all__ by a call.
LEFT_OVER += "geos_cascaded_union geos_isvalidreason".split()


@pytest.fixture(scope="module")
def facts():
    return Places([THIS])


@pytest.fixture(scope="module")
def imported(facts, tmp_path_factory):
    """Import all; return ``{module: (file, its names, those asked for and there)}``."""
    folder = tmp_path_factory.mktemp("imported")
    program, asked = folder / "import_all.py", folder / "asked.json"
    program.write_bytes(IMPORT_ALL.encode("ascii"))
    names = {module: sorted(facts.names(module)) for module in facts.modules()}
    asked.write_bytes(json.dumps(names).encode("ascii"))
    command = [sys.executable, str(program), str(asked)]
    env = {name: os.environ[name] for name in os.environ if name != "PYTHONPATH"}
    output = subprocess.check_output(command, cwd=str(folder), env=env)
    modules = json.loads(output.decode("utf-8").splitlines()[-1])
    return {
        name: modules[name]
        for name in modules
        if not any(part in name for part in NOT_MODULES)
    }


def bound_in_each_case(path):
    """Return the names that the statements of a module bind, outside of any block."""
    with open(path, "rb") as file:
        body = ast.parse(file.read(), path).body
    names = set()
    for node in body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names.update(
                alias.asname or alias.name.split(".")[0] for alias in node.names
            )
    return names


@pytest.mark.contract
def test_facts_know_each_name_of_this_django(facts, imported):
    """A module, when imported, has no name that places.txt does not give."""
    assert len(imported) > 250
    missing = [module for module in imported if not facts.module(module)]
    missing += [
        "%s:%s" % (module, name)
        for module, (_, listed, _) in imported.items()
        for name in listed
        if not facts.having(module, name) and name not in LEFT_OVER
    ]
    assert not missing, "\n".join(missing)


@pytest.mark.contract
def test_facts_give_nothing_that_this_django_lacks(facts, imported):
    """A name that is not there is bound in a block: for Windows, or for a library."""
    excess = []
    for module, (path, _, given) in imported.items():
        names = facts.names(module)
        absent = {name for name in names if names[name]} - set(given) - {"*"}
        if absent:
            path = path.replace(".pyc", ".py")
            absent &= bound_in_each_case(path)
            excess += ["%s:%s" % (module, name) for name in absent]
    assert not excess, "\n".join(excess)


@pytest.mark.parametrize(
    ("text", "first", "last", "count"),
    [
        (None, (1, 4), (6, 1), 22),
        (">=3.2", (3, 2), (6, 1), 9),
        (">=2.2,<5.0", (2, 2), (4, 2), 7),
        ("==4.2.*", (4, 2), (4, 2), 1),
        ("==4.2.3", (4, 2), (4, 2), 1),
        ("~=3.1", (3, 1), (3, 2), 2),
        (">=3.2.5", (3, 2), (6, 1), 9),
        (">=3.2,!=4.0.*,<4.2", (3, 2), (4, 1), 2),
    ],
)
def test_range_is_the_series_that_it_has_a_release_of(text, first, last, count):
    releases = parse_range(text)
    assert (releases[0], releases[-1], len(releases)) == (first, last, count)


@pytest.mark.parametrize("text", ["3.2", ">=x", "", ">=9", "<1.4", "~=3"])
def test_range_that_is_malformed_or_empty_is_refused(text):
    with pytest.raises(BadRange) as caught:
        parse_range(text)
    assert "--django" in str(caught.value)


ADVICE = [
    (">=3.2", "django.core.urlresolvers:reverse", "place django.urls:reverse"),
    (">=1.4", "django.core.urlresolvers:reverse", "shim django_compat:reverse"),
    (
        ">=1.8",
        "django.core.context_processors:debug",
        "place django.template.context_processors:debug",
    ),
    # On Python 2 gettext gives bytes; so the place is right from 2.0 on only.
    (
        ">=2.0",
        "django.utils.translation:ugettext",
        "place django.utils.translation:gettext",
    ),
    (">=1.4", "django.utils.translation:ugettext", "shim django_compat:gettext"),
    # From Django 1.5 on smart_str returns text on Python 3.
    (">=1.4", "django.utils.encoding:force_bytes", "shim django_compat:force_bytes"),
    ("<2.0", "django.utils.encoding:force_bytes", "shim django_compat:force_bytes"),
    (
        "<1.5",
        "django.utils.encoding:force_bytes",
        "place django.utils.encoding:smart_str",
    ),
    (">=2.2", "django.conf.urls:url", "place django.urls:re_path"),
    (">=1.4", "django.conf.urls:url", "shim django_compat:re_path"),
    (">=2.0", "django.utils.six:text_type", "shim django_compat:text_type"),
    (">=2.0", "django.utils:six", "shim django_compat:six"),
    (">=2.0", "django.utils.six", "shim django_compat:six"),
    (
        ">=2.0",
        "django.utils.six.moves.urllib.parse:quote",
        "place six.moves.urllib.parse:quote",
    ),
    (">=2.0", "django.db.models.loading:get_model", "shim django_compat:get_model"),
    (">=2.0", "django.db:close_connection", "shim django_compat:close_all_connections"),
    (
        ">=1.4",
        "django.db:close_old_connections",
        "shim django_compat:close_old_connections",
    ),
    (
        ">=2.0",
        "django.utils.deprecation:RemovedInDjango20Warning",
        "shim django_compat:RemovedInDjango20Warning",
    ),
    (
        ">=3.1",
        "django.contrib.postgres.fields:JSONField",
        "place django.db.models:JSONField",
    ),
    # Django 1.5 to 1.11 have the old name on Python 2 only.
    (
        "==1.11.*",
        "django.contrib.admin.models:smart_unicode",
        "place django.utils.encoding:smart_text",
    ),
    # A template filter and another cache have these names.
    (">=4.1", "django.utils.timezone:utc", "shim django_compat:utc"),
    (">=2.0", "django.db.models.loading:cache", "text None:None"),
    (">=2.2", "django.contrib.auth.views:login", "text None:None"),
    (">=2.2", "django.db:nonsense", "none None:None"),
]


@pytest.mark.parametrize(("django_range", "place", "expected"), ADVICE)
def test_advice_is_the_same_object_on_the_whole_range(django_range, place, expected):
    """Else a name of django_compat, else the reason, else nothing."""
    module, _, name = place.partition(":")
    advice = Places(parse_range(django_range)).advice(module, name or None)
    assert "%s %s:%s" % (advice[:3]) == expected


def test_advice_for_a_module_tells_of_its_content():
    """And not of default_app_config, which many packages had."""
    advice = Places(parse_range(">=2.0")).advice("django.contrib.webdesign")
    assert advice.text.startswith("Since 1.8 its only tag, lorem,")


def test_advice_for_a_name_that_warns_says_so():
    advice = Places(parse_range(">=2.0")).advice("django.conf.urls", "patterns")
    assert advice.text == (
        "from django_compat import patterns, which warns: use a plain list"
    )


def test_each_place_that_is_advised_can_be_imported_here(imported):
    """On the installed Django, the place that advice names has the name."""
    places, wrong, count = Places([THIS]), [], 0
    for module in places.modules():
        for name in places.names(module):
            if places.having(module, name):
                continue
            advice = places.advice(module, name)
            if advice.kind != "place" or advice.module not in imported:
                continue
            if advice.module.startswith(("django.db.backends.", "django.contrib.gis.")):
                continue  # some names are for one driver, or need a library
            count += 1
            _, listed, given = imported[advice.module]
            if advice.name is not None and advice.name not in given:
                if "%s.%s" % (advice.module, advice.name) not in imported:
                    wrong.append("%s:%s %s" % (module, name, advice.text))
    assert count > 100
    assert not wrong, "\n".join(wrong)


def test_releases_that_warn():
    """A module, a function, a class, a module's __getattr__, a field with a check."""
    places = Places()
    assert places.module_warned("django.core.urlresolvers") == {(1, 10), (1, 11)}
    warned = places.warned("django.core.urlresolvers", "reverse")
    assert warned == {(1, 10), (1, 11)}
    warned = places.warned("django.utils.encoding", "smart_text")
    assert warned == {(3, 0), (3, 1), (3, 2)}
    assert places.warned("django.utils.timezone", "utc") == {(4, 1), (4, 2)}
    assert min(places.warned("django.db.models", "NullBooleanField")) == (3, 1)
    assert places.warned("django.db.models", "get_model") == {(1, 7), (1, 8)}
    for name in ("Field", "CharField", "Model"):  # Field may warn, and does not
        assert places.warned("django.db.models", name) == set()


def test_first_and_last_django_of_a_name():
    places = Places(parse_range(">=5.0"))
    ends = places.first_last("django.core.urlresolvers", "reverse")
    assert ends == ((1, 4), (1, 11))
    assert places.first_last("django.urls") == ((1, 10), (6, 1))
    assert places.first_last("django.urls", "nonsense") is None


def test_data_name_the_newest_release_of_each_series():
    """The first line of places.txt has the releases that matrix.py knows."""
    with io.open(PATH, encoding="utf-8") as file:
        releases = next(file).split()
    assert releases == [series.last for series in SERIES]
    assert len(releases) == len(RELEASES)


def test_command_line_loads_the_data_only_when_asked():
    """Other commands, and the package, read none of them."""
    program = "import sys, django_compat._cli.main; print(sorted(sys.modules))"
    output = subprocess.check_output([sys.executable, "-c", program])
    assert "_cli.places" not in output.decode("ascii")
