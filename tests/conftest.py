"""Settings, servers and drivers for all tests.

``DJANGO_COMPAT_TEST_DRIVERS`` names the drivers of one run ("mysqlclient psycopg2" by
default, "PyMySQL psycopg" for the other two): Django takes one per process and vendor.
"""

from __future__ import absolute_import

import contextlib
import gc
import glob
import os
import shutil
import sys
import tempfile
import time
import zlib
from collections import Counter, OrderedDict
from importlib import import_module

import django
import pytest
import servers
from corners import (
    ARE_FIRST,
    DRIVERS,
    IS_CORNER,
    IS_FULL,
    PAIR,
    RUNS_ONCE,
    TURN,
    TURNS,
)
from proxy import Proxy

gc.disable()  # until pytest_collection_finish: what is collected stays
os.environ["DJANGO_COMPAT_TEST_QUICK"] = "1"  # see Supervisor.make_quick_exit

REQUIRED = os.environ.get("DJANGO_COMPAT_REQUIRE_SERVERS") == "1"
MODULES = {
    "mysqlclient": "MySQLdb",
    "PyMySQL": "pymysql",
    "psycopg2": "psycopg2",
    "psycopg": "psycopg",
}
VENDORS = {"mysql": ("mysqlclient", "PyMySQL"), "postgresql": ("psycopg2", "psycopg")}
SERVERS = [name for name in sorted(VENDORS) if set(VENDORS[name]) & set(DRIVERS)]
URLS = {
    "mysql": "DJANGO_COMPAT_TEST_MYSQL_URL",
    "postgresql": "DJANGO_COMPAT_TEST_POSTGRES_URL",
}

# Whole programs, and what has hardly any Django in it: on four pairs.
FULL_ONLY = """architecture deployments disconnects disconnects_async findings limits
    matrix_command timeouts worker""".split()
# So few pairs run these that in turns they might never run.
IN_NO_TURNS = FULL_ONLY + ["load", "runserver", "servers"]
# The long ones: on the oldest and the newest Django of four Pythons.
CORNERS_ONLY = "asgi gevent prefork".split()
# What says no more with another Python: once for each Django.
ONCE_A_DJANGO = "checks dbconnections examples main".split()
# What a driver may do in its own way: the other two drivers are asked no more.
ASK_THE_DRIVER = """apps asgi async engines executors forks gevent guard liveness
    prefork readable round_trips scopes stale""".split()
# How something is asked, not what: a test takes one of these forms, on the next pair
# another.
FORMS = set(
    """begin call checks form give_up inner is_grandchild parentheses scope several
    source""".split()
)

left_out = set()
if django.VERSION < (3, 0):  # which has no asgiref
    left_out.update(["async", "disconnects_async"])
if django.VERSION < (3, 1):  # which has no asynchronous views
    left_out.add("asgi")
if django.VERSION < (1, 7):  # which has no checks
    left_out.add("checks")
if not IS_FULL:
    left_out.update(FULL_ONLY)
if not IS_CORNER:
    left_out.update(CORNERS_ONLY)
if not RUNS_ONCE:
    left_out.update(ONCE_A_DJANGO)
if not ARE_FIRST and not IS_FULL:
    files = glob.glob(os.path.join(os.path.dirname(__file__), "test_*.py"))
    names = [os.path.basename(path)[len("test_") : -len(".py")] for path in files]
    left_out.update(set(names).difference(ASK_THE_DRIVER))
# What has no driver in it: once. The oldest and the newest Django that a server runs
# with, and (the tests' own servers and proxy) the oldest and the newest Python.
if not ARE_FIRST or PAIR not in [("2.7", "1.4"), ("3.13", "6.1")]:
    left_out.update(["load", "servers"])
# Before and after what Django changed in runserver.
RUNSERVER = [("2.7", "1.8"), ("3.10", "3.2"), ("3.12", "4.2"), ("3.13", "6.1")]
if not ARE_FIRST or PAIR not in RUNSERVER:
    left_out.add("runserver")

collect_ignore = ["test_%s.py" % name for name in sorted(left_out)]

folder = tempfile.mkdtemp(prefix="django_compat_")
missing = {}  # vendor: why its tests cannot run


def _engine(vendor):
    """Return the ENGINE; PostgreSQL's was named for its driver until Django 1.8."""
    import django

    # Not by importing it: until 1.5 that reads the settings that are being made.
    backends = os.path.join(os.path.dirname(django.__file__), "db", "backends")
    if not os.path.isdir(os.path.join(backends, vendor)):
        vendor += "_psycopg2"
    return "django.db.backends." + vendor


