"""A child process that ends says goodbye: its server counts no aborted client."""

from __future__ import absolute_import

import multiprocessing
import os
import sys

import pytest

from support.databases import observe, sessions, tidy, wait_for
from support.processes import run_module
from support.projects import environment

METHODS = getattr(multiprocessing, "get_all_start_methods", lambda: [None])()
CASES = [("process", method) for method in METHODS]
if hasattr(os, "register_at_fork"):  # Python 3.7+
    CASES.append(("horse", None))
POOL_CASES = [("pool", method) for method in METHODS]
if sys.version_info >= (3, 7):  # before, it forks
    POOL_CASES += [("executor", method) for method in METHODS]


def aborted():
    """Return how many clients went without a goodbye since the server started."""
    kind = {"mysql": "SHOW GLOBAL STATUS LIKE 'Aborted_clients'"}
    ((_, number),) = observe("mysql", kind)
    return int(number)


def lost(apps, way, method, *more):
    """Run children that query; return how many of them said no goodbye."""
    tidy()
    before = aborted()
    env = environment("mysql", apps)
    children = run_module("children", way, str(method), *more, env=env)
    assert children
    wait_for(lambda: not set(children) & sessions("mysql"))
    return aborted() - before


@pytest.mark.contract
@pytest.mark.parametrize("way, method", CASES)
def test_child_that_ends_says_goodbye(mysql_server, way, method):
    """With the app installed no client is aborted, and no session is left."""
    assert lost(["django_compat"], way, method) == 0


@pytest.mark.parametrize("way, method", POOL_CASES)
def test_child_of_a_pool_says_goodbye(mysql_server, way, method):
    """It does so also in each pool of the standard library."""
    assert lost(["django_compat"], way, method) == 0


@pytest.mark.parametrize("method", [name for name in METHODS if name == "spawn"])
def test_child_that_sets_django_up_late_says_goodbye(mysql_server, method):
    """A spawned child may call django.setup() in its target."""
    assert lost(["django_compat"], "process", method, "late") == 0


def test_without_the_app_a_child_is_an_aborted_client(mysql_server):
    """The negative: the end of a forked child runs no destructor."""
    assert lost([], "process", METHODS[0]) == 1


def test_child_of_billiard_says_goodbye(mysql_server):
    """celery's children end with os._exit() from inside of their pool."""
    pytest.importorskip("billiard")
    assert lost(["django_compat"], "billiard", "fork") == 0
