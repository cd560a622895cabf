"""A soak: workers of every kind at work while a seeded plan breaks their connections.

    python tests/soak.py --seconds 60 --seed 7

8 threads, 4 forked processes and 50 asyncio tasks write numbered rows on MariaDB and
PostgreSQL, through a proxy each; nested scopes, pools, retries, forks in mid-job,
interrupted queries and bodies that raise are among their jobs. Meanwhile the plan kills
sessions, restarts and crashes the servers, cuts, resets, stalls and silently drops
connections, and exhausts max_connections. At the end the books are compared with the
tables:

- no acknowledged row is lost, no row is there twice, no half of a transaction, nothing
  that was rolled back; a retry did not follow a success; no answer was another query's;
- a job fails only if a fault of the plan was on during the job;
- when the last fault is over, each worker does its jobs on both servers again;
- sessions and descriptors end where they began, and memory does not grow.

The plan and the order of each worker's jobs come from the seed. The exit code is 1 when
something does not hold. Needs Python 3, Linux, and the programs of both servers.
"""

from __future__ import absolute_import, print_function

import argparse
import asyncio
import collections
import contextlib
import faulthandler
import gc
import json
import os
import random
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

import django
from django.conf import settings

from support import drivers

THREADS, CHILDREN, TASKS = 8, 4, 50
QUIET = 3.0  # seconds without a fault at the end of the plan
NEWS = 0.25  # seconds until both sides know of a fault
VENDORS = ("mysql", "postgresql")
SLEEP = {"mysql": "SELECT SLEEP(%s)", "postgresql": "SELECT pg_sleep(%s)"}
# What a crash must not lose, as a process's crash may with the options of the tests.
DURABLE = {
    "mysql": ["--innodb-flush-log-at-trx-commit=2", "--max-connections=120"],
    "postgresql": ["-c", "synchronous_commit=on", "-c", "max_connections=120"],
}
MEMORY = 8 * 1024  # KiB that a process may grow by after its first quarter
# By fault: how often it is in a plan, and whether it lasts.
FAULTS = {
    "kill sessions": (6, False),
    "cut": (4, False),
    "reset": (4, False),
    "stall": (3, True),
    "drop silently": (3, True),
    "refuse": (2, True),
    "exhaust max_connections": (2, True),
    "restart": (2, False),
    "crash": (1, False),
    "delay": (2, True),  # slow, and no excuse for a failure
}
Fault = collections.namedtuple("Fault", "at name vendor seconds")


def make_plan(seed, seconds):
    """Return the faults of a run, in order; the last one is over before the end."""
    rng = random.Random(seed)
    names = [name for name in sorted(FAULTS) for _ in range(FAULTS[name][0])]
    plan, at = [], 2.0
    while at < seconds - QUIET - 2:
        name = rng.choice(names)
        lasts = round(rng.uniform(0.3, 2.0), 2) if FAULTS[name][1] else 0
        plan.append(Fault(round(at, 2), name, rng.choice(VENDORS), lasts))
        at += lasts + rng.uniform(0.2, 1.6)
    return plan


# The workers.


class OnPurpose(Exception):
    """Raised in a body."""


class TimeLimit(Exception):
    """Raised by a signal's handler, in the middle of a query."""


class Books(object):
    """One line of JSON for each job, in a file that all processes append to."""

    def __init__(self, path):
        self.file = os.open(path, os.O_WRONLY | os.O_APPEND)

    def add(self, **values):
        os.write(self.file, (json.dumps(values) + "\n").encode("ascii"))


