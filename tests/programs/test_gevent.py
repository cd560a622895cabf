"""Greenlets in place of threads: gevent has patched the standard library."""

from __future__ import absolute_import

import json

import pytest

from support.databases import sessions, wait_for
from support.drivers import DRIVERS
from support.losses import PERSISTS
from support.processes import output_of
from support.projects import FOLDER, environment
from support.required import needs_package

needs_package("gevent")


def run_greenlets(aliases, program="greenlets.py"):
    env = environment(aliases[0], others=aliases[1:])
    return json.loads(output_of([program], env, FOLDER))


def test_thousand_greenlets_do_not_share_connections(server_aliases):
    """Each greenlet has a session of its own, and none is left at the end.

    The probe sees a hang-up under gevent too. The greenlets alternate between the
    servers: on each server one session belongs to one greenlet at a time.
    """
    before = dict((alias, sessions(alias)) for alias in server_aliases)
    report = run_greenlets(server_aliases)
    assert report["errors"] == []
    # Until Django 1.5 each unit ends with a close, and every second greenlet has two.
    assert report["sessions"] == (1000 if PERSISTS else 1500)
    assert len(report["outlived"]) == len(server_aliases)
    for outlived in report["outlived"]:
        assert outlived["second"] != outlived["first"]
        assert outlived["states"][0] == "alive" and outlived["states"][1] != "alive"
    for alias in server_aliases:
        wait_for(lambda: not sessions(alias) - before[alias])


def test_timeout_comes_out_while_the_server_is_asked(server_alias):
    """gevent's Timeout ends a question to a silent server; the next unit works."""
    cooperative = {"mysql": "PyMySQL", "postgresql": "psycopg"}[server_alias]
    if cooperative not in DRIVERS:
        pytest.skip("the driver waits in C, where no greenlet switches")
    found = run_greenlets([server_alias], "greenlet_limits.py")
    assert found == [[True, True]] * 3
