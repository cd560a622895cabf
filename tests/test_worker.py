"""``examples/worker.py``, run as a user runs it, on SQLite and on real servers."""

from __future__ import absolute_import

import os
import re
import signal
from contextlib import closing

import django.db
import pytest
from databases import (
    KILL,
    administration,
    choice_of_drivers,
    session_id,
    sessions,
    wait_for,
)
from django.db import connections
from nursery import Child
from processes import run
from six.moves.urllib.parse import quote

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
CLOSES_ALL = not hasattr(django.db, "close_old_connections")  # Django 1.4 and 1.5
WORKER = os.path.join(ROOT, "examples", "worker.py")


class Workers(object):
    """Starts workers in a folder of their own, and looks at what they do."""

    def __init__(self, alias, folder):
        self.alias, self.folder, self.processes = alias, folder, []
        folder.join("sitecustomize.py").write(choice_of_drivers())
        path = os.pathsep.join([str(folder), ROOT])
        self.environment = dict(os.environ, PYTHONPATH=path, DATABASE_URL="")
        self.settings = dict(connections[alias].settings_dict, CONN_MAX_AGE=None)
        if alias == "default":
            self.settings["NAME"] = str(folder.join("worker.sqlite3"))
        else:
            keys = ("USER", "PASSWORD", "HOST", "PORT", "NAME")
            parts = [quote(self.settings[key], safe="") for key in keys]
            url = "%s://%s:%s@%s:%s/%s" % tuple([alias] + parts)
            self.environment["DATABASE_URL"] = url
            self.sessions = sessions(alias)

    def start(self, *arguments):
        """Start one, its log in a file."""
        log = self.folder.join("log%d" % len(self.processes))
        with open(os.devnull) as nothing, open(str(log), "wb") as stream:
            process = Child(
                [WORKER] + list(arguments),
                self.environment,
                str(self.folder),
                [nothing.fileno(), 1, stream.fileno()],
            )
        self.processes.append(process)
        process.read_log = log.read
        return process

    def finish(self, process, number=None):
        """Signal a worker if need be, and wait until it has ended well."""
        if number is not None:
            os.kill(process.pid, number)
        assert process.wait() == 0, process.read_log()

    def new_sessions(self):
        """Return the sessions that the server has since the start; SQLite has none."""
        if self.alias == "default":
            return set()
        return sessions(self.alias) - self.sessions

    def query(self, sql):
        """Run a statement on our own connection; return all rows."""
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall() if cursor.description else []
        self.connection.connection.commit()  # Django 1.4 and 1.5 do not by themselves
        return rows

    def add(self, *texts):
        """Add jobs without a process."""
        row = "('%s', 'new', '')"
        rows = ", ".join(row % text for text in texts)
        self.query("INSERT INTO worker_job (text, state, error) VALUES " + rows)

    def states(self):
        """Return the states of all jobs."""
        rows = self.query("SELECT state FROM worker_job ORDER BY id")
        return [str(state) for state, in rows]


def make_workers(alias, folder):
    found = Workers(alias, folder)
    with administration(alias, NAME=found.settings["NAME"]) as found.connection:
        if alias != "default":
            found.sessions.add(session_id(found.connection))
        yield found
        for process in found.processes:
            if process.returncode is None:
                os.kill(process.pid, signal.SIGKILL)
                process.wait()
        found.query("DROP TABLE IF EXISTS worker_job")


@pytest.fixture
def workers(alias, tmpdir):
    """Workers on SQLite, MariaDB and PostgreSQL in turn."""
    for found in make_workers(alias, tmpdir):
        yield found


@pytest.fixture
def server_workers(server_alias, tmpdir):
    """Workers on a database that has sessions."""
    for found in make_workers(server_alias, tmpdir):
        yield found


def test_worker_does_jobs_until_a_signal(workers):
    """A failing job is recorded; the one that runs is finished; all is closed."""
    jobs = ["say hello", "fail on purpose", "absent", "sleep 0.2", "say later"]
    workers.finish(workers.start("add", *jobs))
    worker = workers.start("run")
    wait_for(lambda: workers.states()[3] == "running")
    if workers.alias != "default":
        wait_for(lambda: len(workers.new_sessions()) == 1)
    workers.finish(worker, signal.SIGTERM)
    assert workers.states() == ["done", "failed", "failed", "done", "new"]
    rows = workers.query("SELECT error FROM worker_job ORDER BY id")
    assert "RuntimeError: on purpose" in rows[1][0]
    assert "KeyError" in rows[2][0]
    assert "hello" in worker.read_log()
    wait_for(lambda: not workers.new_sessions())

    worker = workers.start("run", "--idle", "60")
    wait_for(lambda: workers.states()[4] == "done")
    workers.finish(worker, signal.SIGINT)  # in the idle wait, which ends at once
    wait_for(lambda: not workers.new_sessions())


def test_workers_share_the_jobs(workers):
    """Two workers do every job once, and each of them has its part."""
    pair = [workers.start("run", "--idle", "0.05") for _ in range(2)]
    for worker in pair:
        wait_for(lambda: "started" in worker.read_log())
    done = []
    while len(done) < 2 or not all(done):
        workers.add(*["say x"] * 40)
        wait_for(lambda: set(workers.states()) == {"done"})
        done = [re.findall(r"job (\d+) runs", worker.read_log()) for worker in pair]
    numbers = [int(number) for number in done[0] + done[1]]
    assert sorted(numbers) == list(range(1, len(workers.states()) + 1))
    for worker in pair:
        os.kill(worker.pid, signal.SIGTERM)
    for worker in pair:
        workers.finish(worker)
        assert "Traceback" not in worker.read_log()


def test_worker_survives_lost_connections(server_workers):
    """Sessions that end while it idles, and while a job runs, cost no job."""
    workers = server_workers
    worker = workers.start("run", "--idle", "0.05")
    wait_for(lambda: "started" in worker.read_log())

    def kill():
        found = []  # the last is what the server had when it was asked
        wait_for(lambda: found.append(workers.new_sessions()) or len(found[-1]) == 1)
        (doomed,) = found[-1]
        workers.query(KILL[workers.alias] % doomed)
        wait_for(lambda: doomed not in workers.new_sessions())

    if not CLOSES_ALL:  # those open another one at every turn
        kill()
    workers.add("sleep 1")  # not to be hit at its end, in the statement that says so
    wait_for(lambda: workers.states() == ["running"])
    kill()
    wait_for(lambda: workers.states() == ["done"])
    workers.finish(worker, signal.SIGTERM)
    wait_for(lambda: not workers.new_sessions())


@pytest.mark.parametrize("url", ["oracle://h/n", "mysql://h", "mysql://h:port/n"])
def test_bad_database_url_is_named(url):
    """Exit code 2, and a message with the value and what is allowed."""
    env = dict(os.environ, PYTHONPATH=ROOT, DATABASE_URL=url)
    code, _, errors = run([WORKER, "run"], env)
    assert code == 2
    assert errors.startswith("DATABASE_URL is '%s': it must be mysql://user:" % url)