class Worker(object):
    """Does jobs one after the other; each job has a number that no other has."""

    STYLES = "write write read pair raises nested pool retry retry_in_block closes"

    def __init__(self, books, index, seed, more=""):
        self.books, self.index = books, index
        self.rng = random.Random("%s %s" % (seed, index))
        self.number = index * 10**6
        self.styles = (self.STYLES + " " + more).split()
        self.last = {}  # by alias: the last number that was acknowledged

    def begin(self, alias=None):
        """Return the books' entry of a job: any, or one that writes on an alias."""
        self.number += 1
        return {
            "worker": self.index,
            "number": self.number,
            "alias": alias or self.rng.choice(VENDORS),
            "style": "write" if alias else self.rng.choice(self.styles),
            "acknowledged": [],  # (number, part)
            "absent": [],
            "wrong": [],
            "begin": time.monotonic(),
        }

    def end(self, job, error=None):
        job["end"] = time.monotonic()
        job["error"] = None if error is None else repr(error)[:300]
        job["kind"] = type(error).__name__ if error is not None else "ok"
        self.books.add(job=job)
        for number, part in job["acknowledged"]:
            if part == 0:
                self.last[job["alias"]] = number

    def pause(self):
        """Be idle for a moment, now and then for longer than CONN_MAX_IDLE."""
        time.sleep(self.rng.choice([0, 0, 0.005, 0.02, 0.1, 0.1, 1.2]))

    def run_job(self, alias=None):
        from django_compat import fresh_connections

        job = self.begin(alias)
        error = None
        try:
            with fresh_connections():
                getattr(self, job["style"])(job)
        except Exception as raised:
            error = raised
        self.end(job, error)

    # Queries.

    def ask(self, job, sql, *values):
        from django.db import connections

        with connections[job["alias"]].cursor() as cursor:
            cursor.execute(sql, values)
            return cursor.fetchone() if cursor.description else None

    def echo(self, job):
        """Compare the answer with the question: it may be another query's."""
        nonce = self.rng.randrange(10**9)
        (answer,) = self.ask(job, "SELECT %s", nonce)
        if int(answer) != nonce:
            job["wrong"].append("%s instead of %s" % (answer, nonce))

    def insert(self, job, number, part=0):
        self.ask(job, "INSERT INTO soak (number, part) VALUES (%s, %s)", number, part)

    def sleep(self, job, seconds):
        self.ask(job, SLEEP[job["alias"]] % "%s", seconds)

    # Jobs.

    def write(self, job):
        self.echo(job)
        if self.rng.random() < 0.3:
            self.sleep(job, 0.02)
        self.insert(job, job["number"])
        job["acknowledged"].append((job["number"], 0))
        self.echo(job)

    def read(self, job):
        number = self.last.get(job["alias"])
        if number is not None:
            sql = "SELECT COUNT(*) FROM soak WHERE number = %s AND part = 0"
            (count,) = self.ask(job, sql, number)
            if count != 1:
                job["wrong"].append("%s rows of %s" % (count, number))
        self.echo(job)

    def pair(self, job):
        from django.db import transaction

        with transaction.atomic(using=job["alias"]):
            self.insert(job, job["number"], 1)
            self.echo(job)
            self.insert(job, job["number"], 2)
        job["acknowledged"] += [(job["number"], 1), (job["number"], 2)]

    def raises(self, job):
        from django.db import transaction

        job["absent"].append(job["number"])
        with transaction.atomic(using=job["alias"]):
            self.insert(job, job["number"])
            raise OnPurpose()

    def nested(self, job):
        from django_compat import fresh_connections

        self.echo(job)
        with fresh_connections(job["alias"]):
            self.write(job)
        self.echo(job)

    def closes(self, job):
        from django_compat import closing_connections

        with closing_connections(job["alias"]):
            self.write(job)

    def pool(self, job):
        from django_compat import ThreadPoolExecutor

        def insert(part):
            self.insert(job, job["number"], part)
            return part

        with ThreadPoolExecutor(max_workers=2) as executor:
            futures = [executor.submit(insert, part) for part in (3, 4, 5)]
        errors = [future.exception() for future in futures]
        for future, error in zip(futures, errors):
            if error is None:
                job["acknowledged"].append((job["number"], future.result()))
        if any(errors):
            raise [error for error in errors if error][0]

    def retry(self, job, attempts=3):
        from django_compat import retry_on_disconnect

        calls = []

        @retry_on_disconnect(attempts=attempts, delay=0.1)
        def insert():
            calls.append(True)
            part = 10 + len(calls)
            self.insert(job, job["number"], part)
            job["acknowledged"].append((job["number"], part))

        try:
            insert()
        finally:
            job["calls"] = len(calls)

    def retry_in_block(self, job):
        from django.db import transaction

        acknowledged = job["acknowledged"]
        job["acknowledged"] = []  # only the commit acknowledges
        try:
            with transaction.atomic(using=job["alias"]):
                self.retry(job)
            acknowledged += job["acknowledged"]
        finally:
            job["acknowledged"] = acknowledged

    def forks(self, job):
        """Fork in mid-job; parent and child go on, the child with other rows."""
        from django_compat import close_all_connections

        self.echo(job)
        pid = os.fork()
        if not pid:
            try:
                child = dict(job, style="forked", acknowledged=[], wrong=[])
                child["number"] = job["number"] + 5 * 10**5
                error = None
                try:
                    self.write(child)
                    close_all_connections()
                except Exception as raised:
                    error = raised
                self.end(child, error)
            finally:
                os._exit(0)
        try:
            self.write(job)
        finally:
            deadline = time.monotonic() + 30
            while os.waitpid(pid, os.WNOHANG) == (0, 0):
                if time.monotonic() > deadline:
                    os.kill(pid, signal.SIGUSR1)  # it says where it waits
                    time.sleep(1)
                    os.kill(pid, signal.SIGKILL)
                    job["wrong"].append("a forked child hung")
                time.sleep(0.005)

    def interrupted(self, job):
        """A time limit arrives in the middle of a query (main thread only)."""
        signal.setitimer(signal.ITIMER_REAL, 0.03)
        try:
            self.sleep(job, 0.1)
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)


