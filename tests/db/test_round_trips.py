"""A scope sends no statement: counted by a proxy in bytes, and by the server."""

from __future__ import absolute_import

import contextlib

import django
import pytest
from django.db import connections

from django_compat import (
    close_old_connections,
    close_stale_connections,
    fresh_connections,
)
from django_compat.apps import install
from support.calls import fresh_scope
from support.databases import administration, open_connection, run, session_id, wait_for
from support.losses import since_django_16

pytestmark = pytest.mark.contract
JOBS = 10


def bare(connection):
    """Run one query, and nothing around it."""
    run(connection, "SELECT 1")


def after_close_stale(connection):
    """Run a query after close_stale_connections."""
    close_stale_connections()
    run(connection, "SELECT 1")


def in_a_request(connection):
    """Run a query after the calls at a request's begin with INSTALLED_APPS."""
    close_old_connections()
    close_stale_connections()
    run(connection, "SELECT 1")


def in_a_scope(connection):
    """Run a query in a scope."""
    with fresh_connections():
        run(connection, "SELECT 1")


def in_nested_scopes(connection):
    """Run a query in a scope inside of another scope."""
    with fresh_connections():
        with fresh_connections():
            run(connection, "SELECT 1")


def with_native_calls(connection):
    """Run a query between Django's calls of a request."""
    close_old_connections()
    run(connection, "SELECT 1")
    close_old_connections()


# Until Django 1.5 a scope closes every connection at its end.
CALLS_ALONE = [
    close_stale_connections,
    pytest.param(fresh_scope, marks=since_django_16),
]
OUR_JOBS = [
    after_close_stale,
    pytest.param(in_a_request, marks=since_django_16),
    pytest.param(in_a_scope, marks=since_django_16),
    pytest.param(in_nested_scopes, marks=since_django_16),
]


def ask(raw):
    """Run a query past Django; its answer shows that all earlier bytes went through."""
    cursor = raw.cursor()
    cursor.execute("SELECT 1")
    cursor.fetchall()
    cursor.close()


def bytes_of(proxy, connection, job):
    """Return the number of bytes that JOBS jobs send, and a query after them."""
    ask(connection.connection)
    before = sum(len(chunk) for sent in proxy.sent for chunk in sent)
    for _ in range(JOBS):
        job(connection)
    ask(connection.connection)
    return sum(len(chunk) for sent in proxy.sent for chunk in sent) - before


@pytest.mark.parametrize("job", OUR_JOBS)
def test_not_a_byte_is_sent(server_alias, proxy, job):
    """The proxy counts the same bytes with our calls and without, on one connection."""
    connection = open_connection(server_alias, None)
    raw = connection.connection
    assert bytes_of(proxy, connection, job) == bytes_of(proxy, connection, bare)
    assert connection.connection is raw
    assert len(proxy.sent) == 1


needs_health_checks = pytest.mark.skipif(
    django.VERSION < (4, 1), reason="no CONN_HEALTH_CHECKS before Django 4.1"
)


@pytest.fixture
def checked(server_alias, proxy, monkeypatch):
    """A connection with CONN_HEALTH_CHECKS, through the proxy."""
    settings = connections.databases[server_alias]
    monkeypatch.setitem(settings, "CONN_HEALTH_CHECKS", True)
    return open_connection(server_alias, None)


def with_first_native_call(connection):
    """Run a query after Django's call where a request begins."""
    close_old_connections()
    run(connection, "SELECT 1")


# Our jobs, each with what sends the same without us.
NATIVE = {
    after_close_stale: bare,
    in_a_request: with_first_native_call,
    in_a_scope: with_native_calls,
    in_nested_scopes: with_native_calls,
}


