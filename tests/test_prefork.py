"""Web servers that load the project, which opens connections, and fork then."""

from __future__ import absolute_import

import contextlib
import json
import os
import signal
import subprocess
import sys

import django.db
import pytest
from conftest import give_up
from databases import sessions, wait_for
from projects import FOLDER, environment
from servers import free_port

try:
    from urllib.request import urlopen
except ImportError:  # Python 2
    from urllib2 import urlopen

pytestmark = pytest.mark.everywhere
PERSISTS = hasattr(django.db, "close_old_connections")  # CONN_MAX_AGE, Django 1.6+
FOLDER_OF_COMMANDS = os.path.dirname(sys.executable)
COMMANDS = {
    "gunicorn": "gunicorn --preload --workers 2 --bind {address} wsgi",
    # No lazy-apps, and none of the options that tell Python of the fork.
    "uwsgi": "uwsgi --master --processes 2 --http-socket {address} --module wsgi"
    " --need-app --die-on-term --home {home}",
}


@contextlib.contextmanager
def serve(name, aliases):
    """Run a server with two workers; give what asks it for the page."""
    address = "127.0.0.1:%d" % free_port()
    words = COMMANDS[name].format(address=address, home=sys.prefix).split()
    program = os.path.join(FOLDER_OF_COMMANDS, words[0])
    if not os.path.exists(program):
        give_up("%s is not installed" % name)
    server = subprocess.Popen(
        [program] + words[1:],
        cwd=FOLDER,
        env=environment(
            aliases[0], ["django_compat"], others=aliases[1:], ROOT_URLCONF="pages"
        ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        close_fds=True,
    )

    def get():
        return json.loads(urlopen("http://%s/" % address, timeout=10).read().decode())

    def is_up():
        try:
            return get()
        except EnvironmentError:
            return server.poll() is not None

    try:
        wait_for(is_up, 30)
        yield get
    finally:
        server.terminate()
        output = server.communicate()[0].decode("utf-8", "replace")
        print(output)  # pytest shows it when the test fails


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_workers_have_sessions_of_their_own(server_aliases, name):
    """The parent's live on and are used by no worker, also when one of them ends."""
    found = {}  # the sessions of each worker

    def have_told(count):
        told = get()
        found.setdefault(told["pid"], set()).update(told["sessions"].items())
        found.setdefault("parent", set()).update(told["inherited"].items())
        return len(found) == count + 1

    with serve(name, server_aliases) as get:
        wait_for(lambda: have_told(2), 30)
        for _ in range(10):
            have_told(2)
        os.kill(next(pid for pid in found if pid != "parent"), signal.SIGTERM)
        wait_for(lambda: have_told(3), 30)  # there is another in its place
        used = [session for pid in found for session in found[pid]]
        assert len(used) == len(set(used))
        parents = dict(found["parent"])
        assert len(found["parent"]) == len(parents) == len(server_aliases)
        for alias in server_aliases:
            key = "default" if alias == server_aliases[0] else alias
            assert parents[key] in sessions(alias)
        if PERSISTS:
            assert len(used) == len(found) * len(server_aliases)
