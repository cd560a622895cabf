"""The README's examples of connections that are never stale, run as they stand."""

from __future__ import absolute_import

import threading
from importlib import import_module

import pytest
from databases import kill, open_connection, run, session_id, sessions, wait_for
from django.db import connections
from processes import forked, web_process
from test_apps import PERSISTS, end, site
from test_readme import code_blocks

guard = import_module("django_compat.guard")


def example(part):
    """Return the one example of the README that has this in it."""
    (found,) = [code for code in code_blocks("python") if part in code]
    return compile(found, "README.rst", "exec")


@pytest.mark.everywhere
def test_worker_loop(server_alias):
    """Each job finds a connection that works, though the last one's was killed."""

    class Stop(object):
        requested = False

    seen = []

    def take_job():
        seen.append(session_id(open_connection(server_alias, None)))
        Stop.requested = len(seen) == 3
        return server_alias

    def do(alias):
        kill(connections[alias])

    scope = {"stop": Stop, "take_job": take_job, "do": do}
    exec(example("with fresh_connections():\n        job"), scope)
    assert len(set(seen)) == 3


def test_thread_pool_and_thread(server_alias):
    """They leave no session behind."""

    def count_rows(alias):
        begun.append(session_id(open_connection(alias, None)))
        return 7

    begun = []
    scope = {"aliases": [server_alias] * 20, "count_rows": count_rows}
    exec(example("pool.map"), dict(scope, threading=Threading(server_alias)), scope)
    assert scope["results"] == [7] * 20
    scope["thread"].start()
    scope["thread"].join()
    assert len(begun) == 21
    wait_for(lambda: not sessions(server_alias) & set(begun))


class Threading(object):
    """The standard module, for the alias of the test instead of the example's."""

    def __init__(self, alias):
        self.alias = alias

    def Thread(self, target, args):
        assert args == ["default"]
        return threading.Thread(target=target, args=[self.alias])


def test_fork(server_alias):
    """Parent and child each work on a session of their own."""
    connection = open_connection(server_alias, None)
    before = session_id(connection)

    class Child(object):
        """What os.fork() is when it has returned in the child."""

        fork = staticmethod(lambda: 0)

    def child():
        exec(example("os.fork()"), {"os": Child})
        return session_id(open_connection(server_alias, None))

    assert forked(child) != before
    assert session_id(connection) == before


def test_shell(server_alias):
    """The query after the session's end works."""
    connection = open_connection(server_alias, None)
    exec(example("guard_connections()"), {})
    try:
        kill(connection)
        assert run(connection, "SELECT 1") == (1,)
    finally:
        guard._guards[-1].undo()


def test_web_request(server_alias):
    """The first request after the session's end succeeds."""
    scope = {"INSTALLED_APPS": []}
    exec(example("INSTALLED_APPS +="), scope)
    with web_process(site(server_alias, scope["INSTALLED_APPS"])) as get:
        first = get()["session"]
        if PERSISTS:
            end(server_alias, first)
        assert get()["session"] != first
