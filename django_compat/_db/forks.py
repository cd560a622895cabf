"""Keep a parent's sessions alive when its connections are forked.

A forked child holds the same sockets as its parent. A goodbye on such a socket ends the
session of the parent (Django's ticket 31637). Each driver's ``close()`` sends one, and
so does mysqlclient's destructor; the destructors of other drivers compare the process
id first. A child need not touch the database: Python 3 destroys the connections of the
parent's other threads at the fork, and the rest when the child ends. So a child holds a
reference to each raw connection that was open at the fork, until it is silenced.

Everything that may come through a fork records ``os.getpid()`` when it begins, and is
compared with ``os.getpid()``. uWSGI forks without a word to Python unless it runs with
threads or ``py-call-osafterfork``, so ``os.register_at_fork`` is no substitute.
"""

from __future__ import absolute_import

import atexit
import os
import socket
import weakref

from django.conf import settings
from django.db.backends.signals import connection_created

from django_compat._db.drivers import (
    descriptor,
    is_embedded,
    is_in_memory,
    is_of_database,
    locks_itself,
)
from django_compat._db.stats import count
from django_compat._db.versions import (
    drop_raw,
    forget_block,
    is_borrowed,
    is_judged_by_django,
    monotonic,
    used_connections,
)

__all__ = [
    "FORKED",
    "discard",
    "discard_inherited",
    "file_of",
    "is_inherited",
    "session_of",
    "sessions",
    "silence",
]

FORKED = "came through a fork"

# By id(connection): Django's connections compare equal across threads (until 1.11).
# Each thread changes only its own entries; single operations of a dict are atomic.
sessions = {}
# Inherited raw connections that are not closed. Kept, because their destructor could
# say goodbye, or wait for a lock.
_kept = []
# Python 3.7+ tells before it forks: until then no reference to a raw connection is held
# here. Where nobody tells, all are held while their connections live.
_HOLDS = not hasattr(os, "register_at_fork")
_held = []  # raw connections, while this process forks


class Session(object):
    """Who opened a connection, and when it was last used.

    ``raw`` returns the raw connection, None when it is gone. ``pid`` is the process
    that opened it, None when it was open before this module was loaded. ``used`` is
    updated by scopes only where it matters: when there is no descriptor
    (``needs_time``, see stale.BYPASS), or when CONN_MAX_IDLE is set. ``is_plain``:
    nothing but Django's own code decides when the connection is old.
    """

    is_quiet = None  # set by stale.py at its first look
    is_given_up = False  # a scope has closed it in a block

    def __init__(self, connection, pid):
        key = id(connection)
        self.pid = pid
        raw = connection.connection
        self.raw = _reference(raw)
        fd = descriptor(raw)
        self.file = file_of(fd)
        self.needs_time = fd is None
        self.used = monotonic()
        self.is_plain = is_judged_by_django(connection)
        self.connection = weakref.ref(connection, lambda _: _forget(key))


def _reference(raw):
    """Return a function that returns the raw connection."""
    if not _HOLDS:
        try:
            return weakref.ref(raw)
        except TypeError:  # of sqlite3, and of unknown drivers
            pass
    return lambda: raw


def file_of(fd):
    """Return what identifies the file behind a descriptor, None without a file."""
    try:
        return os.fstat(fd)[1:3]  # inode and device
    except (OSError, TypeError) as error:
        if getattr(error, "errno", True) is None:  # pragma: no cover: a signal
            raise  # a time-out of the program's own
        return None


def _record(connection, **kwargs):
    """Receive connection_created."""
    sessions[id(connection)] = Session(connection, os.getpid())


def _forget(key):
    """Let go of the raw connection of a connection that was destroyed."""
    session = sessions.pop(key, None)
    raw = session and session.raw()
    if raw is not None and session.pid != os.getpid():
        silence(raw, session.file, is_ours=False)


def session_of(connection):
    """Return the Session of an open connection."""
    session = sessions.get(id(connection))
    if session is None or session.raw() is not connection.connection:
        session = sessions[id(connection)] = Session(connection, None)
    return session


