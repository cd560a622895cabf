"""``python -m django_compat``, run as a user runs it: in its own process."""

from __future__ import absolute_import

import json
import os
import platform
import re
import subprocess
import sys
import time
from importlib import import_module

import django
import django.db
import pytest
from django.db import connections

import django_compat
from django_compat._cli.main import format_jobs, format_names
from django_compat._cli.settings import BadUsage, check_databases
from support import processes
from support.databases import kill, open_connection, sessions, wait_for
from support.drivers import code_of_choice
from support.repository import ROOT

CLOSES_ALL = not hasattr(django.db, "close_old_connections")  # Django 1.4 and 1.5
SQLITE = "django.db.backends.sqlite3"
STRICT = """import warnings
warnings.filterwarnings("error", category=DeprecationWarning, module="django_compat")
"""


@pytest.fixture
def run(tmpdir):
    """Return a function that runs the command in an empty folder with ``here.py``."""
    temporary, strict = tmpdir.mkdir("temporary"), tmpdir.mkdir("strict")
    strict.join("sitecustomize.py").write(STRICT)
    path = os.pathsep.join([str(strict), ROOT])

    def run(*arguments, **environment):
        env = dict(os.environ, PYTHONPATH=path, TMPDIR=str(temporary))
        env.pop("DJANGO_SETTINGS_MODULE", None)
        command = ["-m", "django_compat"] + list(arguments)
        result = processes.run(command, dict(env, **environment), str(tmpdir))
        assert temporary.listdir() == []  # the command removes its SQLite file
        return result

    return run


@pytest.fixture
def settings(tmpdir):
    """Return a function that writes the settings module ``here``."""

    def write(databases, prelude=""):
        text = prelude + "\nSECRET_KEY = 'x'\nUSE_TZ = True\nDATABASES = %r\n"
        tmpdir.join("here.py").write(text % (databases,))

    return write


def outcomes(facts):
    """Return ``{alias: [a text for each job]}``: query, fate of connection, reason."""
    texts = {}
    for job in facts["jobs"]:
        for result in job["connections"]:
            text = "%(query)s, %(connection)s, %(reason)s" % result
            texts.setdefault(result["alias"], []).append(text)
    return texts


def expected(*fates):
    """Return the texts of three jobs that go well; Django 1.4 and 1.5 close all."""
    queries = ("done", "failed as meant", "done")
    if CLOSES_ALL:
        fates = ["closed, all"] * 3
    return ["%s, %s" % pair for pair in zip(queries, fates)]


@pytest.mark.contract
def test_default_run_shows_versions_names_and_jobs(run):
    """Without a project the jobs run on SQLite; text and JSON show the same facts."""
    code, document, errors = run("--json")
    facts = json.loads(document)
    assert (code, errors, facts["ok"]) == (0, "", True)
    assert facts["versions"] == {
        "django": django.get_version(),
        "django_compat": django_compat.__version__,
        "python": platform.python_version(),
    }
    assert facts["drivers"]["default"].startswith("sqlite3, SQLite 3.")
    assert facts["databases"] == []  # only a project has a report of dbconnections
    names = dict((name["name"], name) for name in facts["names"])
    assert set(names) == set(django_compat._NAMES)
    missing = [name for name in names if names[name]["kind"] == "missing"]
    assert set(missing) == set(names) - set(django_compat.__all__)
    assert names["close_old_connections"]["kind"] == "django"
    assert names["connections"]["kind"] == "django"
    assert names["connections"]["place"] == "django.db.connections"
    assert names["HUNG_UP"]["kind"] == "ours"
    assert names["HUNG_UP"]["place"] == "django_compat._db.stale.HUNG_UP"
    assert names["close_connection"]["deprecated"] == "1.6"
    is_djangos = hasattr(django.db, "close_connection")
    assert names["close_connection"]["kind"] == ("django" if is_djangos else "ours")
    fates = expected("kept, age", "kept, age", "closed, age")
    assert outcomes(facts) == {"default": fates}
    assert (facts["jobs"][2]["idle"] > 0) is not CLOSES_ALL

    text = format_names(facts) + "\n" + format_jobs(facts)
    assert max(map(len, text.splitlines())) <= 100
    words = " ".join(text.split())
    phrases = [facts["drivers"]["default"], "Django " + django.get_version()]
    for name in facts["names"]:
        phrases += [name["name"], name["place"] or name["instead"]]
    for job in facts["jobs"]:
        phrases.append(job["title"])
        phrases += [result["why"] for result in job["connections"]]
    # One line shows all warning classes, with NN for the release.
    release = re.compile(r"(RemovedInDjango)\d+")
    phrases = [release.sub(r"\1NN", phrase) for phrase in phrases]
    assert [phrase for phrase in phrases if phrase not in words] == []
    assert text.endswith("All is well, all is closed.")


