"""A thread pool that leaves no connection behind."""

from __future__ import absolute_import

import atexit
import os
import threading
import weakref
from concurrent import futures

from django_compat._db.closing import close
from django_compat._db.forks import discard, is_inherited
from django_compat._db.scopes import fresh_connections
from django_compat._db.versions import (
    allow_thread_sharing,
    is_borrowed,
    load_settings,
    used_connections,
)

__all__ = ["ThreadPoolExecutor"]

_local = threading.local()  # .end: closes the connections of a pool's thread
_executors = weakref.WeakSet()


def _shut_down_all():
    """Shut down the executors that nobody shut down, before modules are torn down.

    The standard library waits for their threads, too, but not for the end of the
    threads' locals.
    """
    for executor in list(_executors):
        if executor._pid == os.getpid():  # a forked child has no threads of a parent's
            executor.shutdown()


atexit.register(_shut_down_all)


class _Opened(object):
    """The connections that one thread of a pool has used."""

    def __init__(self):
        self.connections, self.pid = [], os.getpid()
        # The thread and shutdown() may both close; the second waits for the first.
        self.lock = threading.RLock()

    def close(self):
        """Close the connections, in their thread as it ends or in another later."""
        if self.pid != os.getpid():
            # A child destroys the locals of the parent's threads. These may hold locks.
            for connection in self.connections:
                if is_inherited(connection):
                    discard(connection)
            del self.connections[:]
            return
        with self.lock:
            while self.connections:
                connection = self.connections.pop()
                allow_thread_sharing(connection)
                close(connection)


class _AtThreadEnd(object):
    """A thread-local, which the interpreter destroys when its thread ends.

    Executors have a hook for the begin of a thread, but none for its end.
    """

    def __init__(self, opened):
        self.opened = opened

    def __del__(self):
        # When Python 2.7 ends, modules that the lock uses may be gone. By then
        # _shut_down_all() has closed every connection.
        if self.opened.connections:
            self.opened.close()


def _run(opened_by_threads, function, args, kwargs):
    """Run a function in a fresh scope; note what to close when the thread ends."""
    try:
        with fresh_connections():
            return function(*args, **kwargs)
    finally:
        if not hasattr(_local, "end"):
            opened = _Opened()
            opened_by_threads.append(opened)
            _local.end = _AtThreadEnd(opened)
        _local.end.opened.connections = [
            connection
            for connection in used_connections().values()
            if not is_borrowed(connection)
        ]


class ThreadPoolExecutor(futures.ThreadPoolExecutor):
    """A ``concurrent.futures.ThreadPoolExecutor`` whose threads close what they open.

    Each task, and the initializer, runs in a ``fresh_connections()`` scope: the task
    finds connections that work, and between the tasks of a thread CONN_MAX_AGE counts.
    When a thread ends, its connections are closed. After ``shutdown()`` none is left;
    with ``wait=False``, none is left once the last task has ended. Arguments, results
    and errors are those of the base class. Python 2.7 needs the ``futures`` backport.

    .. versionadded:: 1.0
    """

    def __init__(self, *args, **kwargs):
        self._opened = []  # each thread appends once
        self._pid = os.getpid()
        args = list(args)
        if len(args) > 2:  # max_workers, thread_name_prefix, initializer
            args[2] = self._in_scope(args[2])
        elif "initializer" in kwargs:
            kwargs["initializer"] = self._in_scope(kwargs["initializer"])
        super(ThreadPoolExecutor, self).__init__(*args, **kwargs)
        _executors.add(self)

    def _in_scope(self, initializer):
        if not callable(initializer):
            return initializer  # None, or an error that the base class reports
        opened = self._opened
        return lambda *args: _run(opened, initializer, args, {})

    def submit(*args, **kwargs):
        """Schedule a call; see the base class."""
        if len(args) < 2:
            raise TypeError("submit() needs a function to call")
        self, function = args[:2]
        load_settings()
        return super(ThreadPoolExecutor, self).submit(
            _run, self._opened, function, args[2:], kwargs
        )

    def shutdown(self, *args, **kwargs):
        """Take no more calls; see the base class."""
        super(ThreadPoolExecutor, self).shutdown(*args, **kwargs)
        if kwargs.get("wait", args[0] if args else True):
            for opened in self._opened:
                opened.close()  # on Python 2.7 a thread may still be closing
