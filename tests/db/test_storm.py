"""Exceptions that arrive at any line: of a body, of Django, and of this package.

A timer raises an exception from a signal's handler, some microseconds later; thousands
of timers hit nearly every line. The exception comes out, the next scope works, and no
session is left.
"""

from __future__ import absolute_import

import gc
import logging
import random
import signal
import sys
from functools import partial

import pytest
from django.db import utils

from django_compat import (
    close_all_connections,
    closing_connections,
    fresh_connections,
    guard_connections,
    retry_on_disconnect,
)
from django_compat._db import executors
from django_compat._db.scopes import thread_stack
from django_compat._db.versions import is_in_block
from support.databases import open_connection, run, sessions, wait_for
from support.losses import PERSISTS, hang_up, is_closed, since_django_16
from support.transactions import insert, leave_block_open, new_block, numbers, table

DATABASE_ERROR = getattr(utils, "Error", utils.DatabaseError)  # Django 1.6+
SCOPES = [fresh_connections, closing_connections]


class Late(Exception):
    """A time limit: a signal handler raises it."""


class LateBase(BaseException):
    """A time limit that is no Exception."""


in_both_kinds = pytest.mark.parametrize("kind", [Late, LateBase])


LOCKING = [  # the functions with a lock that an exception may leave locked
    ("django.db.backends.base.base", "allow_thread_sharing"),
    ("psycopg.connection", "rollback"),
    ("psycopg.connection", "set_autocommit"),
]
END_OF_ATOMIC = ("django.db.transaction", "__exit__")


def is_djangos_deadlock(frame):
    """Tell whether Django's own atomic() waits for a lock that was left locked.

    Django 2.2+ asks in ``with self._thread_sharing_lock`` whose a connection is, and
    psycopg's methods have ``with self.lock``. Until Python 3.9 an exception may arrive
    between the body and ``__exit__`` (bpo-29988), on 3.14 after ``__enter__``. Then the
    end of atomic() waits for ever, and no code of this package runs before it: any call
    of the package in between frees the lock.
    """
    names = []
    while frame is not None:
        names.append((frame.f_globals.get("__name__") or "", frame.f_code.co_name))
        if names[-1] == END_OF_ATOMIC:
            ours = [module for module, _ in names if "django_compat" in module]
            return names[0] in LOCKING and not ours
        frame = frame.f_back
    return False


def storm(kind, work, after, count=1000, longest=120):
    """Call a function often, and let an exception arrive at one of its lines.

    ``after`` is called after each interruption. Everything that was raised has to come
    out. A second exception ends a deadlock of Django's own.
    """
    raised, caught, swallowed = [0], 0, 0
    in_drivers = [0]  # the close() of PyMySQL and psycopg swallows every exception
    is_late = [False]  # whether the exception arrived in this call
    choice = random.Random(16)

    def handle(_, frame):
        signal.setitimer(signal.ITIMER_REAL, 2)  # looks again
        if is_late[0]:
            if is_djangos_deadlock(frame):
                raise kind()
            return
        is_late[0] = True
        raised[0] += 1
        while frame is not None:
            module = frame.f_globals.get("__name__") or ""
            if module.partition(".")[0] in ("psycopg", "pymysql"):
                in_drivers[0] += 1
                break
            frame = frame.f_back
        raise kind()

    gc.collect()
    gc.disable()  # a callback of a weak reference would swallow the exception
    if sys.version_info < (3,):
        # Python 2.7's RLock, which logging's handlers have, may stay locked for ever.
        logging.disable(logging.CRITICAL)
    before = signal.signal(signal.SIGALRM, handle)
    try:
        for _ in range(count):
            is_late[0] = False
            try:
                try:
                    seconds = choice.randint(1, longest) / 1e6
                    signal.setitimer(signal.ITIMER_REAL, seconds)
                    work()
                finally:
                    signal.setitimer(signal.ITIMER_REAL, 0)
            except kind:
                caught += 1
                after()
            except DATABASE_ERROR:
                # Django's atomic() met an error of its own, on the exception's way out.
                if caught + swallowed == raised[0]:
                    raise
                caught += 1
                after()
            swallowed = raised[0] - caught
            assert swallowed <= in_drivers[0]
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        logging.disable(logging.NOTSET)
        gc.enable()
    assert caught > count / 20


def ask(connection):
    # The cursor stays open: when a query was interrupted, mysqlclient's close() raises
    # an error of its own over the exception.
    cursor = connection.cursor()
    cursor.execute("SELECT 42")
    assert cursor.fetchone() == (42,)


def forget_answers(connection):
    """Close where only a scope around a cut query can tell that an answer is left."""
    if "pymysql" in getattr(connection.connection, "__module__", ""):
        # Not its own close(): until Django 1.5 that raises once it was interrupted.
        close_all_connections(connection.alias)


