"""``manage.py dbconnections``: what it shows, with what it ends, and its flags."""

from __future__ import absolute_import

import json
import sys
import time

import django
import pytest
from corners import IS_CORNER
from databases import administration, open_connection, run, sessions, wait_for
from django.core.management import CommandError
from django.db import connections
from django.db.utils import load_backend

from django_compat.management.commands.dbconnections import Command
from django_compat.tables import WIDTH


# What each Django's call_command would give.
OPTIONS = {"no_color": False, "force_color": False, "skip_checks": True}


@pytest.fixture
def call(capsys, monkeypatch):
    """Return a function that runs the command line: exit code, output, errors."""
    monkeypatch.delenv("NO_COLOR", raising=False)

    def call(*arguments):
        code = 0
        try:
            argv = ["manage.py", "dbconnections"] + list(arguments)
            Command().run_from_argv(argv)
        except SystemExit as end:
            code = end.code
        return (code,) + tuple(capsys.readouterr())

    return call


def read(call, alias, *arguments):
    """Return what is told of one alias."""
    document = call("--json", "--database", alias, *arguments)[1]
    (facts,) = json.loads(document)["databases"]
    assert facts["alias"] == alias
    return facts


@pytest.mark.everywhere
def test_report_has_all_figures(call, server_alias):
    """Server, settings, time-out, demand with its arithmetic, allowance, use."""
    flags = ["--processes=2", "--threads=3", "--hosts=2"]
    code, text, errors = call("--database", server_alias, *flags)
    facts = read(call, server_alias, *flags)
    assert (code, errors) == (0, "")
    assert max(map(len, text.splitlines())) <= WIDTH
    assert "\x1b" not in text
    assert facts["error"] is None
    assert facts["demand"]["total"] == facts["limits"][0]["demand"]
    assert facts["demand"]["threads"] == {"value": 3, "source": "--threads"}
    total = 12 * len(facts["demand"]["aliases"])
    assert facts["demand"]["total"] == total
    words = " ".join(text.split())
    for told in (
        "%s: %s %s" % (server_alias, facts["server"], facts["version"]),
        facts["demand"]["arithmetic"],
        "= %d " % total,
        "processes: --processes, threads: --threads, hosts: --hosts",
        "of the server %d of %s (max_connections" % (total, facts["allowed"]),
        "in use now ",
        "CONN_MAX_AGE 0 s",
        "idle time-out ",
    ):
        assert told in words


def test_nothing_is_left_open_and_nothing_is_closed(capsys, server_alias):
    """It uses sessions of its own, and none of this process."""
    mine = open_connection(server_alias, max_age=None)
    raw, before = mine.connection, sessions(server_alias)
    Command().execute(databases=[server_alias], holders=True, **OPTIONS)
    assert server_alias in capsys.readouterr()[0]
    assert mine.connection is raw
    wait_for(lambda: sessions(server_alias) <= before)
    run(mine, "SELECT 1")


def test_holders_are_grouped_largest_first(call, server_alias):
    """Account, host, program, state and idle time of each group, and its size."""
    kept = []
    settings = dict(connections.databases[server_alias], CONN_MAX_AGE=None)
    for _ in range(3):
        wrapper = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "kept")
        run(wrapper, "SELECT 1")
        if not django.VERSION >= (1, 6):
            wrapper.connection.commit()
        kept.append(wrapper)
    facts = read(call, server_alias, "--holders")
    text = call("--database", server_alias, "--holders")[1]
    for wrapper in kept:
        wrapper.close()
    holders = facts["holders"]
    sizes = [holder["sessions"] for holder in holders]
    assert sizes == sorted(sizes, reverse=True)
    assert sum(sizes) == facts["in_use"]
    (own,) = [holder for holder in holders if holder["program"] == "this process"]
    assert own["sessions"] == 1
    assert holders[0]["account"] == settings["USER"]
    assert holders[0]["host"] == "127.0.0.1"
    assert holders[0]["state"] == "idle"
    assert holders[0]["sessions"] >= 3
    words = " ".join(text.split())
    assert "sessions longest idle account host program state" in words
    assert "127.0.0.1 this process " + own["state"] in words
    assert max(map(len, text.splitlines())) <= WIDTH


