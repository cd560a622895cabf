"""Measure, by turns in one process, what this library adds to Django's own calls.

Whole processes side by side scatter by 30 %. So two variants take short turns in one
process, one right after the other, and the figure is the median of the ratios turn by
turn. Each variant runs one ``SELECT 1`` a unit on a private MariaDB and PostgreSQL; the
last lines have no query, and 1, 10 and 100 open aliases. The interpreter needs the
packages that worker_loop.py needs, except django-dbconn-retry.
"""

from __future__ import absolute_import, print_function

import argparse
import gc
import json
import platform
import statistics
import sys
from contextlib import contextmanager, nullcontext
from time import perf_counter

import links

UNITS = 20  # in a turn of one variant
ALIASES = (1, 10, 100)


def measure(left, right, turns, units=UNITS):
    """Return the median ratio of two functions, and the seconds a unit of the second.

    Each turn begins with units that are not timed: a change of a class makes the
    interpreter forget what it knew of the class.
    """
    ratios, seconds = [], []
    for turn in range(turns):
        times = {}
        for function in (left, right) if turn % 2 else (right, left):
            with getattr(function, "switch", nullcontext)():
                function(units)
                started = perf_counter()
                function(units)
                times[function] = perf_counter() - started
        ratios.append(times[right] / times[left])
        seconds.append(times[right] / units)
    return statistics.median(ratios), statistics.median(seconds)


def child(database, aliases, turns):
    """Measure in this process, and print ``{label: [ratio, seconds]}``."""
    opened = links.configure(database, aliases)
    from django.db import close_old_connections, connections

    from django_compat import fresh_connections, guard_connections, stats
    from django_compat._db.stats import undo
    from django_compat.apps import install

    for alias in opened:
        connections[alias].ensure_connection()
    connection = connections["default"]

    def select():
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()

    def bare(units):
        for _ in range(units):
            select()

    def native(units):
        for _ in range(units):
            close_old_connections()
            select()
            close_old_connections()

    def scope(units):
        for _ in range(units):
            with fresh_connections():
                select()

    def native_empty(units):
        for _ in range(units):
            close_old_connections()
            close_old_connections()

    def scope_empty(units):
        for _ in range(units):
            with fresh_connections():
                pass

    def inner_scope(units):
        with fresh_connections():
            scope(units)

    def guarded(units):
        bare(units)

    def installed(units):
        native(units)

    @contextmanager
    def installation():
        handle = install()
        yield
        handle.undo()

    def counted(units):
        scope(units)

    @contextmanager
    def counting():
        stats()
        yield
        undo()

    guarded.switch, installed.switch = guard_connections, installation
    counted.switch = counting
    gc.disable()
    results = {}
    if aliases == 1:
        results["scope / two calls"] = measure(native, scope, turns)
        results["inner scope / two calls"] = measure(native, inner_scope, turns)
        results["guarded / bare cursor"] = measure(bare, guarded, turns)
        results["installed / two calls"] = measure(native, installed, turns)
        results["counted / scope"] = measure(scope, counted, turns)
    results["empty scope / two calls"] = measure(native_empty, scope_empty, turns)
    print(json.dumps(results))


def main():
    import django
    import saving

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=300, help="default: %(default)s")
    saving.add_option(parser)
    options = parser.parse_args()
    if options.turns < 1:
        parser.error("--turns %d: must be 1 or more" % options.turns)
    print("Python %s, Django %s, %d turns of %d units; the median ratio, and the time "
          "of a unit of the first"
          % (platform.python_version(), django.get_version(), options.turns, UNITS))
    figures = []
    for vendor, title in links.TITLES.items():
        with links.running_server(vendor) as database:
            for aliases in ALIASES:
                results = links.run_child("turns.py", database, aliases, options.turns)
                for label, (ratio, seconds) in results.items():
                    figures.append((title, aliases, label, ratio, seconds))
                    print("%-10s %3d aliases  %-24s %6.3f  %6.1f us"
                          % (title, aliases, label, ratio, seconds * 1e6))
    if options.save:
        saving.save("turns", figures, turns=options.turns)


if __name__ == "__main__":
    if sys.argv[1:2] and sys.argv[1].startswith("{"):
        child(*map(json.loads, sys.argv[1:]))
    else:
        main()
