"""A process whose threads hold connections while it forks, in each way of Python's.

Arguments name the ways; without one the process forks in all ways. ``--import`` makes
it import django_compat.

Prints as JSON, by way: the sessions of the ``children``, the sessions of the parent's
threads before the fork (``inherited``), and the sessions that the parent lost or got
later (``lost``), each as "vendor number". As in an idle pool, no frame of a thread
refers to a connection: then a forked child of Python 3 destroys the connections.
"""

from __future__ import absolute_import, print_function

import gc
import json
import multiprocessing
import os
import sys
import threading

import django
from django.conf import settings

try:
    import queue
except ImportError:  # Python 2
    import Queue as queue

try:
    from concurrent.futures import ProcessPoolExecutor
except ImportError:  # Python 2
    ProcessPoolExecutor = None

THREADS = 4
HAS_HOOK = hasattr(os, "register_at_fork")  # else only multiprocessing has one


def set_up():
    if hasattr(django, "setup"):
        django.setup()
    elif settings.INSTALLED_APPS:
        from django_compat.apps import install

        install()


def sessions(_=None, caught=()):
    """Return this thread's session of each database, or the error, if it is caught."""
    from queries import connections, session  # django.db needs the settings

    names = []
    for alias in settings.DATABASES:
        try:
            number = session(alias)
        except caught as error:
            number = repr(error)
        names.append("%s %s" % (connections[alias].vendor, number))
    return names


class Family(object):
    """The threads of the parent, each with a session of each database."""

    def __init__(self):
        self.questions = [queue.Queue() for _ in range(THREADS)]
        self.answers = queue.Queue()
        for questions in self.questions:
            thread = threading.Thread(target=self.serve, args=(questions,))
            thread.daemon = True
            thread.start()
        self.sessions = self.all_sessions()

    def serve(self, questions):
        while questions.get():
            self.answers.put(sessions(caught=Exception))

    def all_sessions(self):
        """Return the sessions of all threads, the main thread included."""
        for questions in self.questions:
            questions.put(True)
        answers = [self.answers.get() for _ in self.questions]
        return set(sessions(caught=Exception)).union(*answers)

    def report(self, children):
        return {
            "children": children,
            "inherited": sorted(self.sessions),
            "lost": sorted(self.all_sessions() ^ self.sessions),
        }


def in_process(context):
    near, far = context.Pipe()
    process = context.Process(target=send_sessions, args=(far,))
    process.start()
    names = near.recv()
    process.join()
    return names


def send_sessions(far):
    if "django.db" not in sys.modules:
        set_up()  # a spawned process inherits no settings
    far.send(sessions())
    far.close()


def by_fork(end=None):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        gc.collect()
        if end is None:
            try:
                if not HAS_HOOK:
                    from django_compat import close_stale_connections

                    close_stale_connections()
                os.write(writing, json.dumps(sessions()).encode("ascii"))
            finally:
                os._exit(0)
        end()
    os.close(writing)
    names = os.read(reading, 1000)
    os.close(reading)
    os.waitpid(pid, 0)
    return json.loads(names.decode("ascii")) if names else []


def by_executor():
    pool = ProcessPoolExecutor(2)
    names = list(pool.map(sessions, range(4)))
    pool.shutdown()
    return sum(names, [])


WAYS = {
    "os.fork": by_fork,
    "sys.exit": lambda: by_fork(sys.exit),  # the child touches no database
    "Process": lambda: in_process(multiprocessing),
}
if ProcessPoolExecutor:
    WAYS["ProcessPoolExecutor"] = by_executor
if hasattr(multiprocessing, "get_all_start_methods"):
    for name in multiprocessing.get_all_start_methods():
        WAYS[name] = lambda name=name: in_process(multiprocessing.get_context(name))

if __name__ == "__main__":
    if "--import" in sys.argv:
        import django_compat

        django_compat.discard_connections  # the first access imports its module
    set_up()
    family = Family()
    ways = [way for way in sys.argv if way in WAYS] or WAYS
    print(json.dumps({way: family.report(WAYS[way]()) for way in ways}))
