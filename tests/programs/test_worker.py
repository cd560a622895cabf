"""``examples/worker.py`` in processes of its own, on SQLite and on real servers."""

from __future__ import absolute_import

import os
import re
import signal
from contextlib import closing

import pytest
from django.db import connections
from six.moves.urllib.parse import quote

from support.databases import administration, session_id, sessions, wait_for
from support.drivers import code_of_choice
from support.losses import PERSISTS
from support.processes import run, start, wait
from support.repository import ROOT
from support.sql import KILL

WORKER = os.path.join(ROOT, "examples", "worker.py")


class Workers(object):
    """Workers in a folder of their own, and the jobs in their database."""

    def __init__(self, alias, folder):
        self.alias, self.folder, self.processes = alias, folder, []
        folder.join("sitecustomize.py").write(code_of_choice())
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
        """Start a worker with its log in a file."""
        log = self.folder.join("log%d" % len(self.processes))
        with open(os.devnull) as nothing, open(str(log), "wb") as stream:
            process = start(
                [WORKER] + list(arguments),
                self.environment,
                str(self.folder),
                stdin=nothing,
                stderr=stream,
            )
        self.processes.append(process)
        process.read_log = log.read
        return process

    def finish(self, process, number=None):
        """Send the signal, if there is one; expect the exit code 0."""
        if number is not None:
            os.kill(process.pid, number)
        assert wait(process) == 0, process.read_log()

    def new_sessions(self):
        """Return the sessions begun since the start; none on SQLite."""
        if self.alias == "default":
            return set()
        return sessions(self.alias) - self.sessions

    def query(self, sql):
        """Run a statement in the test's own session; return all rows."""
        with closing(self.connection.cursor()) as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall() if cursor.description else []
        self.connection.connection.commit()  # for Django 1.4 and 1.5
        return rows

    def add(self, *texts):
        """Add jobs by SQL."""
        row = "('%s', 'new', '')"
        rows = ", ".join(row % text for text in texts)
        self.query("INSERT INTO worker_job (text, state, error) VALUES " + rows)

    def states(self):
        """Return the states of all jobs."""
        rows = self.query("SELECT state FROM worker_job ORDER BY id")
        return [str(state) for state, in rows]


def make_workers(alias, folder):
    workers = Workers(alias, folder)
    with administration(alias, NAME=workers.settings["NAME"]) as workers.connection:
        if alias != "default":
            workers.sessions.add(session_id(workers.connection))
        yield workers
        for process in workers.processes:
            if process.poll() is None:
                process.kill()
                process.wait()
        workers.query("DROP TABLE IF EXISTS worker_job")


@pytest.fixture
def workers(alias, tmpdir):
    """Workers on SQLite, MariaDB and PostgreSQL."""
    for workers in make_workers(alias, tmpdir):
        yield workers


@pytest.fixture
def server_workers(server_alias, tmpdir):
    """Workers on MariaDB and PostgreSQL."""
    for workers in make_workers(server_alias, tmpdir):
        yield workers


@pytest.fixture
def sqlite_workers(tmpdir):
    """Workers on SQLite."""
    for workers in make_workers("default", tmpdir):
        yield workers


def test_worker_does_jobs_until_a_signal(workers):
    """A job's error is recorded; the running job is finished; no session is left."""
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
    """Two workers do every job once, and each worker does some."""
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
    """The end of the session costs no job: in the idle wait, and during a job."""
    workers = server_workers
    worker = workers.start("run", "--idle", "0.05")
    wait_for(lambda: "started" in worker.read_log())

    def kill():
        numbers = set()

        def is_single():
            numbers.clear()
            numbers.update(workers.new_sessions())
            return len(numbers) == 1

        wait_for(is_single)
        (doomed,) = numbers
        workers.query(KILL[workers.alias] % doomed)
        wait_for(lambda: doomed not in workers.new_sessions())

    if PERSISTS:  # else each turn of the loop has another session
        kill()
    workers.add("sleep 1")  # long enough not to kill the statement at the job's end
    wait_for(lambda: " runs: sleep" in worker.read_log())  # it has read its job
    kill()
    wait_for(lambda: workers.states() == ["done"])
    workers.finish(worker, signal.SIGTERM)
    wait_for(lambda: not workers.new_sessions())


