"""Long runs: a thousand jobs between hang-ups, and many pools on small servers."""

from __future__ import absolute_import

import functools
import random
from concurrent import futures

import pytest
from django.db import connections

from django_compat import (
    ThreadPoolExecutor,
    close_stale_connections,
    fresh_connections,
)
from support import databases, servers
from support.databases import (
    administration,
    observe,
    open_connection,
    session_id,
    wait_for,
)
from support.losses import PERSISTS, is_hung_up
from support.required import skip_or_fail
from support.sql import KILL, SESSIONS
from support.tasks import ask_again, meeting


def test_a_thousand_jobs_and_two_hundred_hang_ups(proxies):
    """No job fails, although 200 sessions are killed, cut or reset between the jobs."""
    opened = [open_connection(alias, None) for alias in sorted(proxies)]
    session_ids = dict((each.alias, session_id(each)) for each in opened)
    chance = random.Random(3)
    doomed = set(chance.sample(range(1000), 200))
    replaced = 0
    for number in range(1000):
        connection = opened[number % len(opened)]
        alias, raw = connection.alias, connection.connection
        if number in doomed:
            kill = functools.partial(observe, alias, KILL, session_ids[alias])
            chance.choice([proxies[alias].cut, proxies[alias].reset, kill])()
            wait_for(lambda: is_hung_up(connection))
        if PERSISTS:
            with fresh_connections():
                session_ids[alias] = session_id(connection)
        else:
            close_stale_connections()
            session_ids[alias] = session_id(connection)
        replaced += connection.connection is not raw
    assert replaced == 200


LIMIT = {
    "mysql": ["--max-connections=20"],
    "postgresql": ["-c", "max_connections=20"],
}


@pytest.fixture
def small(server_aliases):
    """Servers that allow 20 connections; all aliases point at them meanwhile."""
    names = [alias + end for alias in server_aliases for end in ("", "_other")]
    before = [dict(connections.databases[name]) for name in names]
    started = []
    try:
        for alias in server_aliases:
            started.append(servers.Server(alias))
            started[-1].start(*LIMIT[alias])
            databases.point(alias, started[-1])
            databases.point(alias + "_other", started[-1])
        yield
        databases.tidy()
    except servers.MissingServer as error:
        skip_or_fail(str(error))
    finally:
        for server in started:
            server.stop()
        for name, settings in zip(names, before):
            connections.databases[name].update(settings)


class Census(object):
    """Counts the sessions of a server but its own, and remembers the largest count."""

    def __init__(self, admin):
        self.admin, self.most = admin, 0
        self.own = session_id(admin)

    def count(self):
        if not PERSISTS:
            self.admin.connection.rollback()  # a transaction sees the same at each look
        cursor = self.admin.cursor()
        cursor.execute(SESSIONS[self.admin.vendor])
        count = len({row[0] for row in cursor.fetchall()} - {self.own})
        self.most = max(self.most, count)
        return count


def test_many_pools_on_a_small_server(server_aliases, small):
    """25 pools of 8 threads run 2,000 tasks on servers that allow 20 sessions."""
    admins = [administration(alias) for alias in server_aliases]
    counts = [Census(admin.__enter__()) for admin in admins]
    for number in range(25):
        place = number % len(server_aliases)
        alias, census = server_aliases[place], counts[place]
        pool = ThreadPoolExecutor(8)
        meet = meeting(8)
        tasks = [pool.submit(meet, alias) for _ in range(8)]
        tasks += [pool.submit(ask_again, alias) for _ in range(72)]
        while futures.wait(tasks, timeout=0.01).not_done:
            census.count()
        census.count()
        assert len({task.result() for task in tasks}) >= 8
        pool.shutdown()
        wait_for(lambda: census.count() == 0)
    for admin in admins:
        admin.__exit__(None, None, None)
    if PERSISTS:  # else each task has a session, whose end may be late
        assert [census.most for census in counts] == [8] * len(counts)