@pytest.mark.skipif(CLOSES_ALL, reason="the third job does not idle")
def test_names_are_printed_before_the_jobs(settings, tmpdir):
    """A reader has the names while the third job idles."""
    database = {"ENGINE": SQLITE, "NAME": str(tmpdir.join("file")), "CONN_MAX_AGE": 2}
    settings({"default": database})
    command = [sys.executable, "-m", "django_compat", "--settings", "here"]
    env = dict(os.environ, PYTHONPATH=ROOT)
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, cwd=str(tmpdir), env=env, close_fds=True
    )
    times = [(line, time.time()) for line in iter(process.stdout.readline, b"")]
    assert process.wait() == 0
    process.stdout.close()
    (names,) = [when for line, when in times if line == b"Public names\n"]
    assert times[-1][1] - names > 1


@pytest.mark.contract
def test_project_with_several_databases(run, settings, tmpdir):
    """Each alias keeps to its own CONN_MAX_AGE; Python finds the settings in cwd."""
    ages = {"default": 60, "zero": 0, "none": None, "short": 0.2, "left_out": "default"}
    databases = dict(
        (alias, {"ENGINE": SQLITE, "NAME": alias + ".sqlite3", "CONN_MAX_AGE": age})
        for alias, age in ages.items()
    )
    del databases["left_out"]["CONN_MAX_AGE"]
    settings(databases)
    code, document, errors = run("--json", "--settings", "here")
    facts = json.loads(document)
    assert (code, errors, facts["aliases"][0]) == (0, "", "default")
    assert outcomes(facts) == {
        "default": expected(*["kept, age"] * 3),
        "zero": expected(*["closed, age"] * 3),
        "left_out": expected(*["closed, age"] * 3),
        "none": expected(*["kept, age"] * 3),
        "short": expected("kept, age", "kept, age", "closed, age"),
    }
    assert [entry["alias"] for entry in facts["databases"]] == facts["aliases"]


def test_refused_database_fails_and_the_others_run(run, settings, alias, tmpdir):
    """The output has the driver's message, the exit code is 1, no session is left."""
    keys = ("ENGINE", "HOST", "NAME", "PASSWORD", "PORT", "USER")
    values = connections.databases[alias]
    good = dict((key, str(values.get(key, ""))) for key in keys)
    good["CONN_MAX_AGE"] = None
    dead = dict(good, PORT="1") if alias != "default" else dict(good, NAME="no/such/x")
    elsewhere = tmpdir.mkdir("elsewhere")
    settings({"default": {}, "dead": dead, "good": good}, code_of_choice())
    tmpdir.join("here.py").move(elsewhere.join("there.py"))
    before = sessions(alias) if alias != "default" else set()
    code, text, errors = run("--pythonpath=elsewhere", DJANGO_SETTINGS_MODULE="there")
    assert (code, errors) == (1, "")
    assert re.search("^  dead +failed +[A-Za-z]*Error: .*(connect|open)", text, re.M)
    assert text.count("skipped") == 2
    report = text.split("What manage.py dbconnections shows")[1]
    dead, good = report.split("\ngood: ")
    pattern = r"^dead\n  CONN_MAX_AGE(.*\n)+  ERROR  [A-Za-z]*Error: "
    assert re.search(pattern, dead, re.M)
    assert re.match(r"\w+( [\d.]+)?\n  CONN_MAX_AGE  ", good)
    assert max(map(len, report.splitlines())) <= 100
    fates = re.findall(r"^  (?:good|    ) +(kept|closed) ", text, re.M)
    assert fates == ["closed" if CLOSES_ALL else "kept"] * 3
    assert text.rstrip().endswith("Failed: dead")
    assert "django_compat_no_such_table" in text
    if alias != "default":
        wait_for(lambda: sessions(alias) <= before)


BAD_SETTINGS = {
    "missing module": (None, ["--settings here is not a module", "No module named"]),
    "failing import": ("import absent", ["--settings here fails at line 1", "absent"]),
    "bad age": (
        "SECRET_KEY = 'x'; DATABASES = {'default': {'ENGINE': %r, 'CONN_MAX_AGE': '9'}}"
        % SQLITE,
        ["DATABASES['default']['CONN_MAX_AGE'] is '9': it must be None, or a number"],
    ),
    "bad engine": (
        "SECRET_KEY = 'x'; DATABASES = {'default': {'ENGINE': 'absent'}}",
        ["DATABASES['default']['ENGINE'], 'absent', cannot be loaded", "backend"],
    ),
}


