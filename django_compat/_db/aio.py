"""Coroutines: the only file with async syntax, imported at the first use of one."""

import asyncio
import functools
from itertools import count

from asgiref.sync import sync_to_async

from django_compat._db import pools, scopes
from django_compat._db.closing import close_all_connections, close_stale_connections
from django_compat._db.versions import task_frames

try:
    from django.db import close_old_connections
except ImportError:  # a future Django that dropped the name
    from django_compat._db.closing import close_old_connections

__all__ = [
    "aclose_all_connections",
    "aclose_old_connections",
    "aclose_stale_connections",
]


def _in_orm_thread(function):
    return sync_to_async(function, thread_sensitive=True)


async def aclose_old_connections(**kwargs):
    """Run ``close_old_connections`` in the thread that holds the ORM's connections.

    asgiref calls that thread thread-sensitive: under ASGI it is the request's thread,
    under ``asyncio.run`` the main thread or asgiref's single worker. The event loop is
    not blocked.

    .. versionadded:: 1.0
    """
    await _in_orm_thread(close_old_connections)(**kwargs)


async def aclose_all_connections(using=None):
    """Run ``close_all_connections`` in the thread that holds the ORM's connections.

    .. versionadded:: 1.0
    """
    await _in_orm_thread(close_all_connections)(using)


async def aclose_stale_connections(using=None):
    """Run ``close_stale_connections`` in the thread that holds the ORM's connections.

    .. versionadded:: 1.0
    """
    return await _in_orm_thread(close_stale_connections)(using)


async def enter_scope(scope, frame):
    """Begin a unit of work in the thread that holds the ORM's connections."""
    outer = task_frames.get()
    frame.is_of_task = True

    def enter():
        frame.stack = scopes.thread_stack()
        scopes.end_interrupted(frame.stack)
        pools.drop_dead_sessions(scope.using)
        scopes.enter(frame, outer)

    try:
        await _in_orm_thread(enter)()
    except BaseException:
        frame.left = True  # when cancelled, the thread may still enter the scope
        raise
    task_frames.set(outer + (frame,))
    return scope


async def leave_scope(scope, frame, kind, traceback):
    """End the unit in that thread, even when the task is cancelled while it waits."""
    outer = task_frames.get()
    if frame.stack is None:  # contextlib.AsyncExitStack's
        mine = [entered for entered in outer if entered.is_of(scope)]
        frame = mine[-1] if mine else None
    if frame is not None:
        # Mark first: the event loop may close before ``leave()`` runs.
        frame.left = True
    outer = tuple(one for one in outer if one is not frame)
    task_frames.set(outer)
    if kind is not None and issubclass(kind, (asyncio.CancelledError, GeneratorExit)):
        kind = traceback = None  # the query itself goes on to its end in the thread
    begun = []

    def leave():
        if not begun:
            begun.append(True)
            ended = frame or scopes.last_frame(scope)
            if ended is not None:
                scopes.leave(ended, scope, kind, traceback, outer)

    try:
        await _in_orm_thread(leave)()
    except asyncio.CancelledError:
        if not begun:
            await _in_orm_thread(leave)()
        raise
    return False


def decorate(scope, function):
    """Run each call of a coroutine function in the scope."""

    @functools.wraps(function)
    async def scoped(*args, **kwargs):
        async with scope:
            return await function(*args, **kwargs)

    return scoped


def decorate_retry(retry, function):
    """Run a coroutine function again when its connection was lost."""

    @functools.wraps(function)
    async def retried(*args, **kwargs):
        lost_before, delay = await _in_orm_thread(retry.begin)(), retry.delay
        for attempt in count(1):
            try:
                return await function(*args, **kwargs)
            except Exception as error:
                if not retry.is_retried(error, attempt, lost_before, delay):
                    raise
                prepare = _in_orm_thread(retry.prepare)
                if not await prepare(function, error, attempt, lost_before, delay):
                    raise
            await asyncio.sleep(delay)
            delay *= retry.backoff

    return retried
