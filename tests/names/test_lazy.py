"""The lazy module: what each import loads, and that it behaves like any module."""

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

import django_compat
from django_compat._db import closing
from django_compat._names.table import NAMES
from support.repository import ROOT

try:
    from importlib import reload
except ImportError:  # Python 2
    pass

# The modules that `import django_compat` may load, beside those of the interpreter.
ALLOWED = {"django_compat", "django_compat._lazy", "__future__", "warnings"}
ALLOWED |= {"importlib", "importlib._bootstrap", "importlib._bootstrap_external"}
# Python 2 sets sys.modules[name] to None after a relative import that found nothing.
LOADED = "sorted(n for n in set(sys.modules) - before if sys.modules[n])"


def run_python(code, *arguments, **environment):
    """Run code in a new interpreter, by default without settings; return its JSON."""
    env = dict(os.environ, PYTHONPATH=ROOT, **environment)
    if "DJANGO_SETTINGS_MODULE" not in environment:
        env.pop("DJANGO_SETTINGS_MODULE", None)
    command = [sys.executable, "-c", code] + list(arguments)
    output = subprocess.check_output(command, env=env, stderr=subprocess.STDOUT)
    return json.loads(output.decode("utf-8").splitlines()[-1])


@pytest.mark.contract
def test_import_loads_next_to_nothing():
    """The import loads no Django, no driver, no asyncio, and needs no settings."""
    loaded = run_python(
        "import json, sys; before = set(sys.modules); import django_compat\n"
        "print(json.dumps(%s))" % LOADED
    )
    assert set(loaded) - ALLOWED == set()


@pytest.mark.contract
def test_dir_loads_no_more_than_djangos_version():
    """``dir()`` loads no database code and needs no settings."""
    loaded = run_python(
        "import json, sys, django_compat; names = dir(django_compat)\n"
        "assert 'close_old_connections' in names\n"
        "print(json.dumps(sorted(sys.modules)))"
    )
    assert "django" in loaded
    assert [name for name in loaded if name.startswith(("django.db", "MySQLdb"))] == []


@pytest.mark.contract
def test_dir_has_names_that_need_settings_where_settings_are_named():
    """``dir()`` reads the variable, and imports neither settings nor models."""
    names = "ACTION_CHECKBOX_NAME", "User"
    code = "import json, django_compat; names = dir(django_compat)\n"
    code += "print(json.dumps([name in names for name in %r]))" % (names,)
    assert run_python(code) == [False, False]
    assert run_python(code, DJANGO_SETTINGS_MODULE="no.settings") == [True, False]


@pytest.mark.contract
def test_import_in_a_settings_file(tmpdir):
    """A settings file may import the package."""
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


@pytest.mark.contract
def test_names_load_only_what_they_need():
    """The import line loads two modules of ours, beside django.db."""
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


@pytest.mark.contract
def test_dir_and_all_agree():
    """Both list the names of this Django; ``__all__`` leaves out names that warn."""
    listed = [name for name in dir(django_compat) if not name.startswith("__")]
    assert set(django_compat.__all__) <= set(listed)
    left_out = set(listed) - set(django_compat.__all__)
    assert [name for name in left_out if not NAMES[name].is_gone()] == []
    assert "close_old_connections" in listed
    assert ("aclose_all_connections" in listed) is (django.VERSION >= (3, 0))


@pytest.mark.contract
@pytest.mark.parametrize("name", sorted(django_compat._NAMES))
def test_names_resolve_or_say_why_not(name):
    """A listed name resolves; another name says which Django has it, and what to do."""
    if name in dir(django_compat):
        resolved = getattr(django_compat, name)
        assert vars(django_compat)[name] is resolved
        return
    with pytest.raises(ImportError) as caught:
        getattr(django_compat, name)
    row = django_compat._NAMES[name]
    for part in (name, "Django %d.%d" % row.since, django.get_version(), row.instead):
        assert part in str(caught.value)


@pytest.mark.contract
def test_unknown_name_is_an_attribute_error():
    """An unknown name raises the same errors as in any module."""
    with pytest.raises(AttributeError) as caught:
        django_compat.no_such_name
    assert "no_such_name" in str(caught.value)
    with pytest.raises(ImportError):
        from django_compat import no_such_name  # noqa: F401


@pytest.mark.contract
def test_import_star_gives_all():
    """``import *`` gives the names in ``__all__``, and no others of the module."""
    namespace = {}
    exec("from django_compat import *", namespace)
    assert set(django_compat.__all__) <= set(namespace)
    assert "Name" not in namespace


