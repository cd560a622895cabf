"""Engines of third parties, the dummy engine, and engines that cannot be loaded."""

from __future__ import absolute_import

import logging
import sys
import types

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import load_backend

from django_compat import HUNG_UP, UNUSABLE, close_stale_connections, fresh_connections
from django_compat._db.forks import session_of
from django_compat._db.probe import ALIVE, DEAD, UNKNOWN, liveness
from django_compat._db.stale import BYPASS
from django_compat._db.versions import monotonic, used_connections
from support.calls import CALLS
from support.databases import kill, open_connection, run, wait_for

pytestmark = pytest.mark.contract


class Opaque(object):
    """A third party's raw connection that does not show its socket."""

    HIDDEN = ("fileno", "_sock")

    def __init__(self, raw):
        self.__dict__["_raw"] = raw

    def __getattr__(self, name):
        if name in self.HIDDEN:
            raise AttributeError(name)
        return getattr(self._raw, name)

    def __setattr__(self, name, value):
        setattr(self._raw, name, value)


class Open(Opaque):
    """A third party's raw connection that shows its socket."""

    HIDDEN = ()


@pytest.fixture
def engine(server_alias, monkeypatch):
    """A function that gives an alias an ENGINE with raw connections of a class."""

    def install(raw_class):
        settings = connections.databases[server_alias]
        base = load_backend(settings["ENGINE"]).DatabaseWrapper
        # Until 1.5 a wrapper connects when it makes its first cursor.
        name = "connect" if hasattr(base, "connect") else "_cursor"

        def wrapped(self, *args, **kwargs):
            result = getattr(super(DatabaseWrapper, self), name)(*args, **kwargs)
            if self.connection is not None and not isinstance(self.connection, Opaque):
                self.connection = raw_class(self.connection)
            return result

        DatabaseWrapper = type("DatabaseWrapper", (base,), {name: wrapped})
        package = types.ModuleType("third_party")
        package.__path__ = []
        package.base = types.ModuleType("third_party.base")
        package.base.DatabaseWrapper = DatabaseWrapper
        monkeypatch.setitem(sys.modules, "third_party", package)
        monkeypatch.setitem(sys.modules, "third_party.base", package.base)
        monkeypatch.setitem(settings, "ENGINE", "third_party")
        return open_connection(server_alias, None)

    yield install
    connections[server_alias].close()


def not_used_for(connection, seconds):
    """Let a connection look as if it had been idle for so many seconds."""
    session_of(connection).used = monotonic() - seconds


def test_third_partys_socket_is_looked_at(engine):
    """A third party's engine that shows its socket is served like Django's own."""
    connection = engine(Open)
    assert type(connection).__module__ == __name__
    assert isinstance(connection.connection, Open)
    assert liveness(connection) is ALIVE
    kill(connection)
    wait_for(lambda: liveness(connection) is DEAD)
    assert close_stale_connections() == [(connection.alias, HUNG_UP)]
    with fresh_connections():
        assert run(connection, "SELECT 1") == (1,)


def test_without_a_socket_the_server_is_asked(engine):
    """Without a socket the server is asked, unless the connection was just used."""
    connection = engine(Opaque)
    raw = connection.connection
    assert liveness(connection) is UNKNOWN
    not_used_for(connection, BYPASS + 1)
    assert close_stale_connections() == []
    assert connection.connection is raw
    kill(connection)
    session_of(connection).used = monotonic()
    assert close_stale_connections() == []
    not_used_for(connection, BYPASS + 1)
    assert close_stale_connections() == [(connection.alias, UNUSABLE)]
    with fresh_connections():
        assert run(connection, "SELECT 1") == (1,)


@pytest.fixture
def dummy():
    """An alias without a database: Django's engine for an empty ENGINE."""
    connections.databases["dummy"] = {"ENGINE": "django.db.backends.dummy"}
    yield "dummy"
    delattr(connections._connections, "dummy")
    del connections.databases["dummy"]


# An engine that is not installed, and an engine whose driver is not installed.
UNLOADABLE = ["engine_of_nobody", "django.db.backends.oracle"]


@pytest.fixture(params=UNLOADABLE)
def unloadable(request, monkeypatch):
    """An alias whose engine, or the driver of its engine, is not installed."""
    for name in ("cx_Oracle", "oracledb"):
        monkeypatch.setitem(sys.modules, name, None)
    connections.databases["unloadable"] = {"ENGINE": request.param, "NAME": "nothing"}
    yield "unloadable"
    del connections.databases["unloadable"]


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("named", [False, True])
def test_dummy_is_passed_by(dummy, call, named, caplog):
    """Every public call ignores a wrapper that cannot connect."""
    wrapper = connections[dummy]
    with caplog.at_level(logging.DEBUG):
        assert not call(dummy if named else None)
    assert wrapper.connection is None
    assert caplog.records == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("named", [False, True])
def test_unloadable_is_passed_by(unloadable, call, named, caplog):
    """Every public call ignores an alias whose engine cannot be loaded."""
    connection = open_connection("default", None)
    before = set(used_connections())
    with caplog.at_level(logging.DEBUG):
        assert not call(unloadable if named else None)
    assert set(used_connections()) == before
    assert caplog.records == []
    connection.close()


def test_unloadable_is_djangos_error_when_it_is_used(unloadable):
    """Using the alias raises Django's error, inside of a scope and outside."""
    with pytest.raises((ImportError, ImproperlyConfigured)) as outside:
        connections[unloadable]
    with pytest.raises(outside.type) as inside:
        with fresh_connections():
            connections[unloadable]
    assert str(inside.value) == str(outside.value)
