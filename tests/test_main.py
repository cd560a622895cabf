"""``python -m django_compat``, run as a user runs it: in a process of its own."""

from __future__ import absolute_import

import json
import os
import platform
import re
import subprocess
import sys

import django
import django.db
import processes
import pytest
from databases import choice_of_drivers, kill, open_connection, sessions, wait_for
from django.db import connections

import django_compat
from django_compat.__main__ import BadUsage, _check_databases, _format

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLOSES_ALL = not hasattr(django.db, "close_old_connections")  # Django 1.4 and 1.5
SQLITE = "django.db.backends.sqlite3"


STRICT = """import warnings
warnings.filterwarnings("error", category=DeprecationWarning, module="django_compat")
"""


def run_in_new_interpreter(arguments, env, cwd):
    """Do as ``processes.run``, with nothing loaded beforehand."""
    process = subprocess.Popen(
        [sys.executable] + arguments,
        cwd=cwd,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = [stream.decode("utf-8") for stream in process.communicate()]
    return process.returncode, output, errors


@pytest.fixture
def run(request, tmpdir):
    """Return a function that runs the command in an empty folder with ``here.py``."""
    runner = getattr(request, "param", processes.run)
    temporary, strict = tmpdir.mkdir("temporary"), tmpdir.mkdir("strict")
    strict.join("sitecustomize.py").write(STRICT)
    path = os.pathsep.join([str(strict), ROOT])

    def run(*arguments, **environment):
        env = dict(os.environ, PYTHONPATH=path, TMPDIR=str(temporary))
        env.pop("DJANGO_SETTINGS_MODULE", None)
        command = ["-m", "django_compat"] + list(arguments)
        found = runner(command, dict(env, **environment), str(tmpdir))
        assert temporary.listdir() == []  # a finished run leaves nothing there
        return found

    return run


@pytest.fixture
def settings(tmpdir):
    """Return a function that writes the settings module ``here``."""

    def write(databases, prelude=""):
        text = prelude + "\nSECRET_KEY = 'x'\nUSE_TZ = True\nDATABASES = %r\n"
        tmpdir.join("here.py").write(text % (databases,))

    return write


def outcomes(facts):
    """Return ``{alias: [what became of its connection after each job]}``."""
    found = {}
    for job in facts["jobs"]:
        for result in job["connections"]:
            outcome = "%(query)s, %(connection)s, %(reason)s" % result
            found.setdefault(result["alias"], []).append(outcome)
    return found


def expected(*fates):
    """Return the outcomes of three jobs that go well; Django 1.4 and 1.5 close all."""
    queries = ("done", "failed as meant", "done")
    if CLOSES_ALL:
        fates = ["closed, all"] * 3
    return ["%s, %s" % pair for pair in zip(queries, fates)]


@pytest.mark.everywhere
@pytest.mark.parametrize("run", [run_in_new_interpreter], indirect=True)
def test_default_run_shows_versions_names_and_jobs(run):
    """Without a project the jobs run on SQLite; text and JSON have the same facts."""
    code, document, errors = run("--json")
    facts = json.loads(document)
    assert (code, errors, facts["ok"]) == (0, "", True)
    assert facts["versions"] == {
        "django": django.get_version(),
        "django_compat": django_compat.__version__,
        "python": platform.python_version(),
    }
    assert facts["drivers"]["default"].startswith("sqlite3, SQLite 3.")
    assert facts["databases"] == []  # there is no project to tell of
    names = dict((name["name"], name) for name in facts["names"])
    assert set(names) == set(django_compat._NAMES)
    missing = [name for name in names if names[name]["kind"] == "missing"]
    assert set(missing) == set(names) - set(django_compat.__all__)
    assert names["close_old_connections"]["kind"] == "django"
    assert names["close_connection"]["deprecated"] == "1.6"
    is_djangos = hasattr(django.db, "close_connection")
    assert names["close_connection"]["kind"] == ("django" if is_djangos else "ours")
    fates = expected("kept, age", "kept, age", "closed, age")
    assert outcomes(facts) == {"default": fates}
    assert (facts["jobs"][2]["idle"] > 0) is not CLOSES_ALL

    text = _format(facts)
    assert max(map(len, text.splitlines())) <= 100
    words = " ".join(text.split())
    told = [facts["drivers"]["default"], "Django " + django.get_version()]
    for name in facts["names"]:
        told += [name["name"], name["place"] or name["instead"]]
    for job in facts["jobs"]:
        told += [job["title"]] + [result["why"] for result in job["connections"]]
    # What differs in a release only stands in one line, with NN.
    one_line = re.compile(r"(RemovedInDjango)\d+")
    assert [fact for fact in told if one_line.sub(r"\1NN", fact) not in words] == []
    assert text.endswith("All is well, all is closed.")


@pytest.mark.everywhere
def test_project_with_several_databases(run, settings, tmpdir):
    """Each alias is told of by its own CONN_MAX_AGE; the project is found in cwd."""
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
    assert [each["alias"] for each in facts["databases"]] == facts["aliases"]


def test_refused_database_fails_and_the_others_run(run, settings, alias, tmpdir):
    """The driver's message is told and the exit code is 1; no session is left."""
    keys = ("ENGINE", "HOST", "NAME", "PASSWORD", "PORT", "USER")
    values = connections.databases[alias]
    good = dict((key, str(values.get(key, ""))) for key in keys)
    good["CONN_MAX_AGE"] = None
    dead = dict(good, PORT="1") if alias != "default" else dict(good, NAME="no/such/x")
    elsewhere = tmpdir.mkdir("elsewhere")
    settings({"default": {}, "dead": dead, "good": good}, choice_of_drivers())
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


@pytest.mark.parametrize("case", sorted(BAD_SETTINGS))
def test_bad_settings_are_named(run, tmpdir, case):
    """Exit code 2, and a message with the setting, its value and what is allowed."""
    text, parts = BAD_SETTINGS[case]
    if text is not None:
        tmpdir.join("here.py").write(text)
    code, output, errors = run("--settings", "here")
    assert (code, output) == (2, "")
    assert [part for part in parts if part not in errors] == []
    assert "Traceback" not in errors


@pytest.mark.parametrize("age", ["60", -1, -0.5, True, False, float("nan"), [60]])
def test_bad_max_age_is_named(age):
    """The alias, the value and what is allowed are told."""
    databases = {"default": {}, "other": {"ENGINE": SQLITE, "CONN_MAX_AGE": age}}
    with pytest.raises(BadUsage) as caught:
        _check_databases(databases)
    start = "DATABASES['other']['CONN_MAX_AGE'] is %r: it must be None, or a number"
    assert str(caught.value).startswith(start % age)


@pytest.mark.parametrize("age", [None, 0, 60, 0.5, float("inf")])
def test_good_max_age_passes(age):
    """None and numbers that are not negative; a default that is empty is left out."""
    databases = {"default": {}, "other": {"ENGINE": SQLITE, "CONN_MAX_AGE": age}}
    assert _check_databases(databases) == ["other"]


@pytest.mark.parametrize(
    "databases", [{}, None, {"other": {"PASSWORD": "secret"}}, {"default": {}}]
)
def test_bad_databases_are_named(databases):
    """DATABASES is named and what is allowed, but no password."""
    with pytest.raises(BadUsage) as caught:
        _check_databases(databases)
    assert str(caught.value).startswith("DATABASES")
    assert SQLITE in str(caught.value)
    assert "secret" not in str(caught.value)


if not CLOSES_ALL:  # Django 1.4 and 1.5 close for no reason

    # Not MySQL: until 2026 PyMySQL revives a lost connection when Django asks for it.
    @pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
    def test_reason_is_read_from_the_connection(server_alias):
        """One that broke and one whose autocommit was left off are told apart."""
        from django_compat import report

        def close_old(connection):
            state = report._state(connection)
            django_compat.close_old_connections()
            return report._explain(connection, *state)[:2]

        connection = open_connection(server_alias, max_age=None)
        kill(connection)
        assert report._query(connection, is_to_fail=False)[0] == "failed"
        assert close_old(connection) == ("closed", "error")
        assert close_old(connection) == ("none", "not open")
        open_connection(server_alias, max_age=None).set_autocommit(False)
        assert close_old(connection) == ("closed", "autocommit")


def test_unknown_argument_is_named(run):
    """Exit code 2, and the argument."""
    code, output, errors = run("--jsno")
    assert (code, output) == (2, "")
    assert "unrecognized arguments: --jsno" in errors
