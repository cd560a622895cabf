"""From settings and limits to findings: tables, without a server."""

from __future__ import absolute_import

import os
import subprocess
import sys

import pytest
from conftest import give_up
from corners import IS_CORNER
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from django_compat import demand as demands
from django_compat.answers import Unknown
from django_compat.demand import Figure, demand
from django_compat.findings import INFO, WARNING, findings, is_worth_asking
from django_compat.hosting import find_asgi, find_runserver, is_asgi, is_runserver
from django_compat.limits import Limit, Limits
from django_compat.policies import Policy, pool_size

UNKNOWN = Unknown("nobody may ask")
MYSQL = {"ENGINE": "django.db.backends.mysql", "HOST": "db", "USER": "u", "NAME": "n"}
PG = dict(MYSQL, ENGINE="django.db.backends.postgresql")


def make_policy(**changes):
    policy = Policy("default", "mysql", 0, None, False, None)
    return policy._replace(**changes)


def make_limits(**changes):
    limits = Limits(**dict.fromkeys(Limits._fields))._replace(
        alias="default",
        server="MariaDB",
        idle_timeout=60,
        idle_timeout_name="wait_timeout",
        max_connections=100,
        reserved=0,
        account_limits=(),
    )
    return limits._replace(**changes)


def make_demand(databases=None, **numbers):
    return demand("default", databases or {"default": MYSQL}, **numbers)


def ids(policy, limits, demand=None):
    found = findings(policy, limits, demand or make_demand())
    return [each.id.partition(".")[2] for each in found]


@pytest.mark.parametrize(
    ("policy", "timeout", "expected"),
    [
        # CONN_MAX_AGE against the time-out
        (dict(max_age=0), 60, []),
        (dict(max_age=59), 60, []),
        (dict(max_age=59.9), 60, []),
        (dict(max_age=60), 60, ["W001"]),
        (dict(max_age=61), 60, ["W001"]),
        (dict(max_age=None), 60, ["W001"]),
        (dict(max_age=None), 31536000, ["W001"]),
        (dict(max_age=None), None, []),
        (dict(max_age=None), UNKNOWN, []),
        (dict(max_age=2), 2.5, []),
        (dict(max_age=3), 2.5, ["W001"]),
        # what covers it
        (dict(max_age=None, health_checks=True), 60, []),
        (dict(max_age=None, max_idle=59), 60, []),
        (dict(max_age=None, max_idle=0), 60, []),
        # what does not
        (dict(max_age=None, max_idle=60), 60, ["W001", "W006"]),
        (dict(max_age=None, max_idle=90), 60, ["W001", "W006"]),
        # CONN_MAX_IDLE against the time-out
        (dict(max_idle=59), 60, []),
        (dict(max_idle=60), 60, ["W006"]),
        (dict(max_idle=61, health_checks=True, max_age=None), 60, ["W006"]),
        (dict(max_idle=61, max_age=5), 60, ["W006"]),
        (dict(max_idle=61), None, []),
        (dict(max_idle=61), UNKNOWN, []),
    ],
)
def test_ages_against_the_timeout(policy, timeout, expected):
    """Equal is not below."""
    assert ids(make_policy(**policy), make_limits(idle_timeout=timeout)) == expected


def limit(scope, value):
    return (Limit(scope, "CONNECTION LIMIT", value),)


@pytest.mark.parametrize(
    ("numbers", "changes", "expected"),
    [
        (dict(processes=10, threads=5), {}, []),
        (dict(processes=10, threads=10), {}, []),
        (dict(processes=101), {}, ["W002"]),
        (dict(processes=10, threads=5, hosts=2), {}, []),
        (dict(processes=10, threads=5, hosts=3), {}, ["W002"]),
        # the reserve
        (dict(processes=97), dict(reserved=3), []),
        (dict(processes=98), dict(reserved=3), ["W002"]),
        (dict(processes=98), dict(reserved=UNKNOWN), []),
        # other limits, of which the lowest counts
        (dict(processes=5), dict(account_limits=limit("account", 5)), []),
        (dict(processes=6), dict(account_limits=limit("account", 5)), ["W002"]),
        (dict(processes=6), dict(account_limits=limit("database", 5)), ["W002"]),
        (dict(processes=6), dict(account_limits=limit("account", None)), []),
        (dict(processes=6), dict(account_limits=limit("account", UNKNOWN)), []),
        (dict(processes=101), dict(account_limits=limit("account", UNKNOWN)), ["W002"]),
        # what is not known, or has no limit
        ({}, dict(max_connections=1), []),
        (dict(threads=500), dict(max_connections=1), []),
        (dict(processes=500), dict(max_connections=None), []),
        (dict(processes=500), dict(max_connections=UNKNOWN), []),
    ],
)
def test_demand_against_the_limits(numbers, changes, expected):
    """As many as there are is not too many."""
    limits = make_limits(**changes)
    assert ids(make_policy(), limits, make_demand(**numbers)) == expected


