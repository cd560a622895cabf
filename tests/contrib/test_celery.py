"""celery: one line in celery.py; docs/recipes/celery.rst, with real workers."""

from __future__ import absolute_import

import contextlib
import itertools
import re
import sys
from multiprocessing.pool import ThreadPool

import pytest

from support import recipes
from support.databases import observe, sessions, wait_for
from support.required import needs_package

needs_package("celery")
celery = sys.modules["celery"]
PAGE = recipes.page("celery")
POOLS = ["prefork", "threads", "solo", "gevent"]
# Tasks of the tests; each tells its session.
MORE = """
import os, time
import celery
from celery import shared_task
from celery.exceptions import SoftTimeLimitExceeded
from celery.signals import worker_ready
from django.db import connection

from django_compat import close_stale_connections
from support.databases import session_id
from support.sql import KILL, SLEEP

@shared_task
def session(pause=0):
    number = session_id(connection)
    time.sleep(pause)
    return number

class Handled(celery.Task):
    numbers = []

    def before_start(self, *args):  # celery 5.2+
        self.numbers[:] = [session_id(connection)]

    def after_return(self, *args):
        print("AFTER %d" % session_id(connection))

    def on_failure(self, *args):
        print("FAILED %d" % session_id(connection))

@shared_task(base=Handled)
def losing():
    number = session_id(connection)
    connection.cursor().execute(KILL[connection.vendor] % number)
    connection.cursor().execute("SELECT 1")

@shared_task(base=Handled)
def handled():
    return Handled.numbers + [session_id(connection)]

class OwnCall(celery.Task):
    def __call__(self, *args, **kwargs):
        return self.run(*args, **kwargs)

def sleep(catches):
    number = session_id(connection)
    try:
        connection.cursor().execute(SLEEP[connection.vendor] % 2)
    except SoftTimeLimitExceeded:
        if not catches:
            raise
        close_stale_connections()
        return session_id(connection)
    return number

interrupted = shared_task(soft_time_limit=1, name="interrupted")(sleep)
interrupted_in_call = shared_task(
    soft_time_limit=1, name="interrupted_in_call", base=OwnCall
)(sleep)

@shared_task
def fail():
    connection.cursor().execute("SELECT nothing")

@shared_task(bind=True, max_retries=1, default_retry_delay=0)
def retried(self):
    if not self.request.retries:
        raise self.retry()
    return session_id(connection)

@worker_ready.connect
def open_session(**kwargs):
    if "KEEPS" in os.environ:
        print("PARENT %d" % session_id(connection))
"""
SETTINGS = """
from settings import *

CELERY_IMPORTS = ["more"]
"""
QUICK = """
import more, shop
from celery import group
from shop.tasks import count_tables

calls = []

def send():
    calls.append(1)
    if len(calls) == 1:
        tasks = group([more.session.s(0.2) for _ in range(8)])
        return tasks.delay().get(timeout=30)
    return count_tables.delay().get(timeout=30)
"""


def result(answer):
    """Return the result of a task that must not fail."""
    assert "error" not in answer, answer
    return answer["result"]


numbers = itertools.cycle(range(16))  # of the databases of Redis: one for each project


def project(folder, alias, redis, with_us=True, options="", timeout=None, settings=""):
    """Make the page's project, whose worker has more options."""
    made = recipes.Project(PAGE, folder, alias, with_us, timeout)
    made.env["REDIS_URL"] = "%s/%d" % (redis, next(numbers))
    made.text = PAGE.replace(" --concurrency 2", " --concurrency 2 " + options)
    made.write("more.py", MORE)
    made.write("page_settings.py", SETTINGS + settings)
    return made


def runs(pool):
    """Return the worker's option; skip the test where the pool does not run."""
    if pool == "gevent":
        needs_package("gevent")
        if sys.version_info < (3,):
            pytest.skip("celery 4.4 alone hangs now and then where it begins")
    return "--pool " + pool


