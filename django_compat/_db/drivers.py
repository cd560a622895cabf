"""What is known of each driver; none of them is ever imported here."""

from __future__ import absolute_import

import socket
import sys
import threading
from inspect import getmro

from django.db import utils
from six.moves import _thread

__all__ = [
    "connect_options",
    "descriptor",
    "driver_of",
    "force_close",
    "free_lock",
    "hang_up",
    "idle_test",
    "is_driver",
    "is_embedded",
    "is_in_memory",
    "is_interrupted",
    "is_of_database",
    "is_usable",
    "locks_itself",
]

# Django 1.6+ has a base class for all of its database errors. InterfaceError has none
# before.
_DJANGO_ERRORS = (
    getattr(utils, "Error", utils.DatabaseError),
    getattr(utils, "InterfaceError", utils.DatabaseError),
)
# Code that runs on the way from this package to a socket.
_ON_THE_WAY = set("django django_compat socket ssl select gevent eventlet".split())
_PYTHONS_OWN = set(["", "builtins", "__builtin__", "exceptions", "struct", "select"])


def _fileno(raw):
    # PyMySQL has no fileno(), and no socket once it has noticed the end.
    return (raw if hasattr(raw, "fileno") else raw._sock).fileno()


# How to read the socket's descriptor, by the package that a raw connection comes from.
# None: the database is embedded in this process, so there is no far end to lose.
_DESCRIPTORS = {
    "MySQLdb": _fileno,  # mysqlclient 1.4.6 and 2.x; its history says: not always
    "_mysql": _fileno,
    "psycopg": _fileno,
    "psycopg2": _fileno,
    "pymysql": _fileno,
    "pysqlite2": None,
    "sqlite3": None,
}


# The options that bound the time to connect. PyMySQL's connect_timeout ends with TCP's
# handshake: read_timeout bounds the wait for the server's greeting.
_CONNECT_TIMEOUTS = {
    "MySQLdb": ("connect_timeout",),
    "mysql": ("connection_timeout",),  # mysql.connector
    "psycopg": ("connect_timeout",),
    "psycopg2": ("connect_timeout",),
    "pymysql": ("connect_timeout", "read_timeout"),
}


def driver_of(connection):
    """Return the module that a connection has its driver from, or None."""
    # The class of a project's own backend may inherit the driver from Django's class.
    modules = [sys.modules[base.__module__] for base in type(connection).__mro__]
    drivers = [module.Database for module in modules if hasattr(module, "Database")]
    return drivers[0] if drivers else None


def connect_options(connection, seconds):
    """Return OPTIONS, with the driver's own options for a time-out of its connect."""
    package = getattr(driver_of(connection), "__name__", "").partition(".")[0]
    options = dict.fromkeys(_CONNECT_TIMEOUTS.get(package, ()), seconds)
    options.update(connection.settings_dict.get("OPTIONS") or {})
    return options


def _has_result(raw):
    # Raises 2014, "Commands out of sync", when a result was not read to its end; 2006
    # for a connection that is closed, which is none that was interrupted.
    try:
        return raw.next_result() != -1
    except Exception as error:
        if not is_of_database(error, raw):  # pragma: no cover: a signal
            raise
        return bool(error.args) and error.args[0] == 2014


def _is_active(raw):
    return raw.pgconn.transaction_status == 1  # ACTIVE


def _is_unanswered(raw):
    # The first packet of an answer has the number 1, and PyMySQL keeps the result of
    # the last query from when it is read to when the next query is sent.
    is_read = getattr(raw, "_result", None) is not None
    return not is_read and getattr(raw, "_next_seq_id", 0) == 1


_INTERRUPTED = {
    "MySQLdb": _has_result,
    "psycopg": _is_active,
    "pymysql": _is_unanswered,
}

_packages = {}  # by class; two threads that race compute the same value


def _package(raw):
    """Return the driver's package of a raw connection, None for an unknown driver.

    A subclass counts as the class it derives from. The transparent proxy of a tracing
    tool counts as the connection it wraps, because ``__class__`` shows that class.
    """
    cls = raw.__class__
    if cls not in _packages:
        packages = [base.__module__.partition(".")[0] for base in getmro(cls)]
        known = [package for package in packages if package in _DESCRIPTORS]
        _packages[cls] = known[0] if known else None
    return _packages[cls]


