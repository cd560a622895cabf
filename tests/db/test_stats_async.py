"""stats() and the scopes of tasks, whose queries run in the thread of the ORM."""

from __future__ import absolute_import

import django
import pytest

if django.VERSION < (3, 0):
    pytest.skip("no asgiref before Django 3.0", allow_module_level=True)

from django_compat import fresh_connections, stats
from django_compat._db.stats import undo
from support.aio import in_orm, run_async
from support.databases import open_connection


def test_scopes_of_tasks_are_counted(server_alias, closed_orm_thread):
    """The first unit opens, the second one uses what is open."""

    async def unit():
        async with fresh_connections():
            await in_orm(open_connection, server_alias, None)

    async def units():
        await unit()
        await unit()

    assert stats() == {}
    try:
        run_async(units())
        values = stats()[server_alias]
    finally:
        undo()
    assert (values["opened"], values["reused"], values["closed"]) == (1, 1, {})
