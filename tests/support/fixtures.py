"""The fixtures of all tests: servers, proxies before them, and aliases of Django's."""

from __future__ import absolute_import

import contextlib
import os
import sys

import django
import pytest
from django.conf import settings
from django.db.backends.signals import connection_created

from django_compat._db import probe
from support import databases, drivers, servers
from support.proxy import Proxy
from support.required import skip_or_fail

try:
    from django.urls import clear_url_caches
except ImportError:  # before Django 1.10
    from django.core.urlresolvers import clear_url_caches


def start_server(vendor):
    """Return the server that an environment variable names, or a private one."""
    url = servers.url_of(vendor)
    if vendor not in drivers.SERVERS:
        pytest.skip("no driver for %s in DJANGO_COMPAT_TEST_DRIVERS" % vendor)
    if vendor in drivers.missing:
        skip_or_fail("%s: %s" % (vendor, drivers.missing[vendor]))
    try:
        server = servers.from_url(url) if url else servers.Server(vendor)
        server.start()
    except servers.MissingServer as error:
        skip_or_fail(str(error))
    if not url:  # without encryption a session begins faster
        os.environ.setdefault("PGSSLMODE", "disable")
    for alias in (vendor, vendor + "_other"):
        databases.point(alias, server)
    return server


@pytest.fixture(scope="session")
def driver_set():
    """The drivers of this run; a test that asks for them runs with each set."""
    return drivers.DRIVERS


@pytest.fixture(scope="session")
def mysql_server(driver_set):
    """A private MariaDB or MySQL; both of its aliases point at it."""
    server = start_server("mysql")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgresql_server(driver_set):
    """A private PostgreSQL; both of its aliases point at it."""
    server = start_server("postgresql")
    yield server
    server.stop()


@pytest.fixture(params=drivers.ALIASES)
def alias(request, driver_set):
    """An alias on SQLite, MariaDB and PostgreSQL; ``alias + "_other"`` is there too.

    The run of the second drivers leaves out SQLite, whose driver is the same.
    """
    if request.param != "default":
        request.getfixturevalue(request.param + "_server")
    yield request.param
    databases.tidy()


@pytest.fixture(params=drivers.SERVERS)
def server_alias(request, driver_set):
    """An alias on MariaDB and on PostgreSQL."""
    request.getfixturevalue(request.param + "_server")
    yield request.param
    databases.tidy()


@pytest.fixture(params=["Django's", "the signal's", "psycopg's"])
def lock_of(request, server_alias):
    """A function: a connection's lock that an interruption may leave locked."""
    if request.param == "psycopg's":
        if "psycopg" not in drivers.DRIVERS or server_alias != "postgresql":
            pytest.skip("no other driver has a lock in Python")
        return lambda connection: connection.connection.lock
    if request.param == "the signal's":
        if sys.version_info < (3,):
            pytest.skip("Python 2.7 cannot wait for a lock with a time-out")
        return lambda connection: connection_created.lock
    if django.VERSION < (2, 2):
        pytest.skip("no such lock before Django 2.2")
    return lambda connection: connection._thread_sharing_lock


@pytest.fixture(params=["+".join(drivers.SERVERS)])
def server_aliases(request, driver_set):
    """The aliases of all servers, for a slow test that can use them side by side."""
    for vendor in drivers.SERVERS:
        request.getfixturevalue(vendor + "_server")
    yield drivers.SERVERS
    databases.tidy()


@pytest.fixture(scope="session")
def _spares():
    spares = {}  # vendor: a private server beside one that others run
    yield spares
    for server in spares.values():
        server.stop()


@pytest.fixture
def spare(_spares, server_alias, request):
    """A private server that the test may restart; both aliases point at it."""
    server = request.getfixturevalue(server_alias + "_server")
    aliases = (server_alias, server_alias + "_other")
    before = [dict(databases.connections.databases[alias]) for alias in aliases]
    if isinstance(server, servers.ExistingServer):
        try:
            server = _spares.setdefault(server_alias, servers.Server(server_alias))
        except servers.MissingServer as error:
            skip_or_fail(str(error))
        if not server.is_running():
            server.start()
        for alias in aliases:
            databases.point(alias, server)
    yield server
    if not server.is_running():
        server.start()
    elif server.options:
        server.restart()
    for alias, values in zip(aliases, before):
        databases.connections.databases[alias].update(values)


@pytest.fixture
def encrypted(spare, server_alias, monkeypatch):
    """An alias whose connections are encrypted."""
    certificate = servers.certificate_in(os.path.join(spare.folder, "data"))[0]
    if not os.path.exists(certificate):
        skip_or_fail("no openssl that makes the certificate of a server")
    options = {"sslmode": "require"}
    if spare.vendor == "mysql":
        options = {"ssl": {"ca": certificate}}
    values = databases.connections.databases[server_alias]
    monkeypatch.setitem(values, "OPTIONS", options)
    return server_alias


@contextlib.contextmanager
def proxy_before(vendor):
    """Put a proxy before a server, for both of its aliases."""
    aliases = (vendor, vendor + "_other")
    settings_dicts = [databases.connections.databases[alias] for alias in aliases]
    host, port = settings_dicts[0]["HOST"], settings_dicts[0]["PORT"]
    with Proxy(host, int(port)) as proxy:
        for settings_dict in settings_dicts:
            settings_dict.update(HOST="127.0.0.1", PORT=str(proxy.port))
        databases.behind[str(proxy.port)] = port
        yield proxy
        del databases.behind[str(proxy.port)]
        for settings_dict in settings_dicts:
            settings_dict.update(HOST=host, PORT=port)


@pytest.fixture
def proxy(server_alias):
    """A proxy between both aliases and their server."""
    with proxy_before(server_alias) as proxy:
        yield proxy


@pytest.fixture
def proxies(server_aliases):
    """A proxy before each server of this run, by the server's alias."""
    contexts = [(alias, proxy_before(alias)) for alias in server_aliases]
    yield dict((alias, context.__enter__()) for alias, context in contexts)
    for _, context in contexts:
        context.__exit__(None, None, None)


@pytest.fixture
def looks(monkeypatch):
    """The descriptors that poll() looked at, one entry a look."""
    descriptors = []
    make = probe._poller

    def make_counted(fd):
        poll = make(fd)

        def counted(timeout):
            descriptors.append(fd)
            return poll(timeout)

        return counted

    monkeypatch.setattr(probe, "_poller", make_counted)
    return descriptors


@pytest.fixture
def counted(server_alias):
    """An empty table ``counted`` of numbers, each allowed once."""
    with databases.administration(server_alias) as admin:
        databases.run(admin, "DROP TABLE IF EXISTS counted")
        databases.run(admin, "CREATE TABLE counted (number integer primary key)")
        if django.VERSION < (1, 6):  # each statement begins a transaction
            admin.connection.commit()


@pytest.fixture
def own_urls(monkeypatch, request):
    """The test module is ROOT_URLCONF; until 2.2 Django keeps the URLs it has found."""
    name = request.module.__name__
    monkeypatch.setattr(settings, "ROOT_URLCONF", name, raising=False)
    clear_url_caches()
    yield
    monkeypatch.undo()
    clear_url_caches()


@pytest.fixture
def closed_orm_thread():
    """Close what the thread of the ORM has open: the thread outlives event loops."""
    yield
    from django_compat import aclose_all_connections
    from support.aio import run_async

    run_async(aclose_all_connections())
