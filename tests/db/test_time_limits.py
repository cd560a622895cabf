"""An exception of the program's own comes out, at whatever line of ours it arrives."""

from __future__ import absolute_import

import ctypes
import sys
import threading

import django
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.db import DatabaseError, connections, utils

import django_compat
from django_compat import (
    ThreadPoolExecutor,
    close_all_connections,
    close_stale_connections,
    closing_connections,
    fresh_connections,
    guard_connections,
    retry_on_disconnect,
)
from django_compat._db.drivers import is_of_database
from django_compat._db.stale import HUNG_UP, INTERRUPTED
from django_compat.apps import install
from support.databases import kill, open_connection, run, wait_for
from support.limits import LIMITS, SoftTimeLimitExceeded, late, limit, silent
from support.losses import (
    PERSISTS,
    UnwillingRaw,
    error_of,
    hang_up,
    is_closed,
    logged,
    since_django_16,
)

pytestmark = pytest.mark.contract


def check_next(connection):
    """Let the next scope run two queries, each of which has to get its own answer."""
    with fresh_connections():
        assert run(connection, "SELECT 42") == (42,)
        assert run(connection, "SELECT 43") == (43,)
    close_all_connections()


# Ways in which this package asks a server whether a suspect connection still works.


def close_stale(alias):
    close_stale_connections()


def enter_a_scope(alias):
    with fresh_connections():
        pass


def enter_an_inner_scope(alias):
    with closing_connections():
        with fresh_connections():
            pass


def leave_a_scope(alias):
    connection = connections[alias]
    connection.errors_occurred = False
    with fresh_connections():
        raise ValueError("an error of the job")


def leave_an_inner_scope(alias):
    connection = connections[alias]
    connection.errors_occurred = False
    with closing_connections():
        with fresh_connections():
            raise ValueError("an error of the job")


def guard(alias):
    with guard_connections():
        connections[alias].cursor()


def retry(alias):
    @retry_on_disconnect
    def lose():
        raise DatabaseError(2006, "MySQL server has gone away")

    lose()


def call_djangos_own(alias):
    installation = install()
    try:
        django_compat.close_old_connections()
    finally:
        installation.undo()


def await_close_stale(alias):
    from asgiref.sync import async_to_sync

    async_to_sync(django_compat.aclose_stale_connections)()


WAYS = [close_stale, enter_a_scope, enter_an_inner_scope, guard, retry]
if PERSISTS:  # else a scope ends with a close, and Django's function closes everything
    WAYS += [leave_a_scope, leave_an_inner_scope, call_djangos_own]
if django.VERSION >= (3, 0):
    WAYS += [await_close_stale]


CASES = [(way, LIMITS[0]) for way in WAYS]
CASES += [(way, kind) for way in (enter_a_scope, guard) for kind in LIMITS[1:]]


@pytest.mark.parametrize("way, kind", CASES)
def test_limit_comes_out_while_the_server_is_asked(server_alias, proxy, way, kind):
    """The answer is late; the exception comes out, and the next job gets answers."""
    connection = open_connection(server_alias, None)
    connection.errors_occurred = True
    with late(proxy):
        with pytest.raises(kind):
            with limit(kind):
                way(server_alias)
    check_next(connection)


@pytest.mark.parametrize("way", [close_stale, enter_a_scope, guard])
def test_limit_comes_out_while_the_network_is_silent(server_alias, proxy, way):
    """No answer comes at all; the exception comes out, and the next job works."""
    connection = open_connection(server_alias, None)
    connection.errors_occurred = True
    with silent(proxy):
        with pytest.raises(SoftTimeLimitExceeded):
            with limit(SoftTimeLimitExceeded):
                way(server_alias)
    check_next(connection)


@since_django_16
def test_limit_comes_out_of_a_thread_of_the_executor(server_alias, proxy):
    """An exception that is raised in a worker's thread is the result of the task."""
    pool = ThreadPoolExecutor(1)
    threads = []

    def open_it():
        threads.append(threading.current_thread())
        open_connection(server_alias, None).errors_occurred = True

    pool.submit(open_it).result()
    sent = proxy.sent[-1]
    before = len(sent)
    with late(proxy, 0.2):
        future = pool.submit(run, connections[server_alias], "SELECT 1")
        wait_for(lambda: len(sent) > before)
        thread = ctypes.c_long(threads[0].ident)
        limit = ctypes.py_object(SoftTimeLimitExceeded)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, limit)
        assert isinstance(future.exception(), SoftTimeLimitExceeded)
    answer = pool.submit(lambda: run(connections[server_alias], "SELECT 42"))
    assert answer.result() == (42,)
    pool.shutdown()


