"""The aclose_... coroutines, and scopes in tasks (Django 3.0+)."""

from __future__ import absolute_import

import asyncio
import inspect
import threading
from functools import partial

import django
import pytest

if django.VERSION < (3, 0):
    pytest.skip("no asgiref before Django 3.0", allow_module_level=True)

from asgiref.sync import SyncToAsync, async_to_sync, sync_to_async
from django.db import connections, transaction

from django_compat import (
    HUNG_UP,
    aclose_all_connections,
    aclose_old_connections,
    aclose_stale_connections,
    closing_connections,
    fresh_connections,
    guard_connections,
)
from django_compat._db.versions import used_connections
from support.aio import in_orm, run_async
from support.calls import in_both_scopes
from support.databases import kill, open_connection, run, session_id, sessions, wait_for
from support.losses import hang_up
from support.repository import code_blocks
from support.sql import SLEEP

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("closed_orm_thread")]


async def until(condition):
    """Wait in a coroutine until a condition holds."""
    await asyncio.get_event_loop().run_in_executor(None, wait_for, condition)


async def cancelled(task):
    """Cancel a task, and wait for its end."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


# Functions that the tests run in the ORM's thread.


def open_there(alias, max_age):
    """Open an alias in this thread; return the connection and its session."""
    connection = open_connection(alias, max_age)
    if connection.vendor == "sqlite":
        return connection, None
    return connection, session_id(connection)


def kill_there(alias):
    """Kill the session of an alias in this thread."""
    hang_up(connections[alias])


# Coroutines that ask in the ORM's thread.


def session(alias):
    return in_orm(lambda: session_id(connections[alias]))


def is_open(alias):
    return in_orm(lambda: connections[alias].connection is not None)


@pytest.fixture
def busy():
    """A coroutine function that blocks the ORM's thread; its result unblocks it."""
    release = threading.Event()

    async def start():
        started = threading.Event()

        def wait():
            started.set()
            release.wait(10)

        task = asyncio.ensure_future(in_orm(wait))
        await until(started.is_set)

        async def stop():
            release.set()
            await task

        return stop

    yield start
    release.set()


@pytest.mark.parametrize("max_age", [0, None])
def test_aclose_old_keeps_the_young(alias, max_age):
    """The coroutine follows CONN_MAX_AGE, in the ORM's thread."""

    async def main():
        await in_orm(open_there, alias, max_age)
        await aclose_old_connections()
        return await is_open(alias)

    assert run_async(main()) is (max_age is None)


def test_aclose_all_closes_in_the_thread_that_holds_them(server_alias):
    """The session of the ORM's thread ends; the caller's own session does not."""
    own = open_connection(server_alias, None)

    async def main():
        _, number = await in_orm(open_there, server_alias, None)
        await aclose_all_connections([server_alias])
        assert not await is_open(server_alias)
        return number

    number = run_async(main())
    wait_for(lambda: number not in sessions(server_alias))
    assert session_id(own) in sessions(server_alias)


def test_aclose_all_raises_djangos_error_for_an_unknown_alias():
    """The coroutine raises the function's error."""
    with pytest.raises(Exception) as caught:
        run_async(aclose_all_connections("nowhere"))
    assert type(caught.value).__name__ == "ConnectionDoesNotExist"


def test_aclose_stale_returns_what_it_closed(server_alias):
    """The result is the function's: an empty list, then alias and reason."""

    async def main():
        await in_orm(open_there, server_alias, None)
        first = await aclose_stale_connections()
        await in_orm(kill_there, server_alias)
        return first, await aclose_stale_connections(server_alias)

    assert run_async(main()) == ([], [(server_alias, HUNG_UP)])


