"""Django's test cases, each run as a whole inside of a test of ours."""

from __future__ import absolute_import

import unittest

import django
from django.db import connections


def run_case(case):
    """Run a test case of Django's with its fixtures; fail if it fails."""
    result = unittest.TestResult()
    unittest.TestSuite([case]).run(result)
    assert result.testsRun == 1
    assert [text for _, text in result.errors + result.failures] == []


def usable_alias(alias):
    """Return the alias that a test case can have: until 2.1 "default" or all."""
    return alias if django.VERSION >= (2, 2) else "default"


def in_test_case(base, alias, body):
    """Run ``body(case, alias)`` as a test in a test case of this base class."""
    name = usable_alias(alias)

    class Case(base):
        databases = {name}

        def runTest(self):
            body(self, name)

    if django.VERSION < (1, 6):  # found out when the test runner makes the databases
        for connection in connections.all():
            connection.features.supports_transactions = True
    run_case(Case())
