"""The development server with persistent connections: what django_compat.W003 says."""

from __future__ import absolute_import

import json
import sys

import django
import pytest

from support.databases import sessions, wait_for
from support.projects import environment, get, load, serving
from support.servers import free_port

REQUESTS = 20


def serve(server_alias, max_age):
    """Return an address, and the context in which runserver answers there."""
    apps = ["django_compat"]
    env = environment(server_alias, apps, max_age=max_age, ROOT_URLCONF="pages")
    address = "127.0.0.1:%d" % free_port()
    command = [sys.executable, "manage.py", "runserver", "--noreload", address]
    return address, serving(command, address, env)


def session(address):
    """Return the session of the page's request."""
    status, text = get(address)
    assert status == 200
    return json.loads(text)["session"]


@pytest.mark.skipif(django.VERSION < (1, 7), reason="no checks before Django 1.7")
def test_persistent_connections_are_useless_and_stay_open(server_alias):
    """No request finds an open connection; the garbage collector closes them some day.

    Django 4.0 and later close them in ThreadedWSGIServer, the server of
    LiveServerTestCase, which runserver does not use.
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
        assert most > 2  # a single client needs one
    output = " ".join(b"".join(lines).decode("utf-8", "replace").split())
    assert "django_compat.W003" in output
    assert "never closes the database connections of that thread" in output


def test_no_warning_and_no_open_connection_without_persistence(server_alias):
    """The warning's advice works: with CONN_MAX_AGE 0 each request closes its own."""
    address, server = serve(server_alias, max_age=0)
    with server as lines:
        used = {session(address) for _ in range(REQUESTS)}
        wait_for(lambda: not used & sessions(server_alias))
    assert b"W003" not in b"".join(lines)
