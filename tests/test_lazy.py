"""The surface: what it loads and when, and that it behaves as a module does."""

from __future__ import absolute_import

import json
import os
import pickle
import subprocess
import sys
import threading
import warnings

import django
import pytest
from corners import IS_FULL

import django_compat
from django_compat.moves import NAMES

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
try:
    from importlib import reload
except ImportError:  # Python 2
    pass

# All that `import django_compat` may load beyond what the interpreter has at its start.
ALLOWED = {"django_compat", "django_compat._lazy", "__future__", "warnings"}
ALLOWED |= {"importlib", "importlib._bootstrap", "importlib._bootstrap_external"}
# A name with None is Python 2's note that a relative import found nothing.
LOADED = "sorted(n for n in set(sys.modules) - before if sys.modules[n])"


def run_python(code, *arguments, **environment):
    """Run code in a new interpreter without settings; return its JSON."""
    env = dict(os.environ, PYTHONPATH=ROOT, **environment)
    if "DJANGO_SETTINGS_MODULE" not in environment:
        env.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-c", code] + list(arguments)
    output = subprocess.check_output(command, env=env, stderr=subprocess.STDOUT)
    return json.loads(output.decode("utf-8").splitlines()[-1])


@pytest.mark.everywhere
def test_import_loads_next_to_nothing():
    """No Django, no driver, no asyncio, and no settings are needed."""
    loaded = run_python(
        "import json, sys; before = set(sys.modules); import django_compat\n"
        "print(json.dumps(%s))" % LOADED
    )
    assert set(loaded) - ALLOWED == set()


