"""procrastinate: INSTALLED_APPS is enough; docs/recipes/procrastinate.rst."""

from __future__ import absolute_import

import json

from django.db import connections

from support import recipes
from support.databases import observe, sessions, wait_for
from support.required import find_command

PAGE = recipes.page("procrastinate")
SEND = """
import time
from django.conf import settings
from procrastinate.contrib.django.models import ProcrastinateJob
from shop import tasks

(queue,) = settings.PROCRASTINATE_WORKER_DEFAULTS["queues"]
jobs = ProcrastinateJob.objects.using("broker")

def send():
    job = tasks.count_in_%s.configure(queue=queue).defer()
    deadline, status = time.time() + 20, None
    while status not in ("succeeded", "failed") and time.time() < deadline:
        status = jobs.get(id=job).status
        time.sleep(0.02)
    if status != "succeeded":
        raise ValueError(status)
"""
IDLE = {
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE backend_type = "
    "'client backend' AND application_name NOT IN ('observer', 'broker')"
}


def spell(project):
    """Wait for the end of the sessions that have a time-out, those of the tasks."""

    def idle_sessions(alias):
        if alias == "mysql":
            return sessions(alias)
        return set(number for number, in observe(alias, IDLE))

    recipes.idle_spell(project.alias, idle_sessions)


def prepare(project, number):
    """Give the project an alias without a time-out, and a queue of its own."""
    values = json.loads(project.env["DJANGO_COMPAT_TEST_SETTINGS"])
    settings = connections["postgresql"].settings_dict
    broker = dict((key, settings[key]) for key in values["DATABASES"]["default"])
    broker["OPTIONS"] = {"application_name": "broker"}
    values["DATABASES"]["broker"] = broker
    values["PROCRASTINATE_DATABASE_ALIAS"] = "broker"
    values["PROCRASTINATE_WORKER_DEFAULTS"] = {"queues": [str(number)]}
    project.env["DJANGO_COMPAT_TEST_SETTINGS"] = json.dumps(values)
    # procrastinate needs psycopg.
    project.env["DJANGO_COMPAT_TEST_DRIVERS"] = "mysqlclient psycopg"


def test_tasks_after_idle_spells(server_alias, postgresql_server, tmpdir):
    """The page's table, each kind of task with a worker of its own."""
    find_command("procrastinate")
    migrated = recipes.Project(PAGE, tmpdir.mkdir("migrated"), server_alias, False)
    prepare(migrated, 0)
    migrated.run("manage.py", "migrate", "procrastinate", "--database", "broker")
    rows = ["``task`` fails", "``async_task`` fails"]
    senders = dict((row, SEND % row.split("``")[1]) for row in rows)
    found = recipes.measure(
        PAGE, tmpdir, server_alias, senders, prepare, spell=spell
    )
    assert found == recipes.figures(PAGE, server_alias, rows)
    wait_for(lambda: not sessions(server_alias) | sessions("postgresql"))
