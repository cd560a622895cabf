"""django.tasks: INSTALLED_APPS is enough; docs/recipes/django-tasks.rst."""

from __future__ import absolute_import

import pytest

from support import recipes
from support.databases import sessions, wait_for
from support.required import needs_package

needs_package("django_tasks_db")
# MariaDB's least time-out is 1 s.
PAGE = recipes.page("django-tasks").replace("--interval 2", "--interval 1.2")
ROWS = ["the worker idles past the time-out", "a task works past the time-out"]
SEND = """
import time
from django.tasks import TaskResultStatus
from shop import tasks

ENDED = TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED

def worker_lives():
    with open("/proc/%d/cmdline") as stream:  # empty when it has ended
        return stream.read()

def send():
    result = %s
    while result.status not in ENDED and worker_lives():
        time.sleep(0.02)
        result.refresh()
    return result.status
"""


def outcome(folder, alias, with_us, row):
    """Return the status of the tasks after losses, or "ends": so does the worker."""
    idles = row == ROWS[0]
    project = recipes.Project(PAGE, folder, alias, with_us, recipes.TIMEOUT)
    project.run("manage.py", "migrate")
    wait_for(lambda: not sessions(alias))
    enqueue = "tasks.count.enqueue()" if idles else "tasks.render.enqueue(2)"
    statuses = set()
    with project.worker(must_live=False) as worker:
        with project.sender(SEND % (worker.pid, enqueue)) as ask:
            assert not idles or ask() == {"result": "SUCCESSFUL"}
            for _ in range(recipes.TASKS if idles else 2):
                if idles:
                    recipes.idle_spell(alias)
                status = ask()["result"]
                if status not in ("SUCCESSFUL", "FAILED"):  # the worker is ending
                    worker.wait()
                if worker.poll() is not None:
                    return "ends"
                statuses.add(status.lower())
    return " or ".join(statuses)


@pytest.mark.parametrize("row", ROWS)
def test_worker_that_loses_its_session(server_alias, tmpdir, row):
    """The page's table: a worker that ends natively saves each result with us."""
    found = tuple(
        outcome(tmpdir.mkdir(str(with_us)), server_alias, with_us, row)
        for with_us in (False, True)
    )
    assert {row: found} == recipes.figures(PAGE, server_alias, [row])
    wait_for(lambda: not sessions(server_alias))

