"""Greenlets instead of threads: gevent has patched the standard library."""

from __future__ import absolute_import

import json
import subprocess
import sys

import pytest
from databases import sessions, wait_for
from projects import FOLDER, environment

pytestmark = pytest.mark.everywhere


def run_greenlets(aliases):
    env = environment(aliases[0], others=aliases[1:])
    command = [sys.executable, "greenlets.py"]
    output = subprocess.check_output(command, cwd=FOLDER, env=env)
    return json.loads(output.decode())


def test_thousand_greenlets_do_not_share_connections(server_aliases):
    """Each has a session of its own, the probe sees a hang-up, and nothing is left.

    They take turns at the servers, where each of them is the only one to have it.
    """
    before = dict((alias, sessions(alias)) for alias in server_aliases)
    found = run_greenlets(server_aliases)
    assert found["errors"] == []
    assert found["sessions"] == 1000
    assert len(found["outlived"]) == len(server_aliases)
    for outlived in found["outlived"]:
        assert outlived["second"] != outlived["first"]
        assert outlived["states"][0] == "alive" and outlived["states"][1] != "alive"
    for alias in server_aliases:
        wait_for(lambda: not sessions(alias) - before[alias])
