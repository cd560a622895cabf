"""Demand, policy and rules: from settings and limits to findings, without a server."""

from __future__ import absolute_import

import os
import subprocess
import sys

import pytest
from django.core.exceptions import ImproperlyConfigured

import django_compat
from django_compat._capacity.demand import (
    Count,
    Policy,
    read_count_setting,
    read_demand,
    read_pool,
)
from django_compat._capacity.rules import (
    INFO,
    WARNING,
    apply_server_rules,
    find_asgi,
    find_runserver,
    is_asgi,
    is_runserver,
    needs_server,
)
from django_compat._capacity.server_limits import ConnectionLimit, Limits, Unknown
from support.required import find_command

UNKNOWN = Unknown("permission denied")
MYSQL = {"ENGINE": "django.db.backends.mysql", "HOST": "db", "USER": "u", "NAME": "n"}
PG = dict(MYSQL, ENGINE="django.db.backends.postgresql")
POOLED = dict(PG, OPTIONS={"pool": True})


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
    return read_demand("default", databases or {"default": MYSQL}, **numbers)


def ids(policy, limits, demand=None):
    findings = apply_server_rules(policy, limits, demand or make_demand())
    return [finding.id.partition(".")[2] for finding in findings]


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
        # what makes up for a high CONN_MAX_AGE
        (dict(max_age=None, health_checks=True), 60, ["I002"]),
        (dict(max_age=None, max_idle=59), 60, []),
        (dict(max_age=None, max_idle=0), 60, []),
        # what does not make up for it
        (dict(max_age=None, max_idle=60), 60, ["W001", "W006"]),
        (dict(max_age=None, max_idle=90), 60, ["W001", "W006"]),
        # CONN_MAX_IDLE against the time-out
        (dict(max_idle=59), 60, []),
        (dict(max_idle=60), 60, ["W006"]),
        (dict(max_idle=61, health_checks=True, max_age=None), 60, ["W006", "I002"]),
        (dict(max_idle=61, max_age=5), 60, ["W006"]),
        (dict(max_idle=61), None, []),
        (dict(max_idle=61), UNKNOWN, []),
    ],
)
def test_ages_against_the_timeout(policy, timeout, expected):
    """W001 and W006 find a setting that is not below the time-out."""
    assert ids(make_policy(**policy), make_limits(idle_timeout=timeout)) == expected


def limit(scope, value):
    return (ConnectionLimit(scope, "CONNECTION LIMIT", value),)


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
        # other limits: the lowest decides
        (dict(processes=5), dict(account_limits=limit("account", 5)), []),
        (dict(processes=6), dict(account_limits=limit("account", 5)), ["W002"]),
        (dict(processes=6), dict(account_limits=limit("database", 5)), ["W002"]),
        (dict(processes=6), dict(account_limits=limit("account", None)), []),
        (dict(processes=6), dict(account_limits=limit("account", UNKNOWN)), []),
        (dict(processes=101), dict(account_limits=limit("account", UNKNOWN)), ["W002"]),
        # unknown figures, and no limit
        ({}, dict(max_connections=1), []),
        (dict(threads=500), dict(max_connections=1), []),
        (dict(processes=500), dict(max_connections=None), []),
        (dict(processes=500), dict(max_connections=UNKNOWN), []),
    ],
)
def test_demand_against_the_limits(numbers, changes, expected):
    """W002 finds a demand above a limit, not one equal to the limit."""
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
    """W005: each process has a pool of its own, which its threads share."""
    databases = {"default": dict(PG, OPTIONS={"pool": pool})}
    policy = make_policy(pool=read_pool(databases["default"]))
    demand = make_demand(databases, processes=processes, threads=1)
    assert ids(policy, make_limits(idle_timeout=None), demand) == expected


@pytest.mark.parametrize(
    ("pool", "timeout", "expected"),
    [
        # min_size sessions idle for ever: 4 by default
        (True, 60, ["W001"]),
        ({"min_size": 1, "max_size": 1}, 31536000, ["W001"]),
        ({"min_size": 2, "max_size": 4, "max_idle": 5}, 60, ["W001"]),
        (True, None, []),
        (True, UNKNOWN, []),
        # a burst of 4 sessions, of which the pool closes one every max_idle seconds
        ({"min_size": 0, "max_size": 4, "max_idle": 11}, 60, []),
        ({"min_size": 0, "max_size": 4, "max_idle": 12}, 60, ["W001"]),
        ({"min_size": 0, "max_size": 4}, 3600, []),
        ({"min_size": 0, "max_size": 4}, 3000, ["W001"]),
        # max_lifetime counts only when a session is returned
        ({"max_lifetime": 5}, 60, ["W001"]),
        # what a pool's own max_idle is good for
        ({"min_size": 0, "max_size": 4, "max_idle": 60}, 60, ["W001", "W006"]),
        ({"min_size": 1, "max_size": 4, "max_idle": 59}, 60, ["W001"]),
        ({"min_size": 4, "max_size": 4, "max_idle": 600}, 60, ["W001"]),
        # a pool that asks each session; psycopg refuses what is no number
        ({"check": id}, 60, []),
        ({"min_size": None, "max_idle": "60"}, 60, ["W001"]),
    ],
)
def test_pool_against_the_timeout(pool, timeout, expected):
    """W001 and W006 know for how long a pool keeps an idle session."""
    policy = make_policy(pool=read_pool(dict(PG, OPTIONS={"pool": pool})))
    assert ids(policy, make_limits(idle_timeout=timeout)) == expected