@needs_health_checks
@pytest.mark.parametrize("autocommit", [True, False])
@pytest.mark.parametrize("job", sorted(NATIVE, key=lambda job: job.__name__))
def test_health_check_stays_a_round_trip(checked, proxy, job, autocommit):
    """With CONN_HEALTH_CHECKS we send what Django alone sends: not more, not less."""
    use_autocommit(proxy, checked, autocommit)
    without_checks = bytes_of(proxy, checked, bare)
    expected = bytes_of(proxy, checked, NATIVE[job])
    assert bytes_of(proxy, checked, job) == expected
    asks = expected >= without_checks + 5 * JOBS
    assert asks is (NATIVE[job] is not bare)


def use_autocommit(proxy, connection, autocommit):
    """Open the connection again with this AUTOCOMMIT."""
    connection.close()
    wait_for(lambda: not proxy.connections)  # the goodbye is not counted later
    connection.settings_dict["AUTOCOMMIT"] = autocommit
    run(connection, "SELECT 1")


def fail_before(job):
    """Return a job that comes after a statement that failed."""

    def failing(connection):
        connection.errors_occurred = True
        job(connection)

    return failing


@contextlib.contextmanager
def installed():
    """Let Django's own calls find what hung up, as INSTALLED_APPS does."""
    installation = install()
    try:
        yield
    finally:
        installation.undo()


@needs_health_checks
def test_installed_call_after_an_error_asks_once(checked, proxy):
    """install() leaves it at the one question of Django's own call."""
    job = fail_before(with_first_native_call)
    expected = bytes_of(proxy, checked, job)
    with installed():
        assert bytes_of(proxy, checked, job) == expected


@needs_health_checks
def test_health_check_after_an_error_is_asked_once(checked, proxy):
    """The server is asked because of the error, and not again before the query."""
    for job in (in_a_scope, in_a_request):
        expected = bytes_of(proxy, checked, fail_before(NATIVE[job]))
        assert bytes_of(proxy, checked, fail_before(job)) == expected


@since_django_16
# Django 1.6 and 1.7 close a connection with AUTOCOMMIT False at their first call.
@pytest.mark.parametrize("autocommit", [True] + [False] * (django.VERSION >= (1, 8)))
@pytest.mark.parametrize("checks", [False] + [True] * (django.VERSION >= (4, 1)))
def test_djangos_own_calls_send_the_same_with_install(
    server_alias, proxy, checks, autocommit
):
    """The proxy counts the same bytes with install() and without."""
    connections.databases[server_alias]["CONN_HEALTH_CHECKS"] = checks
    try:
        connection = open_connection(server_alias, None)
        use_autocommit(proxy, connection, autocommit)
        raw = connection.connection
        expected = bytes_of(proxy, connection, with_native_calls)
        with installed():
            assert bytes_of(proxy, connection, with_native_calls) == expected
        assert connection.connection is raw
    finally:
        connections.databases[server_alias]["CONN_HEALTH_CHECKS"] = False


def count(connection, session):
    """Return the server's own counters of a session's statements."""
    if connection.vendor == "postgresql":
        # A new connection each time: until Django 1.5 one would see one snapshot.
        with administration(connection.alias) as admin:
            return run(admin, ACTIVITY % session)
    cursor = connection.cursor()
    cursor.execute(STATUS)
    rows = cursor.fetchall()
    cursor.close()
    return {name.upper(): int(value) for name, value in rows}


# The times at which the session's last statement began and ended.
ACTIVITY = "SELECT query_start, state_change FROM pg_stat_activity WHERE pid = %d"
# The number of statements, this statement included, and the number of pings.
STATUS = (
    "SHOW SESSION STATUS "
    "WHERE Variable_name IN ('Questions', 'Com_admin_commands')"
)


@pytest.mark.parametrize("call", CALLS_ALONE)
def test_server_counts_no_statement_and_no_ping(server_alias, call):
    """Ten calls do not change the server's own counters."""
    connection = open_connection(server_alias, None)
    session = session_id(connection)

    def rise(times):
        before = count(connection, session)
        for _ in range(times):
            call()
        after = count(connection, session)
        if connection.vendor == "postgresql":
            return before == after
        return [after[name] - before[name] for name in sorted(before)]

    expected = rise(0)
    assert rise(10) == expected
    assert expected is True or expected[-1] == 1  # the statement that counts
