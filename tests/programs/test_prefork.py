"""Web servers that load the project, which opens connections, and then fork workers."""

from __future__ import absolute_import

import contextlib
import json
import os
import signal
import subprocess
import sys

import pytest

from support.databases import sessions, wait_for
from support.losses import PERSISTS
from support.projects import FOLDER, environment
from support.required import find_command
from support.servers import free_port

try:
    from urllib.request import urlopen
except ImportError:  # Python 2
    from urllib2 import urlopen

COMMANDS = {
    "gunicorn": "gunicorn --preload --workers 2 --bind {address} wsgi",
    # Without lazy-apps, and without the options that tell Python of the fork.
    "uwsgi": "uwsgi --master --processes 2 --http-socket {address} --module wsgi"
    " --need-app --die-on-term --home {home}",
}


@contextlib.contextmanager
def serve(name, aliases):
    """Run a server with two workers; give a function that requests the page."""
    address = "127.0.0.1:%d" % free_port()
    words = COMMANDS[name].format(address=address, home=sys.prefix).split()
    server = subprocess.Popen(
        [find_command(words[0])] + words[1:],
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
    """The parent's sessions live on, unused by workers, also after a worker's end."""
    used = {}  # by worker: its sessions, as (alias, number)
    inherited = set()  # the parent's sessions

    def have_answered(count):
        answer = get()
        used.setdefault(answer["pid"], set()).update(answer["sessions"].items())
        inherited.update(answer["inherited"].items())
        return len(used) == count

    with serve(name, server_aliases) as get:
        wait_for(lambda: have_answered(2), 30)
        for _ in range(10):
            have_answered(2)
        os.kill(next(iter(used)), signal.SIGTERM)
        wait_for(lambda: have_answered(3), 30)  # the server has started another worker
        all_sessions = sum(map(list, used.values()), list(inherited))
        assert len(all_sessions) == len(set(all_sessions))
        assert len(inherited) == len(server_aliases)
        for alias, number in inherited:
            alias = server_aliases[0] if alias == "default" else alias
            assert number in sessions(alias)
        if PERSISTS:
            assert len(all_sessions) == (len(used) + 1) * len(server_aliases)
