"""The candidates of worker_loop.py, which runs this script in fresh processes."""

from __future__ import absolute_import, print_function

import json
import sys
from collections import OrderedDict, defaultdict
from contextlib import contextmanager
from functools import partial
from statistics import median
from time import perf_counter, sleep
from timeit import timeit

import links

links.configure(json.loads(sys.argv[1]))

# These modules need the settings.
import django_dbconn_retry  # noqa: E402
from django.db import (  # noqa: E402
    close_old_connections,
    connection,
    connections,
    models,
)
from django.db.backends.base.base import BaseDatabaseWrapper  # noqa: E402
from worker_loop import (  # noqa: E402
    ASK,
    BARE,
    CHECKS,
    CLOSE,
    FAR,
    HAS_CHECKS,
    LOOK,
    NATIVE,
    NEAR,
    OPEN,
    OURS,
    PROBE,
    RETRY,
)

from django_compat import fresh_connections  # noqa: E402
from django_compat._db.probe import liveness, watch  # noqa: E402

PASSES = {NEAR: 12, FAR: 6}
JOBS = {NEAR: 100, FAR: 20}  # in each turn; a fifth where each job connects
ROWS = 1000


class Item(models.Model):
    id = models.IntegerField(primary_key=True)
    name = models.TextField()

    class Meta:
        app_label, db_table, managed = "benchmarks", "item", False


def fetch(number):
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, name FROM item WHERE id = %s", [number])
        cursor.fetchone()


def fetch_object(number):
    Item.objects.get(pk=number)


job = fetch_object if json.loads(sys.argv[2]) else fetch


def bare(number):
    job(number)


def native(number):
    close_old_connections()
    job(number)
    close_old_connections()


def ours(number):
    with fresh_connections():
        job(number)


def closing(number):
    job(number)
    connection.close()


CANDIDATES = OrderedDict([
    (BARE, bare),
    (NATIVE, native),
    (OURS, ours),
    (CHECKS, native),
    (RETRY, bare),
    (CLOSE, closing),
])
wrapper = connections["default"]  # what the library has; the other is a proxy for it
PROBES = OrderedDict([
    (PROBE, (2000, lambda: watch(wrapper.connection))),
    (LOOK, (2000, lambda: partial(liveness, wrapper))),
    (ASK, (50, lambda: wrapper.is_usable)),
    (OPEN, (5, lambda: lambda: (wrapper.close(), wrapper.ensure_connection()))),
])


@contextmanager
def ready(name):
    """Warm a candidate up on a connection of its own, and yield it."""
    connection.close()
    connection.settings_dict["CONN_HEALTH_CHECKS"] = name == CHECKS
    original = BaseDatabaseWrapper.ensure_connection
    if name == RETRY:
        django_dbconn_retry.monkeypatch_django()  # for the whole process
    try:
        for number in range(1, 4):
            CANDIDATES[name](number)
        yield CANDIDATES[name]
    finally:
        BaseDatabaseWrapper.ensure_connection = original


def time_turn(name, jobs):
    """Return the seconds of the median job of one turn."""
    seconds = []
    with ready(name) as run:
        for job_number in range(jobs // 5 if name == CLOSE else jobs):
            number = job_number * 37 % ROWS
            started = perf_counter()
            run(number)
            seconds.append(perf_counter() - started)
    return median(seconds)


def wait_until(condition, seconds=10):
    """Return when a condition holds; raise RuntimeError after so many seconds."""
    deadline = perf_counter() + seconds
    while not condition():
        if perf_counter() > deadline:
            raise RuntimeError("waited for %d s in vain" % seconds)
        sleep(0.005)


def count_sent(name, jobs=20):
    """Return how many chunks a job sends, counted by a proxy of our own."""
    host, port = (connection.settings_dict[key] for key in ("HOST", "PORT"))
    with links.Proxy(host, int(port)) as proxy:
        connection.settings_dict["PORT"] = str(proxy.port)
        with ready(name) as run:
            totals = []
            for numbers in (), range(jobs):
                for number in numbers:
                    run(number)
                if name == CLOSE:  # wait for the last goodbye
                    wait_until(lambda: not proxy.connections)
                totals.append(sum(len(chunks) for chunks in proxy.sent))
        connection.close()
    connection.settings_dict["PORT"] = port
    return (totals[1] - totals[0]) / jobs


def main(link, counts):
    """Measure in this process, and print the results as JSON."""
    with connection.cursor() as cursor:
        columns = "(id INT PRIMARY KEY, name TEXT)"
        cursor.execute("CREATE TABLE IF NOT EXISTS item " + columns)
        cursor.execute("SELECT COUNT(*) FROM item")
        if not cursor.fetchone()[0]:
            rows = ", ".join("(%d, 'name')" % number for number in range(ROWS))
            cursor.execute("INSERT INTO item VALUES " + rows)
    names = [name for name in CANDIDATES if HAS_CHECKS or name != CHECKS]
    results = {"driver": type(connection.connection).__module__.partition(".")[0]}
    if counts:
        results["sent"] = {name: count_sent(name) for name in names}
    seconds = results["seconds"] = defaultdict(list)
    for turn in range(PASSES[link]):
        first = turn % len(names)
        for name in names[first:] + names[:first]:
            seconds[name].append(time_turn(name, JOBS[link]))
        connection.ensure_connection()
        for name, (number, choose) in PROBES.items():
            seconds[name].append(timeit(choose(), number=number) / number)
    print(json.dumps(results))


if __name__ == "__main__":
    main(*map(json.loads, sys.argv[3:]))
