"""A thread pool that leaves no connection behind."""

from __future__ import absolute_import

import atexit
import os
import threading
import weakref
from concurrent import futures

from django_compat._versions import (
    allow_thread_sharing,
    is_borrowed,
    load_settings,
    used_connections,
)
from django_compat.closing import close
from django_compat.scopes import fresh_connections

__all__ = ["ThreadPoolExecutor"]

_local = threading.local()  # .end: what a thread of a pool does when it ends
_pools = weakref.WeakSet()


def _shut_down_all():
    """End the threads of the pools that nobody shut down, before the modules go.

    The standard library waits for them too, but not for the end of their locals.
    """
    for pool in list(_pools):
        if pool._pid == os.getpid():  # in a forked child its threads are not there
            pool.shutdown()


atexit.register(_shut_down_all)


class _Opened(object):
    """The connections that one thread of a pool has used."""

    def __init__(self):
        self.connections = []
        self.lock = threading.RLock()  # who comes second waits until all are closed

    def close(self):
        """Close them: in their thread as it ends, or in another when it has ended."""
        with self.lock:
            while self.connections:
                connection = self.connections.pop()
                allow_thread_sharing(connection)
                close(connection)


class _AtThreadEnd(object):
    """One of a thread's locals, which the interpreter destroys when the thread ends.

    The executor has a hook for the begin of its threads, and none for their end.
    """

    def __init__(self, opened):
        self.opened = opened

    def __del__(self):
        # When Python 2.7 ends, what the lock calls may be gone. By then the pool has
        # closed them all.
        if self.opened.connections:
            self.opened.close()


def _run(every, function, args, kwargs):
    """Run a function in a fresh scope; see to what it opens when its thread ends."""
    try:
        with fresh_connections():
            return function(*args, **kwargs)
    finally:
        if not hasattr(_local, "end"):
            _local.end = _AtThreadEnd(_Opened())
            every.append(_local.end.opened)
        _local.end.opened.connections = [
            connection
            for connection in used_connections().values()
            if not is_borrowed(connection)
        ]


class ThreadPoolExecutor(futures.ThreadPoolExecutor):
    """A ``concurrent.futures.ThreadPoolExecutor`` whose threads close what they open.

    Each task, and the initializer, runs in a ``fresh_connections()`` scope: it finds
    connections that work, and between the tasks of a thread CONN_MAX_AGE counts. When a
    thread ends its connections are closed; after ``shutdown()`` none is left, with
    ``wait=False`` once the last task has ended. Arguments, results and errors are those
    of the class it derives from. On Python 2.7 it needs the ``futures`` backport.

    .. versionadded:: 1.0
    """

    def __init__(self, *args, **kwargs):
        self._opened = []  # appended to by its threads, once by each
        self._pid = os.getpid()
        args = list(args)
        if len(args) > 2:  # max_workers, thread_name_prefix, initializer
            args[2] = self._in_scope(args[2])
        elif "initializer" in kwargs:
            kwargs["initializer"] = self._in_scope(kwargs["initializer"])
        super(ThreadPoolExecutor, self).__init__(*args, **kwargs)
        _pools.add(self)

    def _in_scope(self, initializer):
        if not callable(initializer):
            return initializer  # None, or an error that the class tells
        every = self._opened
        return lambda *args: _run(every, initializer, args, {})

    def submit(*args, **kwargs):
        """Schedule a call; see the class it derives from."""
        if len(args) < 2:
            raise TypeError("submit() needs a function to call")
        self, function = args[:2]
        load_settings()
        return super(ThreadPoolExecutor, self).submit(
            _run, self._opened, function, args[2:], kwargs
        )

    def shutdown(self, *args, **kwargs):
        """Take no more calls; see the class it derives from."""
        super(ThreadPoolExecutor, self).shutdown(*args, **kwargs)
        if kwargs.get("wait", args[0] if args else True):
            for opened in self._opened:
                opened.close()  # on Python 2.7 a thread may still be at it