@pytest.mark.parametrize(
    ("pool", "timeout", "kept", "advised"),
    [
        ({"min_size": 2, "max_size": 3}, 60, "2 idle sessions for ever (min_size)", 15),
        (
            {"min_size": 0, "max_size": 4, "max_idle": 13},
            60,
            "an idle session for up to 65 s (max_idle 13, once for each of max_size 4)",
            12,
        ),
    ],
)
def test_pool_finding_says_how_long_a_session_is_kept(pool, timeout, kept, advised):
    """The message has the pool's own figures, and the hint a max_idle that is short."""
    policy = make_policy(pool=read_pool(dict(PG, OPTIONS={"pool": pool})))
    limits = make_limits(idle_timeout=timeout)
    finding = apply_server_rules(policy, limits, make_demand())[0]
    assert "the pool keeps %s, but" % kept in finding.message
    assert "min_size to 0 and max_idle below %d in" % advised in finding.hint
    pool["max_idle"], pool["min_size"] = advised - 0.1, 0
    policy = make_policy(pool=read_pool(dict(PG, OPTIONS={"pool": pool})))
    assert ids(policy, limits) == []


def test_health_checks_of_a_pool_are_its_option_check():
    """Django sets ``check`` for CONN_HEALTH_CHECKS; the settings may set it, too."""
    settings = dict(PG, OPTIONS={"pool": True}, CONN_HEALTH_CHECKS=True)
    assert read_pool(settings).is_checked
    policy = make_policy(pool=read_pool(settings), health_checks=True)
    assert ids(policy, make_limits()) == ["I002"]
    settings["OPTIONS"] = {"pool": {"check": None}}
    policy = make_policy(pool=read_pool(settings), health_checks=True)
    assert ids(policy, make_limits()) == ["W001"]


@pytest.mark.parametrize(
    ("policy", "changes", "expected"),
    [
        (dict(max_age=None, health_checks=True), {}, ["I002"]),
        (dict(max_age=5, health_checks=True), dict(idle_timeout=None), ["I002"]),
        (dict(max_age=5), {}, []),
        (dict(max_age=0, health_checks=True), {}, []),  # a new one is not asked
        (dict(max_age=5, health_checks=True, vendor="sqlite"), {}, []),
        (dict(max_age=5, health_checks=True), dict(idle_timeout=UNKNOWN), []),
        (dict(max_age=5, health_checks=True), dict(proxy="PgBouncer"), []),
    ],
)
def test_health_checks_of_a_direct_server(policy, changes, expected):
    """I002 is silent where a pooler is between, and where nothing is asked."""
    assert ids(make_policy(**policy), make_limits(**changes)) == expected


def test_health_checks_finding_says_what_is_lost():
    """The hint names what only a round trip finds."""
    policy = make_policy(max_age=None, health_checks=True)
    (finding,) = apply_server_rules(policy, make_limits(), make_demand())
    assert finding.level == INFO
    for word in "CONN_MAX_IDLE hangs MaxScale without".split():
        assert word in finding.hint


def test_pool_counts_instead_of_the_threads():
    """20 threads share the 4 connections of a pool."""
    databases = {"default": dict(PG, OPTIONS={"pool": True})}
    demand = make_demand(databases, processes=2, threads=20)
    assert demand.total == 8
    assert demand.arithmetic == "2 processes x 4 pooled connections = 8"


def test_finding_has_figures_and_advice():
    """The message has the figures, the hint advice for each kind of process."""
    policy = make_policy(max_age=None)
    (finding,) = apply_server_rules(policy, make_limits(), make_demand())
    assert (finding.alias, finding.level) == ("default", WARNING)
    assert finding.figures == {"max_age": None, "idle_timeout": 60}
    assert "CONN_MAX_AGE is None (no limit), but MariaDB" in finding.message
    assert "ends a session that is idle for 60 s (wait_timeout)" in finding.message
    for word in "CONN_MAX_IDLE CONN_HEALTH_CHECKS Requests worker thread shell".split():
        assert word in finding.hint


