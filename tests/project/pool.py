"""A pool that nobody shuts down; prints the sessions of its four threads as JSON.

With the argument ``late`` a task still runs at the end of the script; with ``raise``
the exit code is 3.
"""

from __future__ import absolute_import, print_function

import json
import sys
import threading

import django
from django.db import connection

from django_compat import ThreadPoolExecutor
from queries import session
from support.sql import SLEEP

if hasattr(django, "setup"):  # Django 1.7+
    django.setup()

pool = ThreadPoolExecutor(max_workers=4)
numbers, all_begun = [], threading.Event()


def begin():
    """Return the session's number when four tasks, each in its thread, have begun."""
    number = session()
    numbers.append(number)
    if len(numbers) == 4:
        all_begun.set()
    all_begun.wait(10)
    return number


def sleep():
    connection.cursor().execute(SLEEP[connection.vendor] % 0.2)


futures = [pool.submit(begin) for _ in range(4)]
print(json.dumps([future.result() for future in futures]))
sys.stdout.flush()
if "late" in sys.argv:
    pool.submit(sleep)
if "raise" in sys.argv:
    sys.exit(3)
