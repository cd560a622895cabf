"""arq: hooks of ``WorkerSettings`` that put a scope around each job."""

from __future__ import absolute_import

from contextlib import AsyncExitStack

from django_compat._db.scopes import fresh_connections

__all__ = ["on_job_end", "on_job_start", "on_shutdown"]

_KEY = "django_compat"  # in the ``ctx`` of a job, which holds what arq knows of it


def on_job_start(ctx):
    """Begin a ``fresh_connections()`` scope around a job.

    Jobs that run at the same time share the connections of one thread: those that are
    lost are replaced as a job begins, and the last of the jobs closes connections for
    their age. ``await`` it in an ``on_job_start`` of your own.

    .. versionadded:: 1.0
    """
    ctx[_KEY] = AsyncExitStack()
    return ctx[_KEY].enter_async_context(fresh_connections())


def on_job_end(ctx):
    """End the scope of ``on_job_start``; also of a job that failed or was cancelled.

    .. versionadded:: 1.0
    """
    return ctx.pop(_KEY).aclose()


def on_shutdown(ctx):
    """Close the connections of all jobs as the worker ends.

    .. versionadded:: 1.0
    """
    from django_compat._db.aio import aclose_all_connections

    return aclose_all_connections()
