"""psycopg's pool (Django 5.1+): docs/recipes/psycopg-pool.rst."""

from __future__ import absolute_import

import django
import pytest

from support import recipes
from support.databases import end_session, observe, wait_for

PAGE = recipes.page("psycopg-pool")
NAMED = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE application_name = '%s'"
}
pytestmark = pytest.mark.skipif(django.VERSION < (5, 1), reason="no pools before 5.1")


@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_jobs_after_a_loss_of_all_sessions(server_alias, tmpdir):
    """The page's table: the pool has four sessions, and each of them ends."""
    ended = set()

    def prepare(project, number):
        project.env["DJANGO_COMPAT_TEST_DRIVERS"] = "PyMySQL psycopg"
        project.env["PGAPPNAME"] = "pool %d" % number

    def end_all_once(project):
        name = project.env["PGAPPNAME"]
        if name not in ended:
            ended.add(name)
            wait_for(lambda: len(observe(server_alias, NAMED, name)) == 4)
            for (number,) in observe(server_alias, NAMED, name):
                end_session(server_alias, number)

    senders = {"job fails": recipes.DO_JOB}
    found = recipes.measure(
        PAGE, tmpdir, server_alias, senders, prepare, spell=end_all_once, timeout=None
    )
    assert found == recipes.figures(PAGE, server_alias, senders)
