"""The development server with persistent connections: what the check says happens."""

from __future__ import absolute_import

import json
import sys

import pytest
from databases import sessions, wait_for
from projects import environment, get, load, serving
from servers import free_port

pytestmark = pytest.mark.everywhere

REQUESTS = 20


def serve(server_alias, max_age):
    """Return an address and the development server that is to answer there."""
    apps, urls = ["django_compat"], "pages"
    env = environment(server_alias, apps, max_age=max_age, ROOT_URLCONF=urls)
    address = "127.0.0.1:%d" % free_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", address]
    return address, serving(command, address, env)


def session(address):
    """Return the session that a request had."""
    status, text = get(address)
    assert status == 200
    return json.loads(text)["session"]


def test_persistent_connections_are_of_no_use_and_stay_open(server_alias):
    """No request finds one; they pile up until the garbage collector comes by.

    Django closes them in ThreadedWSGIServer (4.0 and later), which runserver does not
    use: it is the server of LiveServerTestCase.
    """
    address, server = serve(server_alias, max_age=60)
    with server as lines:
        with load(address, 4) as answers:
            wait_for(lambda: len(answers) >= REQUESTS)
        used, most = set(), 0
        for number in range(REQUESTS):
            used.add(session(address))
            assert len(used) == number + 1
            most = max(most, len(used & sessions(server_alias)))
        assert most > 2  # of which a single client would need but one
    output = " ".join(b"".join(lines).decode("utf-8", "replace").split())
    assert "django_compat.W003" in output
    assert "leaves open what such a thread had open" in output


def test_without_them_nothing_is_said_and_nothing_stays_open(server_alias):
    """The advice applied: CONN_MAX_AGE is 0."""
    address, server = serve(server_alias, max_age=0)
    with server as lines:
        used = {session(address) for _ in range(REQUESTS)}
        wait_for(lambda: not used & sessions(server_alias))
    assert b"W003" not in b"".join(lines)
