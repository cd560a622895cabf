"""``manage.py dbconnections``: its report, its exit codes and its options."""

from __future__ import absolute_import

import json
import sys
import time

import django
import pytest
import six
from django.core.management import CommandError
from django.db import connections
from django.db.utils import load_backend
from django.utils.functional import SimpleLazyObject

from django_compat._capacity import collect
from django_compat._capacity.text import WIDTH
from django_compat.management.commands.dbconnections import Command
from support.databases import administration, open_connection, run, sessions, wait_for

# The options that every Django's call_command passes.
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
    """Return the facts about one alias from the JSON document."""
    document = call("--json", "--database", alias, *arguments)[1]
    (facts,) = json.loads(document)["databases"]
    assert facts["alias"] == alias
    return facts


@pytest.mark.contract
def test_report_has_all_figures(call, server_alias):
    """The report has server, settings, time-out, demand, limits and sessions."""
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
    for part in (
        "%s: %s %s" % (server_alias, facts["server"], facts["version"]),
        facts["demand"]["arithmetic"],
        "= %d " % total,
        "processes: --processes, threads: --threads, hosts: --hosts",
        "limit of the server %d wanted, %s allowed (max_connections"
        % (total, facts["allowed"]),
        "in use now ",
        "CONN_MAX_AGE 0 s",
        "idle time-out ",
    ):
        assert part in words


@pytest.mark.contract
def test_limit_of_the_server_counts_other_accounts(call, server_alias, monkeypatch):
    """Where more aliases count than for the account, the row has their arithmetic."""
    other = server_alias + "_other"
    monkeypatch.setitem(connections.databases[other], "USER", "somebody")
    text = call("--database", server_alias, "--processes=2", "--threads=3")[1]
    words = " ".join(text.split())
    assert "demand 2 processes x 3 threads = 6" in words
    assert "limit of the server 12 wanted, " in words
    assert ": 2 processes x 3 threads x 2 aliases = 12" in words


@pytest.mark.contract
def test_nothing_is_left_open_and_nothing_is_closed(capsys, server_alias):
    """The command opens sessions of its own, and leaves this process's alone."""
    mine = open_connection(server_alias, max_age=None)
    raw, before = mine.connection, sessions(server_alias)
    Command().execute(databases=[server_alias], holders=True, **OPTIONS)
    assert server_alias in capsys.readouterr()[0]
    assert mine.connection is raw
    wait_for(lambda: sessions(server_alias) <= before)
    run(mine, "SELECT 1")


@pytest.mark.contract
def test_holders_are_grouped_largest_first(call, server_alias):
    """Each group has account, host, program, state, idle time and size."""
    opened = []
    settings = dict(connections.databases[server_alias], CONN_MAX_AGE=None)
    for _ in range(3):
        wrapper = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "opened")
        run(wrapper, "SELECT 1")
        if not django.VERSION >= (1, 6):
            wrapper.connection.commit()
        opened.append(wrapper)
    facts = read(call, server_alias, "--holders")
    text = call("--database", server_alias, "--holders")[1]
    for wrapper in opened:
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


def test_programs_of_holders_are_shown(call, spare, server_alias):
    """The program is the name that a client gives, or the client's MySQL library."""
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


@pytest.mark.contract
def test_idle_in_transaction_is_a_state_of_its_own(call, server_alias):
    """A session that does nothing in a transaction is not shown as idle."""
    begin = {
        "mysql": "START TRANSACTION WITH CONSISTENT SNAPSHOT",
        "postgresql": "BEGIN",
    }
    with administration(server_alias) as admin:
        cursor = admin.connection.cursor()
        cursor.execute(begin[server_alias])

        def is_shown():
            time.sleep(0.11)  # InnoDB refreshes its list of transactions every 0.1 s
            holders = read(call, server_alias, "--holders")["holders"]
            return "idle in transaction" in [holder["state"] for holder in holders]

        wait_for(is_shown)
        cursor.execute("ROLLBACK")


