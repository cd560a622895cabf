"""Fork with a third party's pool: one session is idle, one in use; prints JSON."""

from __future__ import absolute_import, print_function

import json
import os
import sys
import threading

if "gevent" in sys.argv:
    from gevent import monkey

    monkey.patch_all(os=False, signal=False)  # a plain fork, as of a web server

import django  # noqa: E402

django.setup()

from queries import connections, session  # noqa: E402

if "import" in sys.argv:  # else without us
    from django_compat import fresh_connections  # noqa: E402
else:
    from contextlib import nullcontext as fresh_connections  # noqa: E402


def in_a_thread(function):
    """Return what a function returns in a thread, or its error as a text."""
    results = []

    def run():
        try:
            results.append(function())
        except Exception as error:
            results.append(repr(error))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results[0]


def use_and_return():
    """Take a session from the pool, and give it back."""
    number = session()
    connections["default"].close()
    return number


def child():
    with fresh_connections():
        return [session(), in_a_thread(session)]


busy = session()
idle = in_a_thread(use_and_return)
reading, writing = os.pipe()
pid = os.fork()
if pid == 0:
    try:
        answer = child()
    except Exception as error:
        answer = [repr(error)]
    os.write(writing, json.dumps(answer).encode("ascii"))
    os._exit(0)
os.close(writing)
with os.fdopen(reading, "rb") as stream:
    children = json.loads(stream.read().decode("ascii"))
os.waitpid(pid, 0)
after = [session(), in_a_thread(use_and_return)]
facts = {"before": [busy, idle], "children": children, "after": after}
print(json.dumps(facts))