@in_both_scopes
def test_scope_after_a_hang_up_works_at_the_first_query(server_alias, scope):
    """Each scope replaces a killed session, and its end follows CONN_MAX_AGE."""

    async def main():
        are_open = []
        for max_age in (0, 60, None):
            await in_orm(open_there, server_alias, max_age)
            await in_orm(kill_there, server_alias)
            async with scope():
                await session(server_alias)
            are_open.append(await is_open(server_alias))
        return are_open

    is_fresh = scope is fresh_connections
    assert run_async(main()) == [False, is_fresh, is_fresh]


def test_scope_leaves_the_callers_thread_alone(server_alias):
    """Only the connections of the ORM's thread are closed at the end."""
    own = open_connection(server_alias, 0)
    before = session_id(own)

    async def main():
        async with closing_connections():
            ident = await in_orm(threading.get_ident)
            assert ident != threading.get_ident()
            assert await session(server_alias) != before
        return await is_open(server_alias)

    assert run_async(main()) is False
    assert session_id(own) == before


class AsyncJob(object):
    """An object whose call gives a coroutine."""

    def __init__(self, function):
        self.function = function

    async def __call__(self):
        return await in_orm(self.function)


def sensitive(function):
    return sync_to_async(function, thread_sensitive=True)


@in_both_scopes
@pytest.mark.parametrize(
    "make", [AsyncJob, sensitive, lambda function: partial(AsyncJob(function))]
)
def test_callable_that_gives_a_coroutine_runs_in_a_scope(server_alias, scope, make):
    """The scope ends with the coroutine, and not with the call."""
    job = scope(make(lambda: open_there(server_alias, 0)))

    async def main():
        await job()
        return await in_orm(lambda: connections[server_alias].connection)

    assert run_async(main()) is None


@in_both_scopes
@pytest.mark.parametrize("call", [False, True])
def test_decorated_coroutine_runs_in_a_scope(server_alias, scope, call):
    """The decorated function is still a coroutine function, with the same name."""

    decorate = scope() if call else scope

    @decorate
    async def job(alias, more):
        """Return the session."""
        return await session(alias), more

    async def main():
        results = []
        for _ in range(2):
            await in_orm(open_there, server_alias, 0)
            await in_orm(kill_there, server_alias)
            results.append(await job(server_alias, more=1))
            assert not await is_open(server_alias)
        return results

    assert inspect.iscoroutinefunction(job)
    assert (job.__name__, job.__doc__) == ("job", "Return the session.")
    (first, _), (second, more) = run_async(main())
    assert first != second and more == 1


@in_both_scopes
@pytest.mark.parametrize("call", [False, True])
def test_decorated_async_generator_function_is_an_error(scope, call):
    """The generator's body would run after the end of the scope."""

    async def rows():
        yield 1

    with pytest.raises(TypeError) as caught:
        (scope() if call else scope)(rows)
    assert "generator" in str(caught.value) and "rows" in str(caught.value)


def test_scope_in_an_async_generator_may_end_in_another_task(server_alias):
    """The loop closes an abandoned generator in another task, which ends the scope."""

    async def rows():
        async with closing_connections():
            yield await session(server_alias)

    async def abandon():
        generator = rows()
        async for number in generator:
            return generator, number

    async def main():
        generator, _ = await asyncio.ensure_future(abandon())
        assert await is_open(server_alias)
        await asyncio.ensure_future(generator.aclose())
        return await is_open(server_alias)

    assert run_async(main()) is False


async def task_in_a_scope(alias):
    """Return a task that sleeps in a scope, with its connection open."""
    entered = asyncio.Event()

    async def body():
        async with closing_connections():
            await session(alias)
            entered.set()
            await asyncio.sleep(60)

    task = asyncio.ensure_future(body())
    await entered.wait()
    return task


def test_task_cancelled_in_the_body_ends_its_scope(server_alias):
    """The cancellation comes out, everything is closed, and the next scope works."""

    async def main():
        task = await task_in_a_scope(server_alias)
        await cancelled(task)
        assert not await is_open(server_alias)
        async with fresh_connections():
            await session(server_alias)

    run_async(main())


