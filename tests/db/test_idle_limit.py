"""CONN_MAX_IDLE: connections that idled too long, or that the network dropped."""

from __future__ import absolute_import

import logging
import sys
import threading
import time

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import DatabaseError

from django_compat import (
    IDLE,
    close_all_connections,
    close_stale_connections,
    fresh_connections,
)
from django_compat._db.forks import session_of
from support.calls import fresh_scope
from support.databases import in_a_thread, open_connection, run, tidy, wait_for
from support.losses import PERSISTS, is_closed, logged, since_django_16

pytestmark = pytest.mark.contract
LOGGER = "django_compat.connections"


def idle(seconds):
    """Let time pass in which no connection is used."""
    due = time.time() + seconds
    wait_for(lambda: time.time() > due)


@pytest.fixture
def stalled(proxy):
    """A proxy that the test may stall; the end of the test cuts its connections."""
    yield proxy
    proxy.cut()


def test_silent_drop_is_found_by_the_idle_limit(server_alias, stalled, caplog):
    """Past CONN_MAX_IDLE a connection is closed before use, and nothing waits for it.

    The proxy swallows all bytes, like a load balancer that forgot the connection.
    """

    def work():
        connection = open_connection(server_alias, None)
        connection.settings_dict["CONN_MAX_IDLE"] = 0.05
        idle(0.1)
        stalled.stall(new=False)
        with fresh_connections():
            assert run(connection, "SELECT 1") == (1,)
        connection.close()
        return True

    with caplog.at_level(logging.INFO, LOGGER):
        assert in_a_thread(work)
    expected = ("INFO", "closed %r: %s" % (server_alias, IDLE))
    assert expected in logged(caplog)


def test_silent_drop_is_not_seen_without_the_limit(server_alias, stalled):
    """The negative: the socket is quiet, so the job hangs until the proxy cuts."""
    failed = []

    def work():
        connection = open_connection(server_alias, None)
        stalled.stall(new=False)
        assert close_stale_connections() == []
        in_query.set()
        try:
            run(connection, "SELECT 1")
        except DatabaseError:
            failed.append(True)
        close_all_connections()

    in_query = threading.Event()
    thread = threading.Thread(target=work)
    thread.daemon = True
    thread.start()
    assert in_query.wait(10)
    thread.join(0.2)
    assert thread.is_alive()
    stalled.cut()
    thread.join(10)
    if PERSISTS:
        assert failed == [True]
    else:  # Django 1.4 and 1.5 ping MySQL for a cursor, and connect again
        assert not thread.is_alive()


@pytest.mark.parametrize("limit", [None, 1000, 1000.5, float("inf")])
def test_within_the_idle_limit_is_kept(alias, limit):
    """A connection that idled for a shorter time is kept; None means no limit."""
    connection = open_connection(alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = limit
    assert close_stale_connections() == []
    assert not is_closed(connection)


@pytest.mark.parametrize("limit", [0, 0.0001])
def test_past_the_idle_limit_is_closed(alias, limit):
    """A connection that idled longer is closed; with 0 none is used again."""
    connection = open_connection(alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = limit
    idle(0.001)
    assert close_stale_connections() == [(alias, IDLE)]
    assert is_closed(connection)


@since_django_16
@pytest.mark.parametrize("look", [close_stale_connections, fresh_scope])
def test_a_look_counts_as_a_use(look):
    """Where nobody knows when a query was, the time since the last look counts."""
    connection = open_connection("default", None)
    connection.settings_dict["CONN_MAX_IDLE"] = 60
    raw = connection.connection
    for _ in range(2):
        session_of(connection).used -= 50
        look()
        assert connection.connection is raw
    session_of(connection).used -= 61
    look()
    assert is_closed(connection)
    tidy()


def test_database_in_memory_is_never_idle(monkeypatch):
    """A close would delete an SQLite database in memory, so it is kept."""
    monkeypatch.setitem(connections.databases["default"], "NAME", ":memory:")
    connection = open_connection("default", 0)
    connection.settings_dict["CONN_MAX_IDLE"] = 0
    run(connection, "CREATE TABLE here (number integer)")
    idle(0.001)
    assert close_stale_connections() == []
    assert run(connection, "SELECT count(*) FROM here") == (0,)
    connection.connection.close()
    connection.connection = None
    tidy()


@since_django_16
@pytest.mark.parametrize("alias", ["default"], indirect=True)
def test_a_long_job_is_not_idle(alias):
    """A connection idles from the end of a scope on, not from its begin."""
    connection = open_connection(alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = 0.1
    raw = connection.connection
    for _ in range(2):
        with fresh_connections():
            assert connection.connection is raw
            idle(0.11)
    assert connection.connection is raw


@since_django_16
def test_jobs_without_a_query_are_idle(server_alias):
    """A loop that only polls a queue does not use the connection, scopes or not.

    Only Linux tells how long a socket has been silent.
    """
    connection = open_connection(server_alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = 60  # a busy machine takes its time

    def is_closed_in_a_job():
        with fresh_connections():
            return is_closed(connection)

    assert not is_closed_in_a_job()
    connection.settings_dict["CONN_MAX_IDLE"] = 0.1
    if sys.platform.startswith("linux"):
        wait_for(is_closed_in_a_job)


@since_django_16
def test_a_nested_job_is_not_idle(alias):
    """The time before an inner scope is no idle time: the outer scope is at work."""
    connection = open_connection(alias, None)
    raw = connection.connection
    with fresh_connections():
        connection.settings_dict["CONN_MAX_IDLE"] = 0
        idle(0.001)
        with fresh_connections():
            assert connection.connection is raw


def begin_a_scope():
    with fresh_connections():
        pytest.fail("the body runs")


@pytest.mark.parametrize("begin", [close_stale_connections, begin_a_scope])
@pytest.mark.parametrize("value", [-1, "60", True, float("nan"), [], object()])
@pytest.mark.parametrize("alias", ["default"], indirect=True)
def test_bad_idle_limit_is_improperly_configured(alias, begin, value, caplog):
    """The error names setting, value and what is allowed; nothing is closed."""
    connection = open_connection(alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = value
    with pytest.raises(ImproperlyConfigured) as raised:
        begin()
    text = str(raised.value)
    assert "DATABASES[%r]['CONN_MAX_IDLE'] is %r;" % (alias, value) in text
    assert "number of seconds, 0 or more, or None" in text
    assert not is_closed(connection)
    assert logged(caplog) == []
