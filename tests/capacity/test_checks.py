"""The system checks: for each id the settings that it finds, and those it does not."""

from __future__ import absolute_import

import re
import sys

import django
import pytest
from django.db import connections
from django.utils.functional import SimpleLazyObject

from django_compat._db.versions import ASGI_THREAD_A_REQUEST
from support import processes
from support.databases import administration, run
from support.drivers import DRIVERS
from support.projects import environment, manage
from support.servers import free_port

if django.VERSION < (1, 7):  # 1.6 has a package of the name
    pytest.skip("no system checks before Django 1.7", allow_module_level=True)
framework = pytest.importorskip("django.core.checks")
checks = pytest.importorskip("django_compat.checks")

HAS_TAG = hasattr(getattr(framework, "Tags", None), "database")  # Django 1.10+
HAS_HEALTH_CHECKS = django.VERSION >= (4, 1)
HAS_POOLS = django.VERSION >= (5, 1) and "psycopg" in DRIVERS
SERVER_CHECKS = checks._SERVER_CHECKS
# OPTIONS that give a session a time-out of 5 s.
TIMEOUT = {
    "mysql": {"init_command": "SET SESSION wait_timeout = 5"},
    "postgresql": {"options": "-c idle_session_timeout=5000"},
}


@pytest.fixture
def database_tag(monkeypatch):
    """Make this process ``check --tag database``, which Django 1.7 to 1.9 needs."""
    monkeypatch.setattr(sys, "argv", ["manage.py", "check", "--tag", "database"])


@pytest.fixture
def configure(database_tag, server_alias):
    """Return a function that changes both aliases of a server during the test."""
    aliases = server_alias, server_alias + "_other"
    before = [dict(connections.databases[alias]) for alias in aliases]

    def change(OPTIONS=(), **changes):
        for alias in aliases:
            database = connections.databases[alias]
            options = dict(database.get("OPTIONS") or {}, **dict(OPTIONS))
            database.update(changes, OPTIONS=options)
            connections[alias].close()
            if hasattr(connections, "__delitem__"):
                del connections[alias]

    yield change
    for alias, values in zip(aliases, before):
        connections.databases[alias].clear()
        connections.databases[alias].update(values)


def ids_of(check, *aliases):
    """Return the ids of a check's messages about aliases."""
    messages = check(app_configs=None, databases=list(aliases))
    return [message.id.partition(".")[2] for message in messages]


@pytest.mark.contract
def test_checks_are_registered_once():
    """The application's ready() registers each check with its tags."""
    code = """
import django
django.setup()
from django_compat import checks
checks.register()
from django.core.checks.registry import registry
ours = [c for c in registry.registered_checks if c.__module__ == checks.__name__]
print(sorted((c.__name__, sorted(c.tags)) for c in ours))
"""
    env = environment("default", ["django_compat"])
    output = processes.output_of(["-c", code], env)
    our_tag, both_tags = ["django_compat"], ["database", "django_compat"]
    expected = [(check.__name__, our_tag) for check in checks._SETTINGS_CHECKS]
    expected += [(check.__name__, both_tags) for check in SERVER_CHECKS]
    assert eval(output) == sorted(expected)


def test_each_check_has_its_own_id_in_its_docstring():
    """No two checks have the same id."""
    ids = [check.__doc__[:4] for check in checks._SETTINGS_CHECKS + SERVER_CHECKS]
    expected = "E001 E002 E003 E004 I001 I002 W001 W002 W003 W004 W005 W006"
    assert " ".join(sorted(ids)) == expected


@pytest.mark.contract
@pytest.mark.parametrize("name", ["PROCESSES", "THREADS", "HOSTS"])
def test_wrong_count_is_found(set_setting, name):
    """E001 names the setting, its value, and the values that are allowed."""
    set_setting("DJANGO_COMPAT_" + name, "4")
    (message,) = checks.check_settings()
    assert (message.id, message.level) == ("django_compat.E001", framework.ERROR)
    for part in ("DJANGO_COMPAT_" + name, "'4'", "a whole number, 1 or more"):
        assert part in message.msg


@pytest.mark.contract
def test_right_counts_are_not_found(set_setting):
    """E001 accepts whole numbers, and settings that are not set."""
    assert checks.check_settings() == []
    set_setting("DJANGO_COMPAT_PROCESSES", 4)
    set_setting("DJANGO_COMPAT_THREADS", 1)
    assert checks.check_settings() == []


