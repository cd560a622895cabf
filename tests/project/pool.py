"""A pool that nobody shuts down; ``late`` leaves it with a task that still runs."""

from __future__ import absolute_import, print_function

import json
import sys
import threading

import django
from django.db import connection

from django_compat import ThreadPoolExecutor

if hasattr(django, "setup"):  # Django 1.7+
    django.setup()

SESSION_ID = {
    "mysql": "SELECT CONNECTION_ID()",
    "postgresql": "SELECT pg_backend_pid()",
}
SLOW = {"mysql": "SELECT SLEEP(0.2)", "postgresql": "SELECT pg_sleep(0.2)"}
pool = ThreadPoolExecutor(max_workers=4)
begun, all_begun = [], threading.Event()


def ask(sql):
    cursor = connection.cursor()
    cursor.execute(sql[connection.vendor])
    return cursor.fetchone()[0]


def session():
    answer = ask(SESSION_ID)
    begun.append(answer)
    if len(begun) == 4:
        all_begun.set()
    all_begun.wait(10)  # so each task has a thread of its own
    return answer


futures = [pool.submit(session) for _ in range(4)]
print(json.dumps([future.result() for future in futures]))
sys.stdout.flush()
if "late" in sys.argv:
    pool.submit(ask, SLOW)
if "raise" in sys.argv:
    sys.exit(3)
