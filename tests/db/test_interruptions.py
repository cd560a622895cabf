"""Scopes whose body raises or is interrupted, and closes that fail."""

from __future__ import absolute_import

import contextlib
import gc
import os
import signal
import sys
import threading

import django
import pytest
from django.db import connections, transaction
from django.db.backends.signals import connection_created
from django.db.utils import DatabaseError, IntegrityError
from django.test import TestCase, TransactionTestCase

from django_compat import (
    HUNG_UP,
    close_all_connections,
    close_stale_connections,
    closing_connections,
    fresh_connections,
    guard_connections,
)
from django_compat._db import closing, versions
from django_compat._db.versions import is_in_block
from support.calls import CALLS, closing_scope, in_both_scopes
from support.cycles import Cycle
from support.databases import (
    end_session,
    in_a_thread,
    kill,
    open_connection,
    run,
    session_id,
    sessions,
    wait_for,
)
from support.drivers import DRIVERS
from support.losses import UnwillingRaw, is_closed, is_hung_up, logged, since_django_16
from support.processes import forked
from support.sql import SLEEP
from support.testcases import in_test_case
from support.transactions import insert, leave_block_open, new_block, table

pytestmark = pytest.mark.contract


class Interruption(Exception):
    """A time limit: a signal handler raises it."""


INTERRUPTIONS = [Interruption, KeyboardInterrupt]
if sys.version_info >= (3,):
    INTERRUPTIONS.append(TimeoutError)  # an OSError, like those of PyMySQL's socket


@contextlib.contextmanager
def interrupted(kind):
    """Raise an exception from a signal handler, 30 ms later."""

    def handle(*_):
        if kind is KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
        else:
            raise kind("interrupted")

    gc.disable()  # a callback of a weak reference would swallow the exception
    before = signal.signal(signal.SIGALRM, handle)
    ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    try:
        yield
        wait_for(lambda: False)  # the driver may return before the signal
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.signal(signal.SIGINT, ctrl_c)
        gc.enable()


def slow_query(connection):
    # The cursor stays open: mysqlclient's close() would raise another error.
    connection.cursor().execute(SLEEP[connection.vendor] % 0.1)


def check_next(connection):
    """Let the next scope run two queries, each of which has to get its own answer."""
    with fresh_connections():
        assert run(connection, "SELECT 42") == (42,)
        assert run(connection, "SELECT 43") == (43,)


needs_djangos_lock = pytest.mark.skipif(
    django.VERSION < (2, 2), reason="no such lock before Django 2.2"
)


@needs_djangos_lock
@in_both_scopes
def test_interruption_that_leaves_djangos_lock_locked(alias, scope):
    """Neither the end of the scope nor the next scope waits for ever."""
    connection = open_connection(alias, None)
    with pytest.raises(Interruption):
        with scope():
            # An exception at the begin of Django's own "with" leaves the same.
            connection._thread_sharing_lock.acquire()
            raise Interruption
    check_next(connection)
    connection.close()
    connection._thread_sharing_lock.acquire()  # as while Django connects
    check_next(connection)


@needs_djangos_lock
def test_guard_goes_on_after_an_interruption_left_djangos_lock_locked(alias):
    """The next query does not wait for ever, in a transaction neither."""
    connection = open_connection(alias, None)
    with guard_connections():
        connection._thread_sharing_lock.acquire()
        assert run(connection, "SELECT 42") == (42,)
        with transaction.atomic(using=alias):
            connection._thread_sharing_lock.acquire()
            assert run(connection, "SELECT 43") == (43,)
        connection.close()
        connection._thread_sharing_lock.acquire()
        assert run(connection, "SELECT 44") == (44,)


@needs_djangos_lock
def test_lock_that_another_thread_holds_for_an_instant_is_kept(alias):
    """Else the two threads would no longer wait for each other."""
    connection = open_connection(alias, None)
    lock = connection._thread_sharing_lock
    lock.acquire()
    threading.Timer(0.03, lock.release).start()
    closing.free_locks(connection)
    assert connection._thread_sharing_lock is lock


