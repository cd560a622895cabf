"""Close the database connections of this thread."""

from __future__ import absolute_import

import os

from django_compat._versions import used_connections
from django_compat.closing import close, close_if_stale, select
from django_compat.deprecation import removed_in_warning, warn
from django_compat.drivers import is_in_memory
from django_compat.forks import discard, discard_inherited, discard_pools, origin

__all__ = [
    "close_all_connections",
    "close_connection",
    "close_old_connections",
    "close_stale_connections",
    "discard_connections",
]


def close_all_connections(using=None):
    """Close this thread's connections now, whatever their age.

    ``using`` is an alias or several of them; None, the default, means every alias
    that this thread has used, also one that is no longer in DATABASES. An alias that
    is neither used nor configured raises ``ConnectionDoesNotExist``.

    One that fails to close is logged with its alias as a warning, its raw connection
    is dropped, and the others are closed all the same. Inside ``atomic()`` it closes
    too, and the block is rolled back. Connections of other threads are not touched,
    no wrapper is created, nothing is opened. With a psycopg pool the connection goes
    back to its pool. One that came through a fork is discarded, and so is its pool: a
    close would end the parent's session.

    .. versionadded:: 1.0
    """
    discard_pools(using)
    for connection in select(using):
        close(connection)


def close_old_connections(**kwargs):
    """Close this thread's connections that are broken or past CONN_MAX_AGE.

    An equal of Django's own, for a Django that has it no more: ``kwargs`` are a
    signal's and are ignored.

    .. versionadded:: 1.0
    """
    for connection in used_connections().values():
        connection.close_if_unusable_or_obsolete()


def close_connection(**kwargs):
    """Close every open connection of this thread now, whatever CONN_MAX_AGE says.

    That is what the name did in every Django that had it (1.4 to 1.7). ``kwargs`` are
    a signal's and are ignored. Use ``close_old_connections`` to keep those that are
    young and well, or ``close_all_connections`` to go on closing all of them.

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

    Those that the server hung up, found without a round trip; those that came through
    a fork, without a byte sent; those that idled for longer than the CONN_MAX_IDLE
    (seconds) of their DATABASES entry. A socket that has something to be read, or that
    a statement failed on, is no proof: then, and only then, the server is asked.

    ``using`` is an alias or several of them, None means all. Returns what it closed
    as a list of ``(alias, reason)``, the reasons being constants of
    ``django_compat.staleness``, and logs each at INFO; one that fails to close as a
    warning, and its raw connection is dropped. A connection inside ``atomic()``, or
    with autocommit off, is left alone, unless it came through a fork: then the block
    is the parent's. Connections of other threads are not touched, no wrapper is
    created, nothing is opened. With an unknown driver that shows no descriptor the
    server is asked, unless the connection was in use half a second ago.

    ``ImproperlyConfigured`` for a CONN_MAX_IDLE that is no number of seconds.

    .. versionadded:: 1.0
    """
    discard_pools(using)
    closed = []
    for connection in select(using):
        reason = connection.connection is not None and close_if_stale(connection)
        if reason:
            closed.append((connection.alias, reason))
    return closed


def discard_connections(using=None):
    """Forget the connections that came through a fork, and send nothing.

    The sessions stay the parent's: neither it nor the server hears of it, and the next
    query in this process opens a connection of its own. Call it in a forked child,
    before the first query, where no hook of ours does (see the README); in a process
    that has not forked it does nothing. Inside an ``atomic()`` of the parent's it
    discards too, and the block is forgotten. The pools of psycopg (Django 5.1+) are
    given up with them. Descriptors are closed.

    ``using`` is an alias or several of them, None means all, and what the parent's
    other threads had open too. One that was opened before this package was imported
    counts as inherited.

    .. versionadded:: 1.0
    """
    discard_pools(using)
    if using is None:
        discard_inherited()
    for connection in select(using):
        if connection.connection is None or is_in_memory(connection):
            continue
        if origin(connection).pid != os.getpid():
            discard(connection)