@pytest.mark.parametrize(
    ("pool", "processes", "expected"),
    [
        (True, 25, []),  # 4 each
        (True, 26, ["W005"]),
        ({"min_size": 2, "max_size": 10}, 10, []),
        ({"min_size": 2, "max_size": 10}, 11, ["W005"]),
        ({"min_size": 10}, 11, ["W005"]),
        ({"timeout": 5}, 25, []),
        (False, 101, ["W002"]),
        ({}, 101, ["W002"]),
    ],
)
def test_pool_against_the_limits(pool, processes, expected):
    """Each process has one; its threads share what is in it."""
    databases = {"default": dict(PG, OPTIONS={"pool": pool})}
    policy = make_policy(pool_size=pool_size(databases["default"]))
    found = make_demand(databases, processes=processes, threads=1)
    assert ids(policy, make_limits(), found) == expected


def test_pool_counts_instead_of_the_threads():
    """20 threads, 4 connections."""
    databases = {"default": dict(PG, OPTIONS={"pool": True})}
    found = make_demand(databases, processes=2, threads=20)
    assert found.total == 8
    assert found.arithmetic == "2 processes x 4 pooled connections = 8"


def test_finding_says_what_is_and_what_to_do():
    """Figures, and advice for each kind of process."""
    (found,) = findings(make_policy(max_age=None), make_limits(), make_demand())
    assert (found.alias, found.level) == ("default", WARNING)
    assert found.figures == {"max_age": None, "idle_timeout": 60}
    assert "CONN_MAX_AGE is None" in found.message
    assert "ends a session that idles for 60 s (wait_timeout)" in found.message
    for word in "CONN_MAX_IDLE CONN_HEALTH_CHECKS Requests worker thread shell".split():
        assert word in found.hint


def test_textbook_case_shows_its_arithmetic():
    """uWSGI with 10 processes and 5 threads: 50 connections, and 47 for them."""
    limits = make_limits(max_connections=50, reserved=3)
    found = findings(make_policy(), limits, make_demand(processes=10, threads=5))[0]
    assert "10 processes x 5 threads = 50 connections" in found.message
    assert "the server allows 47 (max_connections 50, 3 reserved)" in found.message
    assert found.figures["demand"] == 50 and found.figures["allowed"] == 47


@pytest.mark.parametrize("proxy", ["PgBouncer", "ProxySQL"])
def test_proxy_is_named_where_it_matters(proxy):
    """Nothing else is found then: all that it decides is unknown."""
    limits = make_limits(proxy=proxy, idle_timeout=UNKNOWN, max_connections=UNKNOWN)
    (found,) = findings(make_policy(max_age=None), limits, make_demand(processes=999))
    assert (found.id, found.level) == ("django_compat.I001", INFO)
    assert proxy in found.message
    assert ids(make_policy(), limits, make_demand(processes=999)) == ["I001"]
    assert ids(make_policy(), limits) == []


def test_servers_are_asked_only_when_it_matters():
    """Without persistence, idle limit and demand no answer leads to a finding."""
    nothing = make_demand()
    assert not is_worth_asking(make_policy(), nothing)
    assert not is_worth_asking(make_policy(max_age=5, health_checks=True), nothing)
    assert is_worth_asking(make_policy(max_age=5), nothing)
    assert is_worth_asking(make_policy(max_idle=5), nothing)
    assert is_worth_asking(make_policy(), make_demand(processes=1))


