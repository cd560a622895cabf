"""A process whose threads hold connections while it forks, in each way there is.

Prints ``{way: {"children": sessions, "lost": what became of the parent's}}``, each as
"vendor number". Of the arguments the ways are those it does; ``--import`` has it import
us. No frame of the threads holds a connection, as none does in a pool that idles: there
Python 3 drops the connections at the fork.
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
HAS_HOOK = hasattr(os, "register_at_fork")  # else only multiprocessing's forks have one


def set_up():
    if hasattr(django, "setup"):
        django.setup()
    elif settings.INSTALLED_APPS:
        from django_compat.apps import install

        install()


def sessions(_=None, caught=()):
    """Return the session of each database, or an error of the class to be caught."""
    from asked import connections, session  # not before there are settings

    found = []
    for alias in settings.DATABASES:
        try:
            number = session(alias)
        except caught as error:
            number = repr(error)
        found.append("%s %s" % (connections[alias].vendor, number))
    return found


class Family(object):
    def __init__(self):
        self.asked, self.told = [queue.Queue() for _ in range(THREADS)], queue.Queue()
        for asked in self.asked:
            thread = threading.Thread(target=self.serve, args=(asked,))
            thread.daemon = True
            thread.start()
        self.sessions = self.ask()

    def serve(self, asked):
        while asked.get():
            self.told.put(sessions(caught=Exception))

    def ask(self):
        """Return the sessions of all threads, and the main one's."""
        for asked in self.asked:
            asked.put(True)
        told = [self.told.get() for _ in self.asked]
        return set(sessions(caught=Exception)).union(*told)

    def report(self, children):
        return {
            "children": children,
            "inherited": sorted(self.sessions),
            "lost": sorted(self.ask() ^ self.sessions),
        }


def in_process(context):
    near, far = context.Pipe()
    process = context.Process(target=send_sessions, args=(far,))
    process.start()
    found = near.recv()
    process.join()
    return found


def send_sessions(far):
    if "django.db" not in sys.modules:
        set_up()  # in a spawned one
    far.send(sessions())
    far.close()


def by_fork(end=os._exit):
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        gc.collect()
        if end is os._exit:
            try:
                if not HAS_HOOK:
                    from django_compat import close_stale_connections

                    close_stale_connections()
                os.write(writing, json.dumps(sessions()).encode("ascii"))
            finally:
                os._exit(0)
        end()
    os.close(writing)
    found = os.read(reading, 1000)
    os.close(reading)
    os.waitpid(pid, 0)
    return json.loads(found.decode("ascii")) if found else []


def by_executor():
    pool = ProcessPoolExecutor(2)
    found = list(pool.map(sessions, range(4)))
    pool.shutdown()
    return sum(found, [])


WAYS = {
    "os.fork": by_fork,
    "sys.exit": lambda: by_fork(sys.exit),  # in a child that touches no database
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

        django_compat.discard_connections  # found, and so loaded, when it is asked for
    set_up()
    family = Family()
    ways = [way for way in sys.argv if way in WAYS] or WAYS
    print(json.dumps({way: family.report(WAYS[way]()) for way in ways}))