def is_over():
    """Tell whether the controller has closed the pipe, which nobody reads."""
    return bool(select.select([0], [], [], 0)[0])


def work(worker):
    """Do jobs until the end, and leave no connection."""
    from django_compat import closing_connections

    with closing_connections():
        while not is_over():
            worker.run_job()
            worker.pause()
        for alias in VENDORS:
            worker.run_job(alias)


def memory():
    """Return the KiB of memory that this process has."""
    with open("/proc/self/status") as stream:
        return int(stream.read().split("VmRSS:")[1].split()[0])


@contextlib.contextmanager
def audited(books, name, seconds):
    """Note the descriptors and the memory of this process."""
    before, first = len(os.listdir("/proc/self/fd")), []
    timer = threading.Timer(seconds / 4.0, lambda: first.append(memory()))
    timer.daemon = True
    timer.start()
    yield
    gc.collect()
    after = len(os.listdir("/proc/self/fd"))
    growth = memory() - first[0] if first else 0
    books.add(process={"name": name, "files": [before, after], "growth": growth})


def raise_time_limit(*_):
    raise TimeLimit()


def run_threads(books, seed, seconds):
    with audited(books, "threads", seconds):
        books.add(ready="threads")
        workers = [Worker(books, n, seed, "forks") for n in range(1, THREADS + 1)]
        threads = [threading.Thread(target=work, args=(w,)) for w in workers]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()


def run_children(books, seed, seconds):
    """Fork while the parent's connections are open; the parent works, too."""
    from django_compat import fresh_connections

    signal.signal(signal.SIGALRM, raise_time_limit)
    more = "forks interrupted interrupted"
    with audited(books, "parent", seconds):
        parent = Worker(books, 20, seed, more)
        pids = []
        with fresh_connections():
            for alias in VENDORS:
                parent.echo({"alias": alias, "wrong": []})
            for index in range(21, 21 + CHILDREN):
                pid = os.fork()
                if not pid:
                    try:
                        with audited(books, "child %d" % index, seconds):
                            work(Worker(books, index, seed, more))
                    finally:
                        os._exit(0)
                pids.append(pid)
        books.add(ready="children")
        work(parent)
        for pid in pids:
            os.waitpid(pid, 0)


class Task(Worker):
    """The jobs of an asyncio task, whose queries run in the thread of the ORM."""

    ASYNC_STYLES = "in_orm_thread in_own_thread cancelled two_steps inner_scope"

    async def run(self):
        from django_compat import fresh_connections

        while not is_over():
            job = self.begin()
            style = self.rng.choice(self.ASYNC_STYLES.split())
            error = None
            try:
                if style == "in_own_thread":
                    await self.in_own_thread(job)
                else:
                    async with fresh_connections():
                        await getattr(self, style)(job)
            except Exception as raised:
                error = raised
            self.end(job, error)
            await asyncio.sleep(self.rng.choice([0.1, 0.2, 0.5, 1.5]))
        for alias in VENDORS:
            await self.in_thread(self.run_job, alias)

    def in_thread(self, function, *arguments):
        from asgiref.sync import sync_to_async

        return sync_to_async(function)(*arguments)

    async def in_orm_thread(self, job):
        await self.in_thread(getattr(self, job["style"]), job)

    async def two_steps(self, job):
        job["style"] = "write"
        await self.in_thread(self.echo, job)
        await asyncio.sleep(0.05)
        await self.in_thread(self.write, job)

    async def inner_scope(self, job):
        from django_compat import fresh_connections

        async with fresh_connections():
            await self.in_orm_thread(job)
        job["style"] += " (inner)"

    async def in_own_thread(self, job):
        from django_compat import closing_connections

        function = closing_connections(getattr(self, job["style"]))
        await asyncio.to_thread(function, job)

    async def cancelled(self, job):
        job["style"] = "cancelled"
        try:
            await asyncio.wait_for(self.in_thread(self.sleep, job, 0.03), 0.01)
        except asyncio.TimeoutError:
            pass


