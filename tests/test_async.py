"""The coroutines, and scopes in tasks, on the Djangos that have asgiref (3.0+)."""

from __future__ import absolute_import

import asyncio
import inspect
import threading

import pytest
from asgiref.sync import SyncToAsync, async_to_sync, sync_to_async
from corners import IS_FULL
from databases import kill, open_connection, run, session_id, sessions, wait_for
from django.db import connections, transaction
from test_readme import code_blocks

from django_compat import (
    aclose_all_connections,
    aclose_old_connections,
    aclose_stale_connections,
    closing_connections,
    fresh_connections,
)
from django_compat._versions import used_connections
from django_compat.liveness import DEAD, liveness
from django_compat.staleness import HUNG_UP

SCOPES = [fresh_connections, closing_connections]


def in_orm(function, *arguments):
    """Run a function in the thread that holds the ORM's connections."""
    return sync_to_async(function, thread_sensitive=True)(*arguments)


def run_async(coroutine):
    """Do what asyncio.run does, which Python 3.6 has not."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()


async def until(condition):
    """Wait in a coroutine until a condition holds."""
    await asyncio.get_event_loop().run_in_executor(None, wait_for, condition)


async def cancelled(task):
    """Cancel a task, and wait for its end."""
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def open_there(alias, max_age):
    """Open an alias in the thread of the ORM; return it and its session."""
    connection = open_connection(alias, max_age)
    if connection.vendor == "sqlite":
        return connection, None
    return connection, session_id(connection)


def kill_there(alias):
    """Kill the session, and wait until this side has heard of it."""
    connection = connections[alias]
    kill(connection)
    wait_for(lambda: liveness(connection) is DEAD)


def session(alias):
    return in_orm(lambda: session_id(connections[alias]))


def is_open(alias):
    return in_orm(lambda: connections[alias].connection is not None)


@pytest.fixture(autouse=True)
def closed_there():
    """The thread of the ORM outlives its event loops."""
    yield
    run_async(aclose_all_connections())


@pytest.fixture
def busy():
    """Keep the ORM's thread busy, once called, until it is called again."""
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
    """The coroutine does in the ORM's thread what the function does in its own."""

    async def main():
        await in_orm(open_there, alias, max_age)
        await aclose_old_connections()
        return await is_open(alias)

    assert run_async(main()) is (max_age is None)


def test_aclose_all_closes_in_the_thread_that_holds_them(server_alias):
    """The session on the server is gone; this thread's own connection is not."""
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
    """What the function raises comes out of the coroutine."""
    with pytest.raises(Exception) as caught:
        run_async(aclose_all_connections("nowhere"))
    assert type(caught.value).__name__ == "ConnectionDoesNotExist"


def test_aclose_stale_returns_what_it_closed(server_alias):
    """The list is the one of the function: nothing first, then alias and reason."""

    async def main():
        await in_orm(open_there, server_alias, None)
        first = await aclose_stale_connections()
        await in_orm(kill_there, server_alias)
        return first, await aclose_stale_connections(server_alias)

    assert run_async(main()) == ([], [(server_alias, HUNG_UP)])


@pytest.mark.everywhere
@pytest.mark.parametrize("scope", SCOPES)
def test_scope_after_a_hang_up_works_at_the_first_query(server_alias, scope):
    """Each of three units finds a session; what stays open is what was asked for."""

    async def main():
        stays = []
        for max_age in (0, 60, None):
            await in_orm(open_there, server_alias, max_age)
            await in_orm(kill_there, server_alias)
            async with scope():
                await session(server_alias)
            stays.append(await is_open(server_alias))
        return stays

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


