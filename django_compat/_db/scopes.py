"""Scopes: what a request is for a web process, for every other kind of code.

The first half of the file begins and ends a unit of work in one thread, the second half
has the public decorators and context managers. ``aio`` does the same for tasks.

Nested scopes. A ``closing_connections`` scope is the life of a thread or a script: the
``fresh_connections`` scopes inside are units of their own. Otherwise the outer scope
covers the inner one: the inner scope leaves a connection open that is merely old,
because the outer code may be in the middle of an ``iterator()``, and replaces a
connection that is of no use to anyone: hung up, inherited, interrupted or failed. Tasks
that share a thread cover each other.

An exception may arrive at any line, between two lines of this file as well: a signal's,
Ctrl-C, a time limit. Then a frame may never be left. So a frame counts as entered only
as long as the ``with`` statement exists that entered it, and what the end of the scope
did not come to is done by the next scope of the thread: see ``_Exit``.
"""

from __future__ import absolute_import

import copy
import functools
import gc
import os
import sys
import threading
import weakref

import six

from django_compat._db import engines, pools
from django_compat._db.callables import (
    check_callable,
    is_coroutine_function,
    is_decorated,
)
from django_compat._db.closing import (
    close,
    close_if_stale,
    failures_logged,
    free_locks,
    is_own,
    select,
)
from django_compat._db.drivers import is_interrupted, is_usable
from django_compat._db.forks import is_inherited, session_of
from django_compat._db.stale import (
    INTERRUPTED,
    UNUSABLE,
    are_healthy,
    may_have_cut,
)
from django_compat._db.versions import (
    close_old,
    drop_raw,
    forget_block,
    is_borrowed,
    is_in_block,
    is_in_transaction,
    monotonic,
    reset_queries,
    suspect,
    task_frames,
    thread_connections,
    used_connections,
)

__all__ = [
    "Frame",
    "closing_connections",
    "end_interrupted",
    "enter",
    "expected_frame",
    "fresh_connections",
    "last_frame",
    "leave",
    "thread_stack",
]

_NOTHING = frozenset()
_EVERYTHING = None  # as ``using`` has it


class _Stack(list):
    """The frames entered in one thread, outermost first.

    Only that thread adds and removes frames.
    """

    expected = None  # the frame of the ``with`` statement that begins
    has_gaps = False  # a frame below the last one may be over
    tasks = 0  # how many frames of tasks there are

    def __init__(self):
        list.__init__(self)
        self.callback = self.find_gap
        self.interrupted = []  # frames whose end did not come to its end

    def find_gap(self, _=None):
        self.has_gaps = True

    def clean(self):
        """Forget the frames that are over."""
        if self.has_gaps:
            self.has_gaps = False
            try:
                kept = _Stack()
                for frame in self:
                    if frame.is_entered():
                        kept.add(frame)
                self.tasks, self[:] = kept.tasks, kept
            except BaseException:  # pragma: no cover: a signal
                self.has_gaps = True  # no frame is lost when a signal comes in between
                raise
        while self and not self[-1].is_entered():
            self.tasks -= self.pop().is_of_task

    def add(self, frame):
        using = frame.scope.using
        frame.entered = _union(self.covered_from(True), using)
        frame.covered = self.covered_from(False)
        if not frame.scope.closes:
            frame.covered = _union(frame.covered, using)
        self.tasks += frame.is_of_task
        frame.begun = True
        self.append(frame)

    def covered_from(self, closes):
        """Return the aliases whose age is the business of a scope entered before.

        From a fresh scope those of fresh scopes; from a closing one those of all.
        """
        if not self or self[-1].pid != os.getpid():  # of a parent process
            return _NOTHING
        return self[-1].entered if closes else self[-1].covered


def _union(aliases, using):
    if aliases is _EVERYTHING or using is _EVERYTHING:
        return _EVERYTHING
    return aliases | using


# Its last key is what the garbage collector did last: "start" or "stop". The callbacks
# are C: an exception of a signal that arrived in one of Python's would be lost.
_phases = {}
if hasattr(gc, "callbacks"):  # Python 3.3+; 2.7 does not collect generators
    gc.callbacks.extend([_phases.pop, _phases.__setitem__])


