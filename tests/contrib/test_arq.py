"""arq: the hooks of docs/recipes/arq.rst in real workers."""

from __future__ import absolute_import

import pytest

from support import recipes
from support.databases import sessions, wait_for
from support.required import needs_package

needs_package("arq")
PAGE = recipes.page("arq")
SEND = """
import asyncio, os
from arq import create_pool
from arq.connections import RedisSettings

async def enqueue(names):
    pool = await create_pool(RedisSettings.from_dsn(os.environ["REDIS_URL"]))
    jobs = [await pool.enqueue_job(name) for name in names]
    ended = [job.result(timeout=20, poll_delay=0.05) for job in jobs]
    try:
        return await asyncio.gather(*ended, return_exceptions=len(jobs) > 1)
    finally:
        await pool.close()

def send():
    return [repr(result) for result in asyncio.run(enqueue(%r))]
"""
MORE = """
import asyncio
from arq.worker import func

async def fail(ctx):
    await count(ctx)
    raise LookupError("the job's own")

async def hang(ctx):
    await count(ctx)
    await asyncio.sleep(60)
"""
JOBS = ["count"] * 8 + ["fail", "hang"]


def test_jobs_after_idle_spells(server_alias, redis, tmpdir):
    """The page's table: one job after the other."""

    def prepare(project, number):
        project.env["REDIS_URL"] = "%s/%d" % (redis, number)

    senders = {"job fails": SEND % ["count"]}
    found = recipes.measure(PAGE, tmpdir, server_alias, senders, prepare)
    assert found == recipes.figures(PAGE, server_alias, senders)
    wait_for(lambda: not sessions(server_alias))


@pytest.mark.parametrize("max_age, left", [(0, 0), (None, 1)])
def test_connection_lives_for_its_age(server_alias, redis, tmpdir, max_age, left):
    """Eight jobs at once share a session; a job that fails or hangs ends its scope."""
    project = recipes.Project(PAGE, tmpdir, server_alias, True)
    project.change(CONN_MAX_AGE=max_age)
    project.env["REDIS_URL"] = redis + "/9"
    path = tmpdir.join("worker.py")
    functions = "[count, fail, func(hang, timeout=0.5)]"
    worker = path.read().replace("[count]", functions)
    path.write(worker.replace("class WorkerSettings", MORE + "\nclass WorkerSettings"))
    with project.worker(), project.sender(SEND % (JOBS,)) as ask:
        for _ in range(2):
            results = ask()["result"]
            assert len(set(results[:8])) == 1
            assert results[8:] == ['LookupError("the job\'s own")', "TimeoutError()"]
            wait_for(lambda: len(sessions(server_alias)) == left)
