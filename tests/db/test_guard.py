"""guard_connections: each cursor first replaces a connection that hung up."""

from __future__ import absolute_import

import logging
import threading
from importlib import import_module

import django
import pytest
from django.db import connections, transaction
from django.db.utils import DatabaseError

from django_compat import HUNG_UP, IDLE, guard_connections, is_disconnect
from django_compat._db.forks import session_of
from django_compat._db.versions import monotonic
from support.databases import open_connection, run, session_id, wait_for
from support.losses import (
    PERSISTS,
    hang_up,
    logged,
    open_with_cursor,
    since_django_16,
)
from support.processes import forked
from support.sql import SESSION_ID

pytestmark = pytest.mark.contract
guards = import_module("django_compat._db.guard")


@pytest.fixture
def guard():
    with guard_connections() as guard:
        yield guard


@pytest.fixture
def connection(server_alias):
    return open_connection(server_alias, None)


def is_lost(connection):
    """Run a statement; return whether it fails."""
    try:
        run(connection, "SELECT 1")
    except DatabaseError:
        return True
    return False


def warnings_in(caplog):
    return [
        record.getMessage()
        for record in caplog.records
        if (record.name, record.levelno) == ("django_compat.guard", logging.WARNING)
    ]


def needs_guard(connection):
    """Return whether Django does not ping: until 1.5 MySQL's backend does."""
    return PERSISTS or connection.vendor != "mysql"


def patched():
    """Return the function that the guard patches, as it is now."""
    return vars(guards.BaseDatabaseWrapper)[guards._cursors.name]


def test_next_query_after_a_hang_up_works(connection, guard, caplog):
    """A new session answers, and a warning names the old session's losses."""
    before = session_id(connection)
    hang_up(connection)
    assert session_id(connection) != before
    (text,) = warnings_in(caplog)
    assert repr(connection.alias) in text and HUNG_UP in text
    for lost in ("temporary tables", "locks", "session variables"):
        assert lost in text


def test_without_the_guard_the_next_query_fails(connection):
    """The negative: the session has ended."""
    hang_up(connection)
    assert is_lost(connection) is needs_guard(connection)


def test_open_cursor_after_a_hang_up_is_a_disconnect(server_alias, guard):
    """The guard does not take the session of a cursor: its error stays the driver's."""
    connection, cursor = open_with_cursor(server_alias)
    hang_up(connection)
    with pytest.raises(DatabaseError) as caught:
        cursor.execute("SELECT 1")
    assert is_disconnect(caught.value)
    assert not is_lost(connection)


def test_live_session_is_kept_in_silence(connection, guard, caplog):
    """A session that works is kept, and nothing is logged."""
    before = session_id(connection)
    run(connection, "CREATE TEMPORARY TABLE mine (id INTEGER)")
    assert run(connection, "SELECT count(*) FROM mine") == (0,)
    assert session_id(connection) == before
    assert warnings_in(caplog) == []


def test_child_of_a_guarded_process_has_a_session_of_its_own(connection, guard):
    """The guard stays on in a forked child, and the parent keeps its session."""
    before = session_id(connection)
    assert forked(lambda: session_id(connection)) != before
    assert session_id(connection) == before


def test_connection_that_idled_too_long_is_replaced(connection, guard, caplog):
    """The guard follows CONN_MAX_IDLE, and logs that at INFO: nothing was lost."""
    before = session_id(connection)
    connection.settings_dict["CONN_MAX_IDLE"] = 0.02
    wait_for(lambda: monotonic() - session_of(connection).used > 0.02)
    with caplog.at_level(logging.INFO, "django_compat.guard"):
        assert session_id(connection) != before
    text = "closed %r: %s" % (connection.alias, IDLE)
    assert logged(caplog, "django_compat.guard") == [("INFO", text)]


def test_connection_that_is_being_opened_is_left_alone(connection, guard):
    """Opening takes cursors; with CONN_MAX_IDLE 0 a guard of these would not end."""
    before = session_id(connection)
    connection.settings_dict["CONN_MAX_IDLE"] = 0
    cursor = connection.cursor()
    connection.settings_dict["CONN_MAX_IDLE"] = None
    cursor.execute(SESSION_ID[connection.vendor])
    assert cursor.fetchone()[0] != before


def test_first_connection_is_opened_in_silence(server_alias, guard, caplog):
    """A guarded alias without a connection connects as without the guard."""
    assert run(connections[server_alias], "SELECT 1") == (1,)
    assert warnings_in(caplog) == []


def test_every_thread_is_guarded(server_alias, guard):
    """A new thread is guarded like the thread that began the guard."""
    errors = []

    def work():
        connection = open_connection(server_alias, None)
        try:
            hang_up(connection)
            run(connection, "SELECT 1")
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == []


def test_connection_of_another_thread_is_not_closed(connection, guard, caplog):
    """Django's error for the wrong thread comes out, with nothing logged before."""
    raw, errors = connection.connection, []

    def work():
        try:
            connection.cursor()
        except DatabaseError as error:
            errors.append(error)

    hang_up(connection)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(errors) == 1
    assert connection.connection is raw
    assert caplog.records == []


