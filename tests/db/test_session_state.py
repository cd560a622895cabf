"""A session's locks, LISTEN and tables go with it: who is told, and how to refuse."""

from __future__ import absolute_import

import contextlib
import logging

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections, utils

import django_compat
from django_compat import (
    close_stale_connections,
    closing_connections,
    connection_replaced,
    fresh_connections,
    guard_connections,
)
from django_compat._db.forks import session_of
from django_compat._db.stale import FORKED, HUNG_UP, IDLE, INTERRUPTED, UNUSABLE
from django_compat._db.versions import monotonic
from django_compat.apps import install
from support.databases import (
    administration,
    break_connection,
    open_connection,
    run,
    session_id,
    wait_for,
)
from support.limits import SoftTimeLimitExceeded, late, limit
from support.losses import (
    PERSISTS,
    error_of,
    hang_up,
    is_closed,
    logged,
    since_django_16,
)
from support.processes import forked
from support.repository import code_blocks

pytestmark = pytest.mark.contract

TAKE = {
    "mysql": "SELECT GET_LOCK('leader', 0)",
    "postgresql": "SELECT CASE WHEN pg_try_advisory_lock(16) THEN 1 ELSE 0 END",
}
LOCKS = {
    "mysql": "SELECT IS_USED_LOCK('leader') IS NOT NULL",
    "postgresql": "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'",
}


def take_lock(alias, **settings):
    """Open a connection with these settings, and become the leader by a lock."""
    connection = connections[alias]
    connection.settings_dict.update(settings)
    open_connection(alias, None)
    # The session of the test before may still be ending.
    wait_for(lambda: run(connection, TAKE[connection.vendor]) == (1,))
    if not PERSISTS:
        connection.connection.commit()
    return connection


def is_locked(alias):
    with administration(alias) as admin:
        return run(admin, LOCKS[admin.vendor]) == (1,)


@contextlib.contextmanager
def told():
    """Give the list of what ``connection_replaced`` tells."""
    calls = []

    def receive(sender, alias, reason, **kwargs):
        calls.append((sender, alias, reason))

    connection_replaced.connect(receive)
    try:
        yield calls
    finally:
        connection_replaced.disconnect(receive)


# Ways in which this package looks at a connection that may be stale.


def begin_a_scope(connection):
    with fresh_connections():
        run(connection, "SELECT 1")


def begin_an_inner_scope(connection):
    with closing_connections():
        with fresh_connections():
            run(connection, "SELECT 1")


def begin_in_a_fresh_scope(connection):
    with fresh_connections():
        run(connection, "SELECT 1")
        hang_up(connection)
        with fresh_connections():
            run(connection, "SELECT 1")


def close_stale(connection):
    close_stale_connections()
    run(connection, "SELECT 1")


def guard(connection):
    with guard_connections():
        run(connection, "SELECT 1")


def call_djangos_own(connection):
    installation = install()
    try:
        django_compat.close_old_connections()
    finally:
        installation.undo()
    run(connection, "SELECT 1")


WAYS = [begin_a_scope, begin_an_inner_scope, close_stale, guard, call_djangos_own]


@since_django_16
@pytest.mark.parametrize("way", WAYS)
def test_session_that_is_kept_fails_as_with_django_alone(server_alias, way, caplog):
    """The leader gets the error of plain Django, and does not lead without its lock."""
    connection = take_lock(server_alias)
    hang_up(connection)
    plain = error_of(lambda: run(connection, "SELECT 1"))
    connection.close()
    connection = take_lock(server_alias, CONN_KEEP_SESSION=True)
    hang_up(connection)
    with told() as calls, pytest.raises(DatabaseError) as caught:
        way(connection)
    assert type(caught.value) is type(plain)
    assert not is_locked(server_alias)
    # Where a scope was left by the error, Django's rule replaced the connection.
    assert [reason for _, _, reason in calls if reason != UNUSABLE] == []
    assert [text for _, text in logged(caplog) if UNUSABLE not in text] == []


