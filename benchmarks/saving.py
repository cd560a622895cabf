"""Keep the figures of a run in results/, from which docs/evidence.py writes a page."""

from __future__ import absolute_import

import json
import os
import platform
import time

import django

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "results")


def add_option(parser):
    parser.add_argument(
        "--save", action="store_true", help="keep the figures in benchmarks/results"
    )


def save(script, figures, **facts):
    """Write the figures of a script, and what they were measured on."""
    series = "%d%d" % django.VERSION[:2]
    python = "".join(platform.python_version_tuple()[:2])
    facts.update(
        cores=os.cpu_count(),
        date=time.strftime("%Y-%m-%d"),
        django=django.get_version(),
        figures=figures,
        load=round(os.getloadavg()[0], 1),
        python=platform.python_version(),
    )
    name = "%s-py%s-django%s.json" % (script, python, series)
    with open(os.path.join(FOLDER, name), "w") as stream:
        json.dump(facts, stream, indent=1)
        stream.write("\n")
