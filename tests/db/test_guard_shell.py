"""The guard in a real ``manage.py shell``, whose session idles out."""

from __future__ import absolute_import

import os
import pty
import re
import select
import subprocess
import sys
import time

import django
import pytest

from support.databases import sessions, wait_for
from support.processes import output_of
from support.projects import FOLDER, environment
from support.sql import SESSION_ID

pytestmark = pytest.mark.skipif(
    django.VERSION < (1, 7), reason="no AppConfig before Django 1.7"
)

IDLE_OPTIONS = {  # OPTIONS with which the server ends an idle session soon
    "mysql": {"init_command": "SET SESSION wait_timeout = 1"},
    "postgresql": {"options": "-c idle_session_timeout=500"},
}
QUERY = (
    "cursor = connection.cursor();"
    " _ = cursor.execute(%r); print('got %%d.' %% cursor.fetchone()[0])"
)


class Shell(object):
    """``manage.py shell`` at a terminal."""

    def __init__(self, alias, apps):
        ours, theirs = pty.openpty()
        arguments = ["--plain"] if django.VERSION < (1, 10) else ["-i", "python"]
        env = environment(alias, apps=apps, options=IDLE_OPTIONS[alias])
        # The shell reads no startup file, and writes no history.
        env.update(HOME=os.devnull, PYTHON_COLORS="0", TERM="dumb")
        env.pop("PYTHONSTARTUP", None)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "shell"] + arguments,
            cwd=FOLDER,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            close_fds=True,
        )
        os.close(theirs)
        self.terminal, self.output, self.seen = ours, "", ""

    def read(self, pattern):
        """Read until a pattern matches; return the group that matched."""
        deadline = time.time() + 20
        while True:
            match = re.search(pattern, self.output)
            if match:
                self.output = self.output[match.end() :]
                return match.group(match.lastindex or 0)
            left = max(deadline - time.time(), 0)
            assert select.select([self.terminal], [], [], left)[0], self.seen
            data = os.read(self.terminal, 65536).decode("utf-8", "replace")
            self.output += data
            self.seen += data

    def type(self, line):
        """Type a line as soon as the prompt is there."""
        self.read(">>> ")
        os.write(self.terminal, line.encode("ascii") + b"\n")

    def query(self, sql):
        """Type a query; return the number that it prints, or "Error"."""
        self.type(QUERY % sql)
        return self.read(r"got (\d+)\.|\w(Error): ")

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


@pytest.fixture
def shell(server_alias):
    """A function that starts a shell with these INSTALLED_APPS."""
    started = []

    def start(apps):
        started.append(Shell(server_alias, apps))
        started[0].type("from django.db import connection")
        return started[0]

    yield start
    started[0].end()


def check_shell(shell, alias):
    """Run a query, wait until the session has ended, return a second query's result."""
    first = shell.query(SESSION_ID[alias])
    wait_for(lambda: int(first) not in sessions(alias))
    second = shell.query(SESSION_ID[alias])
    assert second != first
    return second


@pytest.mark.contract
def test_shell_outlives_its_session(server_alias, shell):
    """With INSTALLED_APPS the next query works, and a warning is printed."""
    started = shell(["django_compat"])
    assert check_shell(started, server_alias).isdigit()
    if sys.version_info >= (3,):  # without handlers logging 2.7 prints nothing
        assert "A new session begins" in started.seen


def test_shell_without_the_app_fails(server_alias, shell):
    """The negative: the server has ended the session, and the next query fails."""
    assert check_shell(shell([]), server_alias) == "Error"


def test_guard_is_off_in_other_commands(server_alias):
    """A command that is no shell runs without the guard."""
    env = environment(server_alias, apps=["django_compat", "guard_report"])
    output = output_of(["manage.py", "guards"], env, FOLDER)
    assert output.split() == ["guards:", "0"]
