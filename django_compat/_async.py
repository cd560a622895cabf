"""The coroutines: the only file with async syntax, imported when one is asked for."""

import asyncio
import functools

from asgiref.local import Local
from asgiref.sync import sync_to_async

from django_compat import units
from django_compat.connections import close_all_connections, close_stale_connections

try:
    from django.db import close_old_connections
except ImportError:  # a Django that has it no more
    from django_compat.connections import close_old_connections

__all__ = [
    "aclose_all_connections",
    "aclose_old_connections",
    "aclose_stale_connections",
]

_local = Local()  # .frames: the scopes this task is in, outermost first


def _frames():
    return getattr(_local, "frames", ())


units.task_frames = _frames  # what runs in a task's threads is inside its scopes


def _in_orm_thread(function):
    return sync_to_async(function, thread_sensitive=True)


async def aclose_old_connections(**kwargs):
    """Run ``close_old_connections`` in the thread that holds the ORM's connections.

    That is asgiref's thread-sensitive one: the request's under ASGI, the main one or
    asgiref's single worker under ``asyncio.run``. The event loop is not blocked.

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


async def enter_scope(scope):
    """Begin a unit of work in the thread that holds the ORM's connections."""
    frame, outer = units.Frame(scope), _frames()
    frame.is_of_task = True
    try:
        await _in_orm_thread(_enter)(frame, outer)
    except BaseException:
        frame.left = True  # cancelled: the thread may be at it all the same
        raise
    _local.frames = outer + (frame,)
    return scope


def _enter(frame, outer):
    units.enter(frame, outer + units.frames())


def _take(entered, scope):
    """Return the last frame of a scope, None if there is none, and the others."""
    for index in range(len(entered) - 1, -1, -1):
        if entered[index].scope is scope:
            return entered[index], entered[:index] + entered[index + 1 :]
    return None, entered


async def leave_scope(scope, kind, traceback):
    """End it there, also when the task is cancelled while it waits for that thread."""
    frame, _local.frames = _take(_frames(), scope)
    if frame is not None:
        frame.left = True  # even if the loop is closed before that thread is at it
    if kind is not None and issubclass(kind, (asyncio.CancelledError, GeneratorExit)):
        kind = traceback = None  # in its thread a query goes on to its end
    begun = []

    def leave():
        if not begun:
            begun.append(True)
            units.leave(frame, scope, kind, traceback)

    try:
        await _in_orm_thread(leave)()
    except asyncio.CancelledError:
        if not begun:
            await _in_orm_thread(leave)()
        raise
    return False


def decorate(scope, function):
    """Put each call of a coroutine function in the scope."""

    @functools.wraps(function)
    async def scoped(*args, **kwargs):
        async with scope:
            return await function(*args, **kwargs)

    return scoped


def decorate_retry(retry, function):
    """Run a coroutine function again when it lost its connection."""

    @functools.wraps(function)
    async def retried(*args, **kwargs):
        before, delay = await _in_orm_thread(retry.begin)(), retry.delay
        for attempt in range(1, retry.attempts + 1):
            try:
                return await function(*args, **kwargs)
            except Exception as error:
                if not retry.is_retried(error, attempt, before):
                    raise
                prepare = _in_orm_thread(retry.prepare)
                if not await prepare(function, error, attempt, before, delay):
                    raise
            await asyncio.sleep(delay)
            delay *= retry.backoff

    return retried