@pytest.mark.parametrize("base", [TestCase, TransactionTestCase])
def test_guard_frees_a_lock_in_a_test_case(server_alias, lock_of, base):
    """The session, which has the rows of the test, stays."""

    def body(case, alias):
        connection = connections[alias]
        assert run(connection, "SELECT 42") == (42,)
        raw = connection.connection
        lock_of(connection).acquire()
        assert run(connection, "SELECT 43") == (43,)
        assert connection.connection is raw
        assert not lock_of(connection).locked()

    with guard_connections():
        in_test_case(base, server_alias, body)


@needs_djangos_lock
@pytest.mark.parametrize("call", CALLS)
def test_call_does_not_wait_for_djangos_lock(alias, call):
    """No public call waits for the lock that an interruption left locked."""
    connection = open_connection(alias, None)
    connection._thread_sharing_lock.acquire()
    call()
    check_next(connection)


needs_signals_lock = pytest.mark.skipif(
    sys.version_info < (3,), reason="Python 2.7 cannot wait for a lock with a time-out"
)


@needs_signals_lock
@in_both_scopes
def test_interruption_that_leaves_the_lock_of_djangos_signal_locked(alias, scope):
    """The next scope can connect."""
    connection = open_connection(alias, None)
    with pytest.raises(Interruption):
        with scope():
            # As when Django has connected, and tells the receivers.
            connection_created.lock.acquire()
            raise Interruption
    connection.close()
    check_next(connection)


@needs_signals_lock
@in_both_scopes
@pytest.mark.parametrize("run_it", [in_a_thread, forked])
def test_signals_lock_stops_no_scope_of_another_thread(server_alias, scope, run_it):
    """In the new thread, or the child, no connection has been opened."""
    connection_created.lock.acquire()

    def work():
        with scope():
            return run(connections[server_alias], "SELECT 42")[0]

    try:
        assert run_it(work) == 42
    finally:
        connection_created.lock = threading.Lock()


@pytest.fixture
def locked_psycopg(postgresql_server):
    """psycopg's connection, whose lock an exception at the begin of a "with" left."""
    if "psycopg" not in DRIVERS:
        pytest.skip("no other driver has a lock in Python")
    connection = open_connection("postgresql", None)
    connection.connection.lock.acquire()
    return connection


def guarded():
    with guard_connections():
        run(connections["postgresql"], "SELECT 1")


@pytest.mark.parametrize("call", CALLS + [guarded])
def test_call_does_not_wait_for_psycopgs_lock(locked_psycopg, call):
    """The session stays, for nothing was sent, and the next scope works."""
    raw = locked_psycopg.connection
    call()
    check_next(locked_psycopg)
    closes = call in (close_all_connections, closing_scope)
    assert (locked_psycopg.connection is raw) is not closes


def test_psycopgs_lock_is_freed_in_a_transaction(locked_psycopg):
    """By each scope, and by the guard."""
    raw = locked_psycopg.connection
    raw.lock.release()
    with transaction.atomic(using="postgresql"):
        raw.lock.acquire()
        with fresh_connections():
            assert run(locked_psycopg, "SELECT 42") == (42,)
        raw.lock.acquire()
        guarded()
    assert locked_psycopg.connection is raw


def test_lock_that_came_through_a_fork_stops_no_child(server_alias, lock_of):
    """The child has a session of its own, and the parent keeps the old one."""
    connection = open_connection(server_alias, None)
    before = session_id(connection)
    lock_of(connection).acquire()

    def child():
        with fresh_connections():
            return session_id(connection)

    assert forked(child) != before
    with fresh_connections():
        assert session_id(connection) == before


def test_psycopgs_lock_of_a_thread_at_work_is_kept(locked_psycopg):
    """The thread runs a query on the same raw connection."""
    raw, results = locked_psycopg.connection, []
    raw.lock.release()

    def work():
        results.append(raw.execute("SELECT 42 FROM pg_sleep(0.3)").fetchone())

    thread = threading.Thread(target=work)
    thread.start()
    wait_for(raw.lock.locked)
    lock = raw.lock
    closing.free_locks(locked_psycopg)
    assert raw.lock is lock
    thread.join()
    assert results == [(42,)]


