"""Sub-interpreters of Python 3.14+: each has its settings and connections."""

from __future__ import absolute_import

import sys

import pytest

from support.databases import sessions, wait_for
from support.drivers import DRIVERS
from support.processes import web_process
from support.projects import environment

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(
        sys.version_info < (3, 14), reason="no InterpreterPoolExecutor before 3.14"
    ),
]


@pytest.mark.skipif("PyMySQL" not in DRIVERS, reason="the other drivers refuse")
@pytest.mark.parametrize("scope", ["fresh_connections", "closing_connections"])
def test_each_task_has_a_connection_of_its_own(mysql_server, scope):
    """Python drops an interpreter's thread-locals after each call, and its connections.

    Only closing_connections() ends the session there and then.
    """
    before = sessions("mysql")
    env = environment("mysql", ["django_compat"], max_age=None)
    with web_process(env, "interpreters", scope) as run_tasks:
        first, second = set(run_tasks()), set(run_tasks())
        assert all(isinstance(number, int) for number in first | second)
        assert len(first | second) == 4
        if scope == "closing_connections":
            wait_for(lambda: sessions("mysql") == before)
    wait_for(lambda: sessions("mysql") == before)


def test_driver_that_refuses_raises_its_error(server_alias):
    """mysqlclient and psycopg2 refuse; Django's error comes out of the scope."""
    if {"mysql": "mysqlclient", "postgresql": "psycopg2"}[server_alias] not in DRIVERS:
        pytest.skip("a driver in Python, or one that does not refuse")
    env = environment(server_alias, ["django_compat"])
    with web_process(env, "interpreters", "fresh_connections") as run_tasks:
        for error in run_tasks():
            assert error.startswith("ImproperlyConfigured('Error loading ")
