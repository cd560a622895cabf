"""django-q2: INSTALLED_APPS is enough; docs/recipes/django-q2.rst."""

from __future__ import absolute_import

from support import recipes
from support.databases import sessions, wait_for
from support.required import needs_package

needs_package("django_q")
PAGE = recipes.page("django-q2")
SEND = """
from django_q.tasks import async_task, fetch

def send():
    result = fetch(async_task("shop.tasks.count_tables"), wait=2000)
    if result is None:
        raise ValueError("the result was not saved")
    if not result.success:
        raise ValueError(result.result)
"""
LOGGED = {
    "task fails": "ERROR Failed 'shop.tasks.count_tables'",
    "result is lost": "ERROR Could not save task result",
}


def test_tasks_after_idle_spells(server_alias, redis, tmpdir):
    """The page's table: a worker tells which tasks fail, its monitor what is lost."""
    projects = {}

    def prepare(project, number):
        project.env["REDIS_URL"] = "%s/%d" % (redis, number)
        projects[number] = project

    migrated = recipes.Project(PAGE, tmpdir.mkdir("migrated"), server_alias, False)
    prepare(migrated, 2)
    migrated.run("manage.py", "migrate", "django_q")
    recipes.measure(PAGE, tmpdir, server_alias, {"task": SEND}, prepare)
    outputs = [projects[number].output() for number in (0, 1)]
    found = dict(
        (row, tuple("%d of 8" % output.count(text) for output in outputs))
        for row, text in LOGGED.items()
    )
    assert found == recipes.figures(PAGE, server_alias, LOGGED)
    wait_for(lambda: not sessions(server_alias))
