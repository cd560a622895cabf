"""Measure tasks a second of celery as it is, and with ``django_compat.contrib.celery``.

Two real workers of celery, with one process each, are fed from a private Redis; a task
is one SELECT by primary key. The workers take turns: while one works off its queue the
other one is stopped by a signal, and each queue is filled while its worker is stopped.
The figure is the median of the ratios turn by turn. "far" is TLS behind a proxy that
delays each direction. CONN_MAX_AGE is None.

The interpreter needs Django, celery, redis, pytest, both drivers and this library. This
file is also the settings, the application and the task of the workers.
"""

from __future__ import absolute_import, print_function

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import time
from contextlib import ExitStack, contextmanager
from statistics import median

import saving

HERE = os.path.dirname(os.path.abspath(__file__))
STOCK, OURS = "celery alone", "with contrib.celery"
PLAIN = {"mysql": {}, "postgresql": {"sslmode": "disable"}}
TLS = {"mysql": {"ssl_mode": "REQUIRED"}, "postgresql": {"sslmode": "require"}}

if "BENCHMARK_DATABASE" in os.environ:
    from celery import Celery

    if "BENCHMARK_OURS" in os.environ:
        import django_compat.contrib.celery  # noqa: F401

    DATABASES = {"default": json.loads(os.environ["BENCHMARK_DATABASE"])}
    INSTALLED_APPS = ["django.contrib.contenttypes", "django.contrib.auth"]
    SECRET_KEY = "for a benchmark"
    USE_TZ = True
    app = Celery(
        "benchmark",
        broker=os.environ["BENCHMARK_REDIS"],
        backend=os.environ["BENCHMARK_REDIS"],
    )

    @app.task(name="select", ignore_result=True)
    def select():
        from django.contrib.auth.models import Group

        Group.objects.get(pk=1)

    @app.task(name="tell")
    def tell():
        return time.time()


def feed(tasks):
    """Read lines: fill the queue, or wait for its end; print the tasks a second."""
    ends = []
    for line in sys.stdin:
        if line.startswith("fill"):
            first = tell.delay()
            for _ in range(tasks):
                select.delay()
            ends = [first, tell.delay()]
            print("filled")
        else:
            first, last = (end.get(timeout=600) for end in ends)
            print(tasks / (last - first))
        sys.stdout.flush()


class Worker(object):
    """A worker and the process that feeds it, each with the same environment."""

    def __init__(self, stack, database, redis, tasks, ours):
        self.env = dict(
            os.environ,
            BENCHMARK_DATABASE=json.dumps(database),
            BENCHMARK_REDIS=redis,
            DJANGO_SETTINGS_MODULE="celery_tasks",
            PYTHONPATH=os.pathsep.join([HERE, os.path.dirname(HERE)]),
            **{"BENCHMARK_OURS": "1"} if ours else {}
        )
        self.feeder = stack.enter_context(
            self.process([os.path.join(HERE, "celery_tasks.py"), "--feed", str(tasks)])
        )
        command = ["-m", "celery", "-A", "celery_tasks", "worker", "--concurrency", "1"]
        self.worker = stack.enter_context(
            self.process(command + ["--loglevel", "ERROR", "--without-mingle"])
        )

    @contextmanager
    def process(self, arguments):
        process = subprocess.Popen(
            [sys.executable, "-W", "ignore"] + arguments,
            env=self.env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            universal_newlines=True,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            os.killpg(process.pid, signal.SIGCONT)
            process.stdin.close()
            process.terminate()
            process.wait()
            process.stdout.close()

    def ask(self, word):
        self.feeder.stdin.write(word + "\n")
        self.feeder.stdin.flush()
        return self.feeder.stdout.readline().strip()

    def signal(self, number):
        os.killpg(self.worker.pid, number)

    def turn(self):
        """Fill the queue of the stopped worker; return its tasks a second."""
        self.ask("fill")
        self.signal(signal.SIGCONT)
        rate = float(self.ask("wait"))
        self.signal(signal.SIGSTOP)
        return rate


def measure(database, redis, turns, tasks):
    """Return the rates of both workers, turn by turn."""
    with ExitStack() as stack:
        workers = [
            Worker(stack, database, "%s/%d" % (redis, ours), tasks, ours)
            for ours in (False, True)
        ]
        for worker in workers:
            worker.turn()
        return [
            [worker.turn() for worker in workers[:: 1 if turn % 2 else -1]][
                :: 1 if turn % 2 else -1
            ]
            for turn in range(turns)
        ]


def prepare(database):
    """Make the row in a process of its own, which has the benchmark's settings.

    Returns the version of TLS, empty without TLS.
    """
    code = """if True:
        import django
        from django.core.management import call_command
        django.setup()
        call_command("migrate", verbosity=0)
        from django.contrib.auth.models import Group
        Group.objects.get_or_create(pk=1, name="row")
        from django.db import connection
        from support.sql import ENCRYPTION
        with connection.cursor() as cursor:
            cursor.execute(ENCRYPTION[connection.vendor])
            print(cursor.fetchone()[1] or "")
        """
    env = dict(
        os.environ,
        BENCHMARK_DATABASE=json.dumps(database),
        BENCHMARK_REDIS="redis://",
        DJANGO_SETTINGS_MODULE="celery_tasks",
        PYTHONPATH=os.pathsep.join(sys.path[:1] + [HERE, os.path.dirname(HERE)]),
    )
    command = [sys.executable, "-W", "ignore", "-c", code]
    return subprocess.check_output(command, env=env).decode().strip()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--feed", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--turns", type=int, default=10)
    parser.add_argument("--tasks", type=int, default=300, help="in a turn of a worker")
    saving.add_option(parser)
    arguments = parser.parse_args()
    if arguments.feed:
        feed(arguments.feed)
        return
    import celery
    import django
    import links

    from support import brokers

    names = platform.python_version(), django.get_version(), celery.__version__
    print("Python %s, Django %s, celery %s" % names)
    print("%-27s %20s %20s  ratio" % ("tasks a second", STOCK, OURS))
    figures = []
    with ExitStack() as stack:
        redis = stack.enter_context(brokers.redis())
        for vendor, title in links.TITLES.items():
            server = stack.enter_context(links.running_server(vendor))
            near = dict(server, OPTIONS=PLAIN[vendor])
            far = dict(stack.enter_context(links.far(server)), OPTIONS=TLS[vendor])
            for distance, database in ("loopback", near), ("far", far):
                where = " ".join([distance, prepare(database)])
                rates = measure(database, redis, arguments.turns, arguments.tasks)
                stock, ours = (median(column) for column in zip(*rates))
                ratio = median(with_us / alone for alone, with_us in rates)
                row = "%s, %s" % (title, where)
                print("%-27s %20.0f %20.0f  %5.2f" % (row, stock, ours, ratio))
                figures.append((row, stock, ours, ratio))
    if arguments.save:
        facts = {"celery": celery.__version__, "turns": arguments.turns}
        saving.save("celery_tasks", figures, **facts)


if __name__ == "__main__":
    main()
