"""Whether a connection can still be trusted, and why not."""

from __future__ import absolute_import

import os

from django.db import utils
from six.moves import _thread

from django_compat._db.drivers import (
    descriptor,
    is_driver,
    is_in_memory,
    is_interrupted,
    is_usable,
)
from django_compat._db.forks import (
    FORKED,
    file_of,
    is_inherited,
    session_of,
    sessions,
)
from django_compat._db.probe import DEAD, UNKNOWN, liveness, seconds_silent, watch
from django_compat._db.values import SECONDS, is_a, refuse_setting
from django_compat._db.versions import (
    HAS_LEGACY_TRANSACTIONS,
    BaseDatabaseWrapper,
    clock,
    is_in_transaction,
    lack_names_of,
    monotonic,
    reset_queries,
)

__all__ = [
    "FORKED",
    "HUNG_UP",
    "IDLE",
    "INTERRUPTED",
    "UNUSABLE",
    "are_healthy",
    "is_quiet",
    "keeps_session",
    "max_idle",
    "may_have_cut",
    "read_max_idle",
    "staleness",
]

# Why close_stale_connections closed a connection.
HUNG_UP = "the server hung up"
IDLE = "idle for longer than CONN_MAX_IDLE"
INTERRUPTED = "a query was interrupted, its answer is unread"
UNUSABLE = "did not answer"

# Where a driver shows no descriptor: trust a connection used this many seconds ago.
BYPASS = 0.5  # HikariCP's aliveBypassWindowMs

# Django 4.1+ asks the server before the first query of a request where the settings
# want it: CONN_HEALTH_CHECKS.
_HAS_HEALTH_CHECKS = hasattr(BaseDatabaseWrapper, "close_if_health_check_failed")


def are_healthy(used, pid, begins, nested):
    """Fast path of a scope: return False if any connection needs the full check.

    True means that each connection of ``used`` belongs to this thread and process,
    works, has not failed, is not past its age, is in no transaction, and has the
    autocommit of its settings; and that whatever a scope does where it begins or ends
    is done. Nearly all scopes meet only connections of this kind. False decides
    nothing: the full check finds the reason. ``pid`` is the id of this process. A
    ``nested`` scope leaves age, autocommit, the query log and health checks to the
    outer scope.
    """
    if HAS_LEGACY_TRANSACTIONS:  # Django 1.4 to 1.7
        return not used
    thread = _thread.get_ident()
    try:
        for connection in used:
            if connection._thread_ident != thread:
                return False
            if begins:
                lock = getattr(connection, "_thread_sharing_lock", None)  # Django 2.2+
                if lock is not None and lock.locked():
                    return False
            raw = connection.connection
            if raw is None and not connection.in_atomic_block:
                if begins and not nested and connection.queries_log:
                    reset_queries(connection)
                continue
            session = sessions.get(id(connection))
            settings = connection.settings_dict
            if (
                session is None
                or (session.pid != pid and session.pid is not None)
                or not session.is_plain
                or session.raw() is not raw
                or connection.errors_occurred
                or connection.in_atomic_block
                or connection.autocommit != settings["AUTOCOMMIT"]
                or "CONN_MAX_IDLE" in settings
            ):
                return False
            if nested:
                if not begins:
                    continue
            else:
                close_at = connection.close_at
                if close_at is not None and clock() >= close_at:
                    return False
                if _HAS_HEALTH_CHECKS:
                    connection.health_check_done = False  # as Django has it
                if session.needs_time:
                    session.used = monotonic()
            if begins:
                if session.is_quiet is None:
                    session.is_quiet = watch(raw)
                if not session.is_quiet(raw):
                    return False
                if not nested and connection.queries_log:
                    reset_queries(connection)
        return True
    except AttributeError:  # a future Django, without a private name
        if not any([lack_names_of(connection) for connection in used]):
            raise  # somebody else's
        return False


def is_quiet(connection):
    """Fast path of a look at one open connection: False decides nothing."""
    session = sessions.get(id(connection))
    raw = connection.connection
    if (
        session is None
        or session.raw() is not raw
        or session.pid != os.getpid()
        or getattr(connection, "errors_occurred", False)  # Django 1.6+
        or "CONN_MAX_IDLE" in connection.settings_dict
    ):
        return False
    if session.is_quiet is None:
        session.is_quiet = watch(raw)
    return session.is_quiet(raw)


def staleness(connection, begins, nested):
    """Return why an open connection cannot be trusted, or None.

    In a transaction only a fork counts: to ask the server might end the transaction.
    Where a scope begins (``begins``) there is none, even with autocommit off. A
    ``nested`` scope leaves the idle time to the outer scope.
    """
    if is_inherited(connection):
        return FORKED
    if not begins and is_in_transaction(connection):
        return None
    if keeps_session(connection.alias, connection.settings_dict):
        return None
    raw, session = connection.connection, session_of(connection)
    fd, state = descriptor(raw), liveness(connection)
    # mysqlclient tells the number of a lost connection for ever.
    is_reused = fd is not None and file_of(fd) != session.file
    if is_interrupted(raw):
        return HUNG_UP if is_reused or state is DEAD else INTERRUPTED
    idle = monotonic() - session.used
    limit = None if nested else max_idle(connection)
    if limit is not None and not is_in_memory(connection):
        # The longer of the two counts: scopes may pass without a query.
        if max(idle, seconds_silent(connection) or 0) > limit:
            return IDLE
    # Django 1.6+; until 1.5 Django asks MySQL before each cursor.
    failed = getattr(connection, "errors_occurred", False)
    if is_reused or state is DEAD:
        return HUNG_UP
    # After an error the descriptor is no proof: see drivers.descriptor.
    if state is UNKNOWN or failed:
        if fd is None and not failed and idle < BYPASS:
            return None
        if not is_usable(connection):
            return UNUSABLE
        connection.errors_occurred = False
    return None


def keeps_session(alias, settings_dict):
    """Return a DATABASES entry's CONN_KEEP_SESSION: True for sessions with a state."""
    value = settings_dict.get("CONN_KEEP_SESSION", False)
    if value is not True and value is not False:
        refuse_setting(alias, "CONN_KEEP_SESSION", value, "True or False")
    return value


def max_idle(connection):
    """Return the CONN_MAX_IDLE of a connection in seconds, None without a limit."""
    value = connection.settings_dict.get("CONN_MAX_IDLE")
    # Infinity works, too; the checks and reports ask for None, which JSON can hold.
    if value is None or (is_a(value, float) and value == float("inf")):
        return None
    return read_max_idle(connection.alias, connection.settings_dict)


def read_max_idle(alias, settings_dict):
    """Return a DATABASES entry's CONN_MAX_IDLE in seconds, None without a limit."""
    value = settings_dict.get("CONN_MAX_IDLE")
    if value is not None and not SECONDS.accepts(value):
        refuse_setting(alias, "CONN_MAX_IDLE", value, SECONDS.optional)
    return value


def may_have_cut(kind, traceback):
    """Tell whether an exception may have interrupted a query half way.

    The answer of a cut query is still to come, the next query would read that answer,
    and Django recorded no error (ticket 30646). Two kinds of exceptions cut: those
    that are no Exception, for example KeyboardInterrupt or GeneratorExit; and those
    that came up through code of Django's backends or of a driver without being an
    error of the database, for example a time-out raised by a signal handler.
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
            cut = False  # a function given to on_commit() is the job's own
        elif module.startswith("django.db.backends") or is_driver(module):
            cut = True
        traceback = traceback.tb_next
    return cut
