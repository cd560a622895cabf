"""Measure what the import line costs over Django's own.

The interpreter needs Django, pyperf and this library, installed. Another shim is
measured if it is installed, and named in the report if it is not. A round runs every
candidate in fresh processes, one right after the other, so that a busy machine slows
all candidates alike.
"""

from __future__ import absolute_import, print_function

import argparse
import json
import platform
import subprocess
import sys
from collections import defaultdict, namedtuple
from statistics import median
from textwrap import shorten

import django
import pyperf
import saving

BASE = "from django.db import close_old_connections"
LINES = (
    "from django_compat import close_old_connections",
    "from django_six import close_old_connections",
    "from compat import close_connection",  # django-compat has only the old name
)
ALONE = tuple("import " + line.split()[1] for line in (BASE,) + LINES)
MUST_WORK = LINES[:1] + ALONE[:2]
CALL = "a call, after "

# Runs between Django's line and the measured line: django-compat needs settings.
CONFIGURE = """
native = close_old_connections
from django.conf import settings
settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:", "CONN_MAX_AGE": None,
}})
"""

# The two functions alternate in many short turns, on an open connection. The fastest
# turn of each function counts.
TIME_CALLS = """
from django.db import connections
from timeit import timeit
connections["default"].cursor().close()
turns = [[timeit(function, number=500) / 500 for function in (native, %s)]
         for turn in range(40)]
calls = [min(times) for times in zip(*turns)]
"""

# Runs each argument as a step, and prints the seconds and the new modules of each step.
CHILD = """
import sys
from time import perf_counter
names, figures, error = {}, [], None
for step in sys.argv[1:]:
    code = compile(step, "<step>", "exec")
    loaded, started = set(sys.modules), perf_counter()
    try:
        exec(code, names)
    except Exception as caught:
        error = type(caught).__name__ + ": " + (str(caught).splitlines() or [""])[0]
        break
    seconds = perf_counter() - started
    figures.append((seconds, len(set(sys.modules) - loaded)))
import json
print()
print(json.dumps((error, figures, names.get("calls"))))
"""

Sample = namedtuple("Sample", "seconds modules ratio")


def run(line, *steps):
    """Run the steps in one fresh process that sees only what is installed."""
    command = [sys.executable, "-I", "-W", "ignore", "-c", CHILD] + list(steps)
    error, figures, calls = json.loads(
        subprocess.check_output(command).decode().splitlines()[-1]
    )
    if error and line in MUST_WORK:
        sys.exit("%s: %s" % (line, error))
    return error, figures, calls


def measure(rounds):
    """Return ``{row: samples}``, and ``{row: error}`` for lines that do not import."""
    errors = {}
    for turn in range(rounds + 1):
        if turn < 2:  # the first round only fills the disk cache and writes byte-code
            samples = defaultdict(list)
        for line in [line for line in LINES if line not in errors]:
            time_calls = TIME_CALLS % line.split()[-1]
            error, figures, calls = run(line, BASE, CONFIGURE, line, time_calls)
            if error:
                errors[line] = errors[CALL + line] = error
                continue
            (base, base_modules), _, (seconds, modules), _ = figures
            samples[BASE].append(Sample(base, base_modules, 1))
            samples[line].append(Sample(seconds, modules, 1 + seconds / base))
            samples[CALL + BASE].append(Sample(calls[0], 0, 1))
            samples[CALL + line].append(Sample(calls[1], 0, calls[1] / calls[0]))
        for line in [line for line in ALONE if line not in errors]:
            error, figures, _ = run(line, line)
            if error:
                errors[line] = error
                continue
            (seconds, modules), = figures
            if line == ALONE[0]:
                base = seconds
            samples[line].append(Sample(seconds, modules, seconds / base))
    return samples, errors


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25, help="default: %(default)s")
    parser.add_argument("--json", metavar="FILE", help="keep the times, for pyperf")
    saving.add_option(parser)
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds %d: must be 1 or more" % options.rounds)
    samples, errors = measure(options.rounds)
    print("Python %s, Django %s, %d rounds of fresh processes; + is what the line adds"
          % (platform.python_version(), django.get_version(), options.rounds))
    benchmarks, figures, table = [], {}, "%-62s %9s %9s %8s %7s"
    lines = (BASE,) + LINES
    for rows in lines, ALONE, tuple(CALL + line for line in lines):
        print("\n" + table % ("", "median", "mean", "modules", "ratio"))
        for row in rows:
            if row in errors:
                print("%s: does not import\n    %s" % (row, shorten(errors[row], 96)))
                figures[row] = {"error": errors[row]}
                continue
            seconds, modules, ratios = zip(*samples[row])
            runs = [pyperf.Run([value], metadata={"name": row}) for value in seconds]
            times = pyperf.Benchmark(runs)
            benchmarks.append(times)
            middles = times.median(), times.mean()
            figures[row] = {"seconds": middles[0], "modules": median(modules)}
            cells = [times.format_value(middle) for middle in middles]
            cells.append("%d" % median(modules) if any(modules) else "")
            if row in LINES:
                cells = ["+" + cell for cell in cells]
            print(table % tuple([row] + cells + ["%.2f" % median(ratios)]))
    if options.json:
        pyperf.BenchmarkSuite(benchmarks).dump(options.json, replace=True)
    if options.save:
        saving.save("import_line", figures, rounds=options.rounds)


if __name__ == "__main__":
    main()