@since_django_16
@pytest.mark.parametrize("way", WAYS)
def test_replaced_session_is_told(server_alias, way, caplog):
    """Without the setting the job goes on; a warning and a signal tell of the loss."""
    connection = take_lock(server_alias)
    hang_up(connection)
    with told() as calls:
        way(connection)
    assert calls == [(type(connection), server_alias, HUNG_UP)]
    logger = "django_compat.guard" if way is guard else "django_compat.connections"
    ((level, text),) = logged(caplog, logger)
    assert level == "WARNING"
    for part in (repr(server_alias), HUNG_UP, "locks", "LISTEN"):
        assert part in text
    assert not is_locked(server_alias)


@since_django_16
def test_kept_session_works_again_after_its_error(server_alias):
    """Once the error is out, the next scope begins a session, as Django does."""
    connection = take_lock(server_alias, CONN_KEEP_SESSION=True)
    break_connection(connection)
    with told() as calls:
        begin_a_scope(connection)
    assert calls == [(type(connection), server_alias, UNUSABLE)]


def test_kept_session_that_works_is_kept(server_alias, caplog):
    """Scopes, also of jobs that fail, leave the session and its lock alone."""
    if not PERSISTS:
        pytest.skip("no CONN_MAX_AGE before Django 1.6")
    connection = take_lock(server_alias, CONN_KEEP_SESSION=True, CONN_MAX_IDLE=0)
    session = session_id(connection)
    for error in (None, ValueError(), KeyboardInterrupt()):
        for scope in (fresh_connections, closing_connections):
            try:
                with fresh_connections(), scope() if scope is fresh_connections else (
                    fresh_connections()
                ):
                    if error is not None:
                        raise error
            except (ValueError, KeyboardInterrupt):
                pass
    assert close_stale_connections() == []
    assert session_id(connection) == session
    assert is_locked(server_alias)
    assert logged(caplog) == []
    with closing_connections():
        pass
    assert is_closed(connection)


@since_django_16
def test_kept_session_whose_query_was_cut_is_not_replaced(server_alias, proxy):
    """A time limit that the job catches costs no lock; an error may come out."""
    connection = take_lock(server_alias, CONN_KEEP_SESSION=True)
    raw = connection.connection
    with late(proxy):
        try:
            with limit(SoftTimeLimitExceeded):
                connection.cursor().execute("SELECT 1")
        except SoftTimeLimitExceeded:
            pass
    assert close_stale_connections() == []
    with fresh_connections():
        with fresh_connections():
            assert connection.connection is raw
    assert connection.connection is raw
    try:
        cursor = connection.cursor()
        cursor.execute("SELECT 42")
        assert cursor.fetchone() == (42,)
    except getattr(utils, "Error", DatabaseError):  # Django 1.6+
        pass  # 2014, or "another command is already in progress"


def test_kept_session_is_given_up_in_a_forked_child(server_alias):
    """The child has a session of its own, and the parent keeps its lock."""
    connection = take_lock(server_alias, CONN_KEEP_SESSION=True)
    parents = session_id(connection)

    def child():
        with told() as calls:
            closed = close_stale_connections()
        return closed, [call[1:] for call in calls], session_id(connection)

    closed, calls, own = forked(child)
    assert closed == calls == [[server_alias, FORKED]]
    assert own != parents
    assert session_id(connection) == parents
    assert is_locked(server_alias)