def is_interrupted(raw):
    """Tell, at no round trip, whether an answer of the server is still to be read.

    A time-out or a signal in the middle of a query leaves an answer behind (Django's
    ticket 30646). PyMySQL closes its own socket when it is interrupted while it reads.
    psycopg2 can be interrupted only inside a wait callback, and closes its connection.
    """
    package = _package(raw)
    return package in _INTERRUPTED and _INTERRUPTED[package](raw)


def free_lock(raw):
    """Give a raw connection of this thread a new lock, if the old one was left locked.

    psycopg's methods hold the lock of their connection in a ``with``, whose begin an
    exception may interrupt (see versions.free_lock_of_threads): then the next query
    would wait for ever. A ``notifies()`` that waits for its consumer goes on with the
    old lock.
    """
    if _package(raw) == "psycopg" and raw.lock.locked() and not _is_in_use(raw):
        raw.lock = threading.Lock()


def _is_in_use(raw):
    """Tell whether another thread is in a method of a psycopg connection or cursor."""
    frames = sys._current_frames()
    frames.pop(_thread.get_ident(), None)
    for frame in frames.values():
        while frame is not None:
            if is_driver(frame.f_globals.get("__name__") or ""):
                user = frame.f_locals.get("self")
                if user is raw or getattr(user, "_conn", None) is raw:
                    return True
            frame = frame.f_back
    return False


def locks_itself(raw):
    """Tell whether a driver locks a raw connection while it is in use.

    ``close()`` waits for that lock. psycopg2 has one (connection_type.c); PyMySQL reads
    from an io.BufferedReader, which has one.
    """
    return _package(raw) in ("psycopg2", "pymysql")


def _mysqlclient_is_idle(raw, fd):
    return raw.fileno() == fd and raw.next_result() == -1


def _psycopg_is_idle(raw, fd):
    pgconn = raw.pgconn
    is_idle = pgconn.transaction_status == 0  # IDLE
    return pgconn.socket == fd and is_idle and not raw.lock.locked()


def _pymysql_is_idle(raw, fd):
    return descriptor(raw) == fd and not _is_unanswered(raw)


def _has_descriptor(raw, fd):
    return descriptor(raw) == fd


def idle_test(raw):
    """Return a function that tells, at no round trip, whether a raw connection is idle.

    The function takes the raw connection and its descriptor. False decides nothing; for
    a closed connection the function may raise the driver's error.
    """
    known = {
        "MySQLdb": _mysqlclient_is_idle,
        "psycopg": _psycopg_is_idle,
        "pymysql": _pymysql_is_idle,
    }
    return known.get(_package(raw), _has_descriptor)


def _packages_of(thing):
    # A proxy shows the class of the object that it wraps.
    bases = getmro(thing.__class__) + getmro(type(thing))
    modules = [base.__module__ or "" for base in bases]
    # The driver, as the class of a connection names it: Django 1.6+
    modules.append(getattr(getattr(thing, "Database", None), "__name__", ""))
    return {module.partition(".")[0] for module in modules} - _PYTHONS_OWN


def is_of_database(error, *things):
    """Tell whether an error comes from a driver, the database layer, or the system.

    ``things`` are the objects that were called: a connection, a raw connection. What
    is defined in their packages counts as a driver.

    Nothing else may be caught while a server is asked or a connection is closed: an
    exception of the program's own may arrive at any line, from a signal handler
    (celery's SoftTimeLimitExceeded), a greenlet (gevent's Timeout) or a thread.

    Drivers also raise errors of Python's own classes for a dead connection, for example
    AttributeError (PyMySQL). Such an error counts when its last frame is on the way
    from here to the socket, and not, say, in a signal handler.
    """
    if not isinstance(error, Exception):
        return False
    if isinstance(error, _DJANGO_ERRORS):
        return True
    drivers = set(_DESCRIPTORS).union(*map(_packages_of, things)) - {"django"}
    packages = _packages_of(error)
    if packages & drivers:
        return True
    if isinstance(error, EnvironmentError) and error.errno is not None:
        return True
    if packages - _ON_THE_WAY and not isinstance(error, EnvironmentError):
        return False
    traceback = getattr(error, "__traceback__", None) or sys.exc_info()[2]
    while traceback is not None and traceback.tb_next is not None:
        traceback = traceback.tb_next
    if traceback is None:
        return False
    module = traceback.tb_frame.f_globals.get("__name__") or ""
    return module.partition(".")[0] in drivers | _ON_THE_WAY