if hasattr(django, "setup"):  # Django 1.7+
    BAD_SETTINGS["missing app"] = (
        "SECRET_KEY = 'x'; INSTALLED_APPS = ['absent']\n"
        "DATABASES = {'default': {'ENGINE': %r, 'NAME': 'x.sqlite3'}}" % SQLITE,
        ["django.setup() fails for every database of --settings here: ", "absent"],
    )


@pytest.mark.parametrize("case", sorted(BAD_SETTINGS))
def test_bad_settings_are_named(run, tmpdir, case):
    """The exit code is 2; the message has setting, value and allowed values."""
    text, parts = BAD_SETTINGS[case]
    if text is not None:
        tmpdir.join("here.py").write(text)
    code, output, errors = run("--settings", "here")
    assert (code, output) == (2, "")
    assert [part for part in parts if part not in errors] == []
    assert "Traceback" not in errors


# A wrong entry beside a right one, and a part of its message.
WRONG_ENTRIES = {
    "5: dict(GOOD)": "DATABASES has the alias 5: it must be a text",
    "'x': 'mysql://u:secret@h/n'": "DATABASES['x'] is of type str: it must be a dict",
    "'x': dict(GOOD, OPTIONS=[1])": "['OPTIONS'] is [1]: it must be a dict",
    "'x': dict(GOOD, OPTIONS=None)": "['OPTIONS'] is None: it must be a dict",
    "'x': dict(GOOD, ENGINE=5)": "['ENGINE'] is 5: it must be the name",
    "'x': dict(GOOD, ENGINE='absent')": "['ENGINE'], 'absent', cannot be loaded",
    "'x': {'NAME': 'x'}": "DATABASES['x']['ENGINE'] is None: it must be",
    "'x': dict(GOOD, CONN_MAX_AGE='9')": "['CONN_MAX_AGE'] is '9': it must be None",
    "'x': dict(GOOD, CONN_MAX_AGE=10**5000)": "['CONN_MAX_AGE'] is a number of 16610",
    "'x': dict(GOOD, CONN_MAX_AGE=float('nan'))": "['CONN_MAX_AGE'] is nan: it must",
    "'x': dict(GOOD, CONN_MAX_AGE=float('inf'))": "['CONN_MAX_AGE'] is inf: it must",
    "'x': dict(GOOD, CONN_MAX_AGE=Lazy(lambda: 6))": "SimpleLazyObject",
    "'x': dict(GOOD, CONN_MAX_AGE=Lazy(lambda: 1 // 0))": "SimpleLazyObject",
    "'x': dict(GOOD, CONN_MAX_IDLE='\\x1b[2J')": "['CONN_MAX_IDLE'] is '\\x1b[2J'; it",
    "'x': dict(GOOD, CONN_KEEP_SESSION='no')": "['CONN_KEEP_SESSION'] is 'no'; it",
}


@pytest.mark.parametrize("entry", sorted(WRONG_ENTRIES))
def test_wrong_entry_is_named_and_the_others_run(run, tmpdir, entry):
    """The JSON is valid, the exit code 1, and no password is shown."""
    text = "from django.utils.functional import SimpleLazyObject as Lazy"
    text += "\nSECRET_KEY = 'x'"
    text += "\nGOOD = {'ENGINE': %r, 'NAME': 'x.sqlite3'}" % SQLITE
    tmpdir.join("here.py").write(text + "\nDATABASES = {'default': GOOD, %s}" % entry)
    code, output, errors = run("--json", "--settings", "here")
    facts = json.loads(output, parse_constant=pytest.fail)
    assert (code, errors, facts["ok"]) == (1, "", False)
    (message,) = facts["wrong"].values()
    assert WRONG_ENTRIES[entry] in message
    assert outcomes(facts)["default"] == expected(*["closed, age"] * 3)
    assert facts["databases"][0]["error"] is None
    text = format_names(facts) + "\n" + format_jobs(facts)
    assert text.endswith("Failed: " + list(facts["wrong"])[0])
    assert "secret" not in output + text


@pytest.mark.parametrize("age", ["60", -1, -0.5, True, False, float("nan"), [60]])
def test_bad_max_age_is_named(age):
    """The message has the alias, the value and the allowed values."""
    databases = {"default": {}, "other": {"ENGINE": SQLITE, "CONN_MAX_AGE": age}}
    with pytest.raises(BadUsage) as caught:
        check_databases(databases)
    start = "DATABASES['other']['CONN_MAX_AGE'] is %r: it must be None, or a number"
    assert str(caught.value).startswith(start % age)


