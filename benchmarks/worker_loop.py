"""Measure a worker loop of one indexed SELECT a job, on MariaDB and PostgreSQL.

The interpreter needs Django, both drivers, pyperf, django-dbconn-retry and this
library, installed. The servers are private. A round runs one fresh process for each
server and distance: near, and far (behind a proxy that delays each direction). In the
process the candidates take short turns, one right after the other, so that a busy
machine slows all candidates alike. The median job of a turn counts. A ratio compares
two neighbouring turns; the table shows the median of the ratios and its 95 % confidence
interval. "sent" counts the chunks that the client sends in a job, as a proxy sees them:
the job's round trips, and the goodbye of a candidate that closes.
"""

from __future__ import absolute_import, print_function

import argparse
import platform
from collections import OrderedDict, defaultdict
from contextlib import ExitStack
from math import ceil, floor
from statistics import median

import django
import links
import pyperf
import saving

BARE = "nothing around the job"
NATIVE = "close_old_connections() around it"
OURS = "with fresh_connections()"
CHECKS = "the same, with CONN_HEALTH_CHECKS"
RETRY = "django-dbconn-retry, nothing around it"
CLOSE = "a close after each job"
CANDIDATES = (BARE, NATIVE, CHECKS, OURS, RETRY, CLOSE)
PROBES = "the probe of a scope", "liveness()", "is_usable()", "a new connection"
PROBE, LOOK, ASK, OPEN = PROBES
NEAR, FAR = "loopback", "+%.1f ms each way" % (links.LATENCY * 1000)
HAS_CHECKS = django.VERSION >= (4, 1)


def interval(ratios):
    """Return the 95 % confidence interval of the median."""
    ratios, half = sorted(ratios), 0.98 * len(ratios) ** 0.5
    middle = (len(ratios) - 1) / 2
    ends = max(0, floor(middle - half)), min(len(ratios) - 1, ceil(middle + half))
    return tuple(ratios[end] for end in ends)


def measure(rounds, orm):
    """Return ``{(vendor, link): results}``, the results of all rounds together."""
    results = OrderedDict()
    with ExitStack() as stack:
        databases = OrderedDict()
        for vendor in links.TITLES:
            near = stack.enter_context(links.running_server(vendor))
            databases[vendor, NEAR] = near
            databases[vendor, FAR] = stack.enter_context(links.far(near))
        for turn in range(rounds):
            for (vendor, link), database in databases.items():
                counts = turn == 0 and link == NEAR
                new = links.run_child("candidates.py", database, orm, link, counts)
                result = results.setdefault(
                    (vendor, link), {"runs": defaultdict(list)}
                )
                for name, values in new.pop("seconds").items():
                    result["runs"][name].append(values)
                result.update(new)
    for vendor, link in results:
        results[vendor, link]["sent"] = results[vendor, NEAR]["sent"]
    return results


def report(where, result, benchmarks):
    """Print the table of one server at one distance; return its figures."""
    print("\n%-42s %9s %7s %13s %5s" % (where, "us a job", "ratio", "95 %", "sent"))
    flat = {name: sum(runs, []) for name, runs in result["runs"].items()}
    medians, figures = OrderedDict(), OrderedDict()
    for name in CANDIDATES + PROBES:
        if name not in flat:
            print("%-42s does not exist before Django 4.1" % name)
            continue
        metadata = {"name": "%s: %s" % (where, name)}
        runs = [
            pyperf.Run(values, metadata=metadata) for values in result["runs"][name]
        ]
        benchmarks.append(pyperf.Benchmark(runs))
        medians[name] = benchmarks[-1].median() * 1e6
        row = "%-42s %9.1f" % (name, medians[name])
        figures[name] = {"us": medians[name]}
        if name in CANDIDATES:
            pairs = zip(flat[name], flat[NATIVE])
            ratios = [seconds / base for seconds, base in pairs]
            low, high = interval(ratios)
            row += " %7.3f %6.3f-%.3f" % (median(ratios), low, high)
            figures[name].update(
                ratio=median(ratios), low=low, high=high, sent=result["sent"][name]
            )
            row += " %5.1f" % result["sent"][name]
        print(row)
    if CHECKS in medians:
        saved = result["sent"][CHECKS] - result["sent"][OURS]
        cells = "CONN_HEALTH_CHECKS less ours", medians[CHECKS] - medians[OURS], saved
        print("%-42s %9.1f %27.1f" % cells)
    return figures


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--orm", action="store_true", help="get() instead of a cursor")
    parser.add_argument("--json", metavar="FILE", help="keep the times, for pyperf")
    saving.add_option(parser)
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds %d: must be 1 or more" % options.rounds)
    results = measure(options.rounds, options.orm)
    head = "one indexed SELECT by %s, Python %s, Django %s, %d rounds" % (
        "get()" if options.orm else "a cursor",
        platform.python_version(),
        django.get_version(),
        options.rounds,
    )
    print("A job is %s" % head)
    benchmarks, figures = [], OrderedDict()
    for (vendor, link), result in results.items():
        where = "%s, %s, %s" % (links.TITLES[vendor], result["driver"], link)
        figures[where] = report(where, result, benchmarks)
    if options.json:
        pyperf.BenchmarkSuite(benchmarks).dump(options.json, replace=True)
    if options.save:
        name = "worker_loop" + "_orm" * options.orm
        saving.save(name, figures, rounds=options.rounds, head=head)


if __name__ == "__main__":
    main()