def test_help_lists_the_functions():
    """pydoc renders the package."""
    import pydoc

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # pydoc also gets the names that warn
        text = pydoc.plain(pydoc.render_doc(django_compat))
    assert "close_all_connections" in text
    assert "One import line" in text


@pytest.mark.contract
@pytest.mark.parametrize("name", ["close_old_connections", "close_all_connections"])
def test_functions_pickle(name):
    """A function of the package is pickled by its name."""
    function = getattr(django_compat, name)
    assert pickle.loads(pickle.dumps(function, 2)) is function


@pytest.mark.contract
def test_reload_keeps_the_module_working():
    """After reload() the module is the same object, and resolves the same functions."""
    before = django_compat.close_all_connections
    again = reload(django_compat)
    assert again is django_compat is sys.modules["django_compat"]
    assert "close_all_connections" not in vars(django_compat)
    assert django_compat.close_all_connections is before


def run_threads(before, *work):
    """Run the same work in 16 threads at once, in a new process.

    The work appends to ``results``. Return how many results there are, and how many
    different results.
    """
    code = (
        "import json, sys, threading\n"
        "%s\n"
        "getattr(sys, 'setswitchinterval', lambda seconds: 0)(1e-6)\n"
        "start, results = threading.Event(), []\n"
        "def work():\n"
        "    start.wait()\n"
        "    %s\n"
        "threads = [threading.Thread(target=work) for _ in range(16)]\n"
        "[thread.start() for thread in threads]\n"
        "start.set()\n"
        "[thread.join() for thread in threads]\n"
        "print(json.dumps([len(results), len(set(results))]))"
    )
    return run_python(code % (before, "\n    ".join(work)))


@pytest.mark.contract
def test_first_access_from_many_threads():
    """Threads that import the package for the first time get the same objects."""
    counts = run_threads(
        "from django.conf import settings\n"
        "settings.configure(DATABASES={'default':"
        " {'ENGINE': 'django.db.backends.sqlite3', 'NAME': ':memory:'}})",
        "from django_compat import close_all_connections",
        "from django_compat import RemovedInDjango2028Warning as warning",
        "results.append((id(close_all_connections), id(warning)))",
    )
    assert counts == [16, 1]


@pytest.mark.contract
def test_first_access_to_a_moved_name_from_many_threads():
    """Threads that load the table at the same time get the same objects."""
    counts = run_threads(
        "import django_compat",
        "from django_compat import import_string, lru_cache",
        "assert not hasattr(django_compat, 'no_such_name')",
        "results.append((id(import_string), id(lru_cache)))",
    )
    assert counts == [16, 1]


@pytest.mark.contract
def test_django_without_the_functions_gets_ours(monkeypatch):
    """On a Django without the two functions, the names give functions of ours."""
    monkeypatch.delattr(django.db, "close_old_connections", raising=False)
    monkeypatch.delattr(django.db, "close_connection", raising=False)
    reload(django_compat)
    try:
        ours = closing.close_old_connections
        assert django_compat.close_old_connections is ours
        ours = closing.close_connection
        assert django_compat.close_connection is ours
    finally:
        monkeypatch.undo()
        reload(django_compat)


def test_name_without_its_package_says_what_to_install():
    """A name whose package is missing is not available; its error names the package."""
    row = django_compat._lazy.Name("a:b", needs="no_such_package", instead="install it")
    assert not row.is_available()
    with pytest.raises(ImportError) as caught:
        row.resolve("django_compat", "name")
    assert "needs the package no_such_package: install it" in str(caught.value)


def test_places_that_hold_nothing_are_named():
    """A name whose places are all missing raises ImportError with the places."""
    row = django_compat._lazy.Name("django_compat._db.closing:gone")
    with pytest.raises(ImportError) as caught:
        row.resolve("django_compat", "gone")
    assert "django_compat._db.closing:gone" in str(caught.value)


def test_row_with_an_unknown_fact_is_refused():
    """A misspelt fact raises TypeError."""
    with pytest.raises(TypeError) as caught:
        django_compat._lazy.Name("a:b", sinse=(1, 4))
    assert "sinse" in str(caught.value)


@pytest.mark.contract
def test_threads_resolve_the_same_object():
    """Threads that resolve a name at the same time get the same object."""
    reload(django_compat)
    functions = []

    def work():
        functions.append(django_compat.close_all_connections)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(functions) == 8 and len(set(functions)) == 1