# Exceptions that arrive while a connection is closed.


def close_all(alias):
    close_all_connections()


def leave_a_closing_scope(alias):
    with closing_connections():
        pass


def leave_with_an_error(alias):
    with closing_connections():
        raise ValueError("an error of the job")


@pytest.mark.parametrize("way", [close_all, leave_a_closing_scope, leave_with_an_error])
@pytest.mark.parametrize("kind", LIMITS)
def test_limit_comes_out_of_a_close(server_alias, way, kind, caplog):
    """The raw connection is given up, other aliases are closed, nothing is logged."""
    opened = [open_connection(server_alias + end, None) for end in ("", "_other")]
    raws = [connection.connection for connection in opened]
    opened[0].connection = UnwillingRaw(raws[0], kind())
    with pytest.raises(kind):
        way(server_alias)
    assert is_closed(opened[0])
    if way is not close_all:
        assert is_closed(opened[1])
    assert logged(caplog) == []
    raws[0].close()
    check_next(opened[0])


# A query that was cut, and whose exception was caught inside of the job.


def cut_a_query(connection, proxy):
    """Let a time limit end a query, whose answer comes later; return reasons for it."""
    with late(proxy):
        try:
            with limit(SoftTimeLimitExceeded):
                connection.cursor().execute("SELECT 1")
        except SoftTimeLimitExceeded:
            pass
    driver = connection.connection.__class__.__module__.partition(".")[0]
    if driver == "psycopg2":  # libpq waited for the answer
        return []
    # PyMySQL closes its socket when it is interrupted while it reads.
    return [INTERRUPTED] + [HUNG_UP] * (driver == "pymysql")


def test_close_stale_sees_a_query_that_was_cut(server_alias, proxy):
    """The connection is closed at no round trip, and the next query works."""
    connection = open_connection(server_alias, None)
    if not PERSISTS and connection.vendor == "mysql":
        pytest.skip("until Django 1.5 each cursor pings first, and reconnects")
    with fresh_connections():
        reasons = cut_a_query(connection, proxy)
        sent = len(proxy.sent[0])
        closed = close_stale_connections()
        assert [reason for _, reason in closed if reason not in reasons] == []
        if reasons == [INTERRUPTED]:
            assert len(proxy.sent[0]) <= sent + 1  # a goodbye
        assert run(connection, "SELECT 42") == (42,)


@pytest.mark.parametrize("outer", [fresh_connections, closing_connections])
def test_inner_scope_sees_a_query_that_was_cut(server_alias, proxy, outer):
    """The inner scope, and the job behind it, get their own answers."""
    connection = open_connection(server_alias, None)
    with outer():
        cut_a_query(connection, proxy)
        with fresh_connections():
            assert run(connection, "SELECT 42") == (42,)
        cut_a_query(connection, proxy)
        with fresh_connections():
            pass
        assert run(connection, "SELECT 43") == (43,)


def test_guard_sees_a_query_that_was_cut(server_alias, proxy):
    """The next cursor works: celery's clean-up after a time limit."""
    connection = open_connection(server_alias, None)
    with guard_connections():
        with fresh_connections():
            cut_a_query(connection, proxy)
            assert run(connection, "SELECT 42") == (42,)
            assert run(connection, "SELECT 43") == (43,)


@since_django_16
def test_djangos_own_call_sees_a_query_that_was_cut(server_alias, proxy):
    """With the app installed Django's close_old_connections() replaces it."""
    connection = open_connection(server_alias, None)
    cut_a_query(connection, proxy)
    call_djangos_own(server_alias)
    assert run(connection, "SELECT 42") == (42,)


# What is an error of a driver, and what is not.


def raised(error):
    """Return an error that was raised in this module."""
    try:
        raise error
    except Exception as caught:
        return caught


