"""A real ASGI server; the database ends its sessions between two units of work."""

from __future__ import absolute_import

import contextlib
import json
import subprocess
import sys
from threading import Thread

import django
import pytest
from six.moves.urllib.error import HTTPError
from six.moves.urllib.request import urlopen

from support.databases import end_session, sessions, wait_for
from support.projects import FOLDER, environment
from support.required import needs_package
from support.servers import free_port

if django.VERSION < (3, 1):
    pytest.skip("no asynchronous views before Django 3.1", allow_module_level=True)
needs_package("uvicorn")


class Site(object):
    """A running server."""

    def __init__(self, port):
        self.address = "http://127.0.0.1:%d/" % port

    def get(self, path):
        """Return the JSON of a page; its status, if that is not 200."""
        try:
            with urlopen(self.address + path, timeout=10) as answer:
                return json.loads(answer.read().decode())
        except HTTPError as error:
            return error.code

    def is_up(self):
        try:
            return self.get("waiting/") == {"sessions": []}
        except OSError:
            return False

    def get_interrupted(self, path, alias):
        """Get a page that waits between its two units, and end its session meanwhile.

        Return the number of that session, and the answer.
        """
        answers = []
        thread = Thread(target=lambda: answers.append(self.get(path)))
        thread.start()
        wait_for(lambda: self.get("waiting/")["sessions"])
        (number,) = self.get("waiting/")["sessions"]
        end_session(alias, number)
        self.get("go-on/%d/" % number)
        thread.join()
        return number, answers[0]


@pytest.fixture
def site(server_alias):
    """The project's asgi.py under uvicorn."""
    with uvicorn(server_alias) as site:
        yield site


@contextlib.contextmanager
def uvicorn(alias):
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "asgi:application", "--port", str(port)],
        cwd=FOLDER,
        # click, and so uvicorn, refuses the C locale on Python 3.6.
        env=dict(environment(alias, ROOT_URLCONF="asgi"), LC_ALL="C.UTF-8"),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    site = Site(port)
    try:
        wait_for(lambda: server.poll() is not None or site.is_up(), 20)
        assert server.poll() is None, server.stdout.read().decode()
        yield site
    finally:
        server.terminate()
        server.communicate()


def test_request_after_the_end_of_the_session_works(server_alias, site):
    """Each request of three loses its session when it is done."""
    for _ in range(3):
        number = site.get("ours/")["session"]
        if number in sessions(server_alias):
            end_session(server_alias, number)


def test_unit_after_the_end_of_the_session_works(server_alias, site):
    """Within one request the second scope has a new session."""
    number, answer = site.get_interrupted("two-units/", server_alias)
    assert answer["first"] == number and answer["second"] != number


def test_request_without_scopes_fails(server_alias, site):
    """The loss is real: without scopes the page that lost its session fails."""
    assert site.get_interrupted("two-bare/", server_alias)[1] == 500
