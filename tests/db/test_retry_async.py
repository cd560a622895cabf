"""retry_on_disconnect on coroutine functions (Django 3.0+)."""

from __future__ import absolute_import

import asyncio
import functools
import inspect
import time

import django
import pytest

if django.VERSION < (3, 0):
    pytest.skip("no asgiref before Django 3.0", allow_module_level=True)

from django.db import transaction

from django_compat import (
    closing_connections,
    fresh_connections,
    is_disconnect,
    retry_on_disconnect,
)
from support.aio import in_orm, run_async
from support.losses import LosingJob, logged

LOGGER = "django_compat.disconnects"
pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("closed_orm_thread")]


@pytest.mark.parametrize("parentheses", [False, True])
@pytest.mark.parametrize("scope", [False, True])
def test_lost_connection_is_retried(server_alias, parentheses, scope, caplog):
    """The dead connection is closed in the ORM's thread, and the job runs again."""
    job = LosingJob(server_alias)

    async def work(result):
        """Run the job."""
        return await in_orm(job, result)

    inner = fresh_connections(work) if scope else work
    decorate = retry_on_disconnect() if parentheses else retry_on_disconnect
    retried = decorate(inner)
    assert inspect.iscoroutinefunction(retried)
    assert retried.__doc__ == "Run the job."
    assert run_async(retried("done")) == "done"
    assert job.calls == 2
    ((level, text),) = logged(caplog, LOGGER)
    assert level == "WARNING"
    assert "attempt 1 of 2 of work lost its connection to %r" % server_alias in text


class Task(object):
    """An object that a call turns into a coroutine, as a runner's task class does."""

    def __init__(self, job):
        self.job = job

    async def __call__(self, result):
        return await in_orm(self.job, result)


@pytest.mark.parametrize("scope", [None, fresh_connections, closing_connections])
@pytest.mark.parametrize("wrap", [lambda task: task, functools.partial])
def test_object_with_an_async_call_is_retried(server_alias, wrap, scope):
    """Also in a scope of its own, and by a partial function."""
    job = LosingJob(server_alias)
    inner = wrap(Task(job))
    retried = retry_on_disconnect(scope(inner) if scope else inner)
    assert run_async(retried("done")) == "done"
    assert job.calls == 2


@pytest.mark.parametrize("attempts", [1, 3])
def test_last_error_comes_out_unchanged(server_alias, attempts):
    """The caller gets the last attempt's error, without another error as context."""
    job = LosingJob(server_alias, losses=9)

    @retry_on_disconnect(attempts)
    async def work():
        await in_orm(job)

    async def main():
        with pytest.raises(Exception) as caught:
            await work()
        return caught.value

    error = run_async(main())
    assert error is job.raised[-1]
    assert is_disconnect(error)
    assert job.calls == attempts
    assert error.__context__ not in job.raised


def test_event_loop_goes_on_while_it_waits(server_alias):
    """The delay blocks the task, and not the event loop."""
    job, ticks, seen = LosingJob(server_alias), [], []

    @retry_on_disconnect(delay=0.3)
    async def work():
        seen.append(len(ticks))
        try:
            await in_orm(job)
        finally:
            seen.append(len(ticks))

    async def main():
        task = asyncio.ensure_future(work())
        while not task.done():
            ticks.append(time.time())
            await asyncio.sleep(0.01)
        await task

    run_async(main())
    _, failed, again, _ = seen
    waiting = ticks[failed:again]
    assert len(waiting) > 2
    assert waiting[-1] - waiting[0] > 0.1


def test_inside_atomic_nothing_is_retried(server_alias, caplog):
    """A transaction that is open in the ORM's thread forbids the retry."""
    job = LosingJob(server_alias)
    block = transaction.atomic(using=server_alias)

    @retry_on_disconnect
    async def work():
        await in_orm(job)

    async def main():
        await in_orm(block.__enter__)
        try:
            await work()
        except Exception as error:
            await in_orm(block.__exit__, type(error), error, None)
            return error

    assert run_async(main()) is job.raised[0]
    assert job.calls == 1
    assert logged(caplog, LOGGER) == []


def test_block_that_the_function_left_open_forbids_the_retry(server_alias):
    """The second attempt would run inside the block of the first one."""
    job = LosingJob(server_alias)
    block = transaction.atomic(using=server_alias)

    @retry_on_disconnect
    async def work():
        await in_orm(block.__enter__)
        await in_orm(job)

    async def main():
        with pytest.raises(Exception) as caught:
            await work()
        error = caught.value
        await in_orm(block.__exit__, type(error), error, None)
        return error

    assert run_async(main()) is job.raised[0]
    assert job.calls == 1


def test_cancelled_task_is_not_retried():
    """CancelledError is no disconnect, also on Python 3.6, where it is an Exception."""
    calls = []

    @retry_on_disconnect(attempts=9)
    async def work():
        calls.append(True)
        await asyncio.sleep(10)

    async def main():
        task = asyncio.ensure_future(work())
        while not calls:
            await asyncio.sleep(0.001)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run_async(main())
    assert calls == [True]