def test_loop_over_notifications_may_have_scopes(server_alias):
    """A suspended notifies() holds the lock, and gives the next notification."""
    if "psycopg" not in DRIVERS or server_alias != "postgresql":
        pytest.skip("only psycopg has notifies()")
    listener = open_connection("postgresql", None)
    raw = listener.connection
    run(listener, "LISTEN news")
    other, seen = open_connection("postgresql_other", None), []
    other.cursor().execute("NOTIFY news, '0'")
    for notification in raw.notifies(timeout=10, stop_after=2):
        seen.append(notification.payload)
        with fresh_connections():
            with fresh_connections():
                other.cursor().execute("NOTIFY news, '1'")
        assert listener.connection is raw
    assert seen == ["0", "1"]


@pytest.mark.skipif(not versions._LOCKS_LOCALS, reason="only asgiref before 3.8 locks")
@in_both_scopes
def test_interruption_that_leaves_asgirefs_lock_locked(alias, scope):
    """The scopes of the other threads do not wait for ever."""
    in_a_thread(connections._connections._thread_lock.acquire)  # and never released

    def work():
        with scope():
            return run(open_connection(alias, 0), "SELECT 42")

    assert in_a_thread(work) == (42,)
    connections._connections._thread_lock.acquire()  # by this thread
    assert work() == (42,)
    assert in_a_thread(lambda: connections[alias].alias) == alias


@contextlib.contextmanager
def held_in_a_thread(locks):
    """Let another thread hold locks for a while."""
    held, over = threading.Event(), threading.Event()

    def hold():
        for lock in locks:
            lock.acquire()
        held.set()
        over.wait()
        for lock in locks:
            lock.release()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    try:
        yield
    finally:
        over.set()
        thread.join()


@in_both_scopes
def test_scope_waits_for_no_lock_of_asgirefs(alias, scope):
    """Whichever of asgiref's locals an exception left locked, for all threads."""
    Local = pytest.importorskip("asgiref.local").Local  # Django 3.0+
    if hasattr(gc, "freeze"):  # Python 3.7+: conftest.py froze what was there
        gc.unfreeze()
    found = [one for one in gc.get_objects() if issubclass(type(one), Local)]
    if hasattr(gc, "freeze"):
        gc.freeze()
    values = [value for one in found for value in vars(one).values()]
    locks = [value for value in values if hasattr(value, "acquire")]
    assert locks

    def work():
        with scope(using=alias):
            return True

    with held_in_a_thread(locks):
        assert in_a_thread(work)


@in_both_scopes
@pytest.mark.parametrize("kind", INTERRUPTIONS)
def test_interrupted_query_does_not_reach_the_next_scope(server_alias, scope, kind):
    """The same exception comes out, and no later query reads the left answer."""
    connection = open_connection(server_alias, None)
    seen = []
    with pytest.raises(BaseException) as caught:
        with scope():
            with interrupted(kind):
                try:
                    slow_query(connection)
                except BaseException as error:
                    seen.append(error)
                    raise
    assert caught.value is seen[0]
    check_next(connection)


class JobFailed(Exception):
    """The error that a job raises in place of an interruption."""


def test_interruption_may_become_another_error(server_alias):
    """An interrupted job that raises another error leaves no answer behind."""
    connection = open_connection(server_alias, None)
    with pytest.raises(JobFailed):
        with fresh_connections():
            try:
                with interrupted(Interruption):
                    slow_query(connection)
            except Interruption:
                raise JobFailed()
    check_next(connection)


def test_interruption_may_be_swallowed(server_alias):
    """An interrupted job that goes on leaves no answer behind."""
    connection = open_connection(server_alias, None)
    with fresh_connections():
        try:
            with interrupted(Interruption):
                slow_query(connection)
        except Interruption:
            pass
    check_next(connection)


def test_interruption_outside_of_a_scope_is_found_at_the_begin(server_alias):
    """The next scope replaces a connection that was interrupted before the scope."""
    connection = open_connection(server_alias, None)
    with pytest.raises(Interruption):
        with interrupted(Interruption):
            slow_query(connection)
    check_next(connection)


def test_interrupted_session_that_ended_has_hung_up(server_alias):
    """The loss of the session is the reason, and not the answer that is unread."""
    connection = open_connection(server_alias, None)
    session = session_id(connection)
    with pytest.raises(Interruption):
        with interrupted(Interruption):
            slow_query(connection)
    end_session(server_alias, session)
    wait_for(lambda: is_hung_up(connection))
    assert close_stale_connections() == [(server_alias, HUNG_UP)]


