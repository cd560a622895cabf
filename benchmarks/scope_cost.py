"""Measure an empty scope as aliases and threads grow, on MariaDB and PostgreSQL.

Each alias has an open connection, and so has each thread. What is timed is the scope
alone, beside Django's two calls alone, in short turns, one right after the other. With
threads: the time of all of them together, a scope; they share one interpreter lock.
The interpreter needs what worker_loop.py needs, django-dbconn-retry aside.
"""

from __future__ import absolute_import, print_function

import argparse
import json
import platform
import sys
import threading
from collections import defaultdict
from time import perf_counter

import links

NATIVE, OURS = "close_old_connections() twice", "with fresh_connections()"
NUMBERS = {"aliases": (1, 10, 100), "threads": (1, 8, 64)}
UNITS, TURNS = 2000, 15  # scopes of a turn, over all threads; turns of a process


def native(units):
    from django.db import close_old_connections

    for _ in range(units):
        close_old_connections()
        close_old_connections()


def ours(units):
    from django_compat import fresh_connections

    for _ in range(units):
        with fresh_connections():
            pass


def work(function, units, open_all, barrier, failures):
    """Be one thread of a turn: connect, wait for the others, run the units."""
    from django.db import connections

    try:
        open_all()
        barrier.wait()
        function(units)
        barrier.wait()  # to close costs something too
    except Exception as error:
        failures.append(error)
        barrier.abort()
    connections.close_all()


def time_turn(function, open_all, aliases, threads):
    """Return the seconds a unit: of all threads together, by the units of all."""
    if threads == 1:
        units = max(20, UNITS // aliases)
        started = perf_counter()
        function(units)
        return (perf_counter() - started) / units
    barrier, failures = threading.Barrier(threads + 1), []
    arguments = function, UNITS // threads, open_all, barrier, failures
    members = [threading.Thread(target=work, args=arguments) for _ in range(threads)]
    for member in members:
        member.start()
    barrier.wait()
    started = perf_counter()
    barrier.wait()
    seconds = perf_counter() - started
    for member in members:
        member.join()
    if failures:
        raise failures[0]
    return seconds / (UNITS // threads * threads)


def child(database, aliases, threads):
    """Measure in this process, and print the seconds."""
    names = links.configure(database, aliases)
    from django.db import connections

    def open_all():
        for name in names:
            connections[name].ensure_connection()

    if threads == 1:
        open_all()
    found = defaultdict(list)
    for turn in range(TURNS + 1):  # the first one warms up
        for name, function in (NATIVE, native), (OURS, ours):
            seconds = time_turn(function, open_all, aliases, threads)
            if turn:
                found[name].append(seconds)
    print(json.dumps(found))


def main():
    import django
    import pyperf

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="keep the times, for pyperf")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds %d: must be 1 or more" % options.rounds)
    cells = [(1, 1)] + [(number, 1) for number in NUMBERS["aliases"][1:]]
    cells += [(1, number) for number in NUMBERS["threads"][1:]]
    print("Python %s, Django %s, %d rounds of processes; microseconds a unit, median"
          % (platform.python_version(), django.get_version(), options.rounds))
    benchmarks = []
    for vendor, title in links.TITLES.items():
        runs = defaultdict(list)
        with links.running_server(vendor) as database:
            for _ in range(options.rounds):
                for cell in cells:
                    found = links.run_child("scope_cost.py", database, *cell)
                    for name, values in found.items():
                        runs[cell, name].append(values)
        print("\n%-10s %7s %7s %31s %26s %9s"
              % (title, "aliases", "threads", NATIVE, OURS, "an alias"))
        for cell in cells:
            medians = []
            for name in NATIVE, OURS:
                label = "%s, %d aliases, %d threads: %s" % ((title,) + cell + (name,))
                benchmarks.append(pyperf.Benchmark([
                    pyperf.Run(values, metadata={"name": label})
                    for values in runs[cell, name]
                ]))
                medians.append(benchmarks[-1].median() * 1e6)
            print("%-10s %7d %7d %31.1f %26.1f %9.1f"
                  % (("",) + cell + tuple(medians) + (medians[1] / cell[0],)))
    if options.json:
        pyperf.BenchmarkSuite(benchmarks).dump(options.json, replace=True)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].startswith("{"):
        child(*map(json.loads, sys.argv[1:]))
    else:
        main()