@pytest.mark.everywhere
@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("call", [False, True])
def test_decorated_coroutine_runs_in_a_scope(server_alias, scope, call):
    """With and without parentheses it stays a coroutine function of the same name."""

    decorate = scope() if call else scope

    @decorate
    async def job(alias, more):
        """Say what it does."""
        return await session(alias), more

    async def main():
        found = []
        for _ in range(2):
            await in_orm(open_there, server_alias, 0)
            await in_orm(kill_there, server_alias)
            found.append(await job(server_alias, more=1))
            assert not await is_open(server_alias)
        return found

    assert inspect.iscoroutinefunction(job)
    assert (job.__name__, job.__doc__) == ("job", "Say what it does.")
    (first, _), (second, more) = run_async(main())
    assert first != second and more == 1


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("call", [False, True])
def test_decorated_async_generator_function_is_an_error(scope, call):
    """Its body would run when the scope has ended."""

    async def rows():
        yield 1

    with pytest.raises(TypeError) as caught:
        (scope() if call else scope)(rows)
    assert "generator" in str(caught.value) and "rows" in str(caught.value)


def test_scope_in_an_async_generator_may_end_in_another_task(server_alias):
    """The loop closes an abandoned generator elsewhere; the scope ends all the same."""

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


@pytest.mark.everywhere
def test_task_cancelled_in_the_body_ends_its_scope(server_alias):
    """The cancellation comes out, everything is closed, and the next unit works."""

    async def body(entered):
        async with closing_connections():
            await session(server_alias)
            entered.set()
            await asyncio.sleep(60)

    async def main():
        entered = asyncio.Event()
        task = asyncio.ensure_future(body(entered))
        await entered.wait()
        await cancelled(task)
        assert not await is_open(server_alias)
        async with fresh_connections():
            await session(server_alias)

    run_async(main())


@pytest.mark.everywhere
def test_task_cancelled_in_mid_query_keeps_the_session(server_alias):
    """The query goes on to its end in its thread: the next one reads its own answer."""
    sleep = {"mysql": "SELECT SLEEP(0.2)", "postgresql": "SELECT pg_sleep(0.2)"}
    started = threading.Event()

    def query():
        started.set()
        return run(connections[server_alias], sleep[server_alias])

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
    """Its body does not run, and later scopes end as ever."""

    async def body():
        async with fresh_connections():
            raise AssertionError("it was cancelled before")

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
    """The same when the thread is at it: here it asks a server that does not answer."""

    async def body():
        async with fresh_connections():
            raise AssertionError("it was cancelled before")

    async def main():
        connection, _ = await in_orm(open_there, server_alias, 0)
        connection.errors_occurred = True
        asked = len(b"".join(proxy.sent[-1]))
        proxy.stall(new=False)
        task = asyncio.ensure_future(body())
        await until(lambda: len(b"".join(proxy.sent[-1])) > asked)
        await cancelled(task)
        proxy.cut()
        async with fresh_connections():
            await session(server_alias)
        return await is_open(server_alias)

    assert run_async(main()) is False


def test_task_cancelled_again_while_it_leaves_still_closes(server_alias, busy):
    """What is to be done at the end is done, though nobody waits for it any more."""

    async def body(entered):
        async with closing_connections():
            await session(server_alias)
            entered.set()
            await asyncio.sleep(60)

    async def main():
        entered = asyncio.Event()
        task = asyncio.ensure_future(body(entered))
        await entered.wait()
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


def test_body_that_raises_has_its_connection_looked_at(server_alias):
    """Its own exception comes out, and a session that it lost is replaced."""

    async def main():
        with pytest.raises(KeyError):
            async with fresh_connections():
                await in_orm(open_there, server_alias, None)
                await in_orm(kill_there, server_alias)
                raise KeyError
        return await is_open(server_alias)

    assert run_async(main()) is False


@pytest.mark.everywhere
@pytest.mark.parametrize("max_age", [pytest.param(0, marks=pytest.mark.once), None])
def test_hundred_tasks_at_once_after_each_hang_up(server_alias, max_age):
    """All are in their scopes together, and each query of each of them works."""

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

    rounds = 3 if IS_FULL else 1

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
def test_other_tasks_scope_does_not_take_the_session(server_alias, block, fails):
    """Temporary tables and transactions live until the last task has left."""

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
        task = asyncio.ensure_future(other(go))  # not inside of the scope
        async with fresh_connections():
            await in_orm(begin)
            go.set()
            await asyncio.gather(task, return_exceptions=True)
            found = await in_orm(run, connection, "SELECT count(*) FROM mine")
            await in_orm(end)
        return found, await is_open(server_alias)

    assert run_async(main()) == ((0,), False)


