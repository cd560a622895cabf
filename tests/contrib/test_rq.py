"""RQ and django-rq: a worker class; docs/recipes/rq.rst, with real workers."""

from __future__ import absolute_import

import itertools

import pytest

from support import recipes
from support.databases import observe, sessions, wait_for
from support.required import needs_package

needs_package("django_rq")
rq = pytest.importorskip("rq")
PAGE = recipes.page("rq")
SEND = """
import time
from shop import jobs

def send():
    job = jobs.%s.delay()
    deadline = time.time() + 30
    while not (job.is_finished or job.is_failed):
        assert time.time() < deadline, job.get_status()
        time.sleep(0.02)
        job.refresh()
    while job.is_failed:
        if hasattr(job, "latest_result"):  # RQ 1.13+
            raise AssertionError(job.latest_result().exc_string)
        job.refresh()
        assert not job.exc_info, job.exc_info  # which is written after the status
    return job.return_value() if callable(job.return_value) else job.result
"""
MORE = """
import os

from support.databases import session_id
from support.sql import KILL, SLEEP

@job
def session():
    return session_id(connection)

@job("default", timeout=1)
def interrupted():
    session_id(connection)
    connection.cursor().execute(SLEEP[connection.vendor] % 2)

def tell(failed, *arguments):
    with open("told", "a") as stream:
        stream.write("%d " % session_id(connection))

def failing():
    connection.cursor().execute("SELECT nothing")

def losing():
    number = session_id(connection)
    connection.cursor().execute(KILL[connection.vendor] % number)
    connection.cursor().execute("SELECT 1")

try:
    failing, losing = map(job("default", on_failure=tell), [failing, losing])
except TypeError:  # RQ 1.3
    failing, losing = job(failing), job(losing)

@job
def horse():
    from django_rq import get_queue
    return os.getpid(), session_id(connection)
"""
# What the error of a job says.
FAILING = {
    "interrupted": "exceeded",
    "failing": "nothing",
    "losing": "OperationalError",
}
numbers = itertools.cycle(range(16))  # of the databases of Redis: one for each project


def project(folder, alias, redis, with_us=True, text=PAGE, timeout=None):
    made = recipes.Project(text, folder, alias, with_us, timeout)
    made.env["REDIS_URL"] = "%s/%d" % (redis, next(numbers))
    made.write("shop/jobs.py", recipes.files_of(text, True)["shop/jobs.py"] + MORE)
    return made


def test_jobs_after_idle_spells(server_alias, redis, tmpdir):
    """The page's table: a SimpleWorker without and with the setting."""
    rows = ["a job fails"]

    def prepare(made, number):
        made.env["REDIS_URL"] = "%s/%d" % (redis, number)

    senders = {rows[0]: SEND % "count_tables"}
    found = recipes.measure(PAGE, tmpdir, server_alias, senders, prepare)
    assert found == recipes.figures(PAGE, server_alias, rows)
    wait_for(lambda: not sessions(server_alias))


def aborted():
    """Return how many clients MySQL has seen go without a goodbye."""
    ((_, number),) = observe("mysql", {"mysql": "SHOW STATUS LIKE 'Aborted_clients'"})
    return int(number)


@pytest.mark.parametrize("server_alias", ["mysql"], indirect=True)
def test_horses_say_goodbye(server_alias, redis, tmpdir):
    """The page's table: what the server sees of work horses."""
    found = []
    for with_us in False, True:
        text = PAGE.replace("SimpleWorker", "Worker")
        made = project(tmpdir.mkdir(str(with_us)), server_alias, redis, with_us, text)
        before = aborted()
        with made.worker(), made.sender(SEND % "horse") as ask:
            answers = [ask() for _ in range(8)]
        assert len(set(tuple(answer["result"]) for answer in answers)) == 8
        wait_for(lambda: not sessions(server_alias))
        found.append(str(aborted() - before))
    row = "eight jobs leave, on MariaDB"
    assert {row: tuple(found)} == recipes.figures(PAGE, server_alias, [row])


def test_jobs_after_a_failure_and_a_time_out(server_alias, redis, tmpdir):
    """Callbacks and the next job find a connection that gives their own answers."""
    made = project(tmpdir, server_alias, redis)
    with made.worker(), made.sender(SEND % "session") as ask:
        ask()
        for name, word in FAILING.items():
            with made.sender(SEND % name) as ask_other:
                for _ in range(2):
                    answer = ask_other()
                    assert word in answer["error"], answer
                    assert ask()["result"] in sessions(server_alias)
    if hasattr(rq, "Callback"):  # RQ 1.15+
        told = tmpdir.join("told").read().split()
        assert len(told) == 4
