"""celery: ``import django_compat.contrib.celery`` in the project's ``celery.py``.

celery's own fixup for Django closes the connections before and after each task (5.6+
closes all of them, up to 5.5 those past CONN_MAX_AGE). In a worker this module replaces
that by a scope from ``task_prerun`` to ``task_postrun``, which has the task's handlers
and a result backend in the database inside it, and by a scope around the task's body,
which sees the exception. Outside of workers it changes nothing.
"""

from __future__ import absolute_import

import warnings

from celery import concurrency, signals
from celery.app.task import Task
from celery.fixups.django import DjangoWorkerFixup
from celery.states import SUCCESS
from django.db import connections

from django_compat._db.closing import (
    close,
    close_all_connections,
    discard_connections,
)
from django_compat._db.executors import ThreadPoolExecutor
from django_compat._db.scopes import closing_connections, fresh_connections
from django_compat._db.versions import (
    adopt,
    is_borrowed,
    is_in_transaction,
    used_connections,
)

__all__ = []

# Open connections that ended greenlets have left, by alias: gevent and eventlet start a
# greenlet for each task. Only the one thread of the greenlets uses the lists.
_left = {}
_is_green = False
_call_original = None  # celery's Task.__call__ in a worker


@signals.worker_init.connect
def _begin_worker(sender, **kwargs):
    """Wire a worker, before its pool starts."""
    global _is_green
    if sender.app.conf.get("CELERY_DB_REUSE_MAX"):
        warnings.warn(  # before celery sets up its logging
            "CELERY_DB_REUSE_MAX has no effect with django_compat.contrib.celery: the "
            "CONN_MAX_AGE of an alias decides how long its connection is reused."
        )
    with closing_connections():  # a test's transaction stays
        pass
    pool = concurrency.get_implementation(sender.pool_cls)
    _is_green = pool.is_green
    if pool.__module__ == "celery.concurrency.thread":
        concurrency.thread.ThreadPoolExecutor = ThreadPoolExecutor
    _wire_tasks()


def _wire_tasks():
    global _call_original
    signals.task_prerun.connect(_begin_task)
    signals.task_postrun.connect(_end_task)
    if Task.__dict__["__call__"] is not _call_task:
        # The workers call this method for each task (trace._install_stack_protection),
        # after a Task class of the project, if that calls super().
        _call_original = Task.__dict__["__call__"]
        Task.__call__ = _call_task


def _leave_open(*args, **kwargs):
    """Stand for the two methods of the fixup, which only workers call."""


DjangoWorkerFixup._close_database = DjangoWorkerFixup._maybe_close_db_fd = _leave_open


@signals.worker_process_init.connect
@signals.beat_embedded_init.connect
def _begin_process(**kwargs):
    discard_connections()
    _wire_tasks()  # a process that does not come from a fork (celery 5.7+) sees no init


def _begin_task(sender, **kwargs):
    if sender.request.is_eager:
        return
    if _is_green:
        _take_over()
    scope = fresh_connections()
    scope.__enter__()
    sender.request.django_compat_scope = scope


def _end_task(sender, state=None, **kwargs):
    # Without a scope the task is eager, or _begin_task() was interrupted.
    scope = sender.request.__dict__.pop("django_compat_scope", None)
    if scope is None:
        return
    # A Task class whose __call__() does not call super() has no inner scope.
    kind = None if state == SUCCESS else Exception
    scope.__exit__(kind, None, None)
    if _is_green:
        _hand_over()


def _call_task(task, *args, **kwargs):
    """Stand for ``Task.__call__`` in a worker."""
    request = task.request_stack.top
    if request is None or request.called_directly or request.is_eager:
        return _call_original(task, *args, **kwargs)
    with fresh_connections():
        return _call_original(task, *args, **kwargs)


def _take_over():
    """Give this greenlet the connections that others have left."""
    used = used_connections()
    for alias in list(_left):
        if alias not in used and _left[alias]:
            connections[alias] = adopt(_left[alias].pop())


def _hand_over():
    """Leave the connections of this greenlet, which ends, for the next ones."""
    for alias, connection in used_connections().items():
        is_free = not (is_in_transaction(connection) or is_borrowed(connection))
        if connection.connection is not None and is_free:
            del connections[alias]
            _left.setdefault(alias, []).append(connection)


@signals.worker_process_shutdown.connect
@signals.worker_shutdown.connect
def _end_process(**kwargs):
    """Close what the main thread of a process, or its ended greenlets, have open."""
    close_all_connections()
    for left in _left.values():
        while left:
            close(adopt(left.pop()))