def _is_collecting():
    return list(_phases)[-1:] == ["start"]


_RESUMED = 0x20 | 0x80 | 0x200  # co_flags of generators, coroutines and both at once


def _may_overlap(python_frame):
    """Tell whether the ``with`` statement of a Python frame may end inside a block.

    A block that began after the scope was left open by the body, or is the block of the
    consumer of a generator that holds the scope. Only contextlib, for a function with
    ``@contextmanager``, resumes a generator where a ``with`` statement ends.
    """
    while python_frame is not None and python_frame.f_code.co_flags & _RESUMED:
        python_frame = python_frame.f_back
        module = getattr(python_frame, "f_globals", {}).get("__name__")
        if module != "contextlib":
            return True
        python_frame = python_frame.f_back
    return _is_collecting()


class _Local(threading.local):
    def __init__(self):
        self.stack = _Stack()


_local = _Local()


class Frame(object):
    """One entry into a scope, and the connections that it must leave alone."""

    blocks = _NOTHING  # ids of the connections that were in a block before
    # The aliases of this frame and those around it: of all, and of fresh scopes.
    entered = covered = _NOTHING
    is_of_task = False
    # The ids of connections whose transaction the body left open, if that is known.
    leftovers = _EVERYTHING
    begun = left = popped = False
    is_by_hand = False  # no with statement entered it
    stack = None  # of the thread that it is entered in
    ending = None  # a weak reference to the exit of its ``with`` statement

    def __init__(self, scope):
        self.scope = scope
        self.pid = os.getpid()

    def finish(self, _=None):
        """Let the next scope of the thread end this one, whose end was interrupted.

        Not now: the garbage collector may call this at any line, also of a connect.
        """
        if not self.begun:
            return
        self.leftovers = _NOTHING
        if self.stack is _local.stack and not _may_overlap(sys._getframe(1)):
            in_transaction = filter(is_in_transaction, used_connections().values())
            self.leftovers = frozenset(map(id, in_transaction))
        self.stack.interrupted.append(self)
        self.stack.find_gap()

    def is_entered(self):
        """Tell whether the frame is still to be left."""
        return not self.left and self.ending() is not None

    def is_of(self, scope):
        """Tell whether a scope was entered here."""
        return self.scope is scope or (self.is_by_hand and self.ending() is scope)

    def covers(self, alias):
        """Tell whether the frame's own scope looks after an alias."""
        using = self.scope.using
        return (using is None or alias in using) and self.pid == os.getpid()


def thread_stack():
    """Return the frames of this thread."""
    return _local.stack


class _Exit(object):
    """``__exit__`` of a scope, made anew for each ``with`` statement.

    The interpreter asks a scope for its ``__exit__`` where the statement begins, and
    keeps that object to the statement's end, whatever happens in between. So a weak
    reference to the object tells whether the statement still exists, even when an
    exception arrived before the first line of ``end``.
    """

    def __init__(self, end):
        self.end = end

    def __get__(self, scope, owner=None):
        if scope is None:  # contextlib.ExitStack calls it so
            return self.of_class
        frame = _local.stack.expected = Frame(scope)
        ending = functools.partial(self.end, scope, frame)
        frame.ending = weakref.ref(ending, frame.finish)
        return ending

    def of_class(self, scope, kind=None, error=None, traceback=None):
        return self.end(scope, Frame(scope), kind, error, traceback)


def expected_frame(scope):
    """Return the frame of the ``with`` statement that begins.

    Without such a statement (``contextlib.ExitStack``) the scope stands for its exit.
    """
    stack = _local.stack
    frame, stack.expected = stack.expected, None
    # Without an exit somebody only looked at ``__exit__``.
    if frame is None or frame.scope is not scope or frame.ending() is None:
        frame = Frame(copy.copy(scope))  # the frame must not keep the scope alive
        frame.ending = weakref.ref(scope, stack.callback)
        frame.is_by_hand = True
    return frame


