"""Begin and end a unit of work in one thread."""

from __future__ import absolute_import

import threading

from django_compat import forks
from django_compat._versions import (
    close_old,
    drop_raw,
    forget_block,
    is_borrowed,
    is_in_block,
    is_in_transaction,
    members,
    monotonic,
    process_id,
    reset_queries,
    suspect,
    used_connections,
)
from django_compat.closing import close, close_if_stale, failures_logged, is_own, select
from django_compat.drivers import is_interrupted, is_usable
from django_compat.forks import discard_pools, is_inherited, origin
from django_compat.staleness import are_well, may_have_cut

__all__ = ["Frame", "begin", "end", "enter", "frames", "leave", "task_frames"]


class _Local(threading.local):
    entered = ()  # by this thread, and in it by tasks; outermost first


_local = _Local()


class Frame(object):
    """One entered scope, and what it must leave alone."""

    blocks = frozenset()  # ids of the connections that were in a block before
    is_of_task = False
    left = False

    def __init__(self, scope):
        self.scope = scope
        self.pid = process_id()

    def shields(self, connection):
        """Tell whether a scope inside this one must leave a connection to it."""
        using = self.scope.using
        is_covered = using is None or connection.alias in using
        return is_covered and self.pid == process_id()


def begin(scope):
    """Begin a unit of work in this thread, inside the scopes that it is in."""
    frame, entered, used = Frame(scope), _local.entered, members()
    # Few steps where all is well: a wait for a server leaves the caches cold.
    if (
        entered
        or used is None
        or scope.using is not None
        or frame.pid != forks.clean_pid
        or not are_well(list(used.values()), frame.pid, begins=True)
    ):
        enter(frame, entered and frames() + task_frames())
    else:
        _local.entered = (frame,)
    return scope


def end(scope, kind, error, traceback):
    """End the last unit of work of a scope in this thread; raise nothing."""
    entered, used = _local.entered, members()
    is_plain = kind is None and scope.using is None and not scope.closes
    for frame in reversed(entered):
        if frame.scope is scope and not frame.is_of_task:
            if is_plain and len(entered) == 1 and used is not None:
                frame.left, _local.entered = True, ()
                if are_well(list(used.values()), process_id(), begins=False):
                    return
            leave(frame, scope, kind, traceback)
            return  # without one it is a generator's, that began in another thread


def _entered():
    return tuple([frame for frame in _local.entered if not frame.left])


def enter(frame, outer):
    """Begin a unit of work in this thread, inside the frames of ``outer``."""
    using, pid, entered = frame.scope.using, frame.pid, _local.entered
    if pid != forks.clean_pid:
        discard_pools(using)
    if entered:
        entered = _entered()
    # Not those that were entered in other threads, or left: a task inherits them.
    outer = entered and [each for each in outer if each in entered]
    for connection in used_connections().values() if using is None else select(using):
        if not entered and are_well([connection], pid, begins=True):
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
    is_alone = _local.entered == (frame,)
    entered = _local.entered = () if is_alone else _entered()
    is_plain = kind is None and not entered and not scope.closes
    using, pid = scope.using, process_id()
    for connection in used_connections().values():
        if using is not None and connection.alias not in using:
            continue
        if is_plain and are_well([connection], pid, begins=False):
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


def frames():
    """Return the scopes that this thread is in, outermost first."""
    return tuple([frame for frame in _entered() if not frame.is_of_task])


def task_frames():
    """Return the scopes that the running task is in; _async puts its own here."""
    return ()