if IS_CORNER:

    @pytest.mark.everywhere
    def test_program_is_told(call, spare, server_alias):
        """What a client says of itself, or MySQL's library, where a server keeps it."""
        if server_alias == "mysql":
            spare.restart("--performance-schema=on")
        with administration(server_alias) as admin:
            if server_alias == "postgresql":
                run(admin, "SET application_name = 'a worker'")
            holders = read(call, server_alias, "--holders")["holders"]
        programs = {holder["program"] for holder in holders} - {"this process"}
        if server_alias == "mysql":
            assert programs <= {"libmariadb", "libmysql", "pymysql"}
        assert programs and "unknown" not in programs


def test_idle_in_transaction_is_told(call, server_alias):
    """A transaction that waits is no ordinary idle session."""
    begin = {
        "mysql": "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        "postgresql": "BEGIN",
    }
    with administration(server_alias) as admin:
        cursor = admin.connection.cursor()
        cursor.execute(begin[server_alias])

        def is_told():
            time.sleep(0.11)  # InnoDB tells the same again when asked sooner
            holders = read(call, server_alias, "--holders")["holders"]
            return "idle in transaction" in [holder["state"] for holder in holders]

        wait_for(is_told)
        cursor.execute("ROLLBACK")


def test_server_that_is_down_is_told_and_the_others_are_reported(call, alias):
    """Its alias has the driver's error, and the exit code is 1."""
    other = alias + "_other"
    settings = connections.databases[other]
    before = dict(settings)
    settings.update(PORT="1") if alias != "default" else settings.update(NAME="/no/x")
    try:
        flags = ["--database", other, "--database", alias]
        code, text, errors = call(*flags)
        facts = json.loads(call("--json", *flags)[1])["databases"]
    finally:
        settings.clear()
        settings.update(before)
    assert code == 1
    assert "no answer from " + other in errors
    assert facts[0]["error"] and facts[0]["error"].split(":")[0] in text
    assert "CONN_MAX_AGE" in text.split("\n" + alias)[0]
    assert facts[1]["error"] is None
    assert max(map(len, text.splitlines())) <= WIDTH


def test_sqlite_has_no_server(call):
    """No limit, no holder, no finding."""
    facts = read(call, "default", "--holders", "--processes=99", "--threads=99")
    assert (facts["server"], facts["holders"], facts["findings"]) == ("SQLite", [], [])
    assert call("--database", "default")[0] == 0


def test_finding_fails_from_its_level_on(call, server_alias):
    """A demand above the server's limit: exit code 1 for WARNING, 0 for CRITICAL."""
    flags = ["--database", server_alias, "--processes=1000", "--threads=10"]
    facts = read(call, server_alias, *flags[2:])
    levels = {found["level"] for found in facts["findings"]}
    assert levels & {"WARNING", "ERROR"}
    code, text, errors = call("--fail-level", "WARNING", *flags)
    assert code == 1
    (told,) = [found for found in facts["findings"] if "W002" in found["id"]]
    assert "%s of %s" % (told["id"], server_alias) in errors
    words = " ".join(text.split())
    assert " ".join(told["message"].split()) in words
    assert " ".join(told["hint"].split()) in words
    assert call("--fail-level", "CRITICAL", *flags)[0] == 0


def test_server_config_gives_processes_and_threads(call, server_alias, tmpdir):
    """Flags stand before it, what it does not count is noted, a bad one is named."""
    path = tmpdir.join("uwsgi.ini")
    path.write("[uwsgi]\nprocesses = 10\nthreads = 5\nmules = 2\n")
    flags = ["--server-config", str(path)]
    facts = read(call, server_alias, *flags)["demand"]
    assert facts["processes"] == {"value": 10, "source": "uwsgi.ini"}
    assert facts["threads"] == {"value": 5, "source": "uwsgi.ini"}
    facts = read(call, server_alias, "--threads=7", *flags)["demand"]
    assert facts["processes"] == {"value": 10, "source": "uwsgi.ini"}
    assert facts["threads"] == {"value": 7, "source": "--threads"}
    text = call("--database", server_alias, *flags)[1]
    assert "Note: mules are not counted" in " ".join(text.split())
    path.write("[uwsgi]\nprocesses = ten\n")
    code, text, errors = call(*flags)
    assert (code, text) == (1, "")
    assert "--server-config: %s: processes is ten: it must be" % path in errors


