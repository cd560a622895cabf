"""huey: INSTALLED_APPS is enough; docs/recipes/huey.rst, with real workers."""

from __future__ import absolute_import

import pytest

from support import recipes
from support.databases import sessions, wait_for
from support.required import needs_package

needs_package("huey")
PAGE = recipes.page("huey")
SEND = """
from shop import tasks

def send():
    return tasks.count_in_%s()(blocking=True, timeout=20)
"""


@pytest.mark.parametrize("kind", ["thread", "process"])
def test_tasks_after_idle_spells(server_alias, redis, tmpdir, kind):
    """The page's table, each kind of task with a worker of its own."""

    def prepare(project, number):
        project.env["REDIS_URL"] = "%s/%d" % (redis, number)

    rows = ["``db_task`` fails", "``task`` fails"]
    senders = dict((row, SEND % row.split("``")[1]) for row in rows)
    text = PAGE.replace("run_huey\n", "run_huey --worker-type %s\n" % kind)
    found = recipes.measure(text, tmpdir, server_alias, senders, prepare)
    assert found == recipes.figures(PAGE, server_alias, rows)
    wait_for(lambda: not sessions(server_alias))