def test_task_cancelled_in_mid_query_keeps_the_session(server_alias):
    """The query runs to its end in its thread; the next query gets its own answer."""
    started = threading.Event()

    def query():
        started.set()
        return run(connections[server_alias], SLEEP[server_alias] % 0.2)

    async def body():
        async with fresh_connections():
            await in_orm(query)

    async def main():
        _, before = await in_orm(open_there, server_alias, None)
        task = asyncio.ensure_future(body())
        await until(started.is_set)
        await cancelled(task)
        async with fresh_connections():
            assert await session(server_alias) == before

    run_async(main())


def test_task_cancelled_while_it_waits_to_enter_is_in_no_scope(server_alias, busy):
    """The body does not run, and later scopes act as the outermost."""

    async def body():
        async with fresh_connections():
            raise AssertionError("the body runs")

    async def main():
        await in_orm(open_there, server_alias, 0)
        stop = await busy()
        task = asyncio.ensure_future(body())
        await asyncio.sleep(0)
        await cancelled(task)
        await stop()
        async with fresh_connections():
            await session(server_alias)
        return await is_open(server_alias)

    assert run_async(main()) is False


def test_task_cancelled_while_it_enters_is_in_no_scope(server_alias, proxy):
    """The body does not run either when the ORM's thread waits for a stalled server."""

    async def body():
        async with fresh_connections():
            raise AssertionError("the body runs")

    async def main():
        connection, _ = await in_orm(open_there, server_alias, 0)
        connection.errors_occurred = True
        before = len(b"".join(proxy.sent[-1]))
        proxy.stall(new=False)
        task = asyncio.ensure_future(body())
        await until(lambda: len(b"".join(proxy.sent[-1])) > before)
        await cancelled(task)
        proxy.cut()
        async with fresh_connections():
            await session(server_alias)
        return await is_open(server_alias)

    assert run_async(main()) is False


def test_task_cancelled_again_while_it_leaves_still_closes(server_alias, busy):
    """The connections are closed, though the task no longer waits for the close."""

    async def main():
        task = await task_in_a_scope(server_alias)
        stop = await busy()
        task.cancel()
        await asyncio.sleep(0.01)
        assert not task.done()
        task.cancel()
        await stop()
        with pytest.raises(asyncio.CancelledError):
            await task
        return await is_open(server_alias)

    assert run_async(main()) is False


def test_body_that_raises_leaves_no_lost_connection(server_alias):
    """The body's exception comes out, and a session that the body lost is closed."""

    async def main():
        with pytest.raises(KeyError):
            async with fresh_connections():
                await in_orm(open_there, server_alias, None)
                await in_orm(kill_there, server_alias)
                raise KeyError
        return await is_open(server_alias)

    assert run_async(main()) is False


@pytest.mark.parametrize("max_age", [0, None])
def test_hundred_tasks_at_once_after_each_hang_up(server_alias, max_age):
    """100 tasks are in scopes at the same time, and each query works."""

    async def job(inside, all_are):
        async with fresh_connections():
            inside.append(None)
            if len(inside) == 100:
                all_are.set()
            await all_are.wait()
            first = await session(server_alias)
            await asyncio.sleep(0)
            assert await session(server_alias) == first
        return first

    rounds = 3

    async def main():
        used = set()
        for _ in range(rounds):
            await in_orm(open_there, server_alias, max_age)
            await in_orm(kill_there, server_alias)
            inside, all_are = [], asyncio.Event()
            jobs = [job(inside, all_are) for _ in range(100)]
            used.update(await asyncio.gather(*jobs))
        assert len(used) == rounds
        return await is_open(server_alias)

    assert run_async(main()) is (max_age is None)


