"""Whether a connection can still be trusted, and why not."""

from __future__ import absolute_import

import six
from django.core.exceptions import ImproperlyConfigured
from django.db import utils
from six.moves import _thread

from django_compat._versions import clock, is_in_transaction, monotonic, reset_queries
from django_compat.drivers import descriptor, is_driver, is_in_memory, is_usable
from django_compat.forks import is_inherited, origin, origins
from django_compat.liveness import DEAD, UNKNOWN, liveness, seconds_silent, watch

__all__ = ["FORKED", "HUNG_UP", "IDLE", "UNUSABLE"]

# Why close_stale_connections closed a connection.
FORKED = "came through a fork"
HUNG_UP = "the server hung up"
IDLE = "idle for longer than CONN_MAX_IDLE"
UNUSABLE = "did not answer"

# Where a driver shows no descriptor: trust what was in use this many seconds ago.
BYPASS = 0.5  # HikariCP's aliveBypassWindowMs


def are_well(used, pid, begins):
    """Do at a glance what a unit of work has to do for connections; tell if for all.

    All are Django's to keep: no other thread's, not failed, not past their age, in no
    transaction, their autocommit that of the settings; and they still work. So nearly
    all units meet them, and it costs a fraction of the long way round, which finds the
    reason. ``pid`` is this process's. False decides nothing.
    """
    thread = _thread.get_ident()
    for connection in used:
        found = origins.get(id(connection))
        if (  # Django 1.8+
            found is None
            or (found.pid != pid and found.pid is not None)
            or not found.is_plain
            or connection.connection is not found.raw
            or connection._thread_ident != thread
            or connection.errors_occurred
            or connection.in_atomic_block
            or connection.autocommit != connection.settings_dict["AUTOCOMMIT"]
            or (connection.close_at is not None and clock() >= connection.close_at)
        ):
            return False
        has_limit = "CONN_MAX_IDLE" in connection.settings_dict
        if begins:
            if found.is_quiet is None:
                found.is_quiet = watch(found.raw)
            if has_limit or not found.is_quiet():
                return False
            if connection.queries_log:
                reset_queries(connection)
        connection.health_check_done = begins  # Django 4.1+: what it asks, we have seen
        if found.is_timed or has_limit:
            found.used = monotonic()
    return True


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


def may_have_cut(kind, traceback):
    """Tell whether an exception may have interrupted a query half way.

    Django's ticket 30646: the answer is then still to come, the next query would read
    it, and no error was recorded. So it is with what is no Exception, for example
    KeyboardInterrupt or GeneratorExit, and with what came up through the code of the
    database but is no error of the database, like a time-out that a signal raised.
    """
    if kind is None:
        return False
    if not issubclass(kind, Exception):
        return True
    error = getattr(utils, "Error", utils.DatabaseError)  # Django 1.6+
    if issubclass(kind, error) or is_driver(kind.__module__):
        return False
    cut = False
    while traceback is not None:
        frame = traceback.tb_frame
        module = frame.f_globals.get("__name__") or ""
        if frame.f_code.co_name == "run_and_clear_commit_hooks":
            cut = False  # what on_commit() was given is the job's own
        elif module.startswith("django.db.backends") or is_driver(module):
            cut = True
        traceback = traceback.tb_next
    return cut