@pytest.mark.parametrize("pool", POOLS)
def test_tasks_after_idle_spells(server_alias, redis, tmpdir, pool):
    """No task fails, and quick tasks share the sessions of the pool's workers."""
    options = runs(pool)

    def measure(with_us):
        folder, answers = tmpdir.mkdir(str(with_us)), []
        made = project(folder, server_alias, redis, with_us, options, 1)
        with made.worker(), made.sender(QUICK) as ask:

            def ask_and_keep():
                answers.append(ask())
                return answers[-1]

            failures = recipes.count_failures(
                ask_and_keep, lambda: recipes.idle_spell(server_alias)
            )
        used = len(set(result(answers[0])))
        return str(used), "%d of %d" % (failures, recipes.TASKS)

    with contextlib.closing(ThreadPool(2)) as threads:
        columns = threads.map(measure, [False, True], 1)
    what = ["sessions of eight quick tasks", "a task fails"]
    found = dict(zip(["``%s``: %s" % (pool, row) for row in what], zip(*columns)))
    expected = recipes.figures(PAGE, server_alias, list(found))
    if celery.VERSION < (5, 6):  # celery alone: the table is of 5.6 and newer
        found, expected = [
            dict((row, cells[1]) for row, cells in rows.items())
            for rows in (found, expected)
        ]
    assert found == expected
    wait_for(lambda: not sessions(server_alias))


SEND_MORE = """
import more, shop

def send():
    return more.%s.delay().get(timeout=30)
"""
INTERRUPT = """
import more, shop
from celery.exceptions import SoftTimeLimitExceeded

def send():
    sessions = [more.session.delay().get(timeout=30)]
    for task in more.interrupted, more.interrupted_in_call:
        for catches in False, True:
            try:
                task.delay(catches).get(timeout=30)
            except SoftTimeLimitExceeded:
                assert not catches
            else:
                assert catches
            sessions += [more.session.delay().get(timeout=30) for _ in range(2)]
    return sessions
"""


def test_tasks_after_a_soft_time_limit_in_mid_query(server_alias, redis, tmpdir):
    """No later query gets the answer of a query that was interrupted."""
    made = project(tmpdir, server_alias, redis, True, "--concurrency 1")
    with made.worker(), made.sender(INTERRUPT) as ask:
        used = result(ask())
        assert used[-1] in sessions(server_alias)
    # Each limit costs a session at most, and the two tasks after it share one.
    assert [used[0]] + used[1::2] == used[::2][:1] + used[2::2]
    assert all(isinstance(number, int) for number in used)


def test_parents_session_outlives_the_children(server_alias, redis, tmpdir):
    """A child that is forked later, and ends, does not touch the parent's session."""
    made = project(tmpdir, server_alias, redis, True, "--max-tasks-per-child 1")
    made.env["KEEPS"] = "1"
    with made.worker(), made.sender(SEND_MORE % "session") as ask:
        of_children = set(result(ask()) for _ in range(6))
        wait_for(lambda: "PARENT" in made.output())
        parent = int(made.output().split("PARENT ")[1].split()[0])
        assert len(of_children) == 6 and parent not in of_children
        assert parent in sessions(server_alias)


@pytest.mark.parametrize("pool", POOLS)
def test_sessions_end_with_a_goodbye(server_alias, redis, tmpdir, pool):
    """Each thread and process of a worker closes its connections when it ends."""
    before = aborted_clients(server_alias)
    made = project(tmpdir, server_alias, redis, True, runs(pool))
    with made.worker(), made.sender(QUICK) as ask:
        result(ask())
    wait_for(lambda: not sessions(server_alias))
    assert aborted_clients(server_alias) == before


def aborted_clients(alias):
    """Return MySQL's count; PostgreSQL has none."""
    if alias == "postgresql":
        return None
    ((_, number),) = observe(alias, {"mysql": "SHOW STATUS LIKE 'Aborted_clients'"})
    return int(number)


def test_db_reuse_max_has_no_effect(server_alias, redis, tmpdir):
    """A worker says so, where celery alone fails after each idle spell."""

    def measure(with_us):
        folder = tmpdir.mkdir(str(with_us))
        made = project(folder, server_alias, redis, with_us, "", 1)
        text = recipes.files_of(PAGE, with_us)["shop/celery.py"]
        made.write("shop/celery.py", text + "\napp.conf.CELERY_DB_REUSE_MAX = 100\n")
        with made.worker(), made.sender(QUICK) as ask:
            failures = recipes.count_failures(
                ask, lambda: recipes.idle_spell(server_alias)
            )
        assert ("CELERY_DB_REUSE_MAX has no effect" in made.output()) is with_us
        return "%d of %d" % (failures, recipes.TASKS)

    with contextlib.closing(ThreadPool(2)) as threads:
        found = tuple(threads.map(measure, [False, True], 1))
    row = "``CELERY_DB_REUSE_MAX``: a task fails"
    assert {row: found} == recipes.figures(PAGE, server_alias, [row])