def test_textbook_case_shows_its_arithmetic():
    """uWSGI with 10 processes and 5 threads wants 50 connections, but may have 47."""
    limits = make_limits(max_connections=50, reserved=3)
    demand = make_demand(processes=10, threads=5)
    (finding,) = apply_server_rules(make_policy(), limits, demand)
    assert "10 processes x 5 threads = 50 connections" in finding.message
    assert "the server allows 47 (max_connections 50, 3 reserved)" in finding.message
    assert finding.figures["demand"] == 50 and finding.figures["allowed"] == 47


@pytest.mark.parametrize(
    ("changes", "allowed"),
    [
        (dict(max_connections=8), "the server allows 8 (max_connections)"),
        (
            dict(reserved=3, account_limits=limit("account", 9)),
            "this account allows 9 (CONNECTION LIMIT)",
        ),
        (
            dict(reserved=3, account_limits=limit("database", 9)),
            "this database allows 9 (CONNECTION LIMIT)",
        ),
    ],
)
def test_only_a_server_has_a_reserve(changes, allowed):
    """The message of a limit without a reserve has the limit's name only."""
    demand = make_demand(processes=10)
    (finding,) = apply_server_rules(make_policy(), make_limits(**changes), demand)
    assert finding.message.endswith("connections, but %s." % allowed)


@pytest.mark.parametrize("proxy", ["PgBouncer", "ProxySQL"])
def test_proxy_is_named_where_it_matters(proxy):
    """I001 is the only finding behind a proxy, whose own limits are Unknown."""
    limits = make_limits(proxy=proxy, idle_timeout=UNKNOWN, max_connections=UNKNOWN)
    demand = make_demand(processes=999)
    (finding,) = apply_server_rules(make_policy(max_age=None), limits, demand)
    assert (finding.id, finding.level) == ("django_compat.I001", INFO)
    assert proxy in finding.message
    assert ids(make_policy(), limits, demand) == ["I001"]
    assert ids(make_policy(), limits) == []


def test_servers_are_asked_only_when_it_matters():
    """Without persistence, idle limit and demand no rule can find anything."""
    nothing = make_demand()
    assert not needs_server(make_policy(), nothing)
    assert not needs_server(make_policy(max_age=5, health_checks=True), nothing)
    assert needs_server(make_policy(pool=read_pool(POOLED)), nothing)
    assert needs_server(make_policy(max_age=5), nothing)
    assert needs_server(make_policy(max_idle=5), nothing)
    assert needs_server(make_policy(), make_demand(processes=1))


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
    """The total has the aliases with the same host, port and user."""
    databases = {"default": MYSQL, "other": dict(MYSQL, **other)}
    demand = make_demand(databases, processes=10, threads=5)
    assert demand.total == (100 if shared else 50)
    assert demand.aliases == (("default", "other") if shared else ("default",))


def test_names_of_this_machine_are_one():
    """Every name of the local host counts as the same host."""
    names = ["", "localhost", "127.0.0.1", "::1"]
    databases = {name: dict(MYSQL, HOST=name) for name in names}
    assert len(read_demand("", databases, processes=1).aliases) == 4


def test_other_accounts_count_at_the_server():
    """Two users stay within their own limits, and exceed the server's together."""
    databases = {"default": MYSQL, "other": dict(MYSQL, USER="reports", NAME="m")}
    demand = make_demand(databases, processes=60)
    assert (demand.total, demand.total_of("database")) == (60, 60)
    assert demand.total_of("server") == 120
    assert ids(make_policy(), make_limits(), demand) == ["W002"]
    limits = make_limits(account_limits=limit("account", 60), max_connections=120)
    assert ids(make_policy(), limits, demand) == []


def test_arithmetic_names_each_factor():
    """The arithmetic leaves out one host and one alias."""
    databases = {"default": MYSQL, "other": MYSQL}
    demand = make_demand(databases, processes=1, threads=5, hosts=3)
    assert demand.arithmetic == "1 process x 5 threads x 2 aliases x 3 hosts = 30"
    assert make_demand(processes=1).arithmetic == "1 process x 1 thread = 1"
    databases["other"] = dict(MYSQL, OPTIONS={"pool": True})
    demand = make_demand(databases, processes=2, threads=5)
    assert demand.arithmetic == "2 processes x (5 + 4) connections = 18"
    assert "DJANGO_COMPAT_PROCESSES is not set" in make_demand().arithmetic


def test_arithmetic_of_many_aliases_is_short():
    """Above 20 aliases, equal sizes are counted."""
    databases = dict(("alias%02d" % number, MYSQL) for number in range(15))
    pooled = dict(MYSQL, OPTIONS={"pool": True})
    databases.update(("pool%d" % number, pooled) for number in range(6))
    demand = make_demand(dict(databases, default=MYSQL), processes=2, threads=5)
    sizes = "(6 x 4 + 16 x 5) connections = 208"
    assert demand.arithmetic == "2 processes x " + sizes


