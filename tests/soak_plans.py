"""Short plans of faults and jobs, made and shrunk by hypothesis' stateful testing.

The jobs are those of soak.py, one after the other in this process, and the faults come
between them: so no job may fail, unless its own query is cut.
"""

from __future__ import absolute_import

import contextlib
import gc
import json
import os
import signal
import threading
import time

import pytest
from django.db import connections
from hypothesis import HealthCheck, settings, strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

import soak
from django_compat import (
    close_all_connections,
    closing_connections,
    fresh_connections,
    guard_connections,
)
from django_compat._db import scopes
from django_compat.apps import install
from support.databases import (
    administration,
    end_session,
    open_connection,
    run,
    sessions,
    wait_for,
)

IDLE = 0.15  # seconds, of CONN_MAX_IDLE
STYLES = sorted(set(soak.Worker.STYLES.split()) | {"forks", "interrupted"})


class Plan(RuleBasedStateMachine):
    """Jobs, and what happens between them."""

    alias = proxy = path = None  # of the test

    def __init__(self):
        RuleBasedStateMachine.__init__(self)
        self.stack, self.depth = contextlib.ExitStack(), 0

    @initialize()
    def begin(self):
        open(self.path, "w").close()
        with administration(self.alias) as admin:
            run(admin, "DELETE FROM soak")
        self.books = soak.Books(self.path)
        self.files = len(os.listdir("/proc/self/fd"))
        connections[self.alias].settings_dict.update(
            CONN_MAX_AGE=None, CONN_MAX_IDLE=IDLE
        )
        self.installation = install()  # a forked child gives up what is not its own
        self.worker = soak.Worker(self.books, 1, 0)
        self.worker.rng.choice = self.choose
        self.style = None

    def choose(self, values):
        """The test chooses server and job; the rest is the worker's choice."""
        return self.alias if values is soak.VENDORS else self.style

    @rule(style=st.sampled_from(STYLES))
    def job(self, style):
        self.style = style
        self.worker.run_job()

    @rule(style=st.sampled_from(["write", "pair", "nested", "retry", "raises"]))
    def job_in_a_thread(self, style):
        self.style = style
        thread = threading.Thread(target=closing_connections(self.worker.run_job))
        thread.start()
        thread.join(30)
        assert not thread.is_alive()

    @rule(style=st.sampled_from(["write", "pair", "retry"]))
    def job_that_is_cut(self, style):
        """Its own query is cut, so whatever comes is the job's own."""
        timer = threading.Timer(0.03, self.proxy.cut)
        worker = soak.Worker(self.books, 2, 0)
        worker.number = self.worker.number + 5 * 10**7
        self.worker.number += 1
        self.style, worker.rng.choice = style, self.choose
        ask = worker.ask

        def ask_late(job, *arguments):
            if not timer.is_alive() and timer.ident is None:
                timer.start()
                ask(job, soak.SLEEP[self.alias] % "%s", 0.06)
            return ask(job, *arguments)

        worker.ask = ask_late
        worker.run_job()
        timer.join()

    @rule()
    def kill(self):
        for number in sessions(self.alias):
            end_session(self.alias, number)
        wait_for(lambda: not self.proxy.connections)  # the client has the FIN

    @rule(reset=st.booleans())
    def cut(self, reset):
        self.proxy.reset() if reset else self.proxy.cut()

    @precondition(lambda self: not self.depth)
    @rule()
    def drop_silently(self):
        """No end is heard of. CONN_MAX_IDLE helps, which is for the outermost scope."""
        self.proxy.stall(new=False)
        time.sleep(2 * IDLE)
        self.style = "write"
        self.worker.run_job()
        self.proxy.cut()
        self.proxy.resume()

    @rule(closes=st.booleans())
    def enter_scope(self, closes):
        scope = closing_connections() if closes else fresh_connections()
        self.stack.enter_context(scope)
        self.depth += 1

    @rule()
    def leave_scopes(self):
        self.stack.close()
        self.depth = 0

    @rule()
    def guard_a_bare_query(self):
        with guard_connections():
            self.proxy.cut()
            job = {"alias": self.alias, "wrong": []}
            self.worker.echo(job)
        assert job["wrong"] == []

    def teardown(self):
        self.stack.close()
        close_all_connections()
        self.installation.undo()
        found = self.audit()
        assert {text: found[text] for text in found if found[text]} == {}
        gc.collect()
        os.close(self.books.file)
        wait_for(lambda: not sessions(self.alias), 3)
        wait_for(lambda: len(os.listdir("/proc/self/fd")) <= self.files, 1)

    def audit(self):
        with open(self.path) as stream:
            jobs = [json.loads(line)["job"] for line in stream]
        for job in jobs:
            if job["worker"] == 2:
                job["kind"] = "ok"  # it was cut
        rows = {self.alias: soak.read_rows(self.alias)}
        return soak.audit(jobs, rows, {self.alias: []}, over=0)


@pytest.fixture
def time_limit():
    """The handler of the jobs whose query a signal interrupts."""
    before = signal.signal(signal.SIGALRM, soak.raise_time_limit)
    yield
    signal.signal(signal.SIGALRM, before)


def test_no_short_plan_breaks_a_job(server_alias, proxy, tmpdir, time_limit):
    """Whatever the order, the books are right, and nothing is left open."""
    with administration(server_alias) as admin:
        run(admin, "DROP TABLE IF EXISTS soak")
    soak.make_table(server_alias)
    open_connection(server_alias)  # the driver's own descriptors
    connections[server_alias].close()

    class PlanOfTest(Plan):
        alias, path = server_alias, str(tmpdir.join("books"))

    PlanOfTest.proxy = proxy
    options = settings(
        max_examples=int(os.environ.get("DJANGO_COMPAT_TEST_PLANS", 20)),
        # The same plans in each run, other ones where somebody asks for a number.
        derandomize="DJANGO_COMPAT_TEST_PLANS" not in os.environ,
        stateful_step_count=12,
        deadline=None,
        database=None,
        print_blob=True,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(PlanOfTest, settings=options)
    assert not scopes.thread_stack()
