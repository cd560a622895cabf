"""Count what happens to connections, from the first call of ``stats()`` on.

Before that call nothing of Django's or ours is changed, and nothing is counted. Then
connections and scopes get methods that count, see ``begin``.

Each number is an ``itertools.count``: its ``next()`` is one step in C, so no lock is
taken, and a signal or a destructor may arrive at any line. The keys begin with the
process id: a forked child begins at zero.
"""

from __future__ import absolute_import

import itertools
import os
import sys
import threading

from django.db.backends.signals import connection_created

__all__ = ["begin", "count", "reasons", "stats", "undo"]

# Why connections are closed, besides the reasons of stale.py.
CLOSED = "closed by the program"
OLD = "past CONN_MAX_AGE"

_numbers = {}  # by (process, alias, what, reason)
reasons = {}  # by id: why a connection is being closed, where somebody knows
_closing = set()  # ids of connections whose close() has begun
_unused = set()  # ids of connections that the unit of work has not used yet
_lock = threading.Lock()  # guards _undos
_undos = []


def count(alias, what, reason=None):
    """Count an event, if somebody reads the numbers."""
    if _undos:
        key = os.getpid(), alias, what, reason
        number = _numbers.get(key) or _numbers.setdefault(key, itertools.count())
        next(number)


def stats():
    """Return what has happened to this process's connections since the first call.

    A dict by alias, each value with ``opened``: sessions begun, or taken out of a
    pool; ``reused``: units of work (a request, a task, a scope) that used a connection
    which an earlier unit had opened; ``closed``: a dict from the reason to the number;
    and ``replaced``: lost sessions that were given up (see ``connection_replaced``),
    those of psycopg's pools included. The numbers only grow. An alias without an event
    is absent.

    The reasons are those of ``close_stale_connections``, ``"past CONN_MAX_AGE"`` and
    ``"closed by the program"``, which every other close is. Connections that end
    without a close, with their thread or by the garbage collector, are not counted.

    The first call begins to count, in all threads, and returns an empty dict; until
    then counting costs nothing. A forked child begins at zero. Nothing is opened, no
    server is asked, and no lock is held while numbers are read: call it in any thread,
    also inside ``atomic()``.

    .. versionadded:: 1.0
    """
    begin()
    counts = {}
    for (pid, alias, what, reason), number in list(_numbers.items()):
        if pid != os.getpid():
            continue
        values = {"opened": 0, "reused": 0, "closed": {}, "replaced": 0}
        values = counts.setdefault(alias, values)
        amount = int(repr(number)[len("count(") : -1])
        if reason is None:
            values[what] = amount
        else:
            values[what][reason] = amount
    return counts


def _is_open(connection):
    is_over = getattr(connection, "closed_in_transaction", False)  # Django 1.6+
    return connection.connection is not None and not is_over


def _count_opened(connection, **kwargs):
    """Receive connection_created."""
    count(connection.alias, "opened")


def _count_replaced(alias, **kwargs):
    """Receive connection_replaced."""
    count(alias, "replaced")


def _count_uses(original, guards):
    """Return a function that counts the first use in a unit of work."""

    def count_and_use(connection, *args, **kwargs):
        if id(connection) in _unused:
            _unused.discard(id(connection))
            if connection.connection is not None:
                count(connection.alias, "reused")
        return original(connection, *args, **kwargs)

    return count_and_use


def _why(connection, caller):
    """Return the reason of a close that this package does not make."""
    from django_compat._db.stale import UNUSABLE

    if caller == "close_if_health_check_failed":  # Django 4.1+
        return UNUSABLE
    if caller == "close_if_unusable_or_obsolete":  # Django 1.6+
        if connection.errors_occurred:
            return UNUSABLE
        if connection.autocommit == connection.settings_dict["AUTOCOMMIT"]:
            return OLD
    return CLOSED


def _count_closes(original, guards):
    """Return a function that closes, and counts what it has closed."""

    def close_and_count(connection, *args, **kwargs):
        key = id(connection)
        # The method of a class may call that of its base class.
        if key in _closing or not _is_open(connection):
            return original(connection, *args, **kwargs)
        reason = reasons.get(key)
        if reason is None:
            reason = _why(connection, sys._getframe(1).f_code.co_name)
        _closing.add(key)
        try:
            return original(connection, *args, **kwargs)
        finally:
            _closing.discard(key)
            if not _is_open(connection):
                count(connection.alias, "closed", reason)

    return close_and_count


def _end_units(original, guards):
    """Return a function that lets Django look; a unit of work begins or ends there."""

    def look_and_mark(connection, *args, **kwargs):
        _unused.discard(id(connection))  # to look is no use
        result = original(connection, *args, **kwargs)
        _mark([connection])
        return result

    return look_and_mark


def _mark(connections):
    for connection in connections:
        if connection.connection is not None:
            _unused.add(id(connection))


def begin():
    """Begin to count; the second call does nothing."""
    if _undos:
        return
    with _lock:
        if not _undos:
            _undos.append(_begin())


def _begin():
    from django_compat._db import guard, scopes
    from django_compat._db.closing import connection_replaced
    from django_compat._db.versions import used_connections

    begin_scope, enter = scopes.begin, scopes.enter

    def begin_and_mark(scope):
        result = begin_scope(scope)
        _mark(used_connections().values())
        return result

    def enter_and_mark(frame, outer):  # also of ``async with``
        enter(frame, outer)
        _mark(used_connections().values())

    uses = guard.Patch(guard.FIRST_STEP, _count_uses)
    closes = guard.Patch("close", _count_closes)
    looks = guard.Patch("close_if_unusable_or_obsolete", _end_units)
    counting = guard.Guard(uses, closes, looks)
    connection_created.connect(_count_opened)
    connection_replaced.connect(_count_replaced)
    scopes.Scope.__enter__, scopes.enter = begin_and_mark, enter_and_mark

    def end():
        scopes.Scope.__enter__, scopes.enter = begin_scope, enter
        connection_replaced.disconnect(_count_replaced)
        connection_created.disconnect(_count_opened)
        counting.undo()

    return end


def undo():
    """End counting, and forget the numbers."""
    with _lock:
        while _undos:
            _undos.pop()()
        _numbers.clear()