def test_last_undo_takes_the_patch_away(connection):
    """One of two guards is enough; a second undo() of the same guard does nothing."""
    original = patched()
    first, second = guard_connections(), guard_connections()
    first.undo()
    first.undo()
    hang_up(connection)
    assert not is_lost(connection)
    second.undo()
    assert patched() is original
    hang_up(connection)
    assert is_lost(connection) is needs_guard(connection)


def test_with_statement_ends_the_guard(connection):
    """Nothing is patched after the block, even if the block raises."""
    original = patched()
    with pytest.raises(KeyError):
        with guard_connections():
            hang_up(connection)
            assert not is_lost(connection)
            raise KeyError
    assert patched() is original


def test_patch_of_another_tool_is_kept(connection, monkeypatch):
    """The guard calls an earlier patch, and undo() leaves a later patch in place."""
    calls = []

    def patch(name):
        function = patched()

        def wrapper(connection, *args, **kwargs):
            calls.append(name)
            return function(connection, *args, **kwargs)

        method = guards._cursors.name
        monkeypatch.setattr(guards.BaseDatabaseWrapper, method, wrapper)

    patch("before")
    guard = guard_connections()
    hang_up(connection)
    patch("after")
    del calls[:]
    connection.cursor().close()
    assert calls[:2] == ["after", "before"]
    guard.undo()
    with guard_connections():
        hang_up(connection)
        assert not is_lost(connection)
    del calls[:]
    connection.cursor().close()
    assert calls[:2] == ["after", "before"]
    hang_up(connection)
    assert is_lost(connection) is needs_guard(connection)


def test_cursor_costs_one_poll_and_no_byte(server_alias, proxy, guard, looks):
    """As many bytes are sent with the guard as without it."""

    def bytes_of(jobs):
        before = sum(len(b"".join(chunks)) for chunks in proxy.sent)
        for _ in range(jobs):
            run(connection, "SELECT 1")
        return sum(len(b"".join(chunks)) for chunks in proxy.sent) - before

    connection = open_connection(server_alias, None)
    del looks[:]
    guarded = bytes_of(10)
    # In 1.6 and 1.7 execute() reads the autocommit mode, which needs a connection.
    times = 2 if (1, 6) <= django.VERSION < (1, 8) else 1
    assert len(looks) == 10 * times
    guard.undo()
    assert bytes_of(10) == guarded
    assert len(looks) == 10 * times


@since_django_16
def test_atomic_after_a_hang_up_works(connection, guard, caplog):
    """The block begins in a new session, and its rows are there."""
    hang_up(connection)
    with transaction.atomic(using=connection.alias):
        run(connection, "CREATE TEMPORARY TABLE mine (id INTEGER)")
        with transaction.atomic(using=connection.alias):
            run(connection, "INSERT INTO mine VALUES (1)")
    assert run(connection, "SELECT count(*) FROM mine") == (1,)
    assert len(warnings_in(caplog)) == 1


@since_django_16
def test_hang_up_inside_a_transaction_is_an_error(connection, guard, caplog):
    """The second half of a block must not run in a new session."""
    with pytest.raises(DatabaseError):
        with transaction.atomic(using=connection.alias):
            hang_up(connection)
            run(connection, "SELECT 1")
    assert warnings_in(caplog) == []
    assert not is_lost(connection)


@since_django_16
def test_hang_up_with_autocommit_off_is_an_error(connection, guard, caplog):
    """With autocommit off every statement is in a transaction of the caller's."""
    transaction.set_autocommit(False, using=connection.alias)
    run(connection, "SELECT 1")
    hang_up(connection)
    assert is_lost(connection)
    assert warnings_in(caplog) == []


@pytest.mark.skipif(PERSISTS, reason="atomic() since Django 1.6")
def test_hang_up_inside_a_managed_block_is_left_to_django(connection, guard, caplog):
    """The guard does nothing inside commit_on_success()."""
    # MySQL's backend reconnects by itself there.
    try:
        with transaction.commit_on_success(using=connection.alias):
            hang_up(connection)
            run(connection, "SELECT 1")
    except Exception as error:  # Django's, or the driver's own
        assert "Error" in type(error).__name__
    assert warnings_in(caplog) == []


needs_chunked_cursor = pytest.mark.skipif(
    not hasattr(guards.BaseDatabaseWrapper, "chunked_cursor"),
    reason="no chunked_cursor() before Django 1.11",
)


@needs_chunked_cursor
def test_chunked_cursor_after_a_hang_up_works(connection, guard):
    """The cursor of .iterator() is guarded like any cursor."""
    hang_up(connection)
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone()[0] == 1


@needs_chunked_cursor
def test_iterator_is_not_disturbed_by_other_cursors(connection, guard):
    """A session that works stays, and with it a cursor that is being read."""
    with connection.chunked_cursor() as cursor:
        cursor.execute("SELECT 1 UNION ALL SELECT 2 ORDER BY 1")
        assert cursor.fetchone()[0] == 1
        run(connection, "SELECT 1")
        assert cursor.fetchone()[0] == 2
