"""Connections that the server ended: found and replaced; those that work are kept."""

from __future__ import absolute_import

import logging
import os

import pytest
from django.db import connections
from django.db.utils import ConnectionDoesNotExist, DatabaseError

from django_compat import (
    FORKED,
    HUNG_UP,
    IDLE,
    INTERRUPTED,
    UNUSABLE,
    close_stale_connections,
    fresh_connections,
)
from django_compat._db.stale import are_healthy
from django_compat._db.versions import HAS_LEGACY_TRANSACTIONS, used_connections
from support.calls import fresh_scope
from support.databases import (
    in_a_thread,
    kill,
    open_connection,
    run,
    session_id,
    sessions,
    wait_for,
)
from support.losses import (
    PERSISTS,
    UnwillingRaw,
    hang_up,
    is_closed,
    is_hung_up,
    logged,
    since_django_16,
)

pytestmark = pytest.mark.contract
LOGGER = "django_compat.connections"
with_both_calls = pytest.mark.parametrize(
    "begin", [close_stale_connections, fresh_scope]
)


def loss_of(connection):
    """Return the text that is logged when the server ended a session."""
    return (
        "closed %r: %s. A new session begins; temporary tables, locks, LISTEN and "
        "session variables of the old one are gone." % (connection.alias, HUNG_UP)
    )


@pytest.fixture
def open_three(server_alias):
    """A function that opens connections with CONN_MAX_AGE 0, 60 and None."""
    third = server_alias + "_third"

    def open_all():
        settings = dict(connections.databases[server_alias])
        connections.databases[third] = settings
        ages = [(server_alias, 0), (server_alias + "_other", 60), (third, None)]
        return [open_connection(alias, age) for alias, age in ages]

    yield open_all
    if third in connections.databases:
        connections[third].close()
        delattr(connections._connections, third)
        del connections.databases[third]


def by_kill(request, opened):
    """End sessions by KILL or pg_terminate_backend."""
    for connection in opened:
        kill(connection)


def by_time_out(request, opened):
    """End sessions by wait_timeout, or idle_session_timeout (PostgreSQL 14+)."""
    ids = set()
    for connection in opened:
        ids.add(session_id(connection))
        if connection.vendor == "mysql":
            run(connection, "SET SESSION wait_timeout = 1")
        else:
            run(connection, "SET idle_session_timeout = 50")
            if not PERSISTS:  # else the session is idle in a transaction
                connection.connection.commit()
    wait_for(lambda: not ids & sessions(opened[0].alias))


def by_restart(request, opened):
    """Restart the server, as an update does."""
    request.getfixturevalue("spare").restart()


def by_cut(request, opened):
    """Let a proxy close the connections."""
    request.getfixturevalue("proxy").cut()


def by_reset(request, opened):
    """Let a proxy reset the connections."""
    request.getfixturevalue("proxy").reset()


@pytest.fixture(params=[by_kill, by_time_out, by_restart, by_cut, by_reset])
def hung_up(request, open_three):
    """Three connections that were ended at the far end while they were idle."""
    if request.param is by_restart:
        request.getfixturevalue("spare")
    elif request.param in (by_cut, by_reset):
        request.getfixturevalue("proxy")
    opened = open_three()
    request.param(request, opened)
    wait_for(lambda: all(is_hung_up(connection) for connection in opened))
    return opened


def test_fresh_connections_replaces_ended_connections(hung_up, caplog):
    """Whatever ended the sessions, the next job's first query on each alias works."""
    with caplog.at_level(logging.INFO, LOGGER):
        with fresh_connections():
            for connection in hung_up:
                assert run(connection, "SELECT 1") == (1,)
    expected = [loss_of(lost) for lost in hung_up]
    assert sorted(logged(caplog)) == sorted(("WARNING", text) for text in expected)


def test_close_stale_returns_and_logs_what_it_closed(open_three, caplog):
    """The result has each alias with the reason; each loss is one warning."""
    opened = open_three()
    hang_up(*opened)
    with caplog.at_level(logging.INFO, LOGGER):
        closed = close_stale_connections()
    assert sorted(closed) == sorted((lost.alias, HUNG_UP) for lost in opened)
    expected = [("WARNING", loss_of(lost)) for lost in opened]
    assert sorted(logged(caplog)) == sorted(expected)
    for connection in opened:
        assert is_closed(connection)
        assert run(connection, "SELECT 1") == (1,)
    assert close_stale_connections() == []


def test_one_job_fails_without_us(server_alias):
    """The negative: without a scope a query on a killed session fails."""
    connection = open_connection(server_alias, None)
    cursor = connection.cursor()  # before: until 1.5 Django pings MySQL for each cursor
    kill(connection)
    with pytest.raises(DatabaseError):
        cursor.execute("SELECT 1")


def test_close_stale_keeps_connections_that_work(alias, caplog):
    """A connection that works stays the same, whatever its CONN_MAX_AGE."""
    opened = [open_connection(alias, 0), open_connection(alias + "_other", None)]
    raws = [connection.connection for connection in opened]
    with caplog.at_level(logging.DEBUG, LOGGER):
        assert close_stale_connections() == []
    assert [connection.connection for connection in opened] == raws
    assert logged(caplog) == []


@since_django_16
def test_fresh_connections_keeps_connections_that_work(alias, caplog):
    """A connection that works stays the same in scopes and after them."""
    connection = open_connection(alias, 60)
    raw = connection.connection
    with caplog.at_level(logging.DEBUG, LOGGER):
        for _ in range(3):
            with fresh_connections():
                assert run(connection, "SELECT 1") == (1,)
    assert connection.connection is raw
    assert logged(caplog) == []


