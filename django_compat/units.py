"""Begin and end a unit of work in one thread."""

from __future__ import absolute_import

import threading

from django_compat._versions import (
    close_old,
    drop_raw,
    forget_block,
    is_borrowed,
    is_in_block,
    is_in_transaction,
    monotonic,
    process_id,
    reset_queries,
    suspect,
    used_connections,
)
from django_compat.closing import (
    close,
    close_if_stale,
    failures_logged,
    is_own,
    select,
)
from django_compat.drivers import is_interrupted, is_usable
from django_compat.forks import discard_pools, is_inherited, origin
from django_compat.staleness import is_well, may_have_cut

__all__ = ["Frame", "begin", "end", "enter", "frames", "leave", "take", "task_frames"]


class _Local(threading.local):
    frames = ()  # the scopes this thread is in, outermost first
    entered = ()  # those, and the ones that tasks have entered in this thread


_local = _Local()


class Frame(object):
    """One entered scope, and what it must leave alone."""

    blocks = frozenset()  # ids of the connections that were in a block before
    left = False

    def __init__(self, scope):
        self.scope = scope
        self.pid = process_id()

    def covers(self, connection):
        using = self.scope.using
        return using is None or connection.alias in using

    def shields(self, connection):
        """Tell whether a scope inside this one must leave a connection to it."""
        return self.pid == process_id() and self.covers(connection)


def begin(scope):
    """Begin a unit of work in this thread, inside the scopes that it is in."""
    frame, outer = Frame(scope), _local.frames
    enter(frame, outer + task_frames())
    _local.frames = outer + (frame,)


def end(scope, kind, traceback):
    """End the last unit of work of a scope in this thread; raise nothing."""
    frame, _local.frames = take(_local.frames, scope)
    if frame is not None:  # else a generator's, that began in another thread
        leave(frame, scope, kind, traceback)


def _entered():
    return tuple([frame for frame in _local.entered if not frame.left])


def enter(frame, outer):
    """Begin a unit of work in this thread, inside the frames of ``outer``."""
    using = frame.scope.using
    discard_pools(using, frame.pid)
    entered = _entered()
    # Not those that were entered in other threads, or left: a task inherits them.
    outer = entered and [each for each in outer if each in entered]
    for connection in select(using):
        if not entered and is_well(connection, frame.pid, begins=True):
            continue
        if is_in_block(connection) and not is_inherited(connection):
            frame.blocks |= {id(connection)}
        elif not _shielded(connection, outer):
            reset_queries(connection)
            if connection.connection is not None:
                _begin(connection, _shielded(connection, entered))
    _local.entered = entered + (frame,)


def _shielded(connection, outer):
    """Tell whether one of the frames is still to look after a connection."""
    return any(each.shields(connection) for each in outer)


def _is_ours(connection):
    """Tell the same as is_own, and not of one that another thread shares with us.

    A test may lend its connection, and the transaction on it, to the threads it starts.
    """
    return is_own(connection) and not is_borrowed(connection)


def _begin(connection, is_shared):
    if not _is_ours(connection):
        return
    if close_if_stale(connection, begins=True):
        return
    if not is_shared:  # its age is no reason to take it from another task
        _close_old(connection, begins=True)
    connection.health_check_done = True  # Django 4.1+ need not ask again


def _close_old(connection, begins=False):
    with failures_logged(connection):
        if is_interrupted(connection.connection):
            connection.close()
            return
        if getattr(connection, "errors_occurred", False):
            # Django would ask with a ping() that may reconnect, without its settings.
            if not is_usable(connection):
                connection.close()
                return
            connection.errors_occurred = False
        close_old(connection, begins)


def leave(frame, scope, kind=None, traceback=None):
    """End a unit of work in this thread; raise nothing."""
    if frame is None:  # a generator's, that began in another task
        found = [each for each in _entered() if each.scope is scope]
        frame = found[-1] if found else Frame(scope)
    frame.left = True
    entered = _local.entered = _entered()
    is_plain = kind is None and not entered and not scope.closes
    pid = process_id()
    for connection in list(used_connections().values()):
        if not frame.covers(connection):
            continue
        if is_plain and is_well(connection, pid, begins=False):
            continue
        in_block = is_in_block(connection)
        if connection.connection is None and not in_block:
            continue
        if _shielded(connection, entered):
            if kind is not None:
                suspect(connection)  # it is asked when the last scope is left
            continue
        if not _is_ours(connection):
            continue
        if id(connection) in frame.blocks and in_block and not is_inherited(connection):
            continue
        if kind is not None and is_in_transaction(connection):
            in_block = True  # AUTOCOMMIT is False: the next unit might commit it
        closes = in_block or scope.closes or is_inherited(connection)
        if closes or may_have_cut(kind, traceback):
            close(connection)
            if in_block:
                forget_block(connection)
                drop_raw(connection)
            continue
        if kind is not None:
            suspect(connection)
        _close_old(connection)
        if connection.connection is not None:
            origin(connection).used = monotonic()


def take(entered, scope):
    """Return the last frame of a scope, None if there is none, and the others."""
    for index in range(len(entered) - 1, -1, -1):
        if entered[index].scope is scope:
            return entered[index], entered[:index] + entered[index + 1 :]
    return None, entered


def frames():
    """Return the scopes that this thread is in, outermost first."""
    return _local.frames


def task_frames():
    """Return the scopes that the running task is in; _async puts its own here."""
    return ()