@pytest.mark.parametrize(
    ("other", "shared"),
    [
        ({}, True),
        (dict(NAME="other"), True),
        (dict(PORT="3306"), True),
        (dict(PORT=3306), True),
        (dict(HOST="DB"), True),
        (dict(CONN_MAX_AGE=None), True),
        (dict(PORT="3307"), False),
        (dict(HOST="db2"), False),
        (dict(USER="reports"), False),
        (dict(ENGINE="django.db.backends.postgresql"), False),
        (dict(ENGINE="django.db.backends.sqlite3"), False),
        (dict(OPTIONS={"read_default_file": "/etc/my.cnf"}), False),
    ],
)
def test_aliases_at_the_same_server_are_counted_together(other, shared):
    """The same host, port and user."""
    databases = {"default": MYSQL, "other": dict(MYSQL, **other)}
    found = make_demand(databases, processes=10, threads=5)
    assert found.total == (100 if shared else 50)
    assert found.aliases == (("default", "other") if shared else ("default",))


def test_names_of_this_machine_are_one():
    """As which of them a host was written does not matter."""
    names = ["", "localhost", "127.0.0.1", "::1"]
    databases = {name: dict(MYSQL, HOST=name) for name in names}
    assert len(demand("", databases, processes=1).aliases) == 4


def test_other_accounts_count_at_the_server():
    """Two users are within their own limits, and together above the server's."""
    databases = {"default": MYSQL, "other": dict(MYSQL, USER="reports", NAME="m")}
    found = make_demand(databases, processes=60)
    assert (found.total, found.of("server"), found.of("database")) == (60, 120, 60)
    assert ids(make_policy(), make_limits(), found) == ["W002"]
    only = make_limits(account_limits=limit("account", 60))
    assert ids(make_policy(), only._replace(max_connections=120), found) == []


def test_arithmetic_names_each_factor():
    """One host and one alias go without saying."""
    databases = {"default": MYSQL, "other": MYSQL}
    found = make_demand(databases, processes=1, threads=5, hosts=3)
    assert found.arithmetic == "1 process x 5 threads x 2 aliases x 3 hosts = 30"
    assert make_demand(processes=1).arithmetic == "1 process x 1 thread = 1"
    databases["other"] = dict(MYSQL, OPTIONS={"pool": True})
    found = make_demand(databases, processes=2, threads=5)
    assert found.arithmetic == "2 processes x (5 + 4) connections = 18"
    assert "DJANGO_COMPAT_PROCESSES is not set" in make_demand().arithmetic


@pytest.fixture
def put(monkeypatch):
    """Set a setting of the project so long."""
    return lambda name, value: monkeypatch.setattr(settings, name, value, raising=False)


def test_sources_come_in_their_order(put, monkeypatch):
    """An argument, a setting, uwsgi.opt; then what is assumed."""

    class Module(object):
        opt = {b"processes": b"10", b"threads": b"5", b"master": True}

    found = make_demand()
    assert isinstance(found.processes.value, Unknown)
    assert found.threads == found.hosts == Figure(1, "assumed")
    monkeypatch.setitem(sys.modules, "uwsgi", Module)
    found = make_demand()
    assert found.processes == Figure(10, "uwsgi.opt")
    assert found.threads == Figure(5, "uwsgi.opt")
    assert (found.total, found.hosts.source) == (50, "assumed")
    put("DJANGO_COMPAT_PROCESSES", 3)
    put("DJANGO_COMPAT_HOSTS", 2)
    found = make_demand()
    assert found.processes == Figure(3, "DJANGO_COMPAT_PROCESSES")
    assert found.hosts == Figure(2, "DJANGO_COMPAT_HOSTS")
    found = make_demand(processes=7, threads=Figure(4, "uwsgi.ini"))
    assert found.processes == Figure(7, "--processes")
    assert found.threads == Figure(4, "uwsgi.ini")
    assert found.total == 56


