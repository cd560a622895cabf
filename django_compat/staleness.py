"""Whether a connection can still be trusted, and why not."""

from __future__ import absolute_import

import six
from django.core.exceptions import ImproperlyConfigured

from django_compat._versions import is_in_transaction, monotonic
from django_compat.drivers import descriptor, is_in_memory, is_usable
from django_compat.forks import is_inherited, origin
from django_compat.liveness import DEAD, UNKNOWN, liveness, seconds_silent

__all__ = ["FORKED", "HUNG_UP", "IDLE", "UNUSABLE"]

# Why close_stale_connections closed a connection.
FORKED = "came through a fork"
HUNG_UP = "the server hung up"
IDLE = "idle for longer than CONN_MAX_IDLE"
UNUSABLE = "did not answer"

# Where a driver shows no descriptor: trust what was in use this many seconds ago.
BYPASS = 0.5  # HikariCP's aliveBypassWindowMs


def staleness(connection, begins=False):
    """Return why an open connection cannot be trusted, or None.

    In a transaction only a fork counts: to ask might end it. Where a unit of work
    begins there is none, even with autocommit off.
    """
    if is_inherited(connection):
        return FORKED
    if not begins and is_in_transaction(connection):
        return None
    idle = monotonic() - origin(connection).used
    limit = max_idle(connection)
    if limit is not None and not is_in_memory(connection):
        # The longer: units of work may pass without a query.
        if max(idle, seconds_silent(connection) or 0) > limit:
            return IDLE
    state = liveness(connection)
    if state is DEAD:
        return HUNG_UP
    # After an error the descriptor is no proof: see drivers.descriptor. Django 1.6+;
    # until 1.5 it asks MySQL before each cursor.
    failed = getattr(connection, "errors_occurred", False)
    if state is UNKNOWN or failed:
        trusted = not failed and idle < BYPASS
        if trusted and descriptor(connection.connection) is None:
            return None
        if not is_usable(connection):
            return UNUSABLE
        connection.errors_occurred = False
    return None


def max_idle(connection):
    """Return the CONN_MAX_IDLE of a connection in seconds, None when there is none."""
    return read_max_idle(connection.alias, connection.settings_dict)


def read_max_idle(alias, settings_dict):
    """Return the CONN_MAX_IDLE of a DATABASES entry in seconds, None without one."""
    value = settings_dict.get("CONN_MAX_IDLE")
    if value is None:
        return None
    is_number = isinstance(value, six.integer_types + (float,))
    if not is_number or isinstance(value, bool) or not value >= 0:
        raise ImproperlyConfigured(
            "DATABASES[%r]['CONN_MAX_IDLE'] is %r; it must be a number of seconds, "
            "0 or more, or None for no limit." % (alias, value)
        )
    return value
