"""Which tests run where: contract tests on every pair, all tests on the full pairs."""

from __future__ import absolute_import

import os
import sys

import django

from django_compat.matrix import pairs

PAIR = "%d.%d" % sys.version_info[:2], "%d.%d" % django.VERSION[:2]
FULL_PAIRS = [
    ("2.7", "1.4"),
    ("2.7", "1.11"),
    ("3.6", "1.11"),
    ("3.6", "2.0"),
    ("3.8", "3.2"),
    ("3.10", "4.2"),
    pairs()[-1],  # the newest
]
IS_FULL = PAIR in FULL_PAIRS
RUNS_ALL = IS_FULL or os.environ.get("DJANGO_COMPAT_TEST_ALL") == "1"