def _choose_drivers():
    """Make Django find the drivers of this run, and note those that are not there."""
    for vendor, drivers in VENDORS.items():
        missing[vendor] = "no driver for it in DJANGO_COMPAT_TEST_DRIVERS"
        for driver in set(drivers) & set(DRIVERS):
            try:
                module = import_module(MODULES[driver])
            except ImportError as error:
                missing[vendor] = "%s is not installed: %s" % (driver, error)
                continue
            del missing[vendor]
            if driver == "PyMySQL":
                module.install_as_MySQLdb()
    if "psycopg" not in DRIVERS:
        sys.modules["psycopg"] = None  # Django 4.2+ would take it before psycopg2


def _databases():
    sqlite = {"ENGINE": "django.db.backends.sqlite3"}
    found = {
        "default": dict(sqlite, NAME=os.path.join(folder, "default.sqlite3")),
        "default_other": dict(sqlite, NAME=os.path.join(folder, "other.sqlite3")),
    }
    for vendor in VENDORS:
        if vendor not in missing:
            for alias in (vendor, vendor + "_other"):
                found[alias] = {"ENGINE": _engine(vendor)}
    if "PyMySQL" in DRIVERS and sys.version_info >= (3, 9):
        for alias in ("mysql", "mysql_other"):
            # Else the newest PyMySQL reads all certificates for each connection.
            found[alias]["OPTIONS"] = {"ssl_disabled": True}
    return found


def _configure():
    """Give Django its settings; until 1.5 it reads them when django.db is imported."""
    import django
    from django.conf import settings

    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES=_databases(),
        INSTALLED_APPS=[],
        MIDDLEWARE_CLASSES=[],
        ROOT_URLCONF="test_requests",
        SECRET_KEY="for tests",
        USE_TZ=True,
    )
    if hasattr(django, "setup"):  # Django 1.7+
        django.setup()


_choose_drivers()
_configure()

import databases  # noqa: E402 (it imports django.db)


if sys.version_info >= (3,):
    import faulthandler

    # A hang says where it hangs, and ends. pytest-timeout, which does it on Python 2.7,
    # begins a thread for each test: 4 % of the CPU time of a run. So does each call of
    # this, which is therefore made every 10 s: a test has 300 s at least.
    _watch = {"since": float("-inf")}

    def pytest_sessionstart(session):
        _watch["terminal"] = os.dup(2)  # of which pytest captures what the tests write

    def pytest_runtest_logstart(nodeid, location):
        if time.monotonic() - _watch["since"] > 10:
            _watch["since"] = time.monotonic()
            faulthandler.dump_traceback_later(310, exit=True, file=_watch["terminal"])

    def pytest_sessionfinish(session, exitstatus):
        faulthandler.cancel_dump_traceback_later()


def pytest_configure(config):
    config.addinivalue_line("markers", "logs_queries: needs the log of queries")
    config.addinivalue_line("markers", "once: where ONCE_A_DJANGO is run")
    config.addinivalue_line("markers", "everywhere: where its file is run, in no turn")
    # A warning that one of our modules causes is an error.
    names = ["django_compat"]
    if sys.version_info < (3,):  # whose pytest wants whole names
        package = os.path.join(os.path.dirname(__file__), os.pardir, names[0])
        files = [os.path.splitext(name)[0] for name in os.listdir(package)]
        names += ["django_compat." + name for name in files]
    for name in names:
        config.addinivalue_line("filterwarnings", "error:::" + name)


def by_what_they_ask(items):
    """Return lists of items, in each those that differ in their form only."""
    groups = OrderedDict()
    for item in items:
        params = item.callspec.params if hasattr(item, "callspec") else {}
        asked = sorted((name, id(params[name])) for name in set(params) - FORMS)
        key = item.nodeid.partition("[")[0], tuple(asked)
        groups.setdefault(key, []).append(item)
    return list(groups.values())


