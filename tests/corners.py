"""The pair and the drivers of this run, and which of the long tests it has."""

from __future__ import absolute_import

import os
import sys

import django

from django_compat.matrix import PYTHONS, pairs

PYTHON = "%d.%d" % sys.version_info[:2]
SERIES = "%d.%d" % django.VERSION[:2]
PAIR = PYTHON, SERIES
djangos = [series for python, series in pairs() if python == PYTHON]

# The oldest and the newest Django of four Pythons; of one that nobody listed, none.
IS_CORNER = PYTHON in ("2.7", "3.6", "3.10", PYTHONS[-1]) and SERIES in (
    djangos[0],
    djangos[-1],
)

# Where a Django is tested once: on the newest Python that it declares and we support.
pythons = [python for python, series in pairs() if series == SERIES]
IS_NEWEST = PYTHON in pythons[-1:]

DRIVERS = os.environ.get("DJANGO_COMPAT_TEST_DRIVERS", "mysqlclient psycopg2").split()
ARE_FIRST = "mysqlclient" in DRIVERS  # this run's drivers, not the other two

# The pairs that run every file: three over all four drivers.
IS_FULL = PAIR in [("2.7", "1.4"), ("3.10", "5.2"), ("3.13", "6.1")] or (
    ARE_FIRST and PAIR == ("3.6", "1.11")
)

# What says no more with another Python of the same Django.
RUNS_ONCE = IS_FULL or (IS_NEWEST and ARE_FIRST)

# This pair's place in the row where tests take turns: so many neighbours have each test
# once. None for a pair that nobody listed.
TURN = pairs().index(PAIR) if PAIR in pairs() else None
TURNS = 5 if ARE_FIRST else 10