@pytest.mark.contract
@pytest.mark.parametrize("value", ["60", -1, True, [], float("nan")])
def test_wrong_idle_limit_is_found(monkeypatch, value):
    """E002 names the alias, the value, and the values that are allowed."""
    monkeypatch.setitem(connections.databases["default"], "CONN_MAX_IDLE", value)
    (message,) = checks.check_max_idle()
    assert (message.id, message.level) == ("django_compat.E002", framework.ERROR)
    for part in ("DATABASES['default']['CONN_MAX_IDLE']", repr(value), "0 or more"):
        assert part in message.msg


@pytest.mark.contract
@pytest.mark.parametrize("value", [None, 0, 0.5, 60])
def test_right_idle_limit_is_not_found(monkeypatch, value):
    """E002 accepts seconds from 0 on, and None."""
    monkeypatch.setitem(connections.databases["default"], "CONN_MAX_IDLE", value)
    assert checks.check_max_idle() == []


@pytest.mark.contract
@pytest.mark.parametrize("value", ["True", 1, None])
def test_wrong_keep_session_is_found(monkeypatch, value):
    """E003 names the alias, the value, and the values that are allowed."""
    monkeypatch.setitem(connections.databases["default"], "CONN_KEEP_SESSION", value)
    (message,) = checks.check_keep_session()
    assert (message.id, message.level) == ("django_compat.E003", framework.ERROR)
    for part in ("DATABASES['default']", repr(value), "True or False"):
        assert part in message.msg


@pytest.mark.contract
@pytest.mark.parametrize("value", [True, False])
def test_right_keep_session_is_not_found(monkeypatch, value):
    """E003 accepts True and False, and an alias without the setting."""
    assert checks.check_keep_session() == []
    monkeypatch.setitem(connections.databases["default"], "CONN_KEEP_SESSION", value)
    assert checks.check_keep_session() == []


