"""psycopg's pools (Django 5.1+) after a fork, and after their sessions were lost."""

from __future__ import absolute_import

import select
import socket
import sys
import threading
import time
from importlib import import_module

import django
import pytest
from django.core import signals
from django.db import connections
from django.db.backends.signals import connection_created
from django.db.utils import DatabaseError

from django_compat import (
    ThreadPoolExecutor,
    close_all_connections,
    close_old_connections,
    close_stale_connections,
    closing_connections,
    fresh_connections,
    guard_connections,
    retry_on_disconnect,
)
from django_compat.apps import install
from support import databases
from support.calls import CALLS
from support.databases import (
    administration,
    in_a_thread,
    observe,
    run,
    session_id,
    sessions,
    wait_for,
)
from support.drivers import DRIVERS
from support.losses import hang_up, logged
from support.processes import count_descriptors, forked
from support.sql import KILL

pytestmark = [
    pytest.mark.contract,
    pytest.mark.skipif(django.VERSION < (5, 1), reason="no pools before Django 5.1"),
    pytest.mark.skipif("psycopg" not in DRIVERS, reason="only psycopg has pools"),
    pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True),
]
SIZE = 4


@pytest.fixture
def pooled(server_alias, monkeypatch):
    """A connection whose alias has a pool of 4 sessions."""
    pytest.importorskip("psycopg_pool")
    databases.tidy()
    settings = connections.databases["postgresql"]
    options = dict(settings.get("OPTIONS") or {})
    options["pool"] = {"min_size": SIZE, "max_size": SIZE, "timeout": 10}
    monkeypatch.setitem(settings, "OPTIONS", options)
    connection = connections["postgresql"]
    yield connection
    connection.close()
    connection.close_pool()
    monkeypatch.undo()
    databases.tidy()


def fill(pooled, idle=SIZE):
    """Open the pool, and wait until so many of its sessions are open and idle."""
    pooled.pool.open()
    wait_for(lambda: len(pooled.pool._pool) == idle)


def kill_all():
    """End all sessions of the server; return their numbers."""
    lost = sessions("postgresql")
    for number in lost:
        observe("postgresql", KILL, number)
    wait_for(lambda: not lost & sessions("postgresql"))
    return lost


def in_fresh(pooled):
    with fresh_connections():
        return session_id(pooled)


def in_closing(pooled):
    with closing_connections():
        return session_id(pooled)


def in_executor(pooled):
    with ThreadPoolExecutor(max_workers=1) as executor:
        return executor.submit(lambda: session_id(connections[pooled.alias])).result()


def after_close_stale(pooled):
    close_stale_connections()
    try:
        return session_id(pooled)
    finally:
        pooled.close()


def guarded(pooled):
    with guard_connections():
        try:
            return session_id(pooled)
        finally:
            pooled.close()


def with_install(pooled, begin=close_old_connections, end=close_old_connections):
    installation = install()
    try:
        begin()
        try:
            return session_id(pooled)
        finally:
            end()
    finally:
        installation.undo()


def in_request(pooled):
    return with_install(
        pooled,
        lambda: signals.request_started.send(sender=object),
        lambda: signals.request_finished.send(sender=object),
    )


UNITS = [
    in_fresh,
    in_closing,
    in_executor,
    after_close_stale,
    guarded,
    with_install,
    in_request,
]


@pytest.mark.parametrize("unit", UNITS)
def test_every_unit_after_a_kill_of_all_sessions_succeeds(pooled, unit):
    """Not one fails, and the first one waits for a connect, not for a back-off."""
    fill(pooled)
    lost = kill_all()
    begun = time.time()
    used = {unit(pooled)}
    assert time.time() - begun < 0.9  # the pool's own ``check`` waits 1 s and more
    used |= {unit(pooled) for _ in range(2 * SIZE)}
    assert not used & lost
    fill(pooled)
    assert pooled.pool.get_stats()["pool_size"] == SIZE