def is_driver(module):
    """Tell whether a module is part of a known driver."""
    return module.partition(".")[0] in _DESCRIPTORS


def is_embedded(raw):
    """Tell whether the database runs inside this process."""
    return _DESCRIPTORS.get(_package(raw), _fileno) is None


def is_in_memory(connection):
    """Tell whether a database lives and dies with its open connection.

    The NAME tells: until Python 3.6 sqlite3 commits before a PRAGMA that could.
    """
    name = "%s" % connection.settings_dict["NAME"]
    has_memory_name = name == ":memory:" or "mode=memory" in name
    return has_memory_name and is_embedded(connection.connection)


def descriptor(raw):
    """Return the file descriptor of a raw connection's socket.

    None where the driver shows no descriptor; -1 where the driver knows that the
    connection is closed. After a statement failed because the connection was lost,
    mysqlclient (1.4.6 to 2.3.1) goes on telling the old number, which may be another
    file's by then. An unknown driver is asked like any file: its class may be the
    wrapper of a pool or a tool around a known driver.
    """
    package = _package(raw)
    try:
        fd = _DESCRIPTORS.get(package, _fileno)(raw)
    except Exception as error:
        # A closed connection raises InterfaceError (psycopg2), ProgrammingError
        # (mysqlclient), OperationalError (psycopg) or AttributeError (PyMySQL): there
        # is no common base class.
        if not isinstance(error, AttributeError) and not is_of_database(error, raw):
            raise
        return -1 if package and not _lacks_descriptor(raw) else None
    return fd if isinstance(fd, int) else None


def hang_up(connection):
    """End the wait of another thread for the answer of a server: the wait raises.

    Nothing happens where the driver shows no socket, as it does until it has connected.
    """
    fd = descriptor(connection.connection)
    if fd is None or fd < 0:
        return
    try:
        copy = socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM)
        try:
            copy.shutdown(socket.SHUT_RDWR)
        finally:
            copy.close()
    except EnvironmentError:  # pragma: no cover: a race
        pass  # the far end, or the other thread, was faster


def force_close(raw):
    """Close the socket of a raw connection whose own ``close()`` may be half done.

    Else a traceback that holds a frame of the driver, say in a log, keeps the session;
    once it was interrupted PyMySQL's ``close()`` only raises "Already closed". The C
    code of the other drivers cannot be interrupted.
    """
    if hasattr(raw, "_force_close"):  # PyMySQL
        raw._force_close()
    elif hasattr(raw, "pgconn") and getattr(raw, "_pool", None) is None:  # psycopg
        raw.pgconn.finish()


def _lacks_descriptor(raw):
    return not hasattr(raw, "fileno") and not hasattr(raw, "_sock")


def is_usable(connection):
    """Ask the server, by one round trip, whether a connection still works.

    Never call it in a transaction: the server may have rolled the transaction back,
    and its answer hides that.
    """
    raw = connection.connection
    try:
        # Behind a wrapper of an unknown class the method still names its package.
        module = getattr(getattr(raw, "ping", None), "__module__", None) or ""
        if "pymysql" in (_package(raw), module.partition(".")[0]):
            # Until 2026-05 PyMySQL's ping() reconnects silently by default, and
            # Django's is_usable() calls it without arguments.
            raw.ping(reconnect=False)
            return True
        if hasattr(connection, "is_usable"):  # Django 1.6+
            return connection.is_usable()
        cursor = raw.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
        raw.rollback()  # until Django 1.5 there is always a transaction
        return True
    except BaseException as error:
        if is_of_database(error, connection, raw):
            return False
        connection.errors_occurred = True  # Django 1.6+: the answer may be unread
        force_close(raw)  # PyMySQL's next ping() would read that answer
        raise