def begin(scope):
    """Begin a unit of work in this thread, inside the scopes that the thread is in."""
    frame = expected_frame(scope)
    stack, used = _local.stack, thread_connections()
    frame.stack = stack
    if stack.interrupted:
        end_interrupted(stack)
    if engines.opened or pools.connection_pools():
        pools.drop_dead_sessions(scope.using)
    covered = _NOTHING
    if stack:
        stack.clean()
        covered = stack.covered_from(scope.closes)
    # Fast path: after I/O the CPU caches are cold, so every step here costs.
    nested = covered is _EVERYTHING
    if (
        used is None
        or stack.tasks
        or scope.using is not None
        or (covered and not nested)
        or not are_healthy(list(used.values()), frame.pid, True, nested)
    ):
        enter(frame, task_frames.get())
    elif not scope.closes:
        frame.entered = frame.covered = _EVERYTHING
        frame.begun = True
        stack.append(frame)
    else:
        stack.add(frame)
    return scope


def end_interrupted(stack):
    """End the scopes of this thread whose end was interrupted."""
    while stack.interrupted:
        frame = stack.interrupted.pop()
        if frame.pid == os.getpid():
            leave(frame, frame.scope, Exception)


def end(scope, frame, kind=None, error=None, traceback=None):
    """End the unit of work of a ``with`` statement in this thread."""
    stack = _local.stack
    if frame.stack is not stack:
        if frame.stack is not None:  # a generator was closed in another thread
            frame.left = True
            frame.stack.find_gap()
            return
        stack.expected, frame = None, last_frame(scope)  # not a with statement's
        if frame is None:
            return
    if frame.left:
        return
    frame.left = True
    if kind is GeneratorExit and _is_collecting():
        # The generator may end while a driver is in the middle of a query.
        frame.ending = None  # else its callback would be a second finish()
        frame.finish()
        return
    if kind is None and scope.is_plain and stack and stack[-1] is frame:
        stack.pop()
        frame.popped = True
        if stack:
            stack.clean()
        covered, used = stack and stack.covered_from(False), thread_connections()
        nested = covered is _EVERYTHING
        if not (used is None or stack.tasks or (covered and not nested)):
            if are_healthy(list(used.values()), os.getpid(), False, nested):
                frame.ending = None
                return
    if _may_overlap(sys._getframe(1)):
        frame.leftovers = _NOTHING
    leave(frame, scope, kind, traceback)


def _end_in_task(scope, frame, kind=None, error=None, traceback=None):
    from django_compat._db import aio

    return aio.leave_scope(scope, frame, kind, traceback)


def enter(frame, outer):
    """Begin a unit of work in this thread, inside the task's frames of ``outer``."""
    scope, stack = frame.scope, frame.stack
    stack.clean()
    using = scope.using
    chosen = used_connections().values() if using is None else select(using)
    first = None
    for connection in chosen:
        try:
            covered = _is_covered(connection, frame, stack, outer)
            if not are_healthy([connection], frame.pid, begins=True, nested=covered):
                _begin(connection, frame, covered)
        except BaseException:
            first = first or sys.exc_info()
    if first is not None:
        six.reraise(*first)
    stack.add(frame)


def _is_covered(connection, frame, stack, outer):
    """Tell whether another scope looks after the age of a connection."""
    alias, closes = connection.alias, frame.scope.closes
    if not stack.tasks:
        covered = stack.covered_from(closes)
        return covered is _EVERYTHING or alias in covered
    return any(
        other.covers(alias)
        and other.is_entered()
        and (
            closes
            or not other.scope.closes
            or (other.is_of_task and other not in outer)
        )
        for other in stack
        if other is not frame
    )


def _is_ours(connection):
    """Tell whether this thread opened a connection, and may touch it.

    A test may lend its connection, and the transaction on it, to threads it starts.
    """
    return is_own(connection) and not is_borrowed(connection)


