"""Select connections of this thread, and close one of them."""

from __future__ import absolute_import

from logging import getLogger

import six
from django.db import connections

from django_compat._versions import drop_raw, monotonic, used_connections
from django_compat.forks import discard, is_inherited, origin
from django_compat.staleness import staleness

__all__ = ["close", "close_if_stale", "failures_logged", "is_own", "select"]

logger = getLogger("django_compat.connections")  # whose functions users call


def select(using):
    """Return this thread's connections for an alias, several, or None for all.

    An alias that this thread never used selects nothing; one that nobody configured
    raises Django's ConnectionDoesNotExist, before anything is done.
    """
    used = used_connections()
    if using is None:
        return list(used.values())
    aliases = [using] if isinstance(using, six.string_types) else list(using)
    for alias in aliases:
        if alias not in used and alias not in connections:
            connections[alias]
    return [used[alias] for alias in aliases if alias in used]


def is_own(connection):
    """Tell whether this thread may touch a connection; log it if not."""
    try:
        connection.validate_thread_sharing()
    except Exception:
        # DatabaseError. Somebody put another thread's connection here.
        logger.warning(
            "connection %r belongs to another thread and is left alone",
            connection.alias,
            exc_info=True,
        )
        return False
    return True


def close(connection, reason=None):
    """Close one connection, and tell whether it is closed now.

    What that raises is logged, and the raw connection dropped all the same. With a
    reason, success is logged too.
    """
    if connection.connection is None or not is_own(connection):
        return False
    if is_inherited(connection):
        discard(connection)  # which leaves nothing to be closed
    with failures_logged(connection, reason):
        connection.close()
        if reason:
            logger.info("closed %r: %s", connection.alias, reason)
    return True


class failures_logged(object):
    """Log what closing a connection raises, and drop its raw connection then.

    A driver closes a dead connection with InterfaceError (psycopg2), ProgrammingError
    (mysqlclient), AttributeError or Error (PyMySQL), bare or wrapped by Django: there
    is no narrower class than Exception for all of them.
    """

    def __init__(self, connection, reason=None):
        self.connection = connection
        self.reason = reason

    def __enter__(self):
        return self

    def __exit__(self, kind, error, traceback):
        if kind is None or not issubclass(kind, Exception):
            return False
        logger.warning(
            "closing %r%s failed",
            self.connection.alias,
            " (%s)" % self.reason if self.reason else "",
            exc_info=(kind, error, traceback),
        )
        drop_raw(self.connection)
        return True


def close_if_stale(connection, begins=False):
    """Close an open connection when it is stale; return the reason, or None."""
    if not is_own(connection):
        return None
    reason = staleness(connection, begins)
    if reason is None:
        origin(connection).used = monotonic()
        connection.health_check_done = True  # Django 4.1+ need not ask again
        return None
    return reason if close(connection, reason) else None