def test_nested_scope_of_a_task_does_not_act(server_alias):
    """Of async in async only the outermost closes."""

    async def main():
        await in_orm(open_there, server_alias, 0)
        async with fresh_connections():
            before = await session(server_alias)
            async with closing_connections():
                assert await session(server_alias) == before
            assert await session(server_alias) == before
        return await is_open(server_alias)

    assert run_async(main()) is False


def test_task_that_outlives_the_scope_it_began_in_has_scopes_of_its_own(server_alias):
    """A worker that was started inside of a scope is not inside of it for ever."""

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
    """A function that sync_to_async runs in the ORM's thread is inside the scope."""

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
    """What is not thread-sensitive has other connections, and they are looked after."""
    found = []

    @closing_connections
    def job():
        found.append(connections[server_alias])
        return session_id(found[0])

    async def main():
        async with fresh_connections():
            before = await session(server_alias)
            other = await sync_to_async(job, thread_sensitive=False)()
            assert other != before
            assert await session(server_alias) == before

    run_async(main())
    assert found[0].connection is None


def test_async_scope_inside_a_sync_one_does_not_act(server_alias):
    """Through async_to_sync the ORM's thread is the caller's, and inside its scope."""
    connection = open_connection(server_alias, 0)

    async def main():
        async with closing_connections():
            assert await in_orm(threading.get_ident) == caller
            found = await session(server_alias)
        return found

    caller = threading.get_ident()
    with fresh_connections():
        before = session_id(connection)
        assert async_to_sync(main)() == before
        assert session_id(connection) == before
    assert connection.connection is None


def test_async_scope_under_async_to_sync_looks_after_the_caller(server_alias):
    """Without a scope around it the caller's connection is the one that is closed."""
    connection = open_connection(server_alias, 0)
    before = session_id(connection)
    kill_there(server_alias)

    async def main():
        async with fresh_connections():
            return await session(server_alias)

    assert async_to_sync(main)() != before
    assert connection.connection is None


if getattr(SyncToAsync, "thread_sensitive_context", None):  # not on Python 3.6
    from asgiref.sync import ThreadSensitiveContext

    @pytest.mark.everywhere
    def test_requests_threads_connections_are_looked_after(server_alias):
        """Under ASGI each request has a thread: its scope stays out of the others."""

        async def request(turn):
            async with ThreadSensitiveContext():
                await in_orm(open_there, server_alias, None)
                await in_orm(kill_there, server_alias)
                async with closing_connections():
                    found = await in_orm(threading.get_ident), await session(
                        server_alias
                    )
                    turn.append(found)
                    while len(turn) < 2:
                        await asyncio.sleep(0)
                assert not await is_open(server_alias)
                return found

        async def main():
            _, before = await in_orm(open_there, server_alias, None)
            turn = []
            found = await asyncio.gather(request(turn), request(turn))
            assert await session(server_alias) == before
            return found

        (thread, number), (other_thread, other_number) = run_async(main())
        assert thread != other_thread and number != other_number


@pytest.mark.everywhere
@pytest.mark.parametrize("at_the_end", [False, True])
def test_slow_server_does_not_block_the_event_loop(server_alias, proxy, at_the_end):
    """While a scope asks a server that does not answer, other coroutines go on."""

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


def test_example_of_the_readme(server_alias):
    """Each job of its worker finds a connection that works, though one was killed."""
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


def test_event_loop_sees_what_django_sees_there():
    """The connections of a thread are not those of the event loop that it runs."""
    open_connection("default")

    async def look():
        local = connections._connections
        theirs = {alias for alias in connections if hasattr(local, alias)}
        return set(used_connections()), theirs

    ours, django = run_async(look())
    assert ours == django
    assert "default" in used_connections()
    connections["default"].close()
