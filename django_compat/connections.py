"""Close the database connections of this thread."""

from __future__ import absolute_import

from logging import getLogger

import six
from django.db import connections

from django_compat._versions import drop_raw, used_connections
from django_compat.deprecation import removed_in_warning, warn

__all__ = ["close_all_connections", "close_connection", "close_old_connections"]

logger = getLogger(__name__)


def _select(using):
    """Return this thread's connections for an alias, several, or None for all.

    An alias that this thread never used selects nothing; one that nobody configured
    raises Django's ConnectionDoesNotExist, before anything is closed.
    """
    used = used_connections()
    if using is None:
        return list(used.values())
    aliases = [using] if isinstance(using, six.string_types) else list(using)
    for alias in aliases:
        if alias not in used and alias not in connections:
            connections[alias]
    return [used[alias] for alias in aliases if alias in used]


def _close(connection):
    """Close one connection; log what it raises, and drop its raw one all the same."""
    if connection.connection is None:
        return
    try:
        connection.validate_thread_sharing()
    except Exception:
        # DatabaseError. Somebody put another thread's connection here: not ours.
        logger.warning(
            "connection %r belongs to another thread and is left alone",
            connection.alias,
            exc_info=True,
        )
        return
    try:
        connection.close()
    except Exception:
        # A driver closes a dead connection with InterfaceError (psycopg2),
        # ProgrammingError (mysqlclient), AttributeError or Error (PyMySQL), bare or
        # wrapped by Django: there is no narrower class for all of them.
        logger.warning("closing %r failed", connection.alias, exc_info=True)
        drop_raw(connection)


def close_all_connections(using=None):
    """Close this thread's connections now, whatever their age.

    ``using`` is an alias or several of them; None, the default, means every alias
    that this thread has used, also one that is no longer in DATABASES. An alias that
    is neither used nor configured raises ``ConnectionDoesNotExist``.

    One that fails to close is logged with its alias as a warning, its raw connection
    is dropped, and the others are closed all the same. Inside ``atomic()`` it closes
    too, and the block is rolled back. Connections of other threads are not touched,
    no wrapper is created, nothing is opened. With a psycopg pool the connection goes
    back to its pool. In a forked child it would end the parent's session: every close
    does.

    .. versionadded:: 1.0
    """
    for connection in _select(using):
        _close(connection)


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