@pytest.mark.parametrize("block", [False, True])
@pytest.mark.parametrize("fails", [False, True])
def test_other_tasks_scope_does_not_end_the_session(server_alias, block, fails):
    """Temporary tables and transactions live until the last task leaves its scope."""

    def begin():
        if block:
            transaction.atomic(using=server_alias).__enter__()
        run(connections[server_alias], "CREATE TEMPORARY TABLE mine (id INTEGER)")

    def end():
        if block:
            transaction.atomic(using=server_alias).__exit__(None, None, None)

    async def other(go):
        await go.wait()
        async with fresh_connections():
            await session(server_alias)
            if fails:
                raise KeyError

    async def main():
        connection, _ = await in_orm(open_there, server_alias, 0)
        go = asyncio.Event()
        task = asyncio.ensure_future(other(go))  # begins outside of the scope
        async with fresh_connections():
            await in_orm(begin)
            go.set()
            await asyncio.gather(task, return_exceptions=True)
            row = await in_orm(run, connection, "SELECT count(*) FROM mine")
            await in_orm(end)
        return row, await is_open(server_alias)

    assert run_async(main()) == ((0,), False)


def test_nested_scope_of_a_task_does_not_act(server_alias):
    """Of nested async scopes only the outermost closes."""

    async def main():
        await in_orm(open_there, server_alias, 0)
        async with fresh_connections():
            before = await session(server_alias)
            async with closing_connections():
                assert await session(server_alias) == before
            assert await session(server_alias) == before
        return await is_open(server_alias)

    assert run_async(main()) is False


def test_task_that_outlives_the_scope_around_its_start_has_own_scopes(server_alias):
    """A task that began inside of a scope is outside of it after the scope's end."""

    async def worker(go):
        await go.wait()
        async with fresh_connections():
            await session(server_alias)

    async def main():
        go = asyncio.Event()
        async with fresh_connections():
            task = asyncio.ensure_future(worker(go))
            await in_orm(open_there, server_alias, None)
            await asyncio.sleep(0)
        await in_orm(kill_there, server_alias)
        go.set()
        await task

    run_async(main())


def test_sync_scope_inside_an_async_one_does_not_act(server_alias):
    """A function that sync_to_async runs in the ORM's thread is inside of the scope."""

    @closing_connections
    def job():
        return session_id(connections[server_alias])

    async def main():
        async with fresh_connections():
            await in_orm(open_there, server_alias, 0)
            before = await in_orm(job)
            assert await session(server_alias) == before
        return await is_open(server_alias)

    assert run_async(main()) is False


def test_sync_scope_in_another_thread_acts(server_alias):
    """With thread_sensitive=False a function has connections of another thread."""
    opened = []

    @closing_connections
    def job():
        opened.append(connections[server_alias])
        return session_id(opened[0])

    async def main():
        async with fresh_connections():
            before = await session(server_alias)
            other = await sync_to_async(job, thread_sensitive=False)()
            assert other != before
            assert await session(server_alias) == before

    run_async(main())
    assert opened[0].connection is None


def test_async_scope_inside_a_sync_one_does_not_act(server_alias):
    """Through async_to_sync the ORM's thread is the caller's, and in its scope."""
    connection = open_connection(server_alias, 0)

    async def main():
        async with closing_connections():
            assert await in_orm(threading.get_ident) == caller
            return await session(server_alias)

    caller = threading.get_ident()
    with fresh_connections():
        before = session_id(connection)
        assert async_to_sync(main)() == before
        assert session_id(connection) == before
    assert connection.connection is None


def test_async_scope_under_async_to_sync_looks_after_the_caller(server_alias):
    """Through async_to_sync an async scope alone closes the caller's connection."""
    connection = open_connection(server_alias, 0)
    before = session_id(connection)
    kill_there(server_alias)

    async def main():
        async with fresh_connections():
            return await session(server_alias)

    assert async_to_sync(main)() != before
    assert connection.connection is None


