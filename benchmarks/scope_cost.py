"""Measure an empty scope as aliases and threads grow, on MariaDB and PostgreSQL.

Each thread has an open connection to each alias. The scope alone and Django's two calls
alone take short turns, one right after the other. With threads, the figure is the time
of all threads together, divided by the number of scopes; the threads share one
interpreter lock. The interpreter needs the packages that worker_loop.py needs, except
django-dbconn-retry.
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
SCOPES = 2000  # in a turn, in all threads together
TURNS = 15  # in a process


def native(scopes):
    from django.db import close_old_connections

    for _ in range(scopes):
        close_old_connections()
        close_old_connections()


def ours(scopes):
    from django_compat import fresh_connections

    for _ in range(scopes):
        with fresh_connections():
            pass


def work(function, scopes, open_all, barrier, failures):
    """Run one thread of a turn: connect, wait for the other threads, run the scopes."""
    from django.db import connections

    try:
        open_all()
        barrier.wait()
        function(scopes)
        barrier.wait()  # the turn ends here, before connections.close_all()
    except Exception as error:
        failures.append(error)
        barrier.abort()
    connections.close_all()


def time_turn(function, open_all, aliases, threads):
    """Return the seconds a scope: the turn of all threads by the scopes of all."""
    if threads == 1:
        scopes = max(20, SCOPES // aliases)
        started = perf_counter()
        function(scopes)
        return (perf_counter() - started) / scopes
    barrier, failures = threading.Barrier(threads + 1), []
    arguments = function, SCOPES // threads, open_all, barrier, failures
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
    return seconds / (SCOPES // threads * threads)


def child(database, aliases, threads):
    """Measure in this process, and print the seconds."""
    opened = links.configure(database, aliases)
    from django.db import connections

    def open_all():
        for alias in opened:
            connections[alias].ensure_connection()

    if threads == 1:
        open_all()
    results = defaultdict(list)
    for turn in range(TURNS + 1):  # the first turn warms up
        for name, function in (NATIVE, native), (OURS, ours):
            seconds = time_turn(function, open_all, aliases, threads)
            if turn:
                results[name].append(seconds)
    print(json.dumps(results))


def main():
    import django
    import pyperf
    import saving

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=5, help="default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="keep the times, for pyperf")
    saving.add_option(parser)
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds %d: must be 1 or more" % options.rounds)
    cells = [(1, 1)] + [(number, 1) for number in NUMBERS["aliases"][1:]]
    cells += [(1, number) for number in NUMBERS["threads"][1:]]
    print("Python %s, Django %s, %d rounds of processes; microseconds a scope, median"
          % (platform.python_version(), django.get_version(), options.rounds))
    benchmarks, figures = [], []
    for vendor, title in links.TITLES.items():
        runs = defaultdict(list)
        with links.running_server(vendor) as database:
            for _ in range(options.rounds):
                for cell in cells:
                    results = links.run_child("scope_cost.py", database, *cell)
                    for name, values in results.items():
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
            figures.append((title,) + cell + tuple(medians))
            print("%-10s %7d %7d %31.1f %26.1f %9.1f"
                  % (("",) + cell + tuple(medians) + (medians[1] / cell[0],)))
    if options.json:
        pyperf.BenchmarkSuite(benchmarks).dump(options.json, replace=True)
    if options.save:
        saving.save("scope_cost", figures, rounds=options.rounds)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].startswith("{"):
        child(*map(json.loads, sys.argv[1:]))
    else:
        main()