def test_reasons_are_constants():
    """The five reasons are texts that differ, so code may compare them."""
    reasons = {FORKED, HUNG_UP, IDLE, INTERRUPTED, UNUSABLE}
    assert len(reasons) == 5
    assert all(isinstance(reason, str) and reason for reason in reasons)


@pytest.mark.parametrize("in_list", [False, True])
def test_close_stale_looks_at_the_named_aliases_only(server_alias, in_list):
    """``using`` is an alias or a list of aliases."""
    named = open_connection(server_alias, None)
    other = open_connection(server_alias + "_other", None)
    hang_up(named, other)
    using = [server_alias] if in_list else server_alias
    assert close_stale_connections(using=using) == [(server_alias, HUNG_UP)]
    assert is_closed(named) and not is_closed(other)


def test_fresh_connections_looks_at_the_named_aliases_only(server_alias):
    """A scope closes no stale connection of an alias that is not named."""
    named = open_connection(server_alias, None)
    other = open_connection(server_alias + "_other", None)
    hang_up(named, other)
    with fresh_connections(server_alias):
        assert is_closed(named) and not is_closed(other)
        assert run(named, "SELECT 1") == (1,)


@with_both_calls
def test_unknown_alias_is_djangos_error(server_alias, begin):
    """An alias that is not in DATABASES is Django's error, and nothing is closed."""
    connection = open_connection(server_alias, None)
    kill(connection)
    with pytest.raises(ConnectionDoesNotExist):
        begin([server_alias, "nowhere"])
    assert not is_closed(connection)


@with_both_calls
def test_other_threads_are_left_alone(server_alias, begin):
    """A call closes no stale connection of another thread."""
    connection = open_connection(server_alias, None)
    raw = connection.connection
    hang_up(connection)
    in_a_thread(begin)
    assert connection.connection is raw
    assert close_stale_connections() == [(server_alias, HUNG_UP)]


@with_both_calls
@pytest.mark.parametrize("ends", [False, True])
def test_borrowed_connection_is_left_alone(server_alias, begin, ends, caplog):
    """A connection that another thread opened is neither asked nor dropped."""
    connection = in_a_thread(lambda: open_connection(server_alias, 0))
    raw = connection.connection
    if ends:
        raw.close()
    connections["borrowed"] = connection
    try:
        begin()
    finally:
        delattr(connections._connections, "borrowed")
    assert connection.connection is raw
    assert "another thread" in caplog.text
    if not ends:
        raw.close()


@with_both_calls
@pytest.mark.parametrize("using", [None, "default_other"])
def test_no_wrapper_is_created(begin, using):
    """An alias that this thread never used gets no wrapper."""

    def work():
        assert not begin(using)
        return used_connections()

    assert in_a_thread(work) == {}


@with_both_calls
def test_nothing_is_opened(server_alias, begin):
    """A closed connection stays closed, and no session begins."""
    connection = open_connection(server_alias, None)
    connection.close()
    before = sessions(server_alias)
    begin()
    assert is_closed(connection)
    # The sessions that count sessions come and go, too, some of them with a delay.
    wait_for(lambda: not sessions(server_alias) - before)


@with_both_calls
@pytest.mark.parametrize("first", [True, False])
def test_failing_close_is_logged_once(server_alias, begin, first, caplog):
    """The log has the alias and the reason; the other alias is closed as well."""
    names = [server_alias, server_alias + "_other"]
    opened = [open_connection(alias, None) for alias in names]
    failing, other = opened if first else reversed(opened)
    hang_up(*opened)
    raw = failing.connection
    failing.connection = UnwillingRaw(raw, DatabaseError("no close today"))
    with caplog.at_level(logging.INFO, LOGGER):
        result = begin()
    if begin is close_stale_connections:
        assert sorted(result) == [(alias, HUNG_UP) for alias in names]
    text = "closing %r (%s) failed" % (failing.alias, HUNG_UP)
    # The session is lost even though its close failed.
    texts = [loss_of(failing), loss_of(other), text]
    assert sorted(logged(caplog)) == sorted(("WARNING", text) for text in texts)
    assert "no close today" in caplog.text
    assert is_closed(failing) and is_closed(other)
    assert run(failing, "SELECT 1") == (1,)
    raw.close()


@pytest.mark.skipif(HAS_LEGACY_TRANSACTIONS, reason="no fast path before Django 1.8")
@pytest.mark.parametrize("begins", [True, False])
@pytest.mark.parametrize("nested", [True, False])
def test_scopes_take_the_fast_path(alias, begins, nested):
    """Connections that work, and closed ones, cost a scope one glance."""

    def is_fast():
        return are_healthy(opened, os.getpid(), begins, nested)

    opened = [open_connection(alias, None), open_connection(alias + "_other", 60)]
    assert is_fast() is True
    assert in_a_thread(is_fast) is False
    opened[0].close()
    assert is_fast() is True
    opened[1].errors_occurred = True
    assert is_fast() is False


@with_both_calls
def test_raw_that_the_driver_closed_is_stale(server_alias, begin):
    """A raw connection that its driver closed is dropped, and the alias works."""
    connection = open_connection(server_alias, None)
    connection.connection.close()
    begin()
    assert is_closed(connection)
    assert run(connection, "SELECT 1") == (1,)