def check(connection):
    """See whether the next scope of this thread works, and acts."""
    with fresh_connections():
        assert thread_stack()[:-1] == []
        assert not is_in_block(connection)
        assert run(connection, "SELECT 43") == (43,)
    assert thread_stack() == []


def check_later(connection):
    forget_answers(connection)
    check(connection)


@pytest.fixture
def connection(server_alias):
    """An open connection; at the end no session of this thread's is left."""
    with fresh_connections():
        pass  # ends the scopes that the test before interrupted last
    before = sessions(server_alias)
    yield open_connection(server_alias, None)
    close_all_connections()
    gc.collect()
    wait_for(lambda: not sessions(server_alias) - before)


def empty(scope, connection):
    with scope:
        pass


def full(scope, connection):
    with scope:
        ask(connection)


def nested(scope, connection):
    with scope:
        with fresh_connections():
            pass
        with closing_connections():
            with scope:
                pass


def failing(scope, connection):
    try:
        with scope:
            raise ValueError
    except ValueError:
        pass


def transactional(scope, connection):
    with scope:
        with new_block(connection.alias):
            ask(connection)


def faulty(scope, connection):
    with scope:
        leave_block_open(connection.alias)


def decorated(scope, connection):
    scope(lambda: None)()


def generating(scope, connection):
    def rows():
        with scope:
            yield

    for _ in rows():
        pass


BODIES = [empty, full, nested, failing, transactional, faulty, decorated, generating]


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("body", BODIES)
@in_both_kinds
def test_interruption_at_any_line_of_a_scope(connection, kind, body, scope):
    """The next scope works, and is the outermost one."""
    shared = scope()
    storm(kind, partial(body, shared, connection), partial(check, connection), 200)
    check(connection)
    hang_up(connection)
    check(connection)


@since_django_16
@pytest.mark.parametrize("scope", SCOPES)
@in_both_kinds
def test_interrupted_scope_in_a_block_leaves_the_block_alone(connection, kind, scope):
    """The caller's transaction goes on, whatever line of an inner scope was hit."""
    with table(connection):
        raw = connection.connection
        with fresh_connections():
            with new_block(connection.alias):
                insert(connection, 1)
                for body in (empty, nested, failing):
                    storm(kind, partial(body, scope(), connection), lambda: None, 150)
                assert connection.connection is raw
                insert(connection, 2)
        assert numbers(connection.alias) == [1, 2]
    assert thread_stack() == []


@pytest.mark.parametrize("scope", SCOPES)
@in_both_kinds
def test_interrupted_scope_leaves_the_outer_scope_entered(connection, kind, scope):
    """The outer scope still covers, and still ends."""
    with fresh_connections():
        outer = list(thread_stack())

        def look():
            with scope():
                assert thread_stack()[:-1] == outer
                assert run(connection, "SELECT 43") == (43,)

        for body in (empty, full, nested, failing):
            storm(kind, partial(body, scope(), connection), look, 150)
        look()
        connection.settings_dict["CONN_MAX_AGE"] = 0
        connection.close()
        run(connection, "SELECT 1")
    assert is_closed(connection)
    assert thread_stack() == []


@in_both_kinds
def test_interruption_of_the_guard(connection, kind):
    """The guard still looks, before each cursor of the same connection."""

    def reopen():
        connection.close()
        ask(connection)

    def look():
        forget_answers(connection)
        ask(connection)

    with guard_connections():
        storm(kind, partial(ask, connection), look, 500)
        connection.close()
        storm(kind, reopen, look, 200, longest=3000)
        look()
        hang_up(connection)
        ask(connection)


@in_both_kinds
def test_interruption_of_a_retry(connection, kind):
    """The next call works, and a lost connection is still retried."""
    retried = retry_on_disconnect(partial(ask, connection))
    storm(kind, retried, partial(check_later, connection), 500)
    check(connection)
    hang_up(connection)
    retried()
    assert not is_in_block(connection)


@in_both_kinds
def test_interruption_of_an_executors_task(connection, kind):
    """In a thread of an executor: the next task works, and the end closes."""
    # Not through submit(): the locks of the library's executor may stay locked.
    opened = []
    task = partial(executors._run, opened, ask, (connection,), {})
    try:
        storm(kind, task, partial(check, connection), 500)
        task()
        assert not is_closed(connection) or not PERSISTS
        for thread in opened:
            thread.close()
        assert is_closed(connection)
    finally:
        vars(executors._local).clear()


@in_both_kinds
def test_interruption_of_a_close(connection, kind):
    """Whatever line was hit, the connection opens again, and no session is left."""

    def work():
        ask(connection)
        close_all_connections()

    storm(kind, work, partial(check_later, connection), 300, longest=2000)
    check(connection)
