"""The docs' examples of connections that are never stale, run word for word."""

from __future__ import absolute_import

import threading
from importlib import import_module

import pytest
from django.db import connections

from support.databases import (
    end_session,
    kill,
    open_connection,
    run,
    session_id,
    sessions,
    wait_for,
)
from support.losses import PERSISTS
from support.processes import forked, web_process
from support.projects import site
from support.repository import code_blocks

guard = import_module("django_compat._db.guard")

pytestmark = pytest.mark.contract


def example(part):
    """Return the compiled code of the pages' example that contains this text."""
    (code,) = {code for code in code_blocks("python") if part in code}
    return compile(code, "docs", "exec")


def test_worker_loop(server_alias):
    """Each job has a connection that works, though the last session was killed."""

    class Stop(object):
        requested = False

    numbers = []

    def take_job():
        numbers.append(session_id(open_connection(server_alias, None)))
        Stop.requested = len(numbers) == 3
        return server_alias

    def do(alias):
        kill(connections[alias])

    names = {"stop": Stop, "take_job": take_job, "do": do}
    exec(example("with fresh_connections():\n        job"), names)
    assert len(set(numbers)) == 3


def test_thread_pool_and_thread(server_alias):
    """The pool and the thread leave no session behind."""
    numbers = []

    def count_rows(alias):
        numbers.append(session_id(open_connection(alias, None)))
        return 7

    names = {
        "aliases": [server_alias] * 20,
        "count_rows": count_rows,
        "threading": Threading(server_alias),
    }
    exec(example("pool.map"), names)
    assert names["results"] == [7] * 20
    names["thread"].start()
    names["thread"].join()
    assert len(numbers) == 21
    wait_for(lambda: not sessions(server_alias) & set(numbers))


class Threading(object):
    """The module threading, with the test's alias in place of the example's."""

    def __init__(self, alias):
        self.alias = alias

    def Thread(self, target, args):
        assert args == ["default"]
        return threading.Thread(target=target, args=[self.alias])


def test_fork(server_alias):
    """Parent and child each have a session of their own."""
    connection = open_connection(server_alias, None)
    before = session_id(connection)

    class InTheChild(object):
        """The module os, in the child: there fork() returns 0."""

        fork = staticmethod(lambda: 0)

    def child():
        exec(example("os.fork()"), {"os": InTheChild})
        return session_id(open_connection(server_alias, None))

    assert forked(child) != before
    assert session_id(connection) == before


def test_shell(server_alias):
    """The first query after the end of the session works."""
    connection = open_connection(server_alias, None)
    exec(example("guard_connections()"), {})
    try:
        kill(connection)
        assert run(connection, "SELECT 1") == (1,)
    finally:
        guard._cursors.guards[-1].undo()


def test_web_request(server_alias):
    """The first request after the end of the session succeeds."""
    settings = {"INSTALLED_APPS": []}
    exec(example("INSTALLED_APPS +="), settings)
    with web_process(site(server_alias, settings["INSTALLED_APPS"])) as get:
        first = get()["session"]
        if PERSISTS:
            end_session(server_alias, first)
        assert get()["session"] != first
