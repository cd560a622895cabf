"""Keep a parent's sessions alive when its connections are forked.

A forked child holds the same sockets as its parent. Whatever says goodbye on one of
them ends the session of the parent (Django's ticket 31637): each driver's close(), and
mysqlclient's destructor too, which the others' look at the process first. So it is
enough that a child drops what the parent's other threads had open, as Python 3 does at
the fork, or that its interpreter ends. Each raw connection that Django opens is
therefore held here, with the process it belongs to, for as long as its connection
lives.
"""

from __future__ import absolute_import

import atexit
import os
import socket
import weakref

import six
from django.conf import settings
from django.db.backends.signals import connection_created

from django_compat._versions import (
    connection_pools,
    drop_raw,
    forget_block,
    goes_by_django,
    monotonic,
    used_connections,
)
from django_compat.drivers import descriptor, is_embedded, is_in_memory

__all__ = ["discard", "discard_inherited", "discard_pools", "is_inherited", "origin"]

# By id(connection): Django's connections compare equal across threads (until 1.11).
# Each thread changes only the entries of its own; a dict's own operations are atomic.
origins = {}
clean_pid = os.getpid()  # of the process that has no inherited pools any more
_kept = []  # inherited ones whose descriptor cannot be had: their end could be heard


class Origin(object):
    """Where and when a connection was opened.

    ``used``: when it was last let go; a scope that finds it well tells so where
    ``is_timed`` (no descriptor, see staleness.BYPASS) or CONN_MAX_IDLE asks for it.
    ``is_plain``: Django's own code looks after it.
    """

    is_quiet = None  # for staleness to set

    def __init__(self, connection, pid):
        key = id(connection)
        self.pid = pid
        self.raw = connection.connection
        fd = descriptor(self.raw)
        self.file = _file(fd)
        self.is_timed = fd is None
        self.used = monotonic()
        self.is_plain = goes_by_django(connection)
        self.end = weakref.ref(connection, lambda _: _forget(key))


def _file(fd):
    """Identify the file behind a descriptor; None when there is none."""
    try:
        return os.fstat(fd)[1:3]  # inode and device
    except (OSError, TypeError):
        return None


def _note(connection, **kwargs):
    """Receive connection_created."""
    origins[id(connection)] = Origin(connection, os.getpid())
    pool = connection_pools().get(connection.alias)
    if pool is not None and not hasattr(pool, "_django_compat_pid"):
        pool._django_compat_pid = os.getpid()


def _forget(key):
    """Let go of the raw connection of a connection that has ended."""
    found = origins.pop(key, None)
    if found is not None and found.pid != os.getpid():
        _silence(found.raw, found.file)


def origin(connection):
    """Return the Origin of an open connection.

    The ``pid`` of one that was opened before this module was loaded is None.
    """
    found = origins.get(id(connection))
    if found is None or found.raw is not connection.connection:
        found = origins[id(connection)] = Origin(connection, None)
    return found


def is_inherited(connection):
    """Tell whether an open connection came through a fork.

    A database in memory did, and is the child's own all the same.
    """
    if connection.connection is None:
        return False
    pid = origin(connection).pid
    if pid is None or pid == os.getpid():
        return False
    return not is_in_memory(connection)


def _silence(raw, file):
    """Close a raw connection in this process without a byte on its socket.

    A socket of our own takes the place of the inherited one, which stays the parent's;
    the goodbye goes there. It takes the place of no other ``file``: a daemon may have
    closed the descriptor, and mysqlclient tells that of a lost connection for ever. A
    file of SQLite must not even be closed in a child (sqlite.org/howtocorrupt.html,
    2.6): it is kept, like what shows no descriptor.

    The destructor of a thread's connections comes here in the middle of a fork: there
    must be no lock on the way, so no log.
    """
    fd = None if is_embedded(raw) else descriptor(raw)
    if fd is None or _file(fd) not in (file, None):
        _kept.append(raw)
        return
    if fd < 0:
        return
    ours, theirs = socket.socketpair()
    theirs.shutdown(socket.SHUT_WR)  # an end for who reads, no SIGPIPE for who writes
    os.dup2(ours.fileno(), fd)
    ours.close()
    try:
        raw.close()
    except Exception:
        # Each driver has its own class. A failed goodbye is a goodbye unheard.
        pass
    theirs.close()


def discard(connection):
    """Forget one inherited connection, and the pool it came from."""
    found = origin(connection)
    _silence(found.raw, found.file)
    forget_block(connection)
    drop_raw(connection)
    discard_pools([connection.alias])


def discard_pools(using):
    """Forget the psycopg pools that came through a fork, and what idles in them."""
    global clean_pid
    pid = os.getpid()
    if pid == clean_pid:
        return
    if isinstance(using, six.string_types):
        using = [using]
    pools = connection_pools()
    for alias, pool in list(pools.items()):
        if _pool_is_inherited(pool) and (using is None or alias in using):
            # Not pool.close(): its threads stayed in the parent, its locks may be held.
            # So too for its destructor, which does nothing to a closed one.
            pool._closed = True
            del pools[alias]
            for raw in list(pool._pool):
                _silence(raw, _file(descriptor(raw)))
    if using is None:
        clean_pid = pid


def _pool_is_inherited(pool):
    """Tell whether a psycopg pool came through a fork."""
    return getattr(pool, "_django_compat_pid", os.getpid()) != os.getpid()


def discard_inherited():
    """Forget what any thread of the parent had open.

    Also before a forked child ends, and its interpreter destroys what is left. Not what
    is embedded: it has no far end, and its locks may be held by a thread that is gone.
    """
    for key in list(origins):  # of integers: a list of items could collect garbage
        found = origins.get(key)
        if found is None or found.pid in (None, os.getpid()) or is_embedded(found.raw):
            continue
        connection = found.end()
        if connection is None or connection.connection is not found.raw:
            _forget(key)
        else:
            discard(connection)


connection_created.connect(_note)
if settings.configured:  # else nothing can be open
    for _connection in used_connections().values():
        if _connection.connection is not None:
            origin(_connection)
atexit.register(discard_inherited)