@pytest.mark.parametrize("age", [None, 0, 60, 0.5, float("inf")])
def test_good_max_age_passes(age):
    """None and numbers that are not negative pass; an empty default is left out."""
    databases = {"default": {}, "other": {"ENGINE": SQLITE, "CONN_MAX_AGE": age}}
    assert check_databases(databases) == ["other"]


@pytest.mark.parametrize(
    "databases", [{}, None, {"other": {"PASSWORD": "secret"}}, {"default": {}}]
)
def test_bad_databases_are_named(databases):
    """The message has DATABASES and an allowed ENGINE, but no password."""
    with pytest.raises(BadUsage) as caught:
        check_databases(databases)
    assert str(caught.value).startswith("DATABASES")
    assert SQLITE in str(caught.value)
    assert "secret" not in str(caught.value)


@pytest.fixture
def backend(settings, tmpdir):
    """Return a function that makes a backend of a project the one of ``x``."""

    def write(parent, body="pass", **entry):
        text = "from %s import base\n\n\nclass DatabaseWrapper(base.DatabaseWrapper):\n"
        text += "    %s\n" % body.replace("\n", "\n    ")
        tmpdir.mkdir("own").join("base.py").write(text % parent)
        tmpdir.join("own", "__init__.py").write("")
        settings({"default": {}, "x": dict(entry, ENGINE="own", NAME="x.sqlite3")})

    return write


def test_backend_without_a_driver_is_named(run, backend):
    """The driver is unknown, and a database that cannot connect fails."""
    backend("django.db.backends.dummy")
    code, document, errors = run("--json", "--settings", "here")
    facts = json.loads(document)
    assert (code, errors, facts["drivers"]) == (1, "", {"x": "unknown"})
    assert facts["jobs"][0]["connections"][0]["query"] == "failed"


# The connection that reads the server's limits closes well.
STUCK = """failures = ["stuck"]
def close(self):
    from django.db import connections
    is_of_job = self.connection is not None and self is connections["x"]
    if is_of_job and self.failures:
        raise RuntimeError(self.failures.pop())
    base.DatabaseWrapper.close(self)"""


def test_backend_that_cannot_close_is_named(run, backend):
    """The job fails with the error, and the next job runs."""
    backend(SQLITE, STUCK)
    code, document, errors = run("--json", "--settings", "here")
    facts = json.loads(document)
    error = "close_old_connections() raised RuntimeError: stuck"
    assert (code, errors) == (1, "")
    assert [job["errors"] for job in facts["jobs"]] == [[error], [], []]
    assert format_jobs(facts).endswith("Failed: close_old_connections()")


CLOSES_EACH = """def close_if_unusable_or_obsolete(self):
    self.close()"""


@pytest.mark.skipif(CLOSES_ALL, reason="closes without a reason until Django 1.5")
def test_backend_that_closes_by_its_own_rule_has_no_known_reason(run, backend):
    """The report does not guess."""
    backend(SQLITE, CLOSES_EACH, CONN_MAX_AGE=60)
    code, document, errors = run("--json", "--settings", "here")
    facts = json.loads(document)
    assert (code, errors) == (0, "")
    fates = expected("closed, unknown", "closed, error", "closed, unknown")
    assert outcomes(facts)["x"] == fates


# Not MySQL: until 2026 PyMySQL reconnects by itself when Django asks is_usable().
@pytest.mark.skipif(CLOSES_ALL, reason="closes without a reason until Django 1.5")
@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_reason_is_read_from_the_connection(server_alias):
    """The reason is an error, or that autocommit was left off."""
    from django_compat._cli import doctor

    def close_old(connection):
        state = doctor._state(connection)
        django_compat.close_old_connections()
        return doctor._explain(connection, *state)[:2]

    connection = open_connection(server_alias, max_age=None)
    kill(connection)
    assert doctor._query(connection, is_to_fail=False)[0] == "failed"
    assert close_old(connection) == ("closed", "error")
    assert close_old(connection) == ("none", "not open")
    open_connection(server_alias, max_age=None).set_autocommit(False)
    assert close_old(connection) == ("closed", "autocommit")


def test_import_of_the_command_runs_nothing(capsys):
    """A tool that imports each module of a package does no harm."""
    import_module("django_compat.__main__")
    assert capsys.readouterr()[:] == ("", "")


@pytest.mark.contract
def test_unknown_argument_is_named(run):
    """The exit code is 2; the message has the argument."""
    code, output, errors = run("--jsno")
    assert (code, output) == (2, "")
    assert "unrecognized arguments: --jsno" in errors