def _begin(connection, frame, covered):
    if not is_borrowed(connection):
        free_locks(connection)  # also of one that is closed
    if is_in_block(connection) and not is_inherited(connection):
        if frame.stack or not _is_given_up(connection):
            frame.blocks |= {id(connection)}
            return
        _end_block(connection)
    if not covered:
        reset_queries(connection)
    if connection.connection is None or not _is_ours(connection):
        return
    failed = getattr(connection, "errors_occurred", False)
    if covered:
        close_if_stale(connection, nested=True)
    elif not close_if_stale(connection, begins=True):
        _close_old(connection, begins=True, failed=failed)


def _keeps(connection):
    """Tell whether errors of a connection come out, for its session has a state."""
    return connection.settings_dict.get("CONN_KEEP_SESSION") is True


def _close_old(connection, begins=False, failed=False):
    """Do what Django does when a request begins or ends.

    ``failed``: the server was asked already, after an error.
    """
    if is_interrupted(connection.connection) and not _keeps(connection):
        close(connection, INTERRUPTED)
        return
    if getattr(connection, "errors_occurred", False):
        # Django would ask with a ping() that may reconnect, without its settings.
        if not is_usable(connection):
            close(connection, UNUSABLE)
            return
        connection.errors_occurred, failed = False, True
    with failures_logged(connection):
        close_old(connection, begins)
    if failed:
        connection.health_check_done = True  # Django 4.1+: so says Django, too


def last_frame(scope):
    """Return the last frame of a scope in this thread, None without one.

    A frame that no ``with`` statement entered comes first.
    """
    frames = [one for one in _local.stack if one.is_of(scope) and one.is_entered()]
    by_hand = [frame for frame in frames if frame.is_by_hand]
    return (by_hand or frames or [None])[-1]


def leave(frame, scope, kind=None, traceback=None, outer=()):
    """End a unit of work in this thread.

    An error of closing is logged. An exception that is the program's own comes out when
    all connections are looked after.
    """
    frame.left = True
    stack, pid = _local.stack, os.getpid()
    if not (frame.popped or stack and stack[-1] is frame):
        frame.stack.find_gap()
    stack.clean()
    first = None
    for alias, connection in used_connections().items():
        if scope.using is not None and alias not in scope.using:
            continue
        try:
            covered = _is_covered(connection, frame, stack, outer)
            is_plain = kind is None and (covered or not scope.closes)
            if not (is_plain and are_healthy([connection], pid, False, covered)):
                _leave(connection, frame, covered, kind, traceback)
        except BaseException:
            first = first or sys.exc_info()
    if stack and pools.connection_pools():  # the code around takes a session of them
        try:
            pools.drop_dead_sessions(scope.using)
        except BaseException:  # pragma: no cover: a signal
            first = first or sys.exc_info()
    if first is not None:
        six.reraise(*first)
    frame.ending = None  # nothing is left to finish


def _leave(connection, frame, covered, kind, traceback):
    in_block, inherited = is_in_block(connection), is_inherited(connection)
    if connection.connection is None and not in_block:
        return
    if not _is_ours(connection):
        return
    if in_block and not inherited:
        if id(connection) in frame.blocks or (covered and kind is None):
            return
    if frame.leftovers is not _EVERYTHING and not inherited:
        if is_in_transaction(connection) and id(connection) not in frame.leftovers:
            return
    if covered and not in_block and not inherited:
        asks = getattr(connection, "errors_occurred", False)  # Django 1.6+
        if may_have_cut(kind, traceback) and not is_in_transaction(connection):
            if not _keeps(connection):
                close(connection, INTERRUPTED)
        elif not close_if_stale(connection, nested=True):
            if kind is not None and not asks and not _keeps(connection):
                suspect(connection)  # the next scope asks the server
        return
    if kind is not None and is_in_transaction(connection):
        in_block = True  # AUTOCOMMIT is False: the next unit might commit it
    cut = may_have_cut(kind, traceback) and not _keeps(connection)
    if in_block or frame.scope.closes or inherited or cut:
        # Without a with statement nobody knows whether the block has ended: if not, the
        # next query in the block is an error, as after connection.close().
        if frame.is_by_hand and not inherited and _is_in_atomic(connection):
            session_of(connection).is_given_up = True
            in_block = False
        try:
            close(connection)
        finally:
            if in_block:
                _end_block(connection)
        return
    if kind is not None and not _keeps(connection):
        suspect(connection)
    _close_old(connection)
    if connection.connection is not None:
        session_of(connection).used = monotonic()


