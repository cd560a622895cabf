"""RQ and django-rq: a worker class with a scope for each job, one setting.

``RQ = {"WORKER_CLASS": "django_compat.contrib.rq.Worker"}`` of django-rq, or
``rq worker --worker-class django_compat.contrib.rq.Worker``.
"""

from __future__ import absolute_import

import rq

from django_compat._db.closing import close_all_connections
from django_compat._db.scopes import fresh_connections

__all__ = ["ConnectionsMixin", "SimpleWorker", "Worker"]


class ConnectionsMixin(object):
    """Give each job of a worker class a ``fresh_connections()`` scope.

    The mixin comes first: ``class MyWorker(ConnectionsMixin, HerokuWorker)``. A job
    finds connections that work. After a job that failed or was interrupted by its
    time-out, its callbacks and the next job get none of its broken connections. A work
    horse sends nothing on what it inherited, and closes what it opened. A job that runs
    inline (``is_async=False``) has no worker, and runs in its caller's transaction.

    .. versionadded:: 1.0
    """

    def perform_job(self, job, *args, **kwargs):
        """Perform a job; see the base class."""
        # RQ catches the exception of the job between these two scopes.
        job.perform = fresh_connections(job.perform)
        try:
            with fresh_connections():
                parent = super(ConnectionsMixin, self)
                return parent.perform_job(job, *args, **kwargs)
        finally:
            if self.is_horse:
                close_all_connections()


class Worker(ConnectionsMixin, rq.Worker):
    """RQ's worker, which forks a work horse for each job."""


class SimpleWorker(ConnectionsMixin, rq.SimpleWorker):
    """RQ's worker that performs the jobs in its own process."""
