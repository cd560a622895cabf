"""Measure a worker loop of one indexed SELECT a job, on MariaDB and PostgreSQL.

The interpreter needs Django, both drivers, pyperf, django-dbconn-retry and this
library, installed; the servers are our own. A round runs, for each server, near and far
(behind a proxy that delays each direction), one fresh process, in which the candidates
take short turns, one right after the other, so that a busy machine slows all of them
alike; of a turn the median job counts. A ratio is one of two neighbouring turns; the
table has the median of them, and its 95 % confidence interval. "sent" is what a proxy
sees the client send in a job: its round trips, and a goodbye where it closes.
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
import picture
import pyperf

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
    """Return ``{(vendor, link): what its processes have found}``."""
    found = OrderedDict()
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
                all_ = found.setdefault((vendor, link), {"runs": defaultdict(list)})
                for name, values in new.pop("seconds").items():
                    all_["runs"][name].append(values)
                all_.update(new)
    for vendor, link in found:
        found[vendor, link]["sent"] = found[vendor, NEAR]["sent"]
    return found


def report(where, each, benchmarks):
    """Print the table of one server at one distance; return its medians."""
    print("\n%-42s %9s %7s %13s %5s" % (where, "us a job", "ratio", "95 %", "sent"))
    flat = {name: sum(runs, []) for name, runs in each["runs"].items()}
    medians = OrderedDict()
    for name in CANDIDATES + PROBES:
        if name not in flat:
            print("%-42s does not exist before Django 4.1" % name)
            continue
        metadata = {"name": "%s: %s" % (where, name)}
        runs = [pyperf.Run(values, metadata=metadata) for values in each["runs"][name]]
        benchmarks.append(pyperf.Benchmark(runs))
        medians[name] = benchmarks[-1].median() * 1e6
        row = "%-42s %9.1f" % (name, medians[name])
        if name in CANDIDATES:
            ratios = [one / base for one, base in zip(flat[name], flat[NATIVE])]
            row += " %7.3f %6.3f-%.3f" % ((median(ratios),) + interval(ratios))
            row += " %5.1f" % each["sent"][name]
        print(row)
    if CHECKS in medians:
        saved = each["sent"][CHECKS] - each["sent"][OURS]
        cells = "CONN_HEALTH_CHECKS less ours", medians[CHECKS] - medians[OURS], saved
        print("%-42s %9.1f %27.1f" % cells)
    return medians


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=10, help="default: %(default)s")
    parser.add_argument("--orm", action="store_true", help="get() instead of a cursor")
    parser.add_argument("--json", metavar="FILE", help="keep the times, for pyperf")
    parser.add_argument("--svg", metavar="FILE", help="draw the medians")
    options = parser.parse_args()
    if options.rounds < 1:
        parser.error("--rounds %d: must be 1 or more" % options.rounds)
    found = measure(options.rounds, options.orm)
    head = "one indexed SELECT by %s, Python %s, Django %s, %d rounds" % (
        "get()" if options.orm else "a cursor",
        platform.python_version(),
        django.get_version(),
        options.rounds,
    )
    print("A job is %s" % head)
    benchmarks, panels = [], []
    for (vendor, link), each in found.items():
        where = "%s, %s, %s" % (links.TITLES[vendor], each["driver"], link)
        medians = report(where, each, benchmarks)
        bars = [(name, medians[name]) for name in CANDIDATES if name in medians]
        panels.append((where, bars))
    if options.json:
        pyperf.BenchmarkSuite(benchmarks).dump(options.json, replace=True)
    if options.svg:
        picture.draw(options.svg, "The median job: " + head, panels, OURS)


if __name__ == "__main__":
    main()