@pytest.mark.skipif(
    not getattr(SyncToAsync, "thread_sensitive_context", None),
    reason="no ThreadSensitiveContext in the asgiref of Python 3.6",
)
def test_scope_of_a_request_acts_in_the_requests_thread(server_alias):
    """Under ASGI each request has a thread, and a scope leaves other threads alone."""
    from asgiref.sync import ThreadSensitiveContext

    async def request(answers):
        async with ThreadSensitiveContext():
            await in_orm(open_there, server_alias, None)
            await in_orm(kill_there, server_alias)
            async with closing_connections():
                answers.append(
                    (await in_orm(threading.get_ident), await session(server_alias))
                )
                while len(answers) < 2:
                    await asyncio.sleep(0)
            assert not await is_open(server_alias)

    async def main():
        _, before = await in_orm(open_there, server_alias, None)
        answers = []
        await asyncio.gather(request(answers), request(answers))
        assert await session(server_alias) == before
        return answers

    (thread, number), (other_thread, other_number) = run_async(main())
    assert thread != other_thread and number != other_number


def test_guard_frees_a_lock_in_a_task(server_alias, lock_of):
    """The next query of a task does not wait for what an interruption left locked."""

    def work():
        connection, before = open_there(server_alias, None)
        lock_of(connection).acquire()
        assert session_id(connection) == before
        assert not lock_of(connection).locked()

    async def jobs():
        await asyncio.gather(*[in_orm(work) for _ in range(3)])

    with guard_connections():
        run_async(jobs())


@pytest.mark.parametrize("at_the_end", [False, True])
def test_slow_server_does_not_block_the_event_loop(server_alias, proxy, at_the_end):
    """Other coroutines go on while a scope waits for a server that does not answer."""

    async def fail():
        connection, _ = await in_orm(open_there, server_alias, None)
        if not at_the_end:
            connection.errors_occurred = True
            proxy.stall(new=False)
        async with fresh_connections():
            await in_orm(proxy.stall, False)
            raise KeyError

    async def main():
        task = asyncio.ensure_future(fail())
        await until(lambda: any(pair.stalled for pair in proxy._pairs))
        for _ in range(50):
            await asyncio.sleep(0.001)
            assert not task.done()
        await asyncio.get_event_loop().run_in_executor(None, proxy.cut)
        with pytest.raises(KeyError):
            await task
        async with fresh_connections():
            await session(server_alias)

    run_async(main())


def test_example_of_the_docs(server_alias):
    """Each job of the docs' worker works, though each job's session was killed."""
    (code,) = [code for code in code_blocks("python") if "queue.get()" in code]
    scope = {"fresh_connections": fresh_connections}
    exec(code, scope)
    seen = []

    def do():
        connection = open_connection(server_alias, None)
        seen.append(session_id(connection))
        kill(connection)

    async def jobs():
        queue = asyncio.Queue()
        worker = asyncio.ensure_future(scope["work"](queue))
        for _ in range(3):
            queue.put_nowait(lambda: in_orm(do))
        await until(lambda: len(seen) == 3)
        await cancelled(worker)

    run_async(jobs())
    assert len(set(seen)) == 3


def test_event_loop_sees_the_connections_that_django_sees():
    """In a coroutine a thread's connections may be other ones than outside."""
    open_connection("default")

    async def look():
        local = connections._connections
        aliases = {alias for alias in connections if hasattr(local, alias)}
        return set(used_connections()), aliases

    ours, djangos = run_async(look())
    assert ours == djangos
    assert "default" in used_connections()
    connections["default"].close()


@pytest.mark.skipif(
    not hasattr(asyncio, "to_thread"), reason="no asyncio.to_thread before Python 3.9"
)
def test_scope_around_a_function_of_to_thread_leaves_no_session(server_alias):
    """The thread of another pool has its own connections; a scope there closes them."""

    def work(result):
        return result, session_id(open_connection(server_alias, None))

    async def main():
        async with fresh_connections():
            return await asyncio.to_thread(closing_connections(work), "done")

    result, number = run_async(main())
    assert result == "done"
    wait_for(lambda: number not in sessions(server_alias))