def test_without_us_as_many_units_fail_as_the_pool_held(pooled):
    """The negative: the pool gives each lost session out."""
    fill(pooled)
    kill_all()
    for _ in range(SIZE):
        with pytest.raises(Exception, match="terminating connection|closed"):
            close_old_connections()
            session_id(pooled)
        close_old_connections()
    assert session_id(pooled)


@pytest.mark.parametrize("unit", [in_fresh, with_install])
def test_every_unit_after_a_restart_succeeds(spare, pooled, unit):
    """The server ended all sessions of the pool."""
    fill(pooled)
    spare.restart()
    for _ in range(SIZE + 1):
        assert unit(pooled)


@pytest.mark.parametrize("unit", [in_fresh, guarded, in_request])
def test_every_unit_after_a_timeout_succeeds(pooled, unit):
    """The server ends each session that is idle for too long."""
    pooled.settings_dict["OPTIONS"]["options"] = "-c idle_session_timeout=300"
    for _ in range(2):
        fill(pooled)
        lost = sessions("postgresql")
        wait_for(lambda: not lost & sessions("postgresql"))
        assert unit(pooled) not in lost


def sent_by_each(proxy):
    return [len(b"".join(chunks)) for chunks in proxy.sent]


def test_dead_sessions_are_found_without_poll(pooled, monkeypatch):
    """gevent may take poll() away."""
    fill(pooled)
    kill_all()
    monkeypatch.delattr(select, "poll")
    assert in_fresh(pooled)


def test_pool_that_is_not_open_is_left_alone(pooled):
    """Django makes the pool before it opens it; an alias may be named alone."""
    pool = pooled.pool
    assert close_stale_connections(pooled.alias) == []
    assert pooled.pool is pool and pool._closed
    fill(pooled)
    kill_all()
    close_stale_connections(pooled.alias)
    assert session_id(pooled)


def test_living_sessions_stay_without_a_byte(pooled, proxy):
    """Of four sessions one is lost: one new begins, and the others are not asked."""
    with fresh_connections():
        session_id(pooled)
        fill(pooled, SIZE - 1)
        hang_up(pooled)
        raw = pooled.connection
        wait_for(lambda: proxy.connections == SIZE - 1)
        pooled.connection, pooled.pool._pool[0] = pooled.pool._pool[0], raw
        raw._pool, pooled.connection._pool = None, pooled.pool
    fill(pooled)
    before, living = sent_by_each(proxy), sessions("postgresql")
    for _ in range(3):
        close_stale_connections()
    fill(pooled)
    wait_for(lambda: len(proxy.sent) == SIZE + 1)
    assert sent_by_each(proxy)[:SIZE] == before[:SIZE]
    assert living < sessions("postgresql")
    assert len(living) == SIZE - 1


@pytest.mark.parametrize("unit", [in_fresh, guarded, with_install])
def test_unit_sends_what_its_query_needs(pooled, proxy, unit):
    """The proxy counts the bytes of as many jobs without us."""

    def alone(pooled):
        close_old_connections()
        session_id(pooled)
        close_old_connections()

    def bytes_of(job):
        before = sum(sent_by_each(proxy))
        for _ in range(2 * SIZE):
            job(pooled)
        return sum(sent_by_each(proxy)) - before

    fill(pooled)
    assert bytes_of(alone) == bytes_of(unit)
    assert len(proxy.sent) == SIZE


def test_pool_counts_right_after_many_losses(pooled):
    """The pool neither shrinks nor grows: all of its sessions can be taken."""
    fill(pooled)
    for _ in range(10):
        kill_all()
        close_stale_connections()
        fill(pooled)
    assert pooled.pool.get_stats()["pool_size"] == SIZE
    taken = [pooled.pool.getconn(timeout=5) for _ in range(SIZE)]
    assert len(sessions("postgresql")) == SIZE
    for raw in taken:
        pooled.pool.putconn(raw)