WRONG_ENTRIES = [
    (dict(OPTIONS=[1]), "DATABASES['wrong']['OPTIONS'] is [1]: it must be a dict"),
    (dict(ENGINE=5), "DATABASES['wrong']['ENGINE'] is 5: it must be the name of a"),
    (dict(CONN_MAX_AGE="60"), "['CONN_MAX_AGE'] is '60': it must be None, or a number"),
    (dict(CONN_MAX_AGE=float("inf")), "['CONN_MAX_AGE'] is inf: it must be None, or"),
    (dict(CONN_MAX_AGE=10**5000), "['CONN_MAX_AGE'] is a number of 16610 bits: it"),
    (dict(CONN_MAX_AGE=SimpleLazyObject(lambda: 1 // 0)), "['CONN_MAX_AGE'] is "),
]


@pytest.mark.contract
@pytest.mark.parametrize(
    ("changes", "message"), WRONG_ENTRIES, ids=[case[1] for case in WRONG_ENTRIES]
)
def test_wrong_entry_is_found(monkeypatch, changes, message):
    """E004 names alias, setting and value, and no other check fails over it."""
    entry = dict(connections.databases["default"], **changes)
    monkeypatch.setitem(connections.databases, "wrong", entry)
    (found,) = checks.check_databases()
    assert (found.id, found.level) == ("django_compat.E004", framework.ERROR)
    assert message in found.msg
    for check in checks._SETTINGS_CHECKS + SERVER_CHECKS:
        if check is not checks.check_databases:
            assert check(app_configs=None, databases=["wrong"]) == []


@pytest.mark.contract
@pytest.mark.parametrize(
    ("alias", "entry", "message"),
    [
        (5, {}, "DATABASES has the alias 5: it must be a text"),
        ("wrong", "mysql://u:secret@h/n", "DATABASES['wrong'] is of type str: it must"),
    ],
)
def test_entry_that_django_cannot_use_is_found(monkeypatch, alias, entry, message):
    """E004 finds an alias that is no text, and an entry that is no dict."""
    monkeypatch.setitem(connections.databases, alias, entry)
    if isinstance(entry, str) and django.VERSION >= (3, 2):
        for name in ("settings", "databases"):  # Django has them cached
            vars(connections).pop(name, None)
    (found,) = checks.check_databases()
    assert found.msg.startswith(message)
    assert checks.check_max_idle() == checks.check_keep_session() == []


@pytest.mark.contract
def test_right_entries_are_not_found():
    """E004 accepts the databases of these tests."""
    assert checks.check_databases() == []


@pytest.mark.contract
def test_wrong_guarded_commands_are_found(set_setting):
    """E001 names the setting, its value, and what is allowed."""
    set_setting("DJANGO_COMPAT_GUARDED_COMMANDS", "shell")
    (message,) = checks.check_settings()
    start = "DJANGO_COMPAT_GUARDED_COMMANDS is 'shell'; it must be a list"
    assert message.msg.startswith(start)


@pytest.mark.contract
@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (dict(CONN_MAX_AGE=None), ["W001"]),
        (dict(CONN_MAX_AGE=5), ["W001"]),
        (dict(CONN_MAX_AGE=4), []),
        (dict(CONN_MAX_AGE=0), []),
        (dict(CONN_MAX_AGE=None, CONN_MAX_IDLE=4), []),
        (dict(CONN_MAX_AGE=None, CONN_MAX_IDLE=5), ["W001"]),
        (
            dict(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=True),
            [] if HAS_HEALTH_CHECKS else ["W001"],
        ),
        (dict(CONN_MAX_AGE=None, CONN_HEALTH_CHECKS=False), ["W001"]),
    ],
)
def test_age_above_the_timeout(configure, server_alias, changes, expected):
    """W001 compares with the session's own time-out, 5 s here."""
    configure(OPTIONS=TIMEOUT[server_alias], **changes)
    assert ids_of(checks.check_age_above_timeout, server_alias) == expected


@pytest.mark.contract
@pytest.mark.parametrize(("idle", "expected"), [(None, []), (4, []), (5, ["W006"])])
def test_idle_limit_above_the_timeout(configure, server_alias, idle, expected):
    """W006 finds a CONN_MAX_IDLE that is not below 5 s, whatever CONN_MAX_AGE is."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_IDLE=idle)
    assert ids_of(checks.check_idle_above_timeout, server_alias) == expected


@pytest.mark.contract
def test_default_timeout_of_the_server(configure, server_alias):
    """By default MySQL ends a session that is idle for 8 hours, PostgreSQL none."""
    configure(CONN_MAX_AGE=None, CONN_MAX_IDLE=28800)
    has_timeout = server_alias == "mysql"
    for check in (checks.check_age_above_timeout, checks.check_idle_above_timeout):
        assert len(ids_of(check, server_alias)) == has_timeout


@pytest.mark.contract
def test_demand_above_the_limit(configure, set_setting, server_alias):
    """W002: two aliases share a server of 100 connections; PostgreSQL reserves 3."""
    configure()
    check, other = checks.check_demand, server_alias + "_other"
    assert ids_of(check, server_alias) == []
    set_setting("DJANGO_COMPAT_PROCESSES", 10)
    set_setting("DJANGO_COMPAT_THREADS", 4)
    assert ids_of(check, server_alias) == []
    set_setting("DJANGO_COMPAT_THREADS", 20)
    assert ids_of(check, server_alias) == ["W002"]
    assert ids_of(check, server_alias, other) == ["W002"]  # the same connections
    (message,) = check(databases=[server_alias])
    assert "10 processes x 20 threads x 2 aliases = 400" in message.msg


@pytest.mark.contract
@pytest.mark.skipif(not HAS_POOLS, reason="pools need Django 5.1+ and psycopg 3")
@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_pool_above_the_limit(configure, set_setting, server_alias):
    """W005 counts the size of the pools, not the threads."""
    configure(OPTIONS={"pool": {"min_size": 1, "max_size": 10}})
    set_setting("DJANGO_COMPAT_PROCESSES", 4)
    set_setting("DJANGO_COMPAT_THREADS", 99)
    assert ids_of(checks.check_pools, "postgresql") == []
    set_setting("DJANGO_COMPAT_PROCESSES", 5)  # times two aliases
    assert ids_of(checks.check_pools, "postgresql") == ["W005"]
    assert ids_of(checks.check_demand, "postgresql") == []
    connections["postgresql"].close_pool()


@pytest.mark.contract
@pytest.mark.skipif(not HAS_POOLS, reason="pools need Django 5.1+ and psycopg 3")
@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
@pytest.mark.parametrize(
    ("pool", "expected"),
    [
        ({}, ["W001", "W006"]),
        ({"max_idle": 1}, ["W001"]),
        ({"min_size": 0, "max_idle": 1}, []),
        ({"min_size": 0, "max_idle": 2}, ["W001"]),
    ],
)
def test_pool_above_the_timeout(configure, server_alias, pool, expected):
    """W001 and W006 compare the pool with the session's time-out, 5 s here."""
    pool = dict({"min_size": 1, "max_size": 2}, **pool)
    configure(OPTIONS=dict(TIMEOUT["postgresql"], pool=pool))
    check_all = [checks.check_age_above_timeout, checks.check_idle_above_timeout]
    assert sum([ids_of(check, server_alias) for check in check_all], []) == expected
    assert not connections[server_alias]._connection_pools  # none was opened for it


@pytest.mark.contract
@pytest.mark.skipif(not HAS_HEALTH_CHECKS, reason="no CONN_HEALTH_CHECKS")
def test_health_checks_of_a_direct_server(configure, server_alias):
    """I002 says that the round trip can be saved."""
    configure(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True)
    assert ids_of(checks.check_health_checks, server_alias) == ["I002"]
    configure(CONN_HEALTH_CHECKS=False)
    assert ids_of(checks.check_health_checks, server_alias) == []


@pytest.mark.contract
@pytest.mark.skipif(not HAS_HEALTH_CHECKS, reason="no CONN_HEALTH_CHECKS")
@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_health_checks_behind_a_pooler(configure, server_alias, pgbouncer):
    """I002 is silent: only a round trip shows that the session behind has ended."""
    configure(CONN_MAX_AGE=60, CONN_HEALTH_CHECKS=True, PORT=str(pgbouncer))
    assert ids_of(checks.check_health_checks, server_alias) == []


@pytest.mark.contract
@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_proxy(configure, set_setting, server_alias, pgbouncer):
    """I001 finds a PgBouncer, whose own limits no other check knows."""
    configure(CONN_MAX_AGE=None)
    set_setting("DJANGO_COMPAT_PROCESSES", 1000)
    assert ids_of(checks.check_proxy, "postgresql") == []
    configure(PORT=str(pgbouncer))
    ids = [ids_of(check, "postgresql") for check in SERVER_CHECKS]
    assert sum(ids, []) == ["I001"]
    (message,) = checks.check_proxy(databases=["postgresql"])
    assert "PgBouncer" in message.msg


@pytest.mark.contract
def test_wrong_settings_do_not_stop_the_other_checks(
    configure, set_setting, server_alias
):
    """The checks leave wrong settings to E001 and E002."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_AGE=None)
    set_setting("DJANGO_COMPAT_PROCESSES", "4")
    assert ids_of(checks.check_age_above_timeout, server_alias) == ["W001"]
    assert ids_of(checks.check_demand, server_alias) == []
    configure(CONN_MAX_IDLE="4")
    assert ids_of(checks.check_age_above_timeout, server_alias) == []


@pytest.mark.contract
@pytest.mark.parametrize("check", SERVER_CHECKS)
def test_only_named_databases_are_checked(configure, set_setting, server_alias, check):
    """None means no database, as Django 3.1+ means it."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_AGE=None, CONN_MAX_IDLE=9)
    set_setting("DJANGO_COMPAT_PROCESSES", 1000)
    assert check(app_configs=None, databases=None) == []
    assert check(app_configs=None, databases=[]) == []
    assert check(app_configs=None, databases=["default"]) == []
    assert connections[server_alias].connection is None


def test_without_databases_all_are_checked(configure, server_alias):
    """Until Django 3.0 Django names no databases to its checks."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_AGE=None)
    assert len(checks.check_age_above_timeout(app_configs=None)) == 2


@pytest.mark.contract
@pytest.mark.parametrize("check", SERVER_CHECKS)
def test_server_that_is_down_is_not_found(configure, set_setting, server_alias, check):
    """The checks leave a server that is down to Django's own error."""
    configure(PORT=str(free_port()), CONN_MAX_AGE=None, CONN_MAX_IDLE=9)
    set_setting("DJANGO_COMPAT_PROCESSES", 1000)
    assert check(app_configs=None, databases=[server_alias]) == []


@pytest.mark.contract
def test_connection_is_left_as_it_was(configure, server_alias):
    """A check leaves an open connection open, and a closed one closed."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_AGE=None)
    connection = connections[server_alias]
    assert ids_of(checks.check_age_above_timeout, server_alias) == ["W001"]
    assert connection.connection is None
    run(connection, "SELECT 1")
    raw = connection.connection
    assert ids_of(checks.check_age_above_timeout, server_alias) == ["W001"]
    assert connection.connection is raw


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        ("manage.py check --tag database", True),
        ("manage.py check --tag=database", True),
        ("manage.py check -t models -t database blog", True),
        ("manage.py check", False),
        ("manage.py check --tag models", False),
        ("manage.py check database", False),
        ("manage.py migrate --tag database", False),
        ("manage.py", False),
    ],
)
def test_tag_is_read_from_the_command_line(argv, expected):
    """Django 1.7 to 1.9 runs every check in every command, whatever its tags."""
    assert checks._has_database_tag(argv.split()) is expected


@pytest.mark.contract
def test_runserver(configure, monkeypatch, set_setting, server_alias):
    """W003 finds persistent connections under Django's own runserver with threads."""
    configure(CONN_MAX_AGE=60)
    set_setting("INSTALLED_APPS", [])
    monkeypatch.setattr(sys, "argv", ["manage.py", "runserver"])
    messages = checks.check_runserver()
    assert [message.id for message in messages] == ["django_compat.W003"] * 2
    assert "never closes" in messages[0].msg
    set_setting("INSTALLED_APPS", ["daphne"])
    assert checks.check_runserver() == []
    set_setting("INSTALLED_APPS", [])
    configure(CONN_MAX_AGE=0)
    assert checks.check_runserver() == []
    configure(CONN_MAX_AGE=60)
    for argv in (["manage.py", "migrate"], ["manage.py", "runserver", "--nothreading"]):
        monkeypatch.setattr(sys, "argv", argv)
        assert checks.check_runserver() == []


@pytest.mark.contract
def test_asgi(configure, set_setting, server_alias):
    """W004 finds persistent connections from Django 4.0 on, with a thread a request."""
    configure(CONN_MAX_AGE=60)
    assert checks.check_asgi() == []
    set_setting("ASGI_APPLICATION", "asgi.application")
    ids = [message.id for message in checks.check_asgi()]
    assert ids == (["django_compat.W004"] * 2 if ASGI_THREAD_A_REQUEST else [])
    configure(CONN_MAX_AGE=0)
    assert checks.check_asgi() == []


DATABASE_OPTIONS = ["--database", "default"]
if django.VERSION < (3, 1):
    DATABASE_OPTIONS = ["--tag", "database"]


def project(alias):
    """Return the environment of the project, with a demand of 110 connections."""
    counts = {"DJANGO_COMPAT_PROCESSES": 10, "DJANGO_COMPAT_THREADS": 11}
    return environment(alias, ["django_compat"], **counts)


def test_plain_check_opens_nothing(server_alias, proxy):
    """``manage.py check`` without a database or a tag runs no check on a server."""
    code, output, errors = manage(project(server_alias), "check")
    assert code == 0, output + errors
    assert "django_compat." not in output + errors
    assert proxy.sent == []


def test_check_of_databases_announces_both_disasters(spare, server_alias):
    """W001 and W002, from a server that ends sessions that are idle for 2 s."""
    options = {
        "mysql": "--wait-timeout=2",
        "postgresql": "-c idle_session_timeout=2000",
    }
    spare.restart(*options[server_alias].split())
    code, output, errors = manage(project(server_alias), "check", *DATABASE_OPTIONS)
    assert code == 0, output + errors
    assert set(re.findall(r"django_compat\.\w\d+", output + errors)) == {
        "django_compat.W001",
        "django_compat.W002",
    }
    assert "DATABASES['default']: CONN_MAX_AGE is None" in output + errors
    assert "10 processes x 11 threads = 110 connections" in output + errors


def test_migrate_runs_the_checks_of_databases(configure, server_alias):
    """From Django 1.10 on ``migrate`` runs the checks on its server."""
    code, output, errors = manage(project(server_alias), "migrate")
    assert code == 0, output + errors
    assert ("django_compat.W002" in output + errors) is HAS_TAG
    with administration(server_alias) as admin:
        run(admin, "DROP TABLE IF EXISTS django_migrations")
