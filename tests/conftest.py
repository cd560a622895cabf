"""Settings, servers and drivers for all tests.

``DJANGO_COMPAT_TEST_DRIVERS`` names the drivers of one run ("mysqlclient psycopg2" by
default, "PyMySQL psycopg" for the other two): Django takes one per process and vendor.
"""

from __future__ import absolute_import

import os
import shutil
import sys
import tempfile
from importlib import import_module

import pytest
import servers
from corners import IS_CORNER

DRIVERS = os.environ.get("DJANGO_COMPAT_TEST_DRIVERS", "mysqlclient psycopg2").split()
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

collect_ignore = []
if sys.version_info < (3, 6):
    collect_ignore.append("test_async.py")
if not IS_CORNER:
    collect_ignore.append("test_servers.py")  # no Django in it

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


def pytest_configure(config):
    package = os.path.join(os.path.dirname(__file__), os.pardir, "django_compat")
    for name in os.listdir(package):
        # A warning that one of our modules causes is an error.
        module = "django_compat." + os.path.splitext(name)[0]
        config.addinivalue_line("filterwarnings", "error:::" + module)


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


@pytest.fixture(params=["default"] + SERVERS)
def alias(request):
    """An alias on SQLite, MariaDB and PostgreSQL in turn; ``alias + "_other"`` too."""
    if request.param != "default":
        request.getfixturevalue(request.param + "_server")
    yield request.param
    databases.tidy()


@pytest.fixture(params=SERVERS)
def server_alias(request):
    """An alias on a database that is a server."""
    request.getfixturevalue(request.param + "_server")
    yield request.param
    databases.tidy()
