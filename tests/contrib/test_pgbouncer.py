"""PgBouncer: docs/recipes/pgbouncer.rst, with real ones in both modes."""

from __future__ import absolute_import

import os
import time

import pytest

from support import recipes
from support.databases import end_session, wait_for
from support.pgbouncer import running, show

PAGE = recipes.page("pgbouncer")
# Eight threads at work; each call waits until each has done jobs since the call began,
# and returns all jobs since the last call: thread, begin, error.
LOAD = """
import threading, time
from shop.jobs import do_job

jobs = []

def work(number):
    while True:
        begun = time.time()
        try:
            do_job()
            error = None
        except Exception as caught:
            error = repr(caught)
        jobs.append((number, begun, error))
        time.sleep(0.3 if number % 2 else 0.01)

def send():
    if threading.active_count() == 1:
        for number in range(8):
            thread = threading.Thread(target=work, args=[number])
            thread.daemon = True
            thread.start()
        return []
    called = time.time()
    while len({number for number, begun, _ in jobs if begun > called}) < 8:
        time.sleep(0.05)
    done, jobs[:] = list(jobs), []
    return done
"""
pytestmark = pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)


class Bouncer(object):
    """A PgBouncer that can be restarted."""

    def __init__(self, server, folder, **options):
        self.server, self.folder, self.options = server, folder, options
        self.port = None
        self.start()

    def start(self):
        self.context = running(self.server, self.folder, self.port, **self.options)
        self.port = self.context.__enter__()

    def stop(self):
        self.context.__exit__(None, None, None)

    def count(self, what):
        return len(show(self.port, what))


def time_out(bouncer):
    """Wait until PgBouncer has ended its client's connection."""
    wait_for(lambda: not bouncer.count("CLIENTS"))


def end_sessions(bouncer):
    """End the sessions behind a PgBouncer."""
    for row in show(bouncer.port, "SERVERS"):
        end_session("postgresql", row["remote_pid"])
    wait_for(lambda: not bouncer.count("SERVERS"))


def restart(bouncer):
    bouncer.stop()
    bouncer.start()


LOSSES = {
    "client_idle_timeout": time_out,
    "sessions behind it end": end_sessions,
    "PgBouncer is restarted": restart,
}
CASES = [(mode, loss) for mode in ("session", "transaction") for loss in LOSSES]
CASES.remove(("session", "client_idle_timeout"))


@pytest.fixture
def start(postgresql_server, tmpdir):
    """A function that starts a PgBouncer for a project, and tells the project."""
    bouncers = {}

    def start(project, **options):
        folder = tmpdir.mkdir("bouncer-" + os.path.basename(project.folder))
        bouncer = Bouncer(postgresql_server, folder, **options)
        project.change(PORT=str(bouncer.port))
        bouncers[project] = bouncer
        return bouncer

    start.bouncers = bouncers
    yield start
    for bouncer in bouncers.values():
        bouncer.stop()


@pytest.mark.parametrize("mode, loss", sorted(CASES))
def test_jobs_after_losses(server_alias, tmpdir, start, mode, loss):
    """The page's table, each project with a PgBouncer of its own."""
    senders = {"``%s``: %s" % (mode, loss): recipes.DO_JOB}
    found = recipes.measure(
        PAGE,
        tmpdir,
        server_alias,
        senders,
        lambda project, number: start(project, pool_mode=mode, client_idle_timeout=1),
        spell=lambda project: LOSSES[loss](start.bouncers[project]),
        timeout=None,
    )
    assert found == recipes.figures(PAGE, server_alias, senders)


def test_client_with_a_session_may_idle(server_alias, tmpdir, start):
    """In the mode "session" client_idle_timeout spares who has queried before."""
    project = recipes.Project(PAGE, tmpdir, server_alias, with_us=False)
    bouncer = start(project, pool_mode="session", client_idle_timeout=0.5)
    with project.sender(recipes.DO_JOB) as ask:
        ask()
        due = time.time() + 2
        wait_for(lambda: time.time() > due)
        assert bouncer.count("CLIENTS") == 1


@pytest.mark.parametrize("mode", ["session", "transaction"])
def test_no_job_fails_after_a_restart_under_load(server_alias, tmpdir, start, mode):
    """Eight threads, half of them idle most of the time; each goes on by itself."""
    project = recipes.Project(PAGE, tmpdir, server_alias, with_us=True)
    bouncer = start(project, pool_mode=mode)
    with project.sender(LOAD) as ask:
        assert ask() == {"result": []}
        for _ in range(3):
            restart(bouncer)
            back = time.time()
            jobs = ask()["result"]
            late = [job for job in jobs if job[1] > back]
            assert {number for number, _, _ in late} == set(range(8))
            assert [error for _, _, error in late if error] == []
            assert len(jobs) > len(late)