def test_sources_take_precedence_in_their_order(set_setting, monkeypatch):
    """First an argument, then a setting, then uwsgi.opt, then the assumed count."""

    class Module(object):
        opt = {b"processes": b"10", b"threads": b"5", b"master": True}

    demand = make_demand()
    assert isinstance(demand.processes.value, Unknown)
    assert demand.threads == demand.hosts == Count(1, "assumed")
    monkeypatch.setitem(sys.modules, "uwsgi", Module)
    demand = make_demand()
    assert demand.processes == Count(10, "uwsgi.opt")
    assert demand.threads == Count(5, "uwsgi.opt")
    assert (demand.total, demand.hosts.source) == (50, "assumed")
    set_setting("DJANGO_COMPAT_PROCESSES", 3)
    set_setting("DJANGO_COMPAT_HOSTS", 2)
    demand = make_demand()
    assert demand.processes == Count(3, "DJANGO_COMPAT_PROCESSES")
    assert demand.hosts == Count(2, "DJANGO_COMPAT_HOSTS")
    demand = make_demand(processes=7, threads=Count(4, "uwsgi.ini"))
    assert demand.processes == Count(7, "--processes")
    assert demand.threads == Count(4, "uwsgi.ini")
    assert demand.total == 56


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
    """Options are text or bytes; uWSGI has one process by default."""

    class Module(object):
        opt = options

    monkeypatch.setitem(sys.modules, "uwsgi", Module)
    demand = make_demand()
    assert (demand.processes.value, demand.threads.value) == (processes, threads)


def test_real_uwsgi_has_its_processes_and_threads(tmpdir):
    """A process of uWSGI reads the counts of the textbook case from uwsgi.opt."""
    script = tmpdir.join("demand_of_uwsgi.py")
    script.write(
        "import os\n"
        "from django.conf import settings\n"
        "engine = 'django.db.backends.sqlite3'\n"
        "settings.configure(DATABASES={'default': {'ENGINE': engine}})\n"
        "from django_compat._capacity.demand import read_demand\n"
        "demand = read_demand('default')\n"
        "text = '%s, %s' % (demand.arithmetic, demand.threads.source)\n"
        "os.write(2, text.encode('ascii'))\n"
        "os._exit(0)\n"
    )
    words = "--socket 127.0.0.1:0 --processes 10 --threads 5 --need-app"
    words += " --home %s --wsgi-file %s" % (sys.prefix, script)
    package = os.path.dirname(os.path.abspath(django_compat.__file__))
    output = subprocess.check_output(
        [find_command("uwsgi")] + words.split(),
        env=dict(os.environ, PYTHONPATH=os.path.dirname(package)),
        stderr=subprocess.STDOUT,
    )
    assert b"10 processes x 5 threads = 50, uwsgi.opt" in output


WRONG = [0, -1, True, "4", 2.0, [], float("nan")]


@pytest.mark.parametrize("value", WRONG)
@pytest.mark.parametrize("name", ["processes", "threads", "hosts"])
def test_bad_number_is_refused_by_name(set_setting, name, value):
    """The error has the value and the allowed values."""
    set_setting("DJANGO_COMPAT_" + name.upper(), value)
    for call in (make_demand, lambda: read_count_setting(name)):
        with pytest.raises(ImproperlyConfigured) as caught:
            call()
        for part in ("DJANGO_COMPAT_" + name.upper(), repr(value), "1 or more"):
            assert part in str(caught.value)
    with pytest.raises(ValueError) as caught:
        make_demand(**{name: value})
    for part in ("--" + name, repr(value), "1 or more"):
        assert part in str(caught.value)


def test_runserver_finding():
    """W003 finds persistent connections to a server."""
    finding = find_runserver(make_policy(max_age=60))
    assert finding.id == "django_compat.W003"
    assert "CONN_MAX_AGE is 60 s under runserver" in finding.message
    assert "never closes" in finding.message
    assert find_runserver(make_policy()) is None
    assert find_runserver(make_policy(max_age=60, vendor="sqlite")) is None


def test_asgi_finding():
    """W004 finds persistent connections to a server."""
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
def test_runserver_is_recognised_by_its_command_line(argv, expected):
    """runserver counts with threads, its default, and without --nothreading."""
    assert is_runserver(argv) is expected


def test_asgi_is_recognised_by_the_settings(set_setting):
    """ASGI_APPLICATION or daphne in INSTALLED_APPS means ASGI."""
    assert not is_asgi()
    set_setting("ASGI_APPLICATION", "project.asgi.application")
    assert is_asgi()
    set_setting("ASGI_APPLICATION", None)
    assert not is_asgi()
    set_setting("INSTALLED_APPS", ["daphne"])
    assert is_asgi()