def is_inherited(connection):
    """Tell whether an open connection came through a fork.

    A database in memory came through it, too, but the copy is the child's own.
    """
    if connection.connection is None:
        return False
    pid = session_of(connection).pid
    if pid is None or pid == os.getpid():
        return False
    return not is_in_memory(connection)


def silence(raw, file, is_ours=True):
    """Close a raw connection in this process, with no byte sent to its server.

    A socket of our own replaces the inherited socket in this process, so the goodbye
    goes nowhere, and the parent keeps its session. The descriptor is replaced only
    while it still is ``file``: a daemon may have closed it, and mysqlclient tells the
    number of a lost connection for ever. A SQLite file must not even be closed in a
    child (sqlite.org/howtocorrupt.html, 2.6), so that connection is kept, like one
    that shows no descriptor.

    No error of a driver or of the system comes out, even in a process without a free
    descriptor. The destructor of a thread's connections calls this in the middle of a
    fork: take no lock on the way, so do not log.

    ``is_ours``: no other thread of the parent was at work on it at the fork. Else its
    lock may be held for ever: then only the descriptor is closed, and the connection is
    kept, because PyMySQL's destructor waits for the lock as well.
    """
    fd = None if is_embedded(raw) else descriptor(raw)
    if fd is None or file_of(fd) not in (file, None):
        _kept.append(raw)
        return
    if fd < 0:
        return
    if not is_ours and locks_itself(raw):
        _kept.append(raw)
        if file_of(fd) is not None:  # else the thread was about to forget it
            os.close(fd)
        return
    far_end = None
    try:
        far_end = _replace(fd)
    except (OSError, socket.error):  # pragma: no cover: no descriptor is free
        pass  # the number is free: what the driver writes goes nowhere
    try:
        raw.close()
    except Exception as error:  # pragma: no cover: no descriptor is free
        if not is_of_database(error, raw):  # a goodbye that fails is unheard as well
            raise
    finally:
        if far_end is not None:
            far_end.close()


def _replace(fd):
    """Put a socket that leads nowhere in the place of a descriptor.

    Returns its far end, which takes what is written and says end of file: libmariadb
    tries for ever to write a goodbye by TLS that a socket refuses.
    """
    far_end = None
    try:
        nowhere, far_end = socket.socketpair()
        far_end.shutdown(socket.SHUT_WR)
    except (OSError, socket.error):
        os.close(fd)  # no two descriptors are free
        nowhere = socket.socket(socket.AF_UNIX)
    os.dup2(nowhere.fileno(), fd)
    nowhere.close()  # where both numbers are the same, the number is free now
    return far_end


def discard(connection):
    """Forget one inherited connection, and the block it is in."""
    session = session_of(connection)
    try:
        silence(connection.connection, session.file, not is_borrowed(connection))
    finally:
        forget_block(connection)
        drop_raw(connection)
        count(connection.alias, "closed", FORKED)


def discard_inherited():
    """Forget the connections of all of the parent's threads.

    Runs also before a forked child ends, whose interpreter destroys what is left. An
    embedded database is kept: it has no far end, and a thread that is gone may hold
    its locks.
    """
    for key in list(sessions):  # of integers: a list of items could collect garbage
        session = sessions.get(key)
        if session is None or session.pid in (None, os.getpid()):
            continue
        raw, connection = session.raw(), session.connection()
        if raw is None or is_embedded(raw):
            continue
        if connection is None or connection.connection is not raw:
            _forget(key)
        else:
            discard(connection)


def _hold():
    for key in list(sessions):
        session = sessions.get(key)
        _held.append(session and session.raw())


def _keep_held():
    """Keep in a child what the parent had open: see the beginning of this file."""
    for key in list(sessions):
        session = sessions.get(key)
        raw = session and session.raw()
        if raw is not None:
            session.raw = lambda raw=raw: raw
    del _held[:]


if not _HOLDS:  # Python 3.7+
    os.register_at_fork(
        before=_hold, after_in_parent=_held.clear, after_in_child=_keep_held
    )
connection_created.connect(_record, weak=False)
if settings.configured:  # else nothing can be open
    for _connection in used_connections().values():
        if _connection.connection is not None:
            session_of(_connection)
atexit.register(discard_inherited)
