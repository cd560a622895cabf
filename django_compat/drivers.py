"""What is known of each driver; none of them is ever imported here."""

from __future__ import absolute_import

from functools import partial
from inspect import getmro

__all__ = [
    "descriptor",
    "handles",
    "is_driver",
    "is_embedded",
    "is_in_memory",
    "is_interrupted",
    "is_usable",
]


def _fileno(raw):
    # PyMySQL has no fileno(), and no socket once it has noticed the end.
    return (raw if hasattr(raw, "fileno") else raw._sock).fileno()


# By the package a raw connection comes from. None: embedded, with no far end to lose.
_DESCRIPTORS = {
    "MySQLdb": _fileno,  # mysqlclient 1.4.6 and 2.x; its history says: not always
    "_mysql": _fileno,
    "psycopg": _fileno,
    "psycopg2": _fileno,
    "pymysql": _fileno,
    "pysqlite2": None,
    "sqlite3": None,
}


def _has_result(raw):
    # 2014, "Commands out of sync", when one was not read to its end.
    return raw.next_result() != -1


def _is_active(raw):
    return raw.pgconn.transaction_status == 1  # ACTIVE


_INTERRUPTED = {"MySQLdb": _has_result, "psycopg": _is_active}

_drivers = {}  # by class; a race computes the same twice


def _driver(raw):
    """Return the package that a raw connection comes from, None for an unknown one.

    A subclass counts as what it derives from, and so does the transparent proxy of a
    tracing tool, which shows the class of what it wraps.
    """
    cls = raw.__class__
    if cls not in _drivers:
        packages = [base.__module__.partition(".")[0] for base in getmro(cls)]
        known = [package for package in packages if package in _DESCRIPTORS]
        _drivers[cls] = known[0] if known else None
    return _drivers[cls]


def is_interrupted(raw):
    """Tell, at no round trip, whether an answer is still to come or to be read.

    A time-out or a signal leaves that (Django's ticket 30646). PyMySQL closes its
    socket itself then; in psycopg2 it takes a wait callback, and that closes too.
    """
    driver = _driver(raw)
    try:
        return driver in _INTERRUPTED and _INTERRUPTED[driver](raw)
    except Exception:
        return True  # mysqlclient's 2014 is a ProgrammingError, of a class of its own


def handles(raw):
    """Return what tells a raw's descriptor, what its state, and that of a quiet one."""
    driver = _driver(raw)
    if driver == "MySQLdb":
        return raw.fileno, raw.next_result, -1
    if driver == "psycopg":
        read = partial(getattr, raw.pgconn)
        return partial(read, "socket"), partial(read, "transaction_status"), 0  # IDLE
    return getattr(raw, "fileno", None) or partial(descriptor, raw), bool, False


def is_driver(module):
    """Tell whether a module is part of a driver that is known."""
    return module.partition(".")[0] in _DESCRIPTORS


def is_embedded(raw):
    """Tell whether the database is in this process."""
    return _DESCRIPTORS.get(_driver(raw), _fileno) is None


def is_in_memory(connection):
    """Tell whether a database lives and dies with its open connection.

    By its name: until Python 3.6 sqlite3 commits before a PRAGMA.
    """
    name = "%s" % connection.settings_dict["NAME"]
    is_named = name == ":memory:" or "mode=memory" in name
    return is_named and is_embedded(connection.connection)


def descriptor(raw):
    """Return the file descriptor of a raw connection's socket.

    None where the driver shows none; -1 where it knows that the connection is closed.
    mysqlclient tells the old number for ever when a statement has failed because the
    connection was lost (1.4.6 to 2.3.1): it may be another file's by then.
    A driver that is not known is asked all the same, like any file: it may be a pool's
    or a tool's wrapper around one that is.
    """
    driver = _driver(raw)
    try:
        found = _DESCRIPTORS.get(driver, _fileno)(raw)
    except Exception:
        # From a closed one: InterfaceError (psycopg2), ProgrammingError (mysqlclient),
        # OperationalError (psycopg), AttributeError (PyMySQL): no class in common.
        return -1 if driver and not _lacks_descriptor(raw) else None
    return found if isinstance(found, int) else None


def _lacks_descriptor(raw):
    return not hasattr(raw, "fileno") and not hasattr(raw, "_sock")


def is_usable(connection):
    """Ask the server, one round trip, whether a connection still works.

    Not in a transaction: a server may have rolled it back, and the answer hides that.
    """
    raw = connection.connection
    try:
        # Behind a wrapper of an unknown class its method still tells whose it is.
        module = getattr(getattr(raw, "ping", None), "__module__", None) or ""
        if "pymysql" in (_driver(raw), module.partition(".")[0]):
            # Its ping() reconnected silently by default until 2026-05, and Django's
            # is_usable() calls it so.
            raw.ping(reconnect=False)
            return True
        if hasattr(connection, "is_usable"):  # Django 1.6+
            return connection.is_usable()
        cursor = raw.cursor()
        cursor.execute("SELECT 1")
        cursor.close()
        raw.rollback()  # until 1.5 there is always a transaction
        return True
    except Exception:
        # Whatever a driver raises here means no.
        return False
