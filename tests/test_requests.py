"""Signals and the test client, with the imported name attached as users attach it."""

from __future__ import absolute_import

import unittest

import databases
import django.db
import pytest
from databases import open_connection, run
from django.core import signals
from django.db import connections, transaction
from django.http import HttpResponse
from django.test import Client, TestCase, TransactionTestCase

from django_compat import close_old_connections

try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

pytestmark = pytest.mark.everywhere
CLOSES_ALL = not hasattr(django.db, "close_old_connections")
served = []  # (alias, raw connection) of each request


def view(request, alias):
    run(connections[alias], "SELECT 1")
    served.append((alias, connections[alias].connection))
    return HttpResponse("done")


urlpatterns = [re_path(r"^(\w+)/$", view)]


def get(alias):
    """Ask for the page with the test client; return the raw connection it used."""
    assert Client().get("/%s/" % alias).content == b"done"
    return served[-1][1]


def test_client_keeps_the_connection_of_the_test(alias):
    """The test client detaches Django's receiver, also when we attached it again."""
    connection = open_connection(alias, 0)
    raw = connection.connection
    signals.request_finished.connect(close_old_connections)
    if not CLOSES_ALL:  # until 1.5 it has no business at a request's start
        signals.request_started.connect(close_old_connections)
    assert get(alias) is raw
    assert connection.connection is raw


def test_request_outside_the_client_closes_old_ones(alias):
    """What a server sends around a request reaches Django's own receivers."""
    connection = open_connection(alias, 0)
    signals.request_started.send(sender=object)
    signals.request_finished.send(sender=object)
    assert connection.connection is None


@pytest.mark.parametrize("max_age", [0, None])
def test_client_inside_a_transaction_keeps_its_data(alias, max_age):
    """A request through the client sees the uncommitted rows of the test's block."""
    connection = open_connection(alias, max_age)
    block = getattr(transaction, "atomic", None) or transaction.commit_on_success
    try:
        with block(using=alias):
            run(connection, "CREATE TEMPORARY TABLE mine (id INTEGER)")
            raw = connection.connection
            assert get(alias) is raw
            assert run(connection, "SELECT count(*) FROM mine") == (0,)
    finally:
        connection.close()


@pytest.mark.parametrize("base", [TestCase, TransactionTestCase])
def test_testcase_with_an_attached_receiver_passes(base):
    """Django's test cases run with our name on the signals as they do without it."""

    class Case(base):
        def runTest(self):
            signals.request_finished.connect(close_old_connections)
            run(connections["default"], "CREATE TEMPORARY TABLE mine (id INTEGER)")
            assert self.client.get("/default/").content == b"done"
            assert run(connections["default"], "SELECT count(*) FROM mine") == (0,)

    open_connection("default", 0)
    result = unittest.TestResult()
    Case()(result)
    databases.tidy()
    assert result.testsRun == 1
    assert result.errors == [] and result.failures == []