def asked_here(items):
    """Return what is left of the items on this pair, with these drivers."""
    if not RUNS_ONCE:
        items = [item for item in items if not item.get_closest_marker("once")]
    if TURN is None:
        return items
    kept, counts = [], Counter()
    for number, group in enumerate(by_what_they_ask(items)):
        first = group[0]
        if first.module.__name__[len("test_") :] in IN_NO_TURNS:
            kept.extend(group)
            continue
        name = first.nodeid.partition("[")[0]
        counts[name] += 1
        key = "%s %d" % (name, counts[name])
        if first.get_closest_marker("everywhere"):
            kept.append(group[(TURN + number) % len(group)])
        elif zlib.crc32(key.encode("ascii")) % TURNS == TURN % TURNS:
            kept.append(group[(TURN // TURNS + number) % len(group)])
    return kept


def pytest_collection_modifyitems(config, items):
    kept = items
    if all(os.path.isdir(name) for name in config.args):  # else all that was named
        kept = asked_here(items)
    # Until 2.2 Django cannot read from PyMySQL 1.x what it has run, or fails to.
    if "PyMySQL" in DRIVERS and django.VERSION < (3, 0) and sys.version_info >= (3,):
        kept = [
            item
            for item in kept
            if "[mysql" not in item.name or not item.get_closest_marker("logs_queries")
        ]
    chosen = set(kept)
    left = [item for item in items if item not in chosen]
    if left:
        config.hook.pytest_deselected(items=left)
        items[:] = kept


def pytest_collection_finish(session):
    # All that is there stays: no later collection, and no child, need look through it.
    if hasattr(gc, "freeze"):  # Python 3.7+
        gc.collect()
        gc.freeze()
    gc.set_threshold(20000)  # the tests that need a collection ask for it
    gc.enable()


def pytest_unconfigure(config):
    shutil.rmtree(folder, ignore_errors=True)


def pytest_report_header(config):
    import django

    found = []
    for driver in DRIVERS:
        module = sys.modules.get(MODULES[driver])
        if module:
            found.append("%s %s" % (driver, getattr(module, "__version__", "?")))
    return "Django %s, drivers: %s" % (django.get_version(), ", ".join(found) or "none")


def give_up(reason):
    """Skip for what is missing; where servers are required, fail."""
    if REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


def _server(vendor):
    url = os.environ.get(URLS[vendor])
    if vendor in missing:
        give_up("%s: %s" % (vendor, missing[vendor]))
    try:
        server = servers.from_url(url) if url else servers.Server(vendor)
        server.start()
    except servers.MissingServer as error:
        give_up(str(error))
    if not url:  # or all sessions would be encrypted, which takes its time
        os.environ.setdefault("PGSSLMODE", "disable")
    for alias in (vendor, vendor + "_other"):
        databases.point(alias, server)
    return server


@pytest.fixture(scope="session")
def mysql_server():
    """A private MariaDB or MySQL, which both of its aliases point at."""
    server = _server("mysql")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_server():
    """A private PostgreSQL, which both of its aliases point at."""
    server = _server("postgresql")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def _spares():
    found = {}  # vendor: a server of ours beside one that others run
    yield found
    for server in found.values():
        server.stop()


@pytest.fixture
def spare(_spares, server_alias, request):
    """A private server that a test may restart; both aliases point at it so long."""
    server = request.getfixturevalue(server_alias + "_server")
    aliases = (server_alias, server_alias + "_other")
    before = [dict(databases.connections.databases[alias]) for alias in aliases]
    if isinstance(server, servers.ExistingServer):
        try:
            server = _spares.setdefault(server_alias, servers.Server(server_alias))
        except servers.MissingServer as error:
            give_up(str(error))
        if not server.is_running():
            server.start()
        for alias in aliases:
            databases.point(alias, server)
    yield server
    if not server.is_running():
        server.start()
    elif server.options:
        server.restart()
    for alias, settings in zip(aliases, before):
        databases.connections.databases[alias].update(settings)


@contextlib.contextmanager
def _proxy(vendor):
    settings = [
        databases.connections.databases[alias] for alias in (vendor, vendor + "_other")
    ]
    host, port = settings[0]["HOST"], settings[0]["PORT"]
    with Proxy(host, int(port)) as found:
        for each in settings:
            each.update(HOST="127.0.0.1", PORT=str(found.port))
        databases.behind[str(found.port)] = port
        yield found
        del databases.behind[str(found.port)]
        for each in settings:
            each.update(HOST=host, PORT=port)


@pytest.fixture
def proxy(server_alias):
    """A proxy before the server; its alias, and the other, go through it so long."""
    with _proxy(server_alias) as found:
        yield found


@pytest.fixture
def proxies(server_aliases):
    """A proxy before each server of this run, by the server's alias."""
    begun = [(alias, _proxy(alias)) for alias in server_aliases]
    yield dict((alias, proxy.__enter__()) for alias, proxy in begun)
    for _, proxy in begun:
        proxy.__exit__(None, None, None)


@pytest.fixture(params=["default"] + SERVERS)
def alias(request):
    """An alias on SQLite, MariaDB and PostgreSQL in turn; ``alias + "_other"`` too."""
    if request.param != "default":
        request.getfixturevalue(request.param + "_server")
    yield request.param
    databases.tidy()


@pytest.fixture(params=["+".join(SERVERS)])
def server_aliases(request):
    """The aliases of all servers of this run, for what takes long with each of them."""
    for vendor in SERVERS:
        request.getfixturevalue(vendor + "_server")
    yield SERVERS
    databases.tidy()


@pytest.fixture(params=SERVERS)
def server_alias(request):
    """An alias on a database that is a server."""
    request.getfixturevalue(request.param + "_server")
    yield request.param
    databases.tidy()
