"""The system checks: each with what it finds and what it does not."""

from __future__ import absolute_import

import json
import re
import sys

import django
import processes
import pytest
from corners import DRIVERS, IS_CORNER
from databases import administration, run
from django.conf import settings
from django.core import checks as framework
from django.db import connections
from projects import environment, manage
from servers import free_port

from django_compat import checks
from django_compat._versions import ASGI_THREAD_A_REQUEST

HAS_TAG = hasattr(getattr(framework, "Tags", None), "database")  # Django 1.10+
HAS_HEALTH_CHECKS = django.VERSION >= (4, 1)
HAS_POOLS = django.VERSION >= (5, 1) and "psycopg" in DRIVERS
ON_SERVERS = checks._ON_SERVERS
TIMEOUT = {  # a session's time-out of 5 s, as OPTIONS
    "mysql": {"init_command": "SET SESSION wait_timeout = 5"},
    "postgresql": {"options": "-c idle_session_timeout=5000"},
}


@pytest.fixture
def asked(monkeypatch):
    """Until Django 1.9 they run in ``check --tag database`` only."""
    monkeypatch.setattr(sys, "argv", ["manage.py", "check", "--tag", "database"])


@pytest.fixture
def put(monkeypatch):
    """Set a setting of the project so long."""
    return lambda name, value: monkeypatch.setattr(settings, name, value, raising=False)


@pytest.fixture
def configure(asked, server_alias):
    """Change the settings of both aliases of a server so long."""
    aliases = server_alias, server_alias + "_other"
    before = [dict(connections.databases[alias]) for alias in aliases]

    def change(OPTIONS=(), **changes):
        for alias in aliases:
            found = connections.databases[alias]
            options = dict(found.get("OPTIONS") or {}, **dict(OPTIONS))
            found.update(changes, OPTIONS=options)
            connections[alias].close()
            if hasattr(connections, "__delitem__"):
                del connections[alias]

    yield change
    for alias, values in zip(aliases, before):
        connections.databases[alias].clear()
        connections.databases[alias].update(values)


def found_by(check, *aliases):
    found = check(app_configs=None, databases=list(aliases))
    return [message.id.partition(".")[2] for message in found]


@pytest.mark.everywhere
def test_checks_are_bound():
    """Registered once, with their tags, by the application's ready()."""
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
    expected = [(check.__name__, ["django_compat"]) for check in checks._STATIC]
    tags = ["database", "django_compat"]
    expected += [(check.__name__, tags) for check in ON_SERVERS]
    assert eval(output) == sorted(expected)


def test_ids_are_unique_and_in_the_docstrings():
    """Each check has one, and no two have the same."""
    found = [check.__doc__[:4] for check in checks._STATIC + ON_SERVERS]
    assert sorted(found) == sorted(
        "E001 E002 I001 W001 W002 W003 W004 W005 W006".split()
    )


@pytest.mark.parametrize("name", ["PROCESSES", "THREADS", "HOSTS"])
def test_wrong_number_is_an_error(put, name):
    """It names the setting, the value, and what is allowed."""
    put("DJANGO_COMPAT_" + name, "4")
    (found,) = checks.check_settings()
    assert (found.id, found.level) == ("django_compat.E001", framework.ERROR)
    for part in ("DJANGO_COMPAT_" + name, "'4'", "a whole number, 1 or more"):
        assert part in found.msg


def test_right_numbers_are_none(put):
    """Nor is none at all."""
    assert checks.check_settings() == []
    put("DJANGO_COMPAT_PROCESSES", 4)
    put("DJANGO_COMPAT_THREADS", 1)
    assert checks.check_settings() == []


@pytest.mark.parametrize("value", ["60", -1, True, [], float("nan")])
def test_wrong_idle_limit_is_an_error(monkeypatch, value):
    """It names the alias, the value, and what is allowed."""
    monkeypatch.setitem(connections.databases["default"], "CONN_MAX_IDLE", value)
    (found,) = checks.check_max_idle()
    assert (found.id, found.level) == ("django_compat.E002", framework.ERROR)
    for part in ("DATABASES['default']['CONN_MAX_IDLE']", repr(value), "0 or more"):
        assert part in found.msg