ALLOWED = "It must be mysql://user:password@host:port/name or the same with postgres://"
# "sesame" is the password, or may be: what it is part of is never shown.
BAD_URLS = {
    "sesame": "it must begin with mysql:// or postgres://",
    "sesame:open": "it must begin with mysql:// or postgres://",
    "oracle://u:sesame@h/n": "it must begin with mysql:// or postgres://",
    "mysql://u:sesame@h": "the name of the database is missing",
    "mysql://u:sesame@/n": "the host is missing",
    "mysql:u:sesame@h/n": "the name has a '/' or '@'",
    "mysql://u:sesame@h:port/n": "the port is no number from 1 to 65535",
    "mysql://u:sesame@h:0/n": "the port is no number from 1 to 65535",
    "mysql://u:sesame@h:99999/n": "the port is no number from 1 to 65535",
    "mysql://u:ses/ame@h/n": "the port is no number from 1 to 65535",
    "mysql://u:1/sesame@h/n": "the name has a '/' or '@'",
    "mysql://u:1#sesame@h/n": "it has a '#'",
    "mysql://u:1?sesame@h/n": "behind '?' it may have charset, connect_timeout",
    "mysql://u:[sesame@h/n": "it is malformed",
    "mysql://u:ses ame@h/n": "it has a blank or the like",
    "mysql://u:sesame%00@h/n": "the password has a control character",
    "mysql://u:sesame@h/n%1b": "the name has a control character",
    "mysql://u:sesame@h/n?ssl=1": "behind '?' it may have charset, connect_timeout",
    "postgres://u:sesame@h/n?user=u": "behind '?' it may have connect_timeout, sslmode,"
    " sslrootcert",
    "postgres://u:sesame@h/n?sslmode=sesame": "the value of sslmode is wrong",
    "postgres://u:sesame@h/n?sslmode=": "the value of sslmode is wrong",
    "postgres://u:sesame@h/n?sslmode": "the value of sslmode is wrong",
    "postgres://u:sesame@h/n?sslmode=require&sslmode=disable": "sslmode is there twice",
}


@pytest.mark.parametrize("url", sorted(BAD_URLS))
def test_part_of_a_bad_database_url_is_named(read_database_url, url):
    """The error tells what is wrong, and nothing of the URL."""
    with pytest.raises(ValueError) as caught:
        read_database_url(url)
    assert str(caught.value) == BAD_URLS[url]
    assert getattr(caught.value, "__context__", None) is None  # a traceback shows it


@pytest.mark.parametrize("url", ["mysql://u:sesame@h:port/n", "mysql://u:[sesame@h/n"])
def test_bad_database_url_is_not_shown(url):
    """The message has the allowed form; the exit code is 2."""
    env = dict(os.environ, PYTHONPATH=ROOT, DATABASE_URL=url)
    code, output, errors = run([WORKER, "run"], env)
    assert (code, output) == (2, "")
    assert errors.startswith("DATABASE_URL, which is not shown here, is wrong: ")
    assert BAD_URLS[url] + ". " + ALLOWED in errors
    assert "sesame" not in errors and "Traceback" not in errors


def test_parts_of_a_good_database_url_are_passed_on(read_database_url):
    """Percent-encoding is undone, and the parameters become OPTIONS."""
    url = "postgresql://m%40x:a%2Fb%3A@[::1]:5433/jobs?sslmode=require&connect_timeout=3"
    assert read_database_url(url) == {
        "ENGINE": "django.db.backends.postgresql_psycopg2",
        "HOST": "::1",
        "NAME": "jobs",
        "OPTIONS": {"connect_timeout": 3, "sslmode": "require"},
        "PASSWORD": "a/b:",
        "PORT": "5433",
        "USER": "m@x",
    }
    socket = read_database_url("mysql://u@%2Frun%2Fmysqld.sock/n")
    assert (socket["HOST"], socket["PORT"]) == ("/run/mysqld.sock", "")


@pytest.mark.parametrize("idle", ["nan", "-1", "inf", "1e10", "soon"])
def test_worker_refuses_a_wrong_idle_time(idle):
    """A wait that never ends, or never begins, is bad usage."""
    env = dict(os.environ, PYTHONPATH=ROOT, DATABASE_URL="")
    code, _, errors = run([WORKER, "run", "--idle=" + idle], env)
    assert code == 2
    assert "argument --idle: invalid" in errors


@pytest.mark.parametrize("locale", ["C", "C.UTF-8"])
def test_job_texts_that_are_no_utf8_end_no_worker(sqlite_workers, locale):
    """A bad argument is added with a replacement; a bad row of the table fails."""
    workers = sqlite_workers
    workers.environment["LC_ALL"] = locale
    texts = b"say \xff\x1b[2J\xe2\x80\xae", b"say zw\xc3\xb6lf"
    workers.finish(workers.start("add", *texts))
    workers.add("say bad")
    workers.query("UPDATE worker_job SET text = CAST(x'736179ff' AS TEXT) WHERE id = 3")
    workers.add("say later")
    worker = workers.start("run", "--once")
    workers.finish(worker)
    assert workers.states() == ["done", "done", "failed", "done"]
    log = worker.read_log("rb").decode("utf-8")
    assert "\\x1b[2J" in log and "\\u202e" in log
    assert "\x1b" not in log and u"\u202e" not in log