def test_threads_that_use_the_pool_at_once(pooled):
    """Eight threads begin when all sessions are lost; each of their units succeeds."""
    barrier, errors = threading.Barrier(9, timeout=30), []

    @closing_connections
    def work():
        try:
            for _ in range(3):
                barrier.wait()
                barrier.wait()
                for _ in range(5):
                    in_fresh(connections["postgresql"])
        except Exception as error:
            errors.append(error)
            barrier.abort()

    fill(pooled)
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for _ in range(3):
        barrier.wait()
        fill(pooled)
        kill_all()
        barrier.wait()
    for thread in threads:
        thread.join()
    assert errors == []
    fill(pooled)
    assert pooled.pool.get_stats()["pool_size"] == SIZE


def test_data_to_read_is_no_loss(pooled):
    """A session that LISTENs has a NOTIFY to read, and stays in the pool."""
    fill(pooled)
    run(pooled, "LISTEN news")
    pooled.close()
    before = sessions("postgresql")
    with administration("postgresql", OPTIONS={}) as admin:
        run(admin, "NOTIFY news, 'it came'")
    raw = pooled.pool._pool[-1]
    pools = import_module("django_compat._db.pools")
    wait_for(lambda: pools._eventful({raw.fileno(): [raw]}))
    close_stale_connections()
    assert sessions("postgresql") == before
    assert raw in pooled.pool._pool
    assert raw.pgconn.notifies().extra == b"it came"  # libpq keeps it


def test_encrypted_sessions_stay(encrypted, pooled):
    """A session's TLS tickets are data to read, and no loss."""
    fill(pooled)
    before = sessions("postgresql")
    used = {in_fresh(pooled) for _ in range(2 * SIZE)}
    assert used == before == sessions("postgresql")


@pytest.mark.parametrize("name", ["_closed", "_lock", "_pool", "_workers"])
def test_renamed_attribute_is_one_warning(pooled, monkeypatch, caplog, name):
    """With another psycopg_pool the units work as without us."""
    pools = import_module("django_compat._db.pools")

    class Renamed(object):
        def __getattr__(self, asked):
            if asked == name:
                raise AttributeError("no attribute %r" % asked)
            return getattr(pooled.pool, asked)

        def __setattr__(self, asked, value):
            setattr(pooled.pool, asked, value)

    fill(pooled)
    renamed = {"postgresql": Renamed()}
    monkeypatch.setattr(pools, "_warned", [])
    monkeypatch.setattr(pools, "connection_pools", lambda: renamed)
    for _ in range(3):
        assert in_fresh(pooled)
    ((level, text),) = logged(caplog)
    assert level == "WARNING"
    assert "psycopg_pool" in text and name in text


def test_guard_frees_locks_with_a_pool(pooled):
    """The next query does not wait for what an interruption left locked."""
    fill(pooled)
    with guard_connections():
        for _ in range(2):  # before the pool gives a session, and after
            pooled._thread_sharing_lock.acquire()
            connection_created.lock.acquire()
            assert run(pooled, "SELECT 42") == (42,)
        pooled.connection.lock.acquire()  # psycopg's own
        assert run(pooled, "SELECT 43") == (43,)


# Functions of psycopg_pool on the way of a session back to the pool.
PLACES = ["putconn", "_return_connection", "_reset_connection"]


class Interruption(Exception):
    """What a signal handler raises."""


def in_a_task(function):
    from support.aio import in_orm, run_async

    run_async(in_orm(function))


@pytest.mark.parametrize("run_it", [lambda function: function(), in_a_task, forked])
@pytest.mark.parametrize("closes", [False, True])
@pytest.mark.parametrize("place", PLACES)
def test_interrupted_return_costs_the_pool_no_session(pooled, place, closes, run_it):
    """The interruption comes out each time, and the pool stays as large as it was."""

    def interrupt(frame, event, _):
        if frame.f_code.co_name == place:
            raise Interruption  # which ends the trace

    def work():
        connection = connections[pooled.alias]
        fill(connection)
        before = sys.gettrace()
        for _ in range(2 * SIZE):
            try:
                with pytest.raises(Interruption):
                    with fresh_connections():
                        run(connection, "SELECT 1")
                        sys.settrace(interrupt)
                        if closes:
                            close_all_connections()
            finally:
                sys.settrace(before)
        wait_for(lambda: len(connection.pool._pool) == SIZE)

    fill(pooled)
    run_it(work)


