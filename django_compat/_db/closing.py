"""Close the connections of this thread."""

from __future__ import absolute_import

import os
from logging import getLogger

import six
from django.db import DatabaseError, connections
from django.dispatch import Signal

from django_compat._db.drivers import (
    force_close,
    free_lock,
    is_in_memory,
    is_of_database,
)
from django_compat._db.forks import (
    discard,
    discard_inherited,
    is_inherited,
    session_of,
)
from django_compat._db.pools import (
    discard_pools,
    drop_dead_sessions,
    return_interrupted,
)
from django_compat._db.stale import FORKED, IDLE, staleness
from django_compat._db.stats import reasons
from django_compat._db.versions import (
    close_old,
    drop_raw,
    free_lock_of_threads,
    is_borrowed,
    monotonic,
    used_connections,
)
from django_compat._names.deprecation import removed_in_warning, warn

__all__ = [
    "close",
    "close_all_connections",
    "close_connection",
    "close_if_stale",
    "close_old_connections",
    "close_stale_connections",
    "connection_replaced",
    "discard_connections",
    "failures_logged",
    "free_locks",
    "is_own",
    "select",
]

# A public name, not __name__: users configure this logger.
logger = getLogger("django_compat.connections")

# Sent when a session that the server ended, or a fork took, is given up: the sender is
# the connection's class, ``alias`` and ``reason`` are texts. What a receiver raises is
# logged.
connection_replaced = Signal()


def select(using):
    """Return this thread's connections for an alias, several, or None for all.

    An alias that this thread never used selects nothing. An alias that nobody
    configured raises Django's ConnectionDoesNotExist, before anything is done.
    """
    used = used_connections()
    if using is None:
        return list(used.values())
    aliases = [using] if isinstance(using, six.string_types) else list(using)
    for alias in aliases:
        if alias not in used and alias not in connections:
            connections[alias]
    return [used[alias] for alias in aliases if alias in used]


def free_locks(connection):
    """Free what an exception left locked: Django's lock and the driver's."""
    free_lock_of_threads(connection)
    free_lock(connection.connection)


def is_own(connection):
    """Tell whether this thread may touch a connection; log it if not."""
    # Django 2.2+ asks under a lock, which an exception may have left locked.
    if not is_borrowed(connection):
        free_locks(connection)
        return True
    try:
        connection.validate_thread_sharing()
    except DatabaseError:
        # Somebody set a connection of another thread in this thread.
        logger.warning(
            "connection %r belongs to another thread and is left alone",
            connection.alias,
            exc_info=True,
        )
        return False
    return True


def close(connection, reason=None, log=logger):
    """Close one connection, unless another thread owns it.

    An error of closing is logged, and the raw connection is dropped all the same. With
    a reason, success is logged, too. A session that the server ended is a loss: that
    is a warning, and ``connection_replaced`` is sent.
    """
    if connection.connection is None or not is_own(connection):
        return
    if is_inherited(connection):
        discard(connection)  # which leaves nothing to be closed
        discard_pools([connection.alias])
    if reason:
        reasons[id(connection)] = reason
    try:
        with failures_logged(connection, reason):
            connection.close()
    finally:
        reasons.pop(id(connection), None)
    if reason:
        _tell(connection, reason, log)


def _tell(connection, reason, log):
    alias = connection.alias
    if reason == IDLE:
        log.info("closed %r: %s", alias, reason)
        return
    if reason == FORKED:
        log.info("closed %r: %s", alias, reason)
    else:
        log.warning(
            "closed %r: %s. A new session begins; temporary tables, locks, LISTEN and "
            "session variables of the old one are gone.",
            alias,
            reason,
        )
    sent = connection_replaced.send_robust(type(connection), alias=alias, reason=reason)
    for receiver, error in sent:
        if isinstance(error, Exception):
            log.error("%r failed: %r", receiver, error)


class failures_logged(object):
    """Log the error that closing a connection raises, and drop its raw connection.

    A driver closes a dead connection with InterfaceError (psycopg2), ProgrammingError
    (mysqlclient), AttributeError or Error (PyMySQL), bare or wrapped by Django. Any
    other exception is the program's own and comes out; the raw connection is dropped
    all the same.
    """

    def __init__(self, connection, reason=None):
        self.connection = connection
        self.raw = connection.connection  # Django's close() forgets it (1.6+)
        self.reason = reason

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None:
            return False
        drop_raw(self.connection)
        if not return_interrupted(self.connection.alias, self.raw):
            force_close(self.raw)
        if not is_of_database(error, self.connection, self.raw):
            return False
        logger.warning(
            "closing %r%s failed",
            self.connection.alias,
            " (%s)" % self.reason if self.reason else "",
            exc_info=(kind, error, traceback),
        )
        return True


