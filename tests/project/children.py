"""Children that query and end, in each way there is; prints their sessions as JSON."""

from __future__ import absolute_import, print_function

import json
import multiprocessing
import os
import sys

import django
from django.conf import settings

if hasattr(django, "setup"):
    if "late" not in sys.argv:
        django.setup()
elif settings.INSTALLED_APPS:
    from django_compat.apps import install

    install()


def ask(_=None):
    """Return the session of this process."""
    if hasattr(django, "setup"):
        django.setup()  # a spawned process may do so as late as here
    from queries import connections, session

    connections["default"].settings_dict["CONN_MAX_AGE"] = None
    return session()


def tell(pipe):
    pipe.send(ask())
    pipe.close()


def in_process(method, library=multiprocessing):
    """Run one child by a start method, None for the only one that Python 2 has."""
    context = library.get_context(method) if method else library
    near, far = context.Pipe()
    process = context.Process(target=tell, args=(far,))
    process.start()
    session = near.recv()
    process.join()
    return [session]


def in_pool(method, library=multiprocessing):
    """Run the children of a multiprocessing.Pool that is closed, not terminated."""
    context = library.get_context(method) if method else library
    pool = context.Pool(2)
    sessions = pool.map(ask, range(4), 1)
    pool.close()
    pool.join()
    return sorted(set(sessions))


def in_executor(method):
    from concurrent.futures import ProcessPoolExecutor

    options = {}
    if method and sys.version_info >= (3, 7):
        options["mp_context"] = multiprocessing.get_context(method)
    with ProcessPoolExecutor(2, **options) as pool:
        return sorted(set(pool.map(ask, range(4))))


def in_horse(method):
    """Fork, and end with os._exit(), as RQ's work-horse and celery's children do."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.write(writing, json.dumps(ask()).encode("ascii"))
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        session = json.loads(stream.read().decode("ascii"))
    os.waitpid(pid, 0)
    return [session]


def in_billiard(method):
    import billiard

    return in_pool(method, billiard)


if __name__ == "__main__":
    from django.db import connections

    way, method = sys.argv[1:3]
    parents = ask()
    if not settings.INSTALLED_APPS:
        connections["default"].close()  # else the children would share the session
    sessions = globals()["in_" + way](None if method == "None" else method)
    assert parents not in sessions
    assert ask() == parents or not settings.INSTALLED_APPS
    connections["default"].close()
    print(json.dumps(sessions))