@pytest.mark.parametrize("value", [None, 0, 0.5, 60])
def test_right_idle_limit_is_none(monkeypatch, value):
    """Seconds, or None."""
    monkeypatch.setitem(connections.databases["default"], "CONN_MAX_IDLE", value)
    assert checks.check_max_idle() == []


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
    """The session's own time-out is what counts, here 5 s."""
    configure(OPTIONS=TIMEOUT[server_alias], **changes)
    assert found_by(checks.check_age_above_timeout, server_alias) == expected


@pytest.mark.parametrize(("idle", "expected"), [(None, []), (4, []), (5, ["W006"])])
def test_idle_limit_above_the_timeout(configure, server_alias, idle, expected):
    """Whatever CONN_MAX_AGE is."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_IDLE=idle)
    assert found_by(checks.check_idle_above_timeout, server_alias) == expected


def test_time_out_of_the_server_by_default(configure, server_alias):
    """MySQL's is 8 hours, PostgreSQL has none."""
    configure(CONN_MAX_AGE=None, CONN_MAX_IDLE=28800)
    has_one = server_alias == "mysql"
    for check in (checks.check_age_above_timeout, checks.check_idle_above_timeout):
        assert len(found_by(check, server_alias)) == has_one


def test_demand_above_the_limit(configure, put, server_alias):
    """Both aliases lead to one server of 100, of which PostgreSQL keeps 3."""
    configure()
    check, other = checks.check_demand, server_alias + "_other"
    assert found_by(check, server_alias) == []
    put("DJANGO_COMPAT_PROCESSES", 10)
    put("DJANGO_COMPAT_THREADS", 4)
    assert found_by(check, server_alias) == []
    put("DJANGO_COMPAT_THREADS", 20)
    assert found_by(check, server_alias) == ["W002"]
    assert found_by(check, server_alias, other) == ["W002"]  # the same connections
    (found,) = check(databases=[server_alias])
    assert "10 processes x 20 threads x 2 aliases = 400" in found.msg


if HAS_POOLS:

    @pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
    def test_pool_above_the_limit(configure, put):
        """Its size counts, not the threads."""
        configure(OPTIONS={"pool": {"min_size": 1, "max_size": 10}})
        put("DJANGO_COMPAT_PROCESSES", 4)
        put("DJANGO_COMPAT_THREADS", 99)
        assert found_by(checks.check_pools, "postgresql") == []
        put("DJANGO_COMPAT_PROCESSES", 5)  # and two aliases
        assert found_by(checks.check_pools, "postgresql") == ["W005"]
        assert found_by(checks.check_demand, "postgresql") == []
        connections["postgresql"].close_pool()


def test_bad_settings_do_not_crash_the_other_checks(configure, put, server_alias):
    """E001 and E002 tell of them."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_AGE=None)
    put("DJANGO_COMPAT_PROCESSES", "4")
    assert found_by(checks.check_age_above_timeout, server_alias) == ["W001"]
    assert found_by(checks.check_demand, server_alias) == []
    configure(CONN_MAX_IDLE="4")
    assert found_by(checks.check_age_above_timeout, server_alias) == []


@pytest.mark.parametrize("check", ON_SERVERS)
def test_databases_are_followed(configure, put, server_alias, check):
    """None is not all."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_AGE=None, CONN_MAX_IDLE=9)
    put("DJANGO_COMPAT_PROCESSES", 1000)
    assert check(app_configs=None, databases=None) == []
    assert check(app_configs=None, databases=[]) == []
    assert check(app_configs=None, databases=["default"]) == []
    assert connections[server_alias].connection is None


def test_without_databases_all_are_checked(configure, server_alias):
    """Until Django 3.0 the checks are not told any."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_AGE=None)
    found = checks.check_age_above_timeout(app_configs=None)
    assert len(found) == 2


@pytest.mark.parametrize("check", ON_SERVERS)
def test_server_that_is_down_is_not_ours_to_tell(configure, put, server_alias, check):
    """Django's own error says it."""
    configure(PORT=str(free_port()), CONN_MAX_AGE=None, CONN_MAX_IDLE=9)
    put("DJANGO_COMPAT_PROCESSES", 1000)
    assert check(app_configs=None, databases=[server_alias]) == []


