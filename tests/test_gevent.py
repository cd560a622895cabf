"""Greenlets instead of threads: gevent has patched the standard library."""

from __future__ import absolute_import

import json
import subprocess
import sys

import pytest
from databases import sessions, wait_for
from projects import FOLDER, environment

pytestmark = pytest.mark.everywhere


def run_greenlets(alias):
    output = subprocess.check_output(
        [sys.executable, "greenlets.py"], cwd=FOLDER, env=environment(alias)
    )
    return json.loads(output.decode())


def test_thousand_greenlets_do_not_share_connections(server_alias):
    """Each has a session of its own, the probe sees a hang-up, and nothing is left."""
    before = sessions(server_alias)
    found = run_greenlets(server_alias)
    assert found["errors"] == []
    assert found["sessions"] == 1000
    assert found["second"] != found["first"]
    assert found["states"][0] == "alive" and found["states"][1] != "alive"
    wait_for(lambda: not sessions(server_alias) - before)