BAD_FLAGS = {
    "--processes=0": "argument --processes: '0' is not a whole number, 1 or more",
    "--threads=x": "argument --threads: 'x' is not a whole number",
    "--hosts=-1": "argument --hosts: '-1' is not a whole number",
    "--watch=0": "argument --watch: '0' is not a number of seconds above 0",
    "--watch=nan": "argument --watch: 'nan' is not a number",
    "--fail-level=BAD": "--fail-level: invalid choice: 'BAD'",
    "--no-such": "--no-such",
}


@pytest.mark.parametrize("flag", sorted(BAD_FLAGS))
def test_bad_flag_is_named(call, flag):
    """As the parser of this Django tells it: usage, the flag, exit code 2."""
    code, text, errors = call(flag)
    assert (code, text) == (2, "")
    assert "sage: manage.py dbconnections" in errors
    assert BAD_FLAGS[flag] in errors


@pytest.mark.parametrize(
    "flags, message",
    [
        (["--database=none"], "argument --database: 'none' is not one of: default"),
        (["--json", "--watch=1"], "--watch: not allowed with argument --json"),
        (["--server-config=/no/file.ini"], "--server-config: /no/file.ini: "),
    ],
)
def test_bad_use_is_named(call, flags, message):
    """Exit code 1, the flag, its value and what is allowed."""
    code, text, errors = call(*flags)
    assert (code, text) == (1, "")
    assert message in errors


def test_wrong_setting_is_named(call, alias):
    """CONN_MAX_IDLE, its value and what is allowed, and no traceback."""
    connections[alias].settings_dict["CONN_MAX_IDLE"] = "soon"
    code, text, errors = call("--database", alias)
    connections[alias].settings_dict.pop("CONN_MAX_IDLE")
    assert (code, text) == (1, "")
    assert "CONN_MAX_IDLE" in errors and "'soon'" in errors
    assert "Traceback" not in errors


class Terminal(object):
    """A stream that is a terminal, or says so."""

    encoding = "utf-8"

    def __init__(self):
        self.written = []

    def isatty(self):
        return True

    def write(self, text):
        self.written.append(text)

    def flush(self):
        pass


def test_colours_are_djangos(call, monkeypatch):
    """On a terminal, unless NO_COLOR or DJANGO_COLORS say no."""

    def written():
        terminal = Terminal()
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stdout", terminal)
            call("--database", "default")
        return "".join(terminal.written)

    monkeypatch.setenv("DJANGO_COLORS", "dark")
    assert "\x1b[" in written()
    monkeypatch.setenv("DJANGO_COLORS", "nocolor")
    assert "\x1b[" not in written()
    monkeypatch.setenv("DJANGO_COLORS", "dark")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" not in written()


def test_watch_redraws_until_interrupted(call, monkeypatch):
    """Each time the screen is cleared, and Ctrl-C is no error."""
    waits, terminal = [], Terminal()

    def sleep(seconds):
        waits.append(seconds)
        if len(waits) == 3:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("django_compat.management.commands.dbconnections.sleep", sleep)
        patch.setattr(sys, "stdout", terminal)
        code = call("--database", "default", "--watch", "0.5")[0]
    assert (code, waits) == (0, [0.5] * 3)
    assert "".join(terminal.written).count("\x1b[H\x1b[2J") == 3


@pytest.mark.everywhere
def test_call_command_raises_djangos_error(server_alias):
    """Where a program runs it, as other commands do."""
    if django.VERSION < (1, 5):  # Django 1.4 ends the process
        expected = SystemExit
    else:
        expected = CommandError
    with pytest.raises(expected):
        Command().execute(databases=["none"], **OPTIONS)