@pytest.mark.contract
def test_server_that_is_down_has_an_error_and_the_others_a_report(call, alias):
    """The alias of the server that is down has the driver's error; exit code 1."""
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


@pytest.mark.contract
def test_sqlite_has_no_server(call):
    """SQLite has no limit, no holder and no finding."""
    facts = read(call, "default", "--holders", "--processes=99", "--threads=99")
    assert (facts["server"], facts["holders"], facts["findings"]) == ("SQLite", [], [])
    assert call("--database", "default")[0] == 0


@pytest.mark.contract
def test_finding_fails_from_its_level_on(call, server_alias):
    """Demand above the limit: exit code 1 for WARNING, 0 for CRITICAL."""
    flags = ["--database", server_alias, "--processes=1000", "--threads=10"]
    facts = read(call, server_alias, *flags[2:])
    code, text, errors = call("--fail-level", "WARNING", *flags)
    assert code == 1
    (finding,) = facts["findings"]
    assert (finding["id"], finding["level"]) == ("django_compat.W002", "WARNING")
    assert "django_compat.W002 of " + server_alias in errors
    words = " ".join(text.split())
    assert finding["message"] in words
    assert finding["hint"] in words
    assert call("--fail-level", "CRITICAL", *flags)[0] == 0


@pytest.mark.contract
def test_server_config_gives_processes_and_threads(call, server_alias, tmpdir):
    """An option takes precedence over the file; a note says what is not counted."""
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


WRONG_OPTIONS = {
    "--processes=0": "argument --processes: '0' is not a whole number, 1 or more",
    "--threads=x": "argument --threads: 'x' is not a whole number",
    "--hosts=-1": "argument --hosts: '-1' is not a whole number",
    "--watch=0": "argument --watch: '0' is not a number of seconds above 0",
    "--watch=nan": "argument --watch: 'nan' is not a number",
    "--watch=1e10": "argument --watch: '1e10' is not a number of seconds above 0 (at",
    "--watch=inf": "argument --watch: 'inf' is not a number",
    "--watch=" + "9" * 5000: "99... is not a number of seconds",
    "--threads=\xb2" if six.PY3 else "--threads=x": "is not a whole number",
    "--processes=" + "9" * 5000: "99... is not a whole number, 1 or more (at most 1",
    "--hosts=\x1b[2J": "argument --hosts: '\\x1b[2J' is not a whole number",
    "--fail-level=BAD": "--fail-level: invalid choice: 'BAD'",
    "--no-such": "--no-such",
}


@pytest.mark.contract
@pytest.mark.parametrize("flag", sorted(WRONG_OPTIONS))
def test_wrong_option_is_named(call, flag):
    """The parser of this Django prints usage and the option; exit code 2."""
    code, text, errors = call(flag)
    assert (code, text) == (2, "")
    assert "sage: manage.py dbconnections" in errors
    assert WRONG_OPTIONS[flag] in errors


@pytest.mark.contract
@pytest.mark.parametrize(
    "flags, message",
    [
        (["--database=none"], "argument --database: 'none' is not one of: default"),
        (["--json", "--watch=1"], "--watch: not allowed with argument --json"),
        (["--server-config=/no/file.ini"], "--server-config: /no/file.ini: "),
    ],
)
def test_wrong_use_is_named(call, flags, message):
    """The error has the option, its value and the allowed values; exit code 1."""
    code, text, errors = call(*flags)
    assert (code, text) == (1, "")
    assert message in errors


@pytest.mark.contract
def test_wrong_setting_is_named(call, alias):
    """The error has CONN_MAX_IDLE and its value, and no traceback."""
    connections[alias].settings_dict["CONN_MAX_IDLE"] = "soon"
    code, text, errors = call("--database", alias)
    connections[alias].settings_dict.pop("CONN_MAX_IDLE")
    assert (code, text) == (1, "")
    assert "CONN_MAX_IDLE" in errors and "'soon'" in errors
    assert "Traceback" not in errors