@pytest.mark.skipif(celery.VERSION < (5, 7), reason="celery 5.7 begins to spawn")
def test_spawned_children_share_connections_between_tasks(server_alias, redis, tmpdir):
    """A child that does not come from a fork has the scopes, too."""
    settings = 'CELERY_WORKER_POOL_START_METHOD = "spawn"\n'
    made = project(tmpdir, server_alias, redis, settings=settings)
    with made.worker(), made.sender(QUICK) as ask:
        assert len(set(result(ask()))) == 2


@pytest.mark.parametrize("max_age", [0, None])
def test_task_and_its_handlers_share_a_session(server_alias, redis, tmpdir, max_age):
    """Handlers and the task's body use one session; CONN_MAX_AGE counts afterwards."""
    settings = 'DATABASES["default"]["CONN_MAX_AGE"] = %r\n' % max_age
    made = project(
        tmpdir, server_alias, redis, True, "--concurrency 1", settings=settings
    )
    with made.worker(), made.sender(SEND_MORE % "handled") as ask:
        lists = [result(ask()) for _ in range(3)]
    after = map(int, re.findall(r"AFTER (\d+)", made.output()))
    used = [set(numbers + [number]) for numbers, number in zip(lists, after)]
    assert [len(numbers) for numbers in used] == [1] * 3
    assert len(set.union(*used)) == (3 if max_age == 0 else 1)


def test_handlers_of_a_task_that_lost_its_session(server_alias, redis, tmpdir):
    """on_failure and after_return have a session that works."""
    made = project(tmpdir, server_alias, redis, True, "--concurrency 1")
    with made.worker(), made.sender(SEND_MORE % "losing") as ask:
        for _ in range(2):
            assert "OperationalError" in ask()["error"]
    output = made.output()
    assert [len(re.findall(word, output)) for word in ("FAILED", "AFTER")] == [2, 2]


def test_failed_and_retried_tasks(server_alias, redis, tmpdir):
    """A statement that fails, and a retry, leave a connection that works."""
    made = project(tmpdir, server_alias, redis, True, "--concurrency 1")
    with made.worker(), made.sender(FAIL) as ask:
        assert len(set(result(ask()))) == 1


FAIL = """
import more, shop

def send():
    numbers = []
    for _ in range(2):
        assert "nothing" in repr(more.fail.delay().get(timeout=30, propagate=False))
        numbers.append(more.retried.delay().get(timeout=30))
    return numbers
"""
EAGER = """
import django
django.setup()
import more, shop
from django.db import connection
from django.test import TestCase
from celery.worker import WorkController

class Eager(TestCase):
    def test_task(self):
        number = more.session()
        connection.cursor().execute("CREATE TEMPORARY TABLE seen (n integer)")
        for task in more.session, more.interrupted_in_call:
            self.assertTrue(connection.in_atomic_block)
            arguments = [True] if task is more.interrupted_in_call else []
            self.assertEqual(task.delay(*arguments).result, number)
            self.assertEqual(task.apply(arguments).result, number)
        self.assertEqual(more.fail.delay().state, "FAILURE")

class EagerAfterAWorker(Eager):
    def test_task(self):
        WorkController(app=shop.app, pool_cls="solo")
        super(EagerAfterAWorker, self).test_task()
"""


def test_eager_tasks_run_in_the_transaction_of_a_test(server_alias, redis, tmpdir):
    """A TestCase keeps its transaction, also after a worker began in its process."""
    settings = "CELERY_TASK_ALWAYS_EAGER = True\n"
    made = project(tmpdir, server_alias, redis, True, settings=settings)
    made.write("tests.py", EAGER)
    made.run("manage.py", "test", "tests")