def close_if_stale(connection, begins=False, nested=False, log=logger):
    """Close an open connection when it is stale; return the reason, or None."""
    if not is_own(connection):
        return None
    reason = staleness(connection, begins, nested)
    if reason is None:
        session_of(connection).used = monotonic()
        return None
    close(connection, reason, log)
    return reason


def close_all_connections(using=None):
    """Close this thread's connections now, whatever their age.

    ``using`` is an alias or several of them; None, the default, means every alias
    that this thread has used, also an alias that is no longer in DATABASES. An alias
    that is neither used nor configured raises ``ConnectionDoesNotExist``.

    A connection that fails to close is logged with its alias as a warning, its raw
    connection is dropped, and the others are closed all the same. Inside ``atomic()``
    the function closes, too, and the block is rolled back. Connections of other
    threads are not touched, no wrapper is created, nothing is opened. A connection of
    a psycopg pool goes back to its pool. A connection that came through a fork is
    discarded together with its pool, because a close would end the parent's session.

    .. versionadded:: 1.0
    """
    discard_pools(using)
    for connection in select(using):
        close(connection)


def close_old_connections(**kwargs):
    """Close this thread's connections that are broken or past CONN_MAX_AGE.

    Equal to Django's own function, for a Django that no longer has it. ``kwargs`` are
    a signal's and are ignored.

    .. versionadded:: 1.0
    """
    for connection in used_connections().values():
        close_old(connection)


def close_connection(**kwargs):
    """Close every open connection of this thread now, whatever CONN_MAX_AGE says.

    Every Django that had the name (1.4 to 1.7) did so. ``kwargs`` are a signal's and
    are ignored. Use ``close_old_connections`` to keep connections that are young and
    work, or ``close_all_connections`` to go on closing all of them.

    .. deprecated:: 1.0
    """
    warn(
        "close_connection() is deprecated since Django 1.6 and gone since 1.8. Use "
        "close_old_connections() (keeps the young ones) or close_all_connections() "
        "(closes now, as this does).",
        removed_in_warning("RemovedInDjango18Warning"),
    )
    close_all_connections()


def close_stale_connections(using=None):
    """Close this thread's connections that cannot be trusted any more.

    Stale are connections that the server hung up, found without a round trip; those
    that came through a fork, closed without a byte sent; and those that idled for
    longer than the CONN_MAX_IDLE (seconds) of their DATABASES entry; and those on which
    a query was interrupted, so that its answer is unread. A socket that has data to
    read, or on which a statement failed, is no proof: then, and only then, the server
    is asked. Dead idle sessions of psycopg's pools (Django 5.1+) are replaced as well.

    ``using`` is an alias or several of them, None means all. Returns the closed
    connections as a list of ``(alias, reason)``. The reasons are ``HUNG_UP``,
    ``FORKED``, ``IDLE``, ``INTERRUPTED`` and ``UNUSABLE`` of ``django_compat``. A
    session that the server ended is logged as a warning, the others at INFO; for all
    but ``IDLE`` the signal ``connection_replaced`` is sent. A connection that fails to
    close is logged as a warning, and its raw connection is dropped. With
    ``CONN_KEEP_SESSION`` in its DATABASES entry a connection is left alone, unless it
    came through a fork. A connection inside ``atomic()``, or with autocommit off, is
    left alone, unless it came through a fork: then the block is the parent's.
    Connections of other threads are not touched, no wrapper is created, nothing is
    opened. When an unknown driver shows no descriptor, the server is asked, unless the
    connection was used within the last half second.

    ``ImproperlyConfigured`` for a CONN_MAX_IDLE that is no number of seconds.

    .. versionadded:: 1.0
    """
    drop_dead_sessions(using)
    closed = []
    for connection in select(using):
        reason = connection.connection is not None and close_if_stale(connection)
        if reason:
            closed.append((connection.alias, reason))
    return closed


def discard_connections(using=None):
    """Forget the connections that came through a fork, and send nothing.

    The sessions stay the parent's: neither the parent nor the server notices, and the
    next query in this process opens a connection of its own. Call the function in a
    forked child before its first query, where no hook of ours does: see
    docs/guides/forks.rst.
    In a process that has not forked it does nothing. Inside an ``atomic()`` of the
    parent's it discards, too, and the block is forgotten. The pools of psycopg
    (Django 5.1+) are given up as well. Descriptors are closed.

    ``using`` is an alias or several of them. None means all, those of the parent's
    other threads included. A connection that was opened before this package was
    imported counts as inherited.

    .. versionadded:: 1.0
    """
    discard_pools(using)
    if using is None:
        discard_inherited()
    for connection in select(using):
        if connection.connection is None or is_in_memory(connection):
            continue
        if session_of(connection).pid != os.getpid():
            discard(connection)