def run_tasks(books, seed, seconds):
    from django_compat import aclose_all_connections

    async def run():
        books.add(ready="tasks")
        tasks = [Task(books, 100 + n, seed) for n in range(TASKS)]
        await asyncio.gather(*[task.run() for task in tasks])
        await aclose_all_connections()
        await asyncio.get_running_loop().shutdown_default_executor()

    with audited(books, "tasks", seconds):
        asyncio.run(run())


GROUPS = {"threads": run_threads, "children": run_children, "tasks": run_tasks}


def run_group(name, values):
    """Run a group of workers in this process, until its stdin is closed."""
    faulthandler.register(signal.SIGUSR1, all_threads=True)
    drivers.choose()
    settings.configure(
        DATABASES=values["databases"],
        INSTALLED_APPS=["django_compat"],
        LOGGING_CONFIG=None,
        USE_TZ=True,
    )
    django.setup()
    import logging

    logging.disable(logging.CRITICAL)  # each loss is a warning
    books = Books(values["books"])

    def note(error):
        """Errors of destructors, and of what runs at a fork, come out nowhere."""
        books.add(ignored="%r in %r" % (error.exc_value, error.object))

    sys.unraisablehook = note
    GROUPS[name](books, values["seed"], values["seconds"])


# The plan.


class Breaker(object):
    """Does the faults of a plan on one server, and notes when each was on."""

    def __init__(self, vendor, server, proxy, rng):
        self.vendor, self.server, self.proxy, self.rng = vendor, server, proxy, rng
        self.done = []  # (begin, end, name)

    def do(self, fault):
        begin = time.monotonic()
        getattr(self, fault.name.replace(" ", "_"))(fault.seconds)
        if fault.name != "delay":
            time.sleep(NEWS)
        self.done.append((begin, time.monotonic(), fault.name))

    def kill_sessions(self, _):
        from support.databases import end_session, sessions

        numbers = sorted(sessions(self.vendor))
        for number in self.rng.sample(numbers, len(numbers) // 2):
            end_session(self.vendor, number)

    def cut(self, _):
        self.proxy.cut()

    def reset(self, _):
        self.proxy.reset()

    def stall(self, seconds, new=True):
        self.proxy.stall(new)
        time.sleep(seconds)
        self.proxy.cut()
        self.proxy.resume()

    def drop_silently(self, seconds):
        self.stall(seconds, new=False)

    def refuse(self, seconds):
        self.proxy.refuse()
        time.sleep(seconds)
        self.proxy.accept()

    def delay(self, seconds):
        self.proxy.latency = 0.01
        time.sleep(seconds)
        self.proxy.latency = 0

    def exhaust_max_connections(self, seconds):
        from support.databases import Observer, sessions, wait_for

        taken = []
        try:
            while len(taken) < 150:
                taken.append(Observer(self.vendor, self.server.port))
        except Exception:
            pass  # the driver's own class: too many connections
        time.sleep(seconds)
        for observer in taken:
            observer.raw.close()
        numbers = {observer.key[1] for observer in taken}
        wait_for(lambda: not numbers & sessions(self.vendor))

    def restart(self, _):
        self.server.restart(*DURABLE[self.vendor])

    def crash(self, _):
        self.server.kill()
        self.server.start(*DURABLE[self.vendor])


# The books.


def audit(jobs, rows, windows, over):
    """Return ``{what holds: [the exceptions]}``.

    :param rows: by alias: ``{(number, part): how often the row is there}``.
    :param windows: by alias: when faults were on, as (begin, end, name).
    :param over: when the last fault was over.
    """
    found = collections.OrderedDict(
        (text, [])
        for text in (
            "no acknowledged row is lost",
            "no row is there twice",
            "no transaction is there by half",
            "nothing that was rolled back is there",
            "no retry followed a success, none was in a block",
            "no answer was another query's",
            "no job failed without a fault",
            "each worker recovered, on both servers",
        )
    )
    lost, twice, half, undone, retried, wrong, failed, broken = found.values()
    for job in jobs:
        there, number = rows[job["alias"]], job["number"]
        for key in map(tuple, job["acknowledged"]):
            if key not in there:
                lost.append((job, key))
        undone += [job for number in job["absent"] if (number, 0) in there]
        parts = [(number, part) in there for part in (1, 2)]
        if any(parts) != all(parts):
            half.append(job)
        acknowledged = [part for _, part in job["acknowledged"] if part > 10]
        if acknowledged and (number, min(acknowledged) + 1) in there:
            retried.append(job)
        if job["style"] == "retry_in_block" and job.get("calls", 1) != 1:
            retried.append(job)
        wrong += [(job, text) for text in job["wrong"]]
        if job["kind"] not in ("ok", "OnPurpose", "TimeLimit"):
            on = windows[job["alias"]]
            if not any(b <= job["end"] and job["begin"] <= e for b, e, _ in on):
                failed.append(job)
    for alias in rows:
        twice += [(alias, key) for key, count in rows[alias].items() if count > 1]
    workers = {job["worker"] for job in jobs}
    late = {
        (job["worker"], job["alias"])
        for job in jobs
        if job["begin"] > over and job["kind"] in ("ok", "OnPurpose", "TimeLimit")
    }
    broken += [
        (worker, alias)
        for worker in sorted(workers)
        for alias in rows
        if (worker, alias) not in late
    ]
    return found


def read(path):
    with open(path) as stream:
        return stream.read()


def read_rows(alias):
    """Return ``{(number, part): how often}`` of a server's table."""
    from support.databases import administration

    with administration(alias) as admin:
        with admin.cursor() as cursor:
            cursor.execute("SELECT number, part, COUNT(*) FROM soak GROUP BY 1, 2")
            return {(number, part): count for number, part, count in cursor.fetchall()}


def make_table(alias):
    from support.databases import administration, run

    with administration(alias) as admin:
        run(admin, "CREATE TABLE soak (number bigint, part integer)")
        run(admin, "CREATE INDEX soak_number ON soak (number)")


@contextlib.contextmanager
def servers_and_proxies():
    """Start the servers, a proxy before each; give ``{vendor: (server, proxy)}``."""
    from support import databases
    from support.fixtures import proxy_before
    from support.servers import Server

    os.environ.setdefault("PGSSLMODE", "disable")
    with contextlib.ExitStack() as stack:
        started = {}
        for vendor in VENDORS:
            server = Server(vendor)
            stack.callback(server.stop)
            server.start(*DURABLE[vendor])
            for alias in (vendor, vendor + "_other"):
                databases.point(alias, server)
            make_table(vendor)
            started[vendor] = server, stack.enter_context(proxy_before(vendor))
        yield started


def group_databases():
    """Return DATABASES of the workers, behind the proxies."""
    from django.db import connections

    result = {}
    for vendor in VENDORS:
        entry = connections.databases[vendor]
        keys = ("ENGINE", "HOST", "PORT", "USER", "PASSWORD", "NAME")
        result[vendor] = dict({key: entry[key] for key in keys}, CONN_MAX_AGE=None)
        result[vendor].update(CONN_MAX_IDLE=1, OPTIONS={"connect_timeout": 5})
    return dict(result, default=result["mysql"])


def soak(seconds, seed, folder):
    """Run the plan; return ``{what holds: [the exceptions]}`` and print the table."""
    from support import databases
    from support.databases import wait_for

    plan = make_plan(seed, seconds)
    with servers_and_proxies() as started:
        path = os.path.join(folder, "books")
        open(path, "w").close()
        values = {"databases": group_databases(), "books": path}
        values.update(seed=seed, seconds=seconds)
        groups = {
            name: subprocess.Popen(
                [sys.executable, "-W", "ignore", __file__, name, json.dumps(values)],
                stdin=subprocess.PIPE,
            )
            for name in GROUPS
        }
        wait_for(lambda: read(path).count('"ready"') == len(GROUPS), 60)
        begin = time.monotonic()
        breakers = {
            vendor: Breaker(vendor, server, proxy, random.Random(seed))
            for vendor, (server, proxy) in started.items()
        }
        for fault in plan:
            time.sleep(max(0, begin + fault.at - time.monotonic()))
            breakers[fault.vendor].do(fault)
        over = time.monotonic()
        time.sleep(max(QUIET, begin + seconds - over))
        unfinished = stop(groups)
        left = {vendor: count_left(vendor) for vendor in VENDORS}
        rows = {vendor: read_rows(vendor) for vendor in VENDORS}
        databases.stop_observing()
    entries = [json.loads(line) for line in read(path).splitlines()]
    jobs = [entry["job"] for entry in entries if "job" in entry]
    processes = [entry["process"] for entry in entries if "process" in entry]
    windows = {
        vendor: [window for window in breaker.done if window[2] != "delay"]
        for vendor, breaker in breakers.items()
    }
    found = audit(jobs, rows, windows, over)
    found["every process ended by itself"] = unfinished
    found["no error was swallowed by Python"] = [
        entry["ignored"] for entry in entries if "ignored" in entry
    ]
    found["no session is left"] = [item for item in left.items() if item[1]]
    found["no descriptor is left"] = [
        process for process in processes if process["files"][0] != process["files"][1]
    ]
    found["no process grew by more than %d KiB" % MEMORY] = [
        process for process in processes if process["growth"] > MEMORY
    ]
    if len(processes) != len(GROUPS) + CHILDREN:
        found["every process ended by itself"].append(processes)
    print_table(jobs, rows, breakers, processes, found)
    return found


def stop(groups):
    """Let the workers end; return those that did not, or not well."""
    unfinished = []
    for process in groups.values():
        process.stdin.close()
    deadline = time.monotonic() + 60
    for name, process in groups.items():
        try:
            code = process.wait(max(1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGUSR1)  # it says where it waits
            time.sleep(1)
            process.kill()
            code = "did not end"
        if code != 0:
            unfinished.append((name, code))
    return unfinished


def count_left(vendor):
    """Return how many sessions are left on a server a moment later."""
    from support.databases import sessions

    deadline = time.monotonic() + 10
    while sessions(vendor) and time.monotonic() < deadline:
        time.sleep(0.05)
    return len(sessions(vendor))


def print_table(jobs, rows, breakers, processes, found):
    kinds = {"ok": "ok", "OnPurpose": "raised", "TimeLimit": "interrupted"}
    counts = collections.Counter(
        (job["style"], job["alias"], kinds.get(job["kind"], "cut")) for job in jobs
    )
    columns = ["ok", "cut", "raised", "interrupted"]
    line = "%-22s" + 2 * "  %8s %6s %6s %6s"
    print(line % (("job",) + 2 * ("ok", "cut", "raised", "interr")))
    for style in sorted({job["style"] for job in jobs}):
        values = [counts[style, alias, kind] for alias in VENDORS for kind in columns]
        print(line % ((style,) + tuple(values)))
    totals = [
        sum(counts[key] for key in counts if key[1:] == (alias, kind))
        for alias in VENDORS
        for kind in columns
    ]
    print(line % (("all",) + tuple(totals)))
    written = tuple(sum(rows[vendor].values()) for vendor in VENDORS)
    print("\n%d rows on MariaDB, %d on PostgreSQL" % written)
    faults = collections.Counter(
        (name, vendor) for vendor in VENDORS for _, _, name in breakers[vendor].done
    )
    print("\n%-26s %8s %10s" % ("fault", "MariaDB", "PostgreSQL"))
    for name in sorted(FAULTS):
        print("%-26s %8d %10d" % ((name,) + tuple(faults[name, v] for v in VENDORS)))
    print("\n%-12s %12s %16s" % ("process", "descriptors", "growth in KiB"))
    for process in processes:
        before, after = process["files"]
        print("%-12s %5d -> %3d %16d"
              % (process["name"], before, after, process["growth"]))
    print()
    for text, exceptions in found.items():
        print("%-4s %s" % ("no" if exceptions else "ok", text))
        for exception in exceptions[:5]:
            print("       %s" % (exception,))
        if len(exceptions) > 5:
            print("       and %d more" % (len(exceptions) - 5))


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60, help="default: 60")
    parser.add_argument("--seed", type=int, default=None, help="default: the clock's")
    options = parser.parse_args()
    if not options.seconds >= 15:
        parser.error("--seconds %s: must be 15 or more" % options.seconds)
    seed = int(time.time()) if options.seed is None else options.seed
    print("seed %d: python %s --seconds %g --seed %d"
          % (seed, sys.argv[0], options.seconds, seed))
    from support.servers import MissingServer
    from support.settings import configure

    drivers.choose()
    folder = tempfile.mkdtemp(prefix="django_compat_soak_")
    try:
        configure(folder)
        if drivers.missing:
            raise MissingServer("no driver: %s" % drivers.missing)
        found = soak(options.seconds, seed, folder)
    except MissingServer as error:
        print("nothing was run: %s" % error)
        sys.exit(int(os.environ.get("DJANGO_COMPAT_REQUIRE_SERVERS") == "1"))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    sys.exit(1 if any(found.values()) else 0)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1] in GROUPS:
        run_group(sys.argv[1], json.loads(sys.argv[2]))
    else:
        main()