def test_dir_loads_no_more_than_djangos_version():
    """To ask for the names loads no database code and needs no settings."""
    loaded = run_python(
        "import json, sys, django_compat; names = dir(django_compat)\n"
        "assert 'close_old_connections' in names\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert "django" in loaded
    assert [name for name in loaded if name.startswith(("django.db", "MySQLdb"))] == []


@pytest.mark.everywhere
def test_import_in_a_settings_file(tmpdir):
    """A settings file may import the package, on every Django."""
    tmpdir.join("project_settings.py").write(
        "import django_compat\n"
        "SECRET_KEY = 'x'\n"
        "DATABASES = {'default': {'ENGINE': 'django.db.backends.sqlite3',"
        " 'NAME': ':memory:'}}\n"
    )
    code = (
        "import sys; sys.path.insert(0, sys.argv[1])\n"
        "from django_compat import close_old_connections\n"
        "import django.db, json\n"
        "close_old_connections()\n"
        "print(json.dumps(close_old_connections.__module__))"
    )
    settings = {"DJANGO_SETTINGS_MODULE": "project_settings"}
    assert run_python(code, str(tmpdir), **settings) == "django.db"


@pytest.mark.everywhere
def test_names_load_only_what_they_need():
    """The import line costs two modules of ours, beside django.db."""
    code = (
        "import json, sys\n"
        "from django.conf import settings\n"
        "settings.configure(DATABASES={'default':"
        " {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}})\n"
        "from django.db import connections; before = set(sys.modules)\n"
        "from django_compat import close_old_connections\n"
        "print(json.dumps(%s))" % LOADED
    )
    assert set(run_python(code)) - ALLOWED == set()


def test_dir_and_all_agree():
    """Both list what this Django can give, and nothing else but module attributes.

    The star is spared what would warn.
    """
    listed = [name for name in dir(django_compat) if not name.startswith("__")]
    assert set(django_compat.__all__) <= set(listed)
    spared = set(listed) - set(django_compat.__all__)
    assert [name for name in spared if not NAMES[name].is_gone()] == []
    assert "close_old_connections" in listed
    assert ("aclose_all_connections" in listed) is (django.VERSION >= (3, 0))


@pytest.mark.everywhere
@pytest.mark.parametrize("name", sorted(django_compat._NAMES))
def test_each_name_resolves_or_says_why_not(name):
    """A listed name resolves; any other says since when, and what to do."""
    if name in dir(django_compat):
        found = getattr(django_compat, name)
        assert vars(django_compat)[name] is found
        return
    with pytest.raises(ImportError) as caught:
        getattr(django_compat, name)
    row = django_compat._NAMES[name]
    for part in (name, "Django %d.%d" % row.since, django.get_version(), row.instead):
        assert part in str(caught.value)


def test_unknown_name_is_an_attribute_error():
    """A name that nobody knows is what it would be in any module."""
    with pytest.raises(AttributeError) as caught:
        django_compat.no_such_name
    assert "no_such_name" in str(caught.value)
    with pytest.raises(ImportError):
        from django_compat import no_such_name  # noqa: F401


def test_import_star_gives_all():
    """The star imports what __all__ lists."""
    namespace = {}
    exec("from django_compat import *", namespace)
    assert set(django_compat.__all__) <= set(namespace)
    assert "Name" not in namespace


if IS_FULL:  # it takes 2 s, and is Python's work more than Django's

    def test_help_lists_the_functions():
        """pydoc renders the surface."""
        import pydoc

        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # it asks for what Django dropped, too
            text = pydoc.plain(pydoc.render_doc(django_compat))
        assert "close_all_connections" in text
        assert "One import line" in text


@pytest.mark.parametrize("name", ["close_old_connections", "close_all_connections"])
def test_names_pickle(name):
    """What the surface gives is pickled by its name."""
    found = getattr(django_compat, name)
    assert pickle.loads(pickle.dumps(found, 2)) is found


def test_reload_keeps_the_surface_working():
    """A reloaded surface is the same object, resolves anew, and gives the same."""
    before = django_compat.close_all_connections
    again = reload(django_compat)
    assert again is django_compat is sys.modules["django_compat"]
    assert "close_all_connections" not in vars(django_compat)
    assert django_compat.close_all_connections is before


def meet(before, *work):
    """Let 16 threads do the same work at once; return how often, and what is found."""
    code = (
        "import json, sys, threading\n"
        "%s\n"
        "getattr(sys, 'setswitchinterval', lambda seconds: 0)(1e-6)\n"
        "start, found = threading.Event(), []\n"
        "def work():\n"
        "    start.wait()\n"
        "    %s\n"
        "threads = [threading.Thread(target=work) for _ in range(16)]\n"
        "[thread.start() for thread in threads]\n"
        "start.set()\n"
        "[thread.join() for thread in threads]\n"
        "print(json.dumps([len(found), len(set(found))]))"
    )
    return run_python(code % (before, "\n    ".join(work)))


def test_first_access_from_many_threads():
    """Threads that meet at the first import, and the first access, get one object."""
    found = meet(
        "from django.conf import settings\n"
        "settings.configure(DATABASES={'default':"
        " {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}})",
        "from django_compat import close_all_connections",
        "from django_compat import RemovedInDjango2028Warning as warning",
        "found.append((id(close_all_connections), id(warning)))",
    )
    assert found == [16, 1]


def test_first_access_to_a_moved_name_from_many_threads():
    """Threads that meet while the table is loaded get one object, and no error."""
    found = meet(
        "import django_compat",
        "from django_compat import import_string, lru_cache",
        "assert not hasattr(django_compat, 'no_such_name')",
        "found.append((id(import_string), id(lru_cache)))",
    )
    assert found == [16, 1]


def test_a_django_without_the_name_gets_ours(monkeypatch):
    """On a Django that dropped both names the import line gives an equal of ours."""
    monkeypatch.delattr(django.db, "close_old_connections", raising=False)
    monkeypatch.delattr(django.db, "close_connection", raising=False)
    reload(django_compat)
    try:
        ours = django_compat.connections.close_old_connections
        assert django_compat.close_old_connections is ours
        ours = django_compat.connections.close_connection
        assert django_compat.close_connection is ours
    finally:
        monkeypatch.undo()
        reload(django_compat)


def test_name_without_its_package_says_what_to_install():
    """A row whose package is missing is not listed, and helps."""
    row = django_compat._lazy.Name("a:b", needs="no_such_package", instead="install it")
    assert not row.is_available()
    with pytest.raises(ImportError) as caught:
        row.resolve("django_compat", "name")
    assert "needs the package no_such_package: install it" in str(caught.value)


def test_places_that_hold_nothing_are_named():
    """A row whose places are all gone says where it looked."""
    row = django_compat._lazy.Name("django_compat.connections:gone")
    with pytest.raises(ImportError) as caught:
        row.resolve("django_compat", "gone")
    assert "django_compat.connections:gone" in str(caught.value)


def test_row_with_an_unknown_fact_is_refused():
    """A misspelt fact in the table fails at once."""
    with pytest.raises(TypeError) as caught:
        django_compat._lazy.Name("a:b", sinse=(1, 4))
    assert "sinse" in str(caught.value)


def test_resolving_in_threads_of_this_process():
    """Resolving the same name at once in many threads binds one object."""
    reload(django_compat)
    found = []

    def work():
        found.append(django_compat.close_all_connections)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 8 and len(set(found)) == 1