# Changes to a right entry of DATABASES, and a part of the message.
WRONG_SETTINGS = [
    (dict(OPTIONS=[1]), "['OPTIONS'] is [1]: it must be a dict"),
    (dict(OPTIONS=None), "['OPTIONS'] is None: it must be a dict"),
    (dict(OPTIONS="passwd=secret"), "['OPTIONS'] is of type str, not shown here: it"),
    (dict(TEST=None), "['TEST'] is None: it must be a dict"),
    (dict(ENGINE=5), "['ENGINE'] is 5: it must be the name of a backend"),
    (dict(ENGINE="no\x1b[2J"), "no\\x1b[2J"),
    (dict(CONN_MAX_AGE="60"), "['CONN_MAX_AGE'] is '60': it must be None, or a number"),
    (dict(CONN_MAX_AGE=float("nan")), "['CONN_MAX_AGE'] is nan: it must be"),
    (dict(CONN_MAX_AGE=float("inf")), "['CONN_MAX_AGE'] is inf: it must be"),
    (dict(CONN_MAX_AGE=10**5000), "['CONN_MAX_AGE'] is a number of 16610 bits: it"),
    (dict(CONN_MAX_AGE=SimpleLazyObject(lambda: 60)), "['CONN_MAX_AGE'] is <"),
    (dict(CONN_MAX_IDLE=SimpleLazyObject(lambda: 1 // 0)), "['CONN_MAX_IDLE'] is "),
    (dict(CONN_MAX_IDLE=float("inf")), "['CONN_MAX_IDLE'] is inf; it must be a number"),
    (dict(CONN_MAX_IDLE=-1), "['CONN_MAX_IDLE'] is -1; it must be a number of seconds"),
    (dict(CONN_KEEP_SESSION="no"), "['CONN_KEEP_SESSION'] is 'no'; it must be True or"),
]


@pytest.fixture
def wrong(monkeypatch):
    """Return a function that adds a wrong entry to DATABASES during the test."""

    def add(alias, changes):
        entry = dict(connections.databases["default"], **changes)
        monkeypatch.setitem(connections.databases, alias, entry)
        added.append(alias)

    added = []
    yield add
    for alias in added:
        if not isinstance(alias, str) or not hasattr(connections._connections, alias):
            continue
        delattr(connections._connections, alias)


@pytest.mark.parametrize(
    ("changes", "message"), WRONG_SETTINGS, ids=[case[1] for case in WRONG_SETTINGS]
)
def test_wrong_settings_are_named_and_the_other_aliases_go_on(
    call, wrong, changes, message
):
    """The table, the JSON and the error have alias, setting and value; exit code 1."""
    wrong("wrong", changes)
    code, text, errors = call("--database=wrong", "--database=default")
    words = " ".join(text.split())
    assert code == 1
    assert message in words and message in errors
    assert "default: SQLite" in text and "Traceback" not in errors
    assert "\x1b" not in text + errors and "secret" not in text + errors
    code, text, errors = call("--json", "--database=wrong", "--database=default")
    facts = json.loads(text, parse_constant=pytest.fail)["databases"]
    assert message in facts[0]["error"]
    assert facts[0]["settings"] is facts[0]["demand"] is None
    assert (facts[0]["alias"], facts[1]["error"]) == ("wrong", None)


@pytest.mark.parametrize("alias", [5, None, b"bytes" if six.PY3 else 6, ("a", 1)])
def test_alias_that_is_no_text_is_named(call, wrong, monkeypatch, alias):
    """The other aliases go on, and Django's own close_all() makes no traceback."""
    for name in list(connections.databases):
        if name != "default":  # some servers may not run
            monkeypatch.delitem(connections.databases, name)
    wrong(alias, {})
    code, text, errors = call("--json")
    facts = json.loads(text)["databases"]
    assert code == 1
    assert facts[0]["error"] is None
    message = "DATABASES has the alias %r: it must be a text" % (alias,)
    assert facts[1]["error"] == message


@pytest.mark.parametrize("name", ["PROCESSES", "THREADS", "HOSTS"])
@pytest.mark.parametrize("value", [0, "4", 2.5, True, 10**400, float("nan"), "\x1b["])
def test_wrong_setting_of_the_project_is_named(call, set_setting, name, value):
    """The error has the setting and what is allowed, in one line; the JSON is valid."""
    set_setting("DJANGO_COMPAT_" + name, value)
    code, text, errors = call("--database=default")
    assert (code, text) == (1, "")
    assert "DJANGO_COMPAT_%s is " % name in errors
    assert "; it must be a whole number, 1 or more (at most 1000000000)." in errors
    assert "\x1b" not in errors and len(errors) < 300
    code, text, errors = call("--json", "--database=default")
    (facts,) = json.loads(text, parse_constant=pytest.fail)["databases"]
    assert facts["error"].startswith("DJANGO_COMPAT_%s is " % name)
    assert (code, facts["error"] in errors) == (1, True)


def test_entry_that_is_no_dict_is_named(call, monkeypatch):
    """Django 3.2 and later then know no database; the JSON is valid all the same."""
    monkeypatch.setitem(connections.databases, "wrong", "mysql://u:secret@h/n")
    for name in ("settings", "databases"):  # Django has them cached
        vars(connections).pop(name, None) if django.VERSION >= (3, 2) else None
    code, text, errors = call("--json", "--database=default", "--database=wrong")
    message = "DATABASES['wrong'] is of type str: it must be a dict"
    document = json.loads(text)
    found = [facts["error"] for facts in document["databases"]] + document["notes"]
    assert message in found and message in errors
    assert code == 1 and "secret" not in text + errors
    code, text, errors = call("--database=default", "--database=wrong")
    assert (code, message in errors, "secret" in text + errors) == (1, True, False)


def test_only_entries_in_use_are_reported(call, wrong, monkeypatch):
    """An entry without ENGINE is not in use; an ENGINE of another kind is a mistake."""
    for name in list(connections.databases):
        if name != "default":  # some servers may not run
            monkeypatch.delitem(connections.databases, name)
    wrong("number", dict(ENGINE=5))
    wrong("none", dict(ENGINE=None))
    wrong("empty", dict(ENGINE=""))
    code, text, errors = call("--json")
    aliases = [facts["alias"] for facts in json.loads(text)["databases"]]
    assert (code, aliases) == (1, ["default", "number"])


def test_backend_that_fails_is_named(call, wrong, monkeypatch, tmpdir):
    """A bug of a project's backend ends its own report only."""
    tmpdir.mkdir("own_backend").join("__init__.py").write("")
    tmpdir.join("own_backend", "base.py").write("1 // 0")
    monkeypatch.syspath_prepend(str(tmpdir))
    wrong("wrong", dict(ENGINE="own_backend"))
    code, text, errors = call("--json", "--database=wrong", "--database=default")
    facts = json.loads(text)["databases"]
    assert (code, facts[1]["error"]) == (1, None)
    assert facts[0]["error"].startswith("ZeroDivisionError: ")
    assert facts[0]["settings"] is facts[0]["demand"] is None
    assert facts[0]["error"] in errors


@pytest.mark.skipif(django.VERSION < (1, 8), reason="Django leaves connections open")
def test_error_of_a_backend_at_the_end_is_not_hidden(call, monkeypatch):
    """Django 1.8 and later close all connections; a right DATABASES is no reason."""

    def fail():
        raise TypeError("on purpose")

    monkeypatch.setattr(connections["default"], "close", fail)
    with pytest.raises(TypeError) as caught:
        call("--database=default")
    assert str(caught.value) == "on purpose"


def test_argument_that_is_no_option_is_refused(call):
    """optparse, until Django 1.7, would pass the argument on."""
    code, text, errors = call("default")
    assert (code > 0, text) == (True, "")
    assert "unrecognized arguments: default" in errors


WRONG_ARGUMENTS = [("processes", "4"), ("threads", 0), ("hosts", True), ("watch", 1e10)]
WRONG_ARGUMENTS += [("watch", float("nan")), ("fail_level", "BAD"), ("hosts", 10**400)]


@pytest.mark.parametrize(("name", "value"), WRONG_ARGUMENTS)
def test_wrong_argument_of_call_command_is_named(name, value, capsys):
    """Django parses no argument of call_command()."""
    with pytest.raises((CommandError, SystemExit)) as caught:
        Command().execute(**dict(OPTIONS, databases=["default"], **{name: value}))
    text = str(caught.value) + capsys.readouterr()[1]
    assert "argument --%s: " % name.replace("_", "-") in text


def test_wrong_guarded_commands_are_a_note(call, set_setting):
    """The report goes on, and says what is wrong with the setting."""
    set_setting("DJANGO_COMPAT_GUARDED_COMMANDS", "shell")
    code, text, errors = call("--database=default")
    assert (code, errors) == (0, "")
    words = " ".join(text.split())
    assert "Note: DJANGO_COMPAT_GUARDED_COMMANDS is 'shell'; it must be a list" in words


def test_many_aliases_take_linear_time_and_few_connections(
    call, monkeypatch, set_setting
):
    """2,000 aliases with the same settings share one connection and one sum."""
    set_setting("DJANGO_COMPAT_PROCESSES", 4)
    opened = []
    ask = collect._ask
    monkeypatch.setattr(collect, "_ask", lambda *a: opened.append(a) or ask(*a))
    times = []
    for number in (500, 2000):
        entry = connections.databases["default"]
        aliases = ["many%d" % n for n in range(number)]
        for alias in aliases:
            monkeypatch.setitem(connections.databases, alias, dict(entry))
        opened[:], begun = [], time.time()
        facts = list(collect.collect(aliases))
        times.append(time.time() - begun)
        assert len(opened) == 1
        assert facts[-1]["demand"]["alias_count"] >= number
        assert facts[-1]["demand"]["total"] >= 4 * number
    assert times[1] < 5  # the machine may be busy; quadratic, it took 24 s


class Terminal(object):
    """A stream that says it is a terminal."""

    encoding = "utf-8"

    def __init__(self):
        self.written = []

    def isatty(self):
        return True

    def write(self, text):
        self.written.append(text)

    def flush(self):
        pass


@pytest.mark.contract
def test_colours_follow_django(call, monkeypatch):
    """A terminal gets colours, unless NO_COLOR or DJANGO_COLORS forbid them."""

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


@pytest.mark.skipif(django.VERSION < (2, 2), reason="Django has --force-color from 2.2")
def test_colours_can_be_forced(call, monkeypatch):
    """``--force-color`` is for a file or a pager; NO_COLOR is not asked."""
    monkeypatch.setenv("DJANGO_COLORS", "dark")
    monkeypatch.setenv("NO_COLOR", "1")
    assert "\x1b[" in call("--database=default", "--force-color")[1]
    assert "\x1b[" not in call("--database=default")[1]


def test_interrupt_ends_the_command(call, monkeypatch):
    """Without ``--watch`` Ctrl-C is what it is for any command."""

    def interrupt(*arguments, **options):
        raise KeyboardInterrupt

    module = "django_compat.management.commands.dbconnections"
    monkeypatch.setattr(module + ".collect", interrupt)
    with pytest.raises(KeyboardInterrupt):
        call("--database=default")


@pytest.mark.contract
def test_watch_repeats_the_report_until_interrupted(call, monkeypatch):
    """Each report clears the screen first, and Ctrl-C is no error."""
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


@pytest.mark.contract
def test_call_command_raises_djangos_error(server_alias):
    """A program that calls the command gets the error of any command."""
    if django.VERSION < (1, 5):  # Django 1.4 ends the process
        expected = SystemExit
    else:
        expected = CommandError
    with pytest.raises(expected):
        Command().execute(databases=["none"], **OPTIONS)