@in_both_scopes
@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit, KeyboardInterrupt])
def test_exception_that_is_no_error_comes_out(alias, scope, kind):
    """The same object comes out, and the connection is closed to be safe."""
    connection = open_connection(alias, None)
    error = kind()
    with pytest.raises(kind) as caught:
        with scope():
            run(connection, "SELECT 1")
            raise error
    assert caught.value is error
    assert is_closed(connection)
    check_next(connection)


@in_both_scopes
def test_interrupted_connect_is_not_kept(alias, scope):
    """A session whose setup was interrupted may lack settings, so it is closed."""
    connection = connections[alias]
    connection.settings_dict["CONN_MAX_AGE"] = None
    error = Interruption()

    def interrupt(**kwargs):
        raise error

    connection_created.connect(interrupt)
    try:
        with pytest.raises(Interruption) as caught:
            with scope():
                run(connection, "SELECT 1")
    finally:
        connection_created.disconnect(interrupt)
    assert caught.value is error
    assert is_closed(connection)
    check_next(connection)


@in_both_scopes
@pytest.mark.parametrize("closes", [True, False])
def test_generator_that_ends_at_its_yield_leaves_its_scope(alias, scope, closes):
    """A generator may be closed or deleted inside of a scope; the next scope works."""

    def rows():
        with scope():
            connection = open_connection(alias, None)
            while True:
                yield run(connection, "SELECT 1")

    generator = rows()
    assert next(generator) == (1,)
    if closes:
        generator.close()
    del generator
    connection = connections[alias]
    with closing_connections():  # acts, so it is the outermost scope
        assert run(connection, "SELECT 42") == (42,)
    assert is_closed(connection)


def test_generators_may_end_in_any_order(alias):
    """Scopes that overlap without nesting do not leave an outer scope behind."""

    def rows():
        with fresh_connections():
            yield

    first, second = rows(), rows()
    next(first)
    next(second)
    first.close()
    second.close()
    with fresh_connections():
        connection = open_connection(alias, 0)
    assert is_closed(connection)


@pytest.mark.skipif(sys.version_info < (3, 4), reason="such a generator is never ended")
@in_both_scopes
def test_collected_generator_does_not_cut_a_query(server_alias, scope):
    """The collector may run in the middle of a query: the next scope ends the scope."""

    def rows():
        with scope():
            yield

    thresholds = gc.get_threshold()
    try:
        for allocations in range(1, 80):
            connection = open_connection(server_alias, None)
            gc.collect(0)
            generator = rows()
            next(generator)
            Cycle(generator)
            del generator
            gc.set_threshold(allocations, 1000, 1000)
            assert run(connection, "SELECT 42") == (42,)
            gc.set_threshold(*thresholds)
    finally:
        gc.set_threshold(*thresholds)
    gc.collect()
    check_next(connection)
    with closing_connections():  # in no other scope
        pass
    assert is_closed(connection)


@pytest.mark.skipif(sys.version_info < (3, 4), reason="such a generator is never ended")
def test_collected_generator_leaves_its_connections_to_the_next_scope(alias):
    """The next scope closes what the scope of the generator would have closed."""

    def rows():
        with closing_connections():
            open_connection(alias, None)
            yield

    generator = rows()
    next(generator)
    Cycle(generator)
    del generator
    gc.collect()
    with fresh_connections():
        assert is_closed(connections[alias])


def raise_value_error(connection):
    raise ValueError("an error of the job")


def violate(connection):
    insert(connection, 1)
    insert(connection, 1)


def violate_in_a_block(connection):
    with new_block(connection.alias):
        violate(connection)


def ask_nonsense(connection):
    run(connection, "SELECT nothing FROM nowhere")


def stop_in_on_commit(connection):
    with transaction.atomic(using=connection.alias):
        transaction.on_commit(lambda: raise_value_error(connection), connection.alias)


FAILURES = [
    (raise_value_error, ValueError),
    (violate, IntegrityError),
    (violate_in_a_block, IntegrityError),
    (ask_nonsense, DatabaseError),
]
if hasattr(transaction, "on_commit"):
    FAILURES.append((stop_in_on_commit, ValueError))