def test_connection_is_left_as_it_was(configure, server_alias):
    """Open or not."""
    configure(OPTIONS=TIMEOUT[server_alias], CONN_MAX_AGE=None)
    connection = connections[server_alias]
    assert found_by(checks.check_age_above_timeout, server_alias) == ["W001"]
    assert connection.connection is None
    run(connection, "SELECT 1")
    raw = connection.connection
    assert found_by(checks.check_age_above_timeout, server_alias) == ["W001"]
    assert connection.connection is raw


@pytest.mark.everywhere
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
def test_old_django_asks_by_its_tag(argv, expected):
    """Django 1.7 to 1.9 runs each check in each command."""
    assert checks._asks_for_databases(argv.split()) is expected


def test_runserver(configure, monkeypatch, put, server_alias):
    """Under runserver, with threads, and where it is Django's own."""
    configure(CONN_MAX_AGE=60)
    put("INSTALLED_APPS", [])
    monkeypatch.setattr(sys, "argv", ["manage.py", "runserver"])
    found = checks.check_runserver()
    assert [message.id for message in found] == ["django_compat.W003"] * 2
    assert "leaves open" in found[0].msg
    put("INSTALLED_APPS", ["daphne"])
    assert checks.check_runserver() == []
    put("INSTALLED_APPS", [])
    configure(CONN_MAX_AGE=0)
    assert checks.check_runserver() == []
    configure(CONN_MAX_AGE=60)
    for argv in (["manage.py", "migrate"], ["manage.py", "runserver", "--nothreading"]):
        monkeypatch.setattr(sys, "argv", argv)
        assert checks.check_runserver() == []


def test_asgi(configure, put, server_alias):
    """Where a request has a thread of its own, which is from Django 4.0 on."""
    configure(CONN_MAX_AGE=60)
    assert checks.check_asgi() == []
    put("ASGI_APPLICATION", "asgi.application")
    found = [message.id for message in checks.check_asgi()]
    assert found == (["django_compat.W004"] * 2 if ASGI_THREAD_A_REQUEST else [])
    configure(CONN_MAX_AGE=0)
    assert checks.check_asgi() == []


ASK = ["--tag", "database"] if django.VERSION < (3, 1) else ["--database", "default"]


def project(alias, apps=("django_compat",), **changes):
    """Return the environment of the project with changes of its database."""
    env = environment(alias, apps, DJANGO_COMPAT_PROCESSES=10, DJANGO_COMPAT_THREADS=11)
    values = json.loads(env["DJANGO_COMPAT_TEST_SETTINGS"])
    values["DATABASES"]["default"].update(changes)
    return dict(env, DJANGO_COMPAT_TEST_SETTINGS=json.dumps(values))


def test_ordinary_check_opens_nothing(server_alias, proxy):
    """What asks the server runs only when Django runs such checks."""
    code, output, errors = manage(project(server_alias), "check")
    assert code == 0, output + errors
    assert "django_compat." not in output + errors
    assert proxy.sent == []


if IS_CORNER:

    @pytest.mark.everywhere
    def test_both_disasters_are_announced(spare, server_alias):
        """By ``check --database default``, on a server with a time-out of 2 s."""
        options = {
            "mysql": "--wait-timeout=2",
            "postgresql": "-c idle_session_timeout=2000",
        }
        spare.restart(*options[server_alias].split())
        code, output, errors = manage(project(server_alias), "check", *ASK)
        assert code == 0, output + errors
        assert set(re.findall(r"django_compat\.\w\d+", output + errors)) == {
            "django_compat.W001",
            "django_compat.W002",
        }
        assert "DATABASES['default']: CONN_MAX_AGE is None" in output + errors
        assert "10 processes x 11 threads = 110 connections" in output + errors

    @pytest.mark.everywhere
    def test_migrate_announces_it_too(configure, server_alias):
        """From Django 1.10 on it runs such checks."""
        code, output, errors = manage(project(server_alias), "migrate")
        assert code == 0, output + errors
        assert ("django_compat.W002" in output + errors) is HAS_TAG
        with administration(server_alias) as admin:
            run(admin, "DROP TABLE IF EXISTS django_migrations")
