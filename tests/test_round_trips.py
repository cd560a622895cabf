"""What a scope costs on the wire: nothing, by the proxy's and the server's count."""

from __future__ import absolute_import

import django
import pytest
from databases import administration, open_connection, run, session_id
from django.db import connections

from django_compat import (
    close_old_connections,
    close_stale_connections,
    fresh_connections,
)

# Django 1.4 and 1.5 close every connection at the end of a unit of work.
KEEPS = django.VERSION >= (1, 6)
JOBS = 10


def bare(connection):
    """One query, and nothing around it."""
    run(connection, "SELECT 1")


def after_a_look(connection):
    """A query after a look alone."""
    close_stale_connections()
    run(connection, "SELECT 1")


def in_a_request(connection):
    """A query in a web process that looks when each request begins."""
    close_old_connections()
    close_stale_connections()
    run(connection, "SELECT 1")


def in_a_scope(connection):
    """A unit of work of one query."""
    with fresh_connections():
        run(connection, "SELECT 1")


def in_nested_scopes(connection):
    """A unit of work inside another one."""
    with fresh_connections():
        with fresh_connections():
            run(connection, "SELECT 1")


def with_native_calls(connection):
    """What Django does around a request."""
    close_old_connections()
    run(connection, "SELECT 1")
    close_old_connections()


def a_scope():
    """A unit of work that does nothing."""
    with fresh_connections():
        pass


OURS_ALONE = [close_stale_connections] + ([a_scope] if KEEPS else [])
OURS = [after_a_look]
if KEEPS:
    OURS += [in_a_request, in_a_scope, in_nested_scopes]


def ask(raw):
    """One query past Django; the answer shows that all before it went through."""
    cursor = raw.cursor()
    cursor.execute("SELECT 1")
    cursor.fetchall()
    cursor.close()


def bytes_of(proxy, connection, job):
    """Return how many bytes the server gets for so many jobs and a query after them."""
    ask(connection.connection)
    before = sum(len(chunk) for sent in proxy.sent for chunk in sent)
    for _ in range(JOBS):
        job(connection)
    ask(connection.connection)
    return sum(len(chunk) for sent in proxy.sent for chunk in sent) - before


@pytest.mark.parametrize("job", OURS)
def test_not_a_byte_is_sent(server_alias, proxy, job):
    """The proxy sees the same bytes with us as without, on the same connection."""
    connection = open_connection(server_alias, None)
    raw = connection.connection
    assert bytes_of(proxy, connection, job) == bytes_of(proxy, connection, bare)
    assert connection.connection is raw
    assert len(proxy.sent) == 1


if django.VERSION >= (4, 1):

    @pytest.fixture
    def checked(server_alias, proxy, monkeypatch):
        """A connection with CONN_HEALTH_CHECKS, through the proxy."""
        settings = connections.databases[server_alias]
        monkeypatch.setitem(settings, "CONN_HEALTH_CHECKS", True)
        return open_connection(server_alias, None)

    @pytest.mark.everywhere
    @pytest.mark.parametrize("job", OURS)
    def test_health_check_becomes_unnecessary(checked, proxy, job):
        """CONN_HEALTH_CHECKS asks no more when we have looked: not a byte is sent."""
        expected = bytes_of(proxy, checked, bare)
        assert bytes_of(proxy, checked, job) == expected

    def test_health_check_is_a_round_trip_without_us(checked, proxy):
        """The negative: with Django's own calls each job asks the server first."""
        expected = bytes_of(proxy, checked, bare)
        assert bytes_of(proxy, checked, with_native_calls) >= expected + 5 * JOBS

    def test_health_check_is_done_where_we_did_not_look(checked, proxy):
        """A request that begins without us is checked by Django as ever."""
        expected = bytes_of(proxy, checked, bare)
        with fresh_connections():
            bare(checked)
        close_old_connections()
        assert bytes_of(proxy, checked, with_native_calls) >= expected + 5 * JOBS


def count(connection, session):
    """Return what the server itself knows of a session's work."""
    if connection.vendor == "postgresql":
        # Until Django 1.5 one connection would see one snapshot: a new one each time.
        with administration(connection.alias) as admin:
            return run(admin, ACTIVITY % session)
    cursor = connection.cursor()
    cursor.execute(STATUS)
    found = cursor.fetchall()
    cursor.close()
    return {name.upper(): int(value) for name, value in found}


# When it was last asked something, and was done with it.
ACTIVITY = "SELECT query_start, state_change FROM pg_stat_activity WHERE pid = %d"
# The statements, of which this is one, and the pings.
STATUS = (
    "SHOW SESSION STATUS "
    "WHERE Variable_name IN ('Questions', 'Com_admin_commands')"
)


@pytest.mark.everywhere
@pytest.mark.parametrize("begin", OURS_ALONE)
def test_server_counts_no_statement_and_no_ping(server_alias, begin):
    """To look ten times is nothing by the server's own counters."""
    connection = open_connection(server_alias, None)
    session = session_id(connection)

    def rise(times):
        before = count(connection, session)
        for _ in range(times):
            begin()
        after = count(connection, session)
        if connection.vendor == "postgresql":
            return before == after
        return [after[name] - before[name] for name in sorted(before)]

    expected = rise(0)
    assert rise(10) == expected
    assert expected is True or expected[-1] == 1  # the question itself