@pytest.mark.parametrize(
    ("options", "processes", "threads"),
    [
        ({}, 1, 1),
        ({"workers": "4"}, 4, 1),
        ({"processes": b"10", "threads": b"5"}, 10, 5),
        ({b"workers": [b"2", b"4"]}, 4, 1),
        ({b"processes": b"many", b"threads": True}, 1, 1),
        ({b"processes": b"2", b"gevent": b"100"}, 2, 100),
    ],
)
def test_options_of_uwsgi(monkeypatch, options, processes, threads):
    """Text or bytes; without them it has one process; a greenlet is a thread."""

    class Module(object):
        opt = options

    monkeypatch.setitem(sys.modules, "uwsgi", Module)
    found = make_demand()
    assert (found.processes.value, found.threads.value) == (processes, threads)


if IS_CORNER:

    def test_uwsgi_tells_its_processes_and_threads(tmpdir):
        """In a real one; the textbook case."""
        program = os.path.join(os.path.dirname(sys.executable), "uwsgi")
        if not os.path.exists(program):
            give_up("uwsgi is not installed")
        told = tmpdir.join("told.py")
        told.write(
            "import os\n"
            "from django.conf import settings\n"
            "engine = 'django.db.backends.sqlite3'\n"
            "settings.configure(DATABASES={'default': {'ENGINE': engine}})\n"
            "from django_compat.demand import demand\n"
            "found = demand('default')\n"
            "text = '%s, %s' % (found.arithmetic, found.threads.source)\n"
            "os.write(2, text.encode('ascii'))\n"
            "os._exit(0)\n"
        )
        words = "--socket 127.0.0.1:0 --processes 10 --threads 5 --need-app"
        words += " --home %s --wsgi-file %s" % (sys.prefix, told)
        root = os.path.dirname(os.path.dirname(os.path.abspath(demands.__file__)))
        output = subprocess.check_output(
            [program] + words.split(),
            env=dict(os.environ, PYTHONPATH=root),
            stderr=subprocess.STDOUT,
        )
        assert b"10 processes x 5 threads = 50, uwsgi.opt" in output


WRONG = [0, -1, True, "4", 2.0, [], float("nan")]


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("name", ["processes", "threads", "hosts"])
def test_bad_number_is_refused_by_name(put, name, value):
    """With the value, and what is allowed."""
    put("DJANGO_COMPAT_" + name.upper(), value)
    for call in (make_demand, lambda: demands.setting(name)):
        with pytest.raises(ImproperlyConfigured) as caught:
            call()
        for part in ("DJANGO_COMPAT_" + name.upper(), repr(value), "1 or more"):
            assert part in str(caught.value)
    with pytest.raises(ValueError) as caught:
        make_demand(**{name: value})
    for part in ("--" + name, repr(value), "1 or more"):
        assert part in str(caught.value)


def test_runserver_finding():
    """Only what is persistent is one, and they stay open on every Django."""
    found = find_runserver(make_policy(max_age=60))
    assert found.id == "django_compat.W003"
    assert "leaves open" in found.message
    assert find_runserver(make_policy()) is None
    assert find_runserver(make_policy(max_age=60, vendor="sqlite")) is None


def test_asgi_finding():
    """Only what is persistent is one."""
    assert find_asgi(make_policy(max_age=None)).id == "django_compat.W004"
    assert find_asgi(make_policy(max_age=0)) is None
    assert find_asgi(make_policy(max_age=None, vendor="sqlite")) is None


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["manage.py", "runserver"], True),
        (["manage.py", "runserver", "0:8000", "--noreload"], True),
        (["manage.py", "runserver", "--nothreading"], False),
        (["manage.py", "migrate", "runserver"], False),
        (["manage.py"], False),
        (["/usr/bin/gunicorn", "wsgi"], False),
    ],
)
def test_runserver_is_known_by_its_command_line(argv, expected):
    """With threads, as it is by default."""
    assert is_runserver(argv) is expected


def test_asgi_is_known_by_the_settings(put):
    """An asgi.py is no sign: each project has one."""
    assert not is_asgi()
    put("ASGI_APPLICATION", "project.asgi.application")
    assert is_asgi()
    put("ASGI_APPLICATION", None)
    assert not is_asgi()
    put("INSTALLED_APPS", ["daphne"])
    assert is_asgi()
