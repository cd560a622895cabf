"""APScheduler 3: an executor whose threads look after their connections."""

from __future__ import absolute_import

import functools
import sys

from apscheduler.executors import base, pool

from django_compat._db import executors
from django_compat._db.scopes import closing_connections

__all__ = ["ThreadPoolExecutor"]


class ThreadPoolExecutor(pool.BasePoolExecutor):
    """APScheduler's ``ThreadPoolExecutor`` with ``django_compat``'s threads.

    Each job, and the listeners of its events (django-apscheduler's among them, which
    query), run in one ``fresh_connections()`` scope: the job finds connections that
    work, and between the jobs of a thread CONN_MAX_AGE counts. When a thread ends, its
    connections are closed: none is left after ``scheduler.shutdown()``. Nor does the
    scheduler's own thread, in which a job store queries, leave one.

    :param max_workers: the greatest number of threads.
    :param pool_kwargs: more arguments of ``django_compat.ThreadPoolExecutor``.

    For a BackgroundScheduler or a BlockingScheduler, and for the functions of an
    AsyncIOScheduler that are no coroutine functions.

    .. versionadded:: 1.0
    """

    def __init__(self, max_workers=10, pool_kwargs=None):
        threads = executors.ThreadPoolExecutor(int(max_workers), **(pool_kwargs or {}))
        super(ThreadPoolExecutor, self).__init__(threads)

    def start(self, scheduler, alias):
        """Start; the scheduler's own thread is to close its connections, too."""
        super(ThreadPoolExecutor, self).start(scheduler, alias)
        # A scheduler starts its executors first, and then its loop, if it has one.
        loop = getattr(type(scheduler), "_main_loop", None)
        if loop is not None:
            loop = functools.partial(loop, scheduler)
            scheduler._main_loop = closing_connections(loop)

    def _do_submit_job(self, job, run_times):
        self._pool.submit(self._run, job, run_times)

    def _run(self, job, run_times):
        """Do in the scope what APScheduler's executor does in a callback after it."""
        try:
            events = base.run_job(
                job, job._jobstore_alias, run_times, self._logger.name
            )
        except BaseException as error:  # pragma: no cover: not a job's
            self._run_job_error(job.id, error, sys.exc_info()[2])
        else:
            self._run_job_success(job.id, events)
