"""Engines that are not Django's own, that are none, and that cannot be loaded."""

from __future__ import absolute_import

import logging
import sys
import types

import pytest
from databases import kill, open_connection, run, wait_for
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import load_backend

from django_compat import (
    close_all_connections,
    close_stale_connections,
    closing_connections,
    discard_connections,
    fresh_connections,
)
from django_compat._versions import monotonic, used_connections
from django_compat.forks import origin
from django_compat.liveness import ALIVE, DEAD, UNKNOWN, liveness
from django_compat.staleness import BYPASS, HUNG_UP, UNUSABLE

pytestmark = pytest.mark.everywhere


class Opaque(object):
    """A third party's raw connection: as any other, but it shows no socket."""

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
    """Make an alias's ENGINE a third party's, with raw connections of this class."""

    def install(kind):
        settings = connections.databases[server_alias]
        base = load_backend(settings["ENGINE"]).DatabaseWrapper
        # Until 1.5 a wrapper connects where it makes its first cursor.
        name = "connect" if hasattr(base, "connect") else "_cursor"

        def wrapped(self, *args, **kwargs):
            found = getattr(super(DatabaseWrapper, self), name)(*args, **kwargs)
            if self.connection is not None and not isinstance(self.connection, Opaque):
                self.connection = kind(self.connection)
            return found

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
    """Make it look as if a connection had been idle for so long."""
    origin(connection).used = monotonic() - seconds


def test_third_partys_socket_is_looked_at(engine):
    """A third party's engine is served like Django's own where it shows a socket."""
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
    """Where there is none to be seen a connection is asked, unless it was just used."""
    connection = engine(Opaque)
    raw = connection.connection
    assert liveness(connection) is UNKNOWN
    not_used_for(connection, BYPASS + 1)
    assert close_stale_connections() == []
    assert connection.connection is raw
    kill(connection)
    origin(connection).used = monotonic()
    assert close_stale_connections() == []
    not_used_for(connection, BYPASS + 1)
    assert close_stale_connections() == [(connection.alias, UNUSABLE)]
    with fresh_connections():
        assert run(connection, "SELECT 1") == (1,)


@pytest.fixture
def dummy():
    """An alias with no database: what Django makes of an empty ENGINE."""
    connections.databases["dummy"] = {"ENGINE": "django.db.backends.dummy"}
    yield "dummy"
    delattr(connections._connections, "dummy")
    del connections.databases["dummy"]


# An engine that nobody installed, and one whose driver nobody did.
UNLOADABLE = ["engine_of_nobody", "django.db.backends.oracle"]


@pytest.fixture(params=UNLOADABLE)
def unloadable(request, monkeypatch):
    """An alias whose engine, or whose engine's driver, is not installed."""
    for name in ("cx_Oracle", "oracledb"):
        monkeypatch.setitem(sys.modules, name, None)
    connections.databases["unloadable"] = {"ENGINE": request.param, "NAME": "nothing"}
    yield "unloadable"
    del connections.databases["unloadable"]


@pytest.fixture(
    params=[
        close_all_connections,
        close_stale_connections,
        closing_connections,
        discard_connections,
        fresh_connections,
    ]
)
def look_after(request):
    """Everything that looks after connections, as a function of ``using``."""

    def call(using=None):
        found = request.param(using)
        if hasattr(found, "__enter__"):
            found.__enter__()
            found.__exit__(None, None, None)
            found = None
        return found

    return call


@pytest.mark.parametrize("named", [False, True])
def test_dummy_is_nothing_to_look_after(dummy, look_after, named, caplog):
    """A wrapper that cannot connect is passed by."""
    wrapper = connections[dummy]
    with caplog.at_level(logging.DEBUG):
        assert not look_after(dummy if named else None)
    assert wrapper.connection is None
    assert caplog.records == []


@pytest.mark.parametrize("named", [False, True])
def test_unloadable_is_nothing_to_look_after(unloadable, look_after, named, caplog):
    """An alias that cannot be loaded is not loaded; the others are looked after."""
    connection = open_connection("default", None)
    before = set(used_connections())
    with caplog.at_level(logging.DEBUG):
        assert not look_after(unloadable if named else None)
    assert set(used_connections()) == before
    assert caplog.records == []
    connection.close()


def test_unloadable_tells_why_when_it_is_used(unloadable):
    """Who asks for it gets Django's own error, in a scope as out of it."""
    with pytest.raises((ImportError, ImproperlyConfigured)) as outside:
        connections[unloadable]
    with pytest.raises(outside.type) as inside:
        with fresh_connections():
            connections[unloadable]
    assert str(inside.value) == str(outside.value)