@pytest.mark.parametrize("state", ["in use", "idle", "only opened"])
@pytest.mark.parametrize("give_up", CALLS)
def test_forked_child_gives_the_pool_up(pooled, give_up, state):
    """The child makes a pool of its own; the parent's pool keeps its sessions."""
    pool = pooled.pool
    fill(pooled)
    if state != "only opened":
        session_id(pooled)
    if state == "idle":
        pooled.close()
    parents = sessions("postgresql")
    before = count_descriptors()

    def child():
        give_up()
        freed = before + 1 - count_descriptors()  # 1: the pipe to the parent
        own = session_id(pooled)
        has_new_pool = pooled.pool is not pool
        pooled.close()
        pooled.close_pool()
        return freed, has_new_pool, own

    freed, has_new_pool, own = forked(child)
    assert (freed, has_new_pool) == (4, True)
    assert own not in parents
    assert session_id(pooled) in parents
    assert pooled.pool is pool


def test_child_that_leaves_the_parents_scope_gives_the_pool_up(pooled):
    """A query after the scope does not take a session of the parent's pool."""
    scope = fresh_connections()
    scope.__enter__()
    fill(pooled)
    parents = {session_id(pooled)}
    parents.update(raw.info.backend_pid for raw in pooled.pool._pool)

    def child():
        scope.__exit__(None, None, None)
        return session_id(pooled)

    own = forked(child)
    scope.__exit__(None, None, None)
    assert own not in parents


def lose_in_a_query(pooled):
    kill_all()
    session_id(pooled)


def lose_and_swallow(pooled):
    with pytest.raises(DatabaseError):
        lose_in_a_query(pooled)


def lose_and_fail(pooled):
    kill_all()
    raise DatabaseError


@pytest.mark.parametrize("lose", [lose_in_a_query, lose_and_swallow, lose_and_fail])
@pytest.mark.parametrize("inner", [fresh_connections, closing_connections])
@pytest.mark.parametrize("outer", [fresh_connections, closing_connections])
def test_code_around_gets_no_session_lost_inside(pooled, outer, inner, lose):
    """Neither the lost session nor the pool's other dead ones serve the outer scope."""
    with outer():
        try:
            with inner():
                session_id(pooled)
                fill(pooled, SIZE - 1)
                lose(pooled)
        except DatabaseError:
            pass
        assert session_id(pooled)


def test_one_retry_is_enough_after_all_sessions_were_lost(pooled):
    """The pool's idle sessions are dead as well, and the retry meets none of them."""
    calls = []

    @retry_on_disconnect
    def work():
        calls.append(session_id(pooled))
        if len(calls) == 1:
            fill(pooled, SIZE - 1)
            kill_all()
        return run(pooled, "SELECT 1")

    assert work() == (1,)
    assert len(calls) == 2


def test_retry_asks_no_session_on_a_silent_network(pooled, proxy):
    """The pool's ``check()`` would wait for each of its sessions, one by one."""
    fill(pooled)
    calls = []

    @retry_on_disconnect
    def work():
        calls.append(time.time())
        if len(calls) == 1:
            connection = connections["postgresql"]
            session_id(connection)
            proxy.stall(new=False)
            copy = socket.fromfd(
                connection.connection.fileno(), socket.AF_INET, socket.SOCK_STREAM
            )
            copy.shutdown(socket.SHUT_RDWR)
            copy.close()
            run(connection, "SELECT 1")
        return "done"

    try:
        assert in_a_thread(work, 20) == "done"
    finally:
        proxy.resume()
    assert len(calls) == 2