class Foreign(Exception):
    """An exception of the program's own."""


class ForeignConfiguration(ImproperlyConfigured):
    """An exception of the program's own, with a base class of Django's."""


OWN = [
    Foreign(),
    ForeignConfiguration(),
    SoftTimeLimitExceeded(),
    AttributeError("of the program's own"),
    IOError("a time-out of the program's own"),
    ValueError(),
    RuntimeError(),
]
if sys.version_info >= (3,):
    OWN.append(TimeoutError())


@pytest.mark.parametrize("error", OWN, ids=repr)
def test_error_of_the_program_is_none_of_the_database(server_alias, error):
    """An exception that a handler in the program raises is not a driver's."""
    connection = open_connection(server_alias)
    things = connection, connection.connection
    assert is_of_database(raised(error), *things) is False


@pytest.mark.parametrize("error", [KeyboardInterrupt(), SystemExit(), GeneratorExit()])
def test_exception_that_is_no_error_is_none_of_the_database(error):
    """What is no Exception comes out always."""
    assert is_of_database(error) is False


def test_errors_of_the_database_and_the_system_count(server_alias):
    """Errors of Django's layer, of the driver, and of the system count."""
    connection = open_connection(server_alias)
    module = sys.modules[type(connection).__module__].Database
    for error in (
        module.OperationalError(2006, "gone"),
        module.InterfaceError(0, ""),
        DatabaseError(),
        getattr(utils, "InterfaceError", DatabaseError)(),
        OSError(104, "Connection reset by peer"),
    ):
        assert is_of_database(raised(error)) is True, repr(error)


def make_driver(code):
    """Return a class of raw connections in a package of its own."""
    names = {"__name__": "unknown_driver.connections"}
    exec(code, names)
    return names


UNKNOWN_DRIVER = """
class Error(Exception):
    pass

class Connection(object):
    def close(self):
        raise Error("not open")

    def ping(self):
        return None.socket
"""


def test_errors_of_an_unknown_driver_count():
    """What is defined, or raised, in the package of a raw connection counts."""
    names = make_driver(UNKNOWN_DRIVER)
    raw = names["Connection"]()
    error = error_of(raw.close)
    assert is_of_database(error) is False
    assert is_of_database(error_of(raw.close), raw) is True
    try:
        raw.ping()  # AttributeError
    except AttributeError as error:
        assert is_of_database(error, raw) is True
    assert is_of_database(raised(Foreign()), raw) is False


def test_error_of_an_unknown_driver_is_logged(alias, caplog):
    """A close that fails with an error of an unknown class harms nothing."""
    connection = open_connection(alias)
    raw = connection.connection
    names = make_driver(UNKNOWN_DRIVER)
    closed = []

    class Raw(names["Connection"]):
        def __getattr__(self, name):
            return getattr(raw, name)

        def commit(self):
            return raw.commit()

        def rollback(self):
            return raw.rollback()

        def close(self):
            closed.append(True)
            names["Connection"].close(self)

    Raw.__module__ = "unknown_driver.connections"
    connection.connection = Raw()
    close_all_connections()
    assert is_closed(connection) and closed
    assert [level for level, _ in logged(caplog)] == ["WARNING"]
    raw.close()
    assert run(connection, "SELECT 42") == (42,)


def test_close_of_a_dead_connection_harms_nothing(server_alias):
    """Each driver has its own error for a lost connection, or none; no job sees it."""
    connection = open_connection(server_alias, None)
    hang_up(connection)
    close_all_connections()
    assert is_closed(connection)
    open_connection(server_alias, None)
    cursor = connection.cursor()
    kill(connection)
    error_of(lambda: cursor.execute("SELECT 1"))
    close_all_connections()
    assert is_closed(connection)
    check_next(connection)


def test_close_of_a_connection_that_the_driver_gave_up_harms_nothing(server_alias):
    """A raw connection that was closed behind Django's back is closed once more."""
    connection = open_connection(server_alias, None)
    connection.connection.close()
    close_all_connections()
    assert is_closed(connection)
    open_connection(server_alias, None).connection.close()
    assert len(close_stale_connections()) == 1
    open_connection(server_alias, None).connection.close()
    check_next(connection)