def test_connection_that_idled_is_not_told(server_alias, caplog):
    """CONN_MAX_IDLE is a wish of the project: INFO, and no signal."""
    connection = open_connection(server_alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = 5
    session_of(connection).used = monotonic() - 60
    with told() as calls, caplog.at_level(logging.INFO, "django_compat.connections"):
        assert close_stale_connections() == [(server_alias, IDLE)]
    assert calls == []
    assert logged(caplog) == [("INFO", "closed %r: %s" % (server_alias, IDLE))]


def test_connection_that_is_old_is_not_told(server_alias, caplog):
    """CONN_MAX_AGE is one, too."""
    connection = open_connection(server_alias, 0)
    with told() as calls:
        with fresh_connections():
            run(connection, "SELECT 1")
    assert is_closed(connection)
    assert (calls, logged(caplog)) == ([], [])


def test_query_that_was_cut_is_told(server_alias, proxy):
    """A session with an unread answer is given up; psycopg2 waits for the answer."""
    connection = open_connection(server_alias, None)
    driver = connection.connection.__class__.__module__.partition(".")[0]
    with late(proxy), told() as calls:
        try:
            with limit(SoftTimeLimitExceeded):
                connection.cursor().execute("SELECT 1")
        except SoftTimeLimitExceeded:
            pass
        close_stale_connections()
    for sender, alias, reason in calls:
        assert (sender, alias) == (type(connection), server_alias)
        assert reason in (HUNG_UP, INTERRUPTED)
    assert len(calls) <= (driver != "psycopg2")
    assert run(connection, "SELECT 42") == (42,)


class ReceiverFailed(Exception):
    """The error that a receiver raises."""


def test_receiver_that_raises_harms_nothing(server_alias, caplog):
    """The error is logged; the other receivers, the job and the other aliases go on."""

    def fail(**kwargs):
        raise ReceiverFailed()

    opened = [open_connection(server_alias + end, None) for end in ("", "_other")]
    hang_up(*opened)
    connection_replaced.connect(fail)
    try:
        with told() as calls:
            with fresh_connections():
                for connection in opened:
                    assert run(connection, "SELECT 1") == (1,)
    finally:
        connection_replaced.disconnect(fail)
    assert sorted(call[1] for call in calls) == [server_alias, server_alias + "_other"]
    errors = [text for level, text in logged(caplog) if level == "ERROR"]
    assert len(errors) == 2
    assert "ReceiverFailed" in errors[0] and "fail" in errors[0]


def test_leader_of_the_docs_stops(server_alias):
    """The docs' receiver lives on, and hears of the loss before the next query."""
    (code,) = [code for code in code_blocks("python") if "stop_leading" in code]
    stopped = []

    class leader(object):
        @staticmethod
        def stop():
            stopped.append(True)

    names = {"leader": leader}
    exec(code, names)
    try:
        hang_up(take_lock(server_alias))
        with fresh_connections():
            assert stopped == [True]
    finally:
        connection_replaced.disconnect(names["stop_leading"])


@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
def test_listener_that_is_kept_does_not_go_on_deaf(alias):
    """A session that LISTENs fails when it is gone, in place of hearing nothing."""
    connection = connections[alias]
    connection.settings_dict["CONN_KEEP_SESSION"] = True
    open_connection(alias, None)
    run(connection, "LISTEN jobs")
    if not PERSISTS:
        connection.connection.commit()
    hang_up(connection)
    with pytest.raises(DatabaseError):
        with fresh_connections():
            run(connection, "SELECT 1")


@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
def test_listener_that_has_news_is_kept(alias):
    """A NOTIFY makes the socket readable: the session is asked, and stays."""
    connection = open_connection(alias, None)
    run(connection, "LISTEN jobs")
    if not PERSISTS:
        connection.connection.commit()
    session = session_id(connection)
    with administration(alias) as admin:
        run(admin, "NOTIFY jobs")
        if not PERSISTS:
            admin.connection.commit()
    with told() as calls:
        assert close_stale_connections() == []
    assert calls == []
    assert session_id(connection) == session


@pytest.mark.parametrize("value", ["True", 1, None, []])
def test_setting_of_another_kind_is_an_error(server_alias, value):
    """The text names the alias, the value, and what is allowed."""
    connection = open_connection(server_alias, None)
    connection.settings_dict["CONN_KEEP_SESSION"] = value
    hang_up(connection)
    for call in (close_stale_connections, lambda: begin_a_scope(connection)):
        with pytest.raises(ImproperlyConfigured) as caught:
            call()
        for part in (server_alias, "CONN_KEEP_SESSION", repr(value), "True or False"):
            assert part in str(caught.value)
    connection.settings_dict["CONN_KEEP_SESSION"] = False
    assert close_stale_connections() == [(server_alias, HUNG_UP)]