@since_django_16
@pytest.mark.parametrize("fail, kind", FAILURES)
def test_error_of_the_job_does_not_cost_the_connection(server_alias, fail, kind):
    """With CONN_MAX_AGE None a session that works outlives a job that fails."""
    connection = open_connection(server_alias, None)
    with table(connection):
        session = session_id(connection)
        with pytest.raises(kind):
            with fresh_connections():
                fail(connection)
        with fresh_connections():
            assert session_id(connection) == session


@since_django_16
@pytest.mark.parametrize("swallows", [False, True])
def test_connection_lost_in_the_body_is_replaced(server_alias, swallows):
    """Django opens and sets up the next session, also where PyMySQL would reconnect."""
    connection = open_connection(server_alias, None)
    announced = []

    def note(connection, **kwargs):
        announced.append(connection.connection)

    connection_created.connect(note)
    try:
        try:
            with fresh_connections():
                kill(connection)
                try:
                    run(connection, "SELECT 1")
                except DatabaseError:
                    if not swallows:
                        raise
        except DatabaseError:
            assert not swallows
        check_next(connection)
    finally:
        connection_created.disconnect(note)
    assert announced[-1] is connection.connection


class CloseFailed(DatabaseError):
    """The error of the database layer that a close raises."""


@in_both_scopes
@pytest.mark.parametrize("error", [None, ValueError(), KeyboardInterrupt()])
def test_failing_close_does_not_hide_the_bodys_error(
    alias, scope, error, monkeypatch, caplog
):
    """The error of the close is logged with the alias; the body's error comes out."""
    connection = open_connection(alias, 0)
    raws = []

    def refuse():
        raws.append(connection.connection)
        raise CloseFailed()

    try:
        with scope():
            other = open_connection(alias + "_other", 0)
            run(connection, "SELECT 1")
            monkeypatch.setattr(connection, "close", refuse)
            if error is not None:
                raise error
    except (ValueError, KeyboardInterrupt) as caught:
        assert caught is error
    monkeypatch.undo()
    assert is_closed(connection) and is_closed(other)
    records = [r for r in caplog.records if r.name == "django_compat.connections"]
    assert [record.exc_info[0] for record in records] == [CloseFailed]
    assert repr(alias) in records[0].getMessage()
    for raw in raws:
        raw.close()


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@in_both_scopes
@pytest.mark.parametrize("kind", [Interruption, SystemExit])
@pytest.mark.parametrize("error", [None, ValueError()])
@pytest.mark.parametrize("leaves_block", [False, True])
def test_interrupted_close_gives_up_all_the_same(
    server_alias, scope, kind, error, leaves_block, caplog
):
    """What a signal handler raises in a driver's close() comes out, and is not logged.

    The raw connection, and an atomic() that the body left open, are given up; the other
    aliases are looked after, and the next scope works.
    """
    interruption = kind()
    with pytest.raises(kind) as caught:
        with scope():
            connection = open_connection(server_alias, 0)
            other = open_connection(server_alias + "_other", 0)
            raw = connection.connection
            if leaves_block:
                leave_block_open(server_alias)
            connection.connection = UnwillingRaw(raw, interruption)
            if error is not None:
                raise error
    assert caught.value is interruption
    assert is_closed(connection) and is_closed(other)
    assert not is_in_block(connection)
    assert logged(caplog) == []
    check_next(connection)
    raw.close()


@pytest.mark.parametrize(
    "closes_first",
    [
        close_all_connections,
        pytest.param(
            lambda: [one.close() for one in connections.all()],
            marks=pytest.mark.skipif(django.VERSION >= (1, 6), reason="it is dropped"),
        ),
    ],
)
def test_close_that_was_interrupted_half_way_ends_the_session(
    server_alias, closes_first
):
    """Not even a traceback that the program keeps, as its logs may, holds it."""
    connection = open_connection(server_alias, None)
    session, raw = session_id(connection), connection.connection

    def trace(frame, event, _):
        is_close = frame.f_code.co_name == "close" and frame.f_locals.get("self") is raw
        if is_close and getattr(raw, "_closed", False):  # else the driver is in C
            raise Interruption
        return trace

    kept, before = [], sys.gettrace()
    sys.settrace(trace)
    try:
        closes_first()
    except Interruption:
        kept.append(sys.exc_info())
    finally:
        sys.settrace(before)
    close_all_connections()
    wait_for(lambda: session not in sessions(server_alias))
    check_next(connection)
