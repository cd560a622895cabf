"""close_old_connections as a receiver of the request signals, and the test client."""

from __future__ import absolute_import

import pytest
from django.core import signals
from django.db import connections
from django.http import HttpResponse
from django.test import Client, TestCase, TransactionTestCase

from django_compat import close_old_connections
from support.databases import open_connection, run, tidy
from support.losses import PERSISTS
from support.testcases import in_test_case
from support.transactions import new_block

try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("own_urls")]
served = []  # the raw connection of each request


def view(request, alias):
    run(connections[alias], "SELECT 1")
    served.append(connections[alias].connection)
    return HttpResponse("done")


urlpatterns = [re_path(r"^(\w+)/$", view)]


def get(alias):
    """Ask for the page with the test client; return the raw connection it used."""
    assert Client().get("/%s/" % alias).content == b"done"
    return served[-1]


def test_client_keeps_the_connection_of_the_test(alias):
    """The test client disconnects the receiver, also one that was connected again."""
    connection = open_connection(alias, 0)
    raw = connection.connection
    signals.request_finished.connect(close_old_connections)
    if PERSISTS:  # until 1.5 the test client leaves request_started alone
        signals.request_started.connect(close_old_connections)
    assert get(alias) is raw
    assert connection.connection is raw


def test_request_outside_the_client_closes_old_ones(alias):
    """The signals of a request reach Django's own receivers."""
    connection = open_connection(alias, 0)
    signals.request_started.send(sender=object)
    signals.request_finished.send(sender=object)
    assert connection.connection is None


@pytest.mark.parametrize("max_age", [0, None])
def test_client_inside_a_transaction_keeps_its_data(alias, max_age):
    """A request through the test client sees the uncommitted rows of the test."""
    connection = open_connection(alias, max_age)
    try:
        with new_block(alias):
            run(connection, "CREATE TEMPORARY TABLE mine (id INTEGER)")
            raw = connection.connection
            assert get(alias) is raw
            assert run(connection, "SELECT count(*) FROM mine") == (0,)
    finally:
        connection.close()


@pytest.mark.parametrize("base", [TestCase, TransactionTestCase])
def test_testcase_with_an_attached_receiver_passes(base):
    """A test case passes with close_old_connections connected a second time."""

    def body(case, name):
        signals.request_finished.connect(close_old_connections)
        run(connections[name], "CREATE TEMPORARY TABLE mine (id INTEGER)")
        assert case.client.get("/default/").content == b"done"
        assert run(connections[name], "SELECT count(*) FROM mine") == (0,)

    open_connection("default", 0)
    in_test_case(base, "default", body)
    tidy()
