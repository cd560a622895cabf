"""APScheduler: the executor of docs/recipes/apscheduler.rst in real schedulers."""

from __future__ import absolute_import

import sys

import pytest

from support import recipes
from support.databases import sessions, wait_for
from support.required import needs_package

needs_package("apscheduler")
PAGE = recipes.page("apscheduler")
SEND = """
import threading
from apscheduler import events
from scheduler import count_tables, scheduler

ended, some = [], threading.Condition()

def see(event):
    with some:
        ended.append(event.exception)
        some.notify_all()

def run(jobs):
    for job in jobs:
        scheduler.add_job(job, misfire_grace_time=None)
    with some:
        while len(ended) < len(jobs):
            some.wait(20)
        errors = [ended.pop() for _ in jobs]
    for error in filter(None, errors):
        raise error

scheduler.start()
scheduler.add_listener(see, events.EVENT_JOB_EXECUTED | events.EVENT_JOB_ERROR)
"""
SEND_ONE = (
    SEND
    + """
def send():
    run([count_tables])
"""
)
# Four jobs that wait for each other, each in a thread of its own; then the end.
SEND_FOUR = (
    SEND
    + """
waiting, all_here = [], threading.Event()

def work(number):
    %(query)s()
    waiting.append(number)
    if len(waiting) == 4:
        all_here.set()
    all_here.wait(20)

def send():
    if waiting:
        scheduler.shutdown()
    else:
        run([lambda number=number: work(number) for number in range(4)])
"""
)
LISTEN = """
scheduler.add_listener(lambda event: count_tables(), events.EVENT_JOB_EXECUTED)
"""


def test_jobs_after_idle_spells(server_alias, tmpdir):
    """The page's table: one thread, one job after the other."""
    text, senders = PAGE.replace("(4)", "(1)"), {"job fails": SEND_ONE}
    found = recipes.measure(text, tmpdir, server_alias, senders)
    assert found == recipes.figures(PAGE, server_alias, senders)
    wait_for(lambda: not sessions(server_alias))


def left_after_shutdown(alias, folder, with_us, code):
    project = recipes.Project(PAGE, folder, alias, with_us)
    with project.sender(code) as ask:
        for _ in range(2):
            assert ask() == {"result": None}
        return recipes.count_left(alias)


def test_sessions_after_shutdown(server_alias, tmpdir):
    """The page's table: the process goes on when its scheduler has ended."""
    code = SEND_FOUR % {"query": "count_tables"}
    found = tuple(
        str(left_after_shutdown(server_alias, tmpdir.mkdir(str(us)), us, code))
        for us in (False, True)
    )
    rows = ["sessions left"]
    assert {rows[0]: found} == recipes.figures(PAGE, server_alias, rows)


def test_session_of_a_listener_ends_with_its_thread(server_alias, tmpdir):
    """The jobs query nothing; the listener does, as django-apscheduler's does."""
    code = SEND_FOUR % {"query": "int"} + LISTEN
    assert left_after_shutdown(server_alias, tmpdir, True, code) == 0


STORE = """
from django_apscheduler.jobstores import DjangoJobStore
import scheduler as module

module.scheduler.add_jobstore(DjangoJobStore(), "store")

def send():
    if module.scheduler.running:
        module.scheduler.shutdown()
    else:
        module.scheduler.start()
        module.scheduler.add_job(print, "interval", days=1, jobstore="store")
        module.scheduler.wakeup()
"""
APPS = """

The application of the job store, in ``settings.py``:

.. code-block:: python

    INSTALLED_APPS = ["django_apscheduler"]
"""


@pytest.mark.skipif(sys.version_info < (3,), reason="no django-apscheduler")
@pytest.mark.parametrize("with_us, left", [(False, 1), (True, 0)])
def test_session_of_a_job_store(server_alias, tmpdir, with_us, left):
    """The scheduler's own thread queries the store of django-apscheduler."""
    project = recipes.Project(PAGE + APPS, tmpdir, server_alias, with_us)
    project.run("manage.py", "migrate", "django_apscheduler")
    with project.sender(STORE) as ask:
        assert ask() == {"result": None}
        wait_for(lambda: sessions(server_alias))
        assert ask() == {"result": None}
        assert recipes.count_left(server_alias) == left
