"""A real ASGI server, whose database ends the sessions between units of work."""

from __future__ import absolute_import

import contextlib
import json
import subprocess
import sys
from threading import Thread
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from databases import KILL, observe, sessions, wait_for
from projects import FOLDER, environment
from servers import free_port

pytestmark = pytest.mark.everywhere


class Site(object):
    """A server that runs, at this address."""

    def __init__(self, port):
        self.address = "http://127.0.0.1:%d/" % port

    def get(self, path):
        """Return what a page tells; its status, if that is not 200."""
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


@contextlib.contextmanager
def uvicorn(alias):
    port = free_port()
    server = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "asgi:application", "--port", str(port)],
        cwd=FOLDER,
        # In the C locale click, and so uvicorn, does not run on Python 3.6.
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


def end(alias, number):
    """End a session on the server."""
    try:
        observe(alias, KILL, number)
    except Exception:
        pass  # MySQL's error, of each driver's own class: it has ended by itself
    wait_for(lambda: number not in sessions(alias))


def get_interrupted(site, alias, path):
    """Get a page whose session ends while it waits between its two units."""
    found = []
    thread = Thread(target=lambda: found.append(site.get(path)))
    thread.start()
    wait_for(lambda: site.get("waiting/")["sessions"])
    (number,) = site.get("waiting/")["sessions"]
    end(alias, number)
    site.get("go-on/%d/" % number)
    thread.join()
    return number, found[0]


@pytest.fixture
def site(server_alias):
    with uvicorn(server_alias) as found:
        yield found


def test_pages_under_uvicorn_outlive_their_sessions(server_alias, site):
    """The next request works, and so does the next unit of a request that waits."""
    for _ in range(3):
        number = site.get("ours/")["session"]
        if number in sessions(server_alias):
            end(server_alias, number)
    number, found = get_interrupted(site, server_alias, "two-units/")
    assert found["first"] == number and found["second"] != number
    # Without us it does not: the test is real.
    assert get_interrupted(site, server_alias, "two-bare/")[1] == 500
