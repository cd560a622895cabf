"""Scopes of tasks inside scopes of tasks, on the Djangos that have asgiref (3.0+)."""

from __future__ import absolute_import

import asyncio
import contextlib
from functools import partial

import django
import pytest

if django.VERSION < (3, 0):
    pytest.skip("no asgiref before Django 3.0", allow_module_level=True)

from django.db import connections
from django.db.utils import DatabaseError

from django_compat import closing_connections, fresh_connections
from support.aio import in_orm, run_async
from support.databases import kill, open_connection, run
from support.losses import hang_up, is_hung_up

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("closed_orm_thread")]
SCOPES = [fresh_connections, closing_connections]
in_both_scopes = pytest.mark.parametrize("scope", SCOPES)


def work(alias):
    """Run a query in the thread of the ORM, then let the session end."""
    connection = open_connection(alias, None)
    assert run(connection, "SELECT 42") == (42,)
    if not is_hung_up(connection):
        hang_up(connection)


async def jobs(alias, scope, count=3):
    """Run jobs, each in a scope, and return what failed."""
    failed = []
    for number in range(count):
        try:
            async with scope():
                await in_orm(work, alias)
        except Exception as error:
            failed.append((number, error))
    return failed


async def in_a_scope(outer, loop):
    async with outer():
        return await loop()


async def in_a_task_of_a_scope(outer, loop):
    async with outer():
        return await asyncio.ensure_future(loop())


async def in_a_task_that_outlives_the_scope(outer, loop):
    async with outer():
        task = asyncio.ensure_future(loop())
        await asyncio.sleep(0)
    return await task


async def beside_an_async_generator(outer, loop):
    async def rows():
        async with outer():
            yield
            yield

    generator = rows()
    await generator.__anext__()
    failed = await loop()
    await generator.aclose()
    return failed + await loop()


async def in_a_decorated_recursion(outer, loop):
    @outer
    async def recurse(depth):
        return await (recurse(depth - 1) if depth else loop())

    return await recurse(3)


async def in_an_exit_stack(outer, loop):
    async with contextlib.AsyncExitStack() as stack:
        scope = outer()
        for _ in range(2):
            await stack.enter_async_context(scope)
        return await loop()


async def by_hand(outer, loop):
    scope = outer()
    assert hasattr(scope, "__aexit__")  # as a tool may look at it
    await scope.__aenter__()
    try:
        return await loop()
    finally:
        await scope.__aexit__(None, None, None)


WAYS = [
    in_a_scope,
    in_a_task_of_a_scope,
    in_a_task_that_outlives_the_scope,
    beside_an_async_generator,
    in_a_decorated_recursion,
    by_hand,
]
if hasattr(contextlib, "AsyncExitStack"):  # Python 3.7+
    WAYS.append(in_an_exit_stack)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("outer", SCOPES)
@in_both_scopes
def test_job_after_a_hang_up_works_inside_another_scope(
    server_alias, way, outer, scope
):
    """However the outer scope came about, each job finds a session that works."""
    loop = partial(jobs, server_alias, scope)
    assert run_async(way(outer, loop)) == []


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("outer", SCOPES)
def test_last_scope_closes_for_age(server_alias, way, outer):
    """When all scopes are left, a connection with CONN_MAX_AGE 0 is closed."""

    async def loop():
        async with fresh_connections():
            await in_orm(open_connection, server_alias, 0)
        return []

    async def main():
        assert await way(outer, loop) == []
        return await in_orm(lambda: connections[server_alias].connection)

    assert run_async(main()) is None


async def is_open(alias):
    """Tell whether the ORM's thread has the connection open."""
    raw = await in_orm(lambda: connections[alias].connection)
    return raw is not None


def test_fresh_inside_closing_is_a_unit_of_its_own(server_alias):
    """In the task of both scopes the inner scope closes for age."""

    async def main():
        async with closing_connections():
            async with fresh_connections():
                await in_orm(open_connection, server_alias, 0)
            assert not await is_open(server_alias)

    run_async(main())


def test_fresh_leaves_age_to_the_closing_scope_of_another_task(server_alias):
    """Both tasks use the connection of the ORM's thread."""

    async def main():
        opened, done = asyncio.Event(), asyncio.Event()

        async def work_on():
            async with closing_connections():
                await in_orm(open_connection, server_alias, 0)
                opened.set()
                await done.wait()
                assert await is_open(server_alias)

        task = asyncio.ensure_future(work_on())
        await opened.wait()
        async with fresh_connections():
            await in_orm(lambda: run(connections[server_alias], "SELECT 1"))
        done.set()
        await task
        assert not await is_open(server_alias)

    run_async(main())


@pytest.mark.parametrize("outer", SCOPES)
@in_both_scopes
def test_task_around_gets_no_connection_lost_inside(server_alias, outer, scope):
    """After the inner scope the task has a session that works."""

    def lose():
        connection = open_connection(server_alias, None)
        kill(connection)
        run(connection, "SELECT 1")

    async def main():
        async with outer():
            with pytest.raises(DatabaseError):
                async with scope():
                    await in_orm(lose)
            await in_orm(work, server_alias)

    run_async(main())


def test_sync_scope_inside_a_task_of_jobs(server_alias):
    """A function in the ORM's thread may use scopes of its own for its jobs."""

    def loop():
        for _ in range(3):
            with fresh_connections():
                work(server_alias)

    async def main():
        for outer in SCOPES:
            async with outer():
                await in_orm(loop)

    run_async(main())


@pytest.mark.parametrize("max_age", [0, None])
def test_iterator_of_the_outer_task_is_not_broken(server_alias, max_age):
    """A task inside of a loop over rows leaves the rows alone."""
    rows = " UNION ALL ".join("SELECT %d" % number for number in range(5))

    def begin():
        cursor = open_connection(server_alias, max_age).chunked_cursor()
        cursor.execute(rows)
        return cursor

    async def inner():
        async with fresh_connections():
            await in_orm(lambda: run(connections[server_alias], "SELECT 1"))

    async def main():
        seen = []
        async with fresh_connections():
            cursor = await in_orm(begin)
            for _ in range(5):
                seen += await in_orm(cursor.fetchone)
                await asyncio.ensure_future(inner())
            await in_orm(cursor.close)
        return seen

    assert run_async(main()) == list(range(5))