def _is_in_atomic(connection):
    """Tell whether a connection is open in a block that Django guards after a close."""
    in_block = getattr(connection, "in_atomic_block", False)  # Django 1.6+
    return in_block and connection.connection is not None


def _is_given_up(connection):
    return _is_in_atomic(connection) and session_of(connection).is_given_up


def _end_block(connection):
    forget_block(connection)
    drop_raw(connection)


class Scope(object):
    """The result of ``fresh_connections``.

    One object may serve in many threads and tasks at once: it holds no state.
    """

    using = None  # for all aliases
    closes = False
    is_plain = True  # neither of them
    name = "fresh_connections"

    __enter__ = begin
    __exit__ = _Exit(end)

    def __aenter__(self):
        from django_compat._db import aio

        return aio.enter_scope(self, expected_frame(self))

    __aexit__ = _Exit(_end_in_task)

    def __call__(self, function):
        check_callable(self.name, function, "Use the scope inside the body.")
        if is_coroutine_function(function):
            from django_compat._db import aio

            return aio.decorate(self, function)

        @six.wraps(function)
        def scoped(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return scoped


class ClosingScope(Scope):
    """The result of ``closing_connections``."""

    closes = True
    is_plain = False
    name = "closing_connections"


def _choose(scope, using):
    if is_decorated(using):
        return scope(using)
    is_one_alias = isinstance(using, six.string_types)
    scope.using = frozenset([using] if is_one_alias else using)
    scope.is_plain = False
    return scope


def fresh_connections(using=None):
    """Begin and end a unit of work, as a request begins and ends one.

    ``with``, ``async with``, or a decorator for ``def`` and ``async def``, with and
    without parentheses. ``using`` is an alias or several of them; None means all.

    The scope begins as a request does: connections past CONN_MAX_AGE or broken are
    closed, the query log is emptied. Stale connections are closed as well, at no round
    trip: those that the server hung up, that came through a fork, or that idled for
    longer than CONN_MAX_IDLE. So the first query of the unit finds a connection that
    works, or opens one. The scope ends as a request ends; CONN_MAX_AGE keeps its
    meaning. When the body raises, the server of every connection is asked whether the
    connection still works, and a connection whose query may have been interrupted half
    way is closed.

    A connection that is inside ``atomic()`` when the scope begins is left alone, so
    tests run as before. Inside ``closing_connections`` the scope is a unit of its own.
    Inside another ``fresh_connections`` it leaves the age of connections to the outer
    scope, and replaces those that are lost. An error of closing is logged, never
    raised, and the body's own exception comes out; so does a time limit that arrives
    while the scope is at work. ``with`` looks after the connections of the calling
    thread, ``async with`` after those of the thread that holds the ORM's connections,
    not after those of ``asyncio.to_thread``: decorate the function that runs there.
    Tasks share a thread: only the last task to leave closes connections for their age.
    A child that was forked in the body gives up the connections that it inherited.
    With CONN_KEEP_SESSION in its DATABASES entry a connection is not replaced.

    TypeError for a generator function and for a task of a task runner, whose decorator
    comes first. ``ConnectionDoesNotExist`` for an unknown alias.

    .. versionadded:: 1.0
    """
    return Scope() if using is None else _choose(Scope(), using)


def closing_connections(using=None):
    """Do what ``fresh_connections`` does, and close every connection at the end.

    For code that is the last to use its thread or process: the target of a Thread, a
    forked child, a script, a function for ``asyncio.to_thread`` or for
    ``sync_to_async(thread_sensitive=False)``. A connection that was inside ``atomic()``
    before stays open.

    .. versionadded:: 1.0
    """
    return ClosingScope() if using is None else _choose(ClosingScope(), using)
