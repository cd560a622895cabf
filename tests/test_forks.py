"""A forked child gives up its parent's sessions, and the parent keeps them."""

from __future__ import absolute_import

import ctypes
import gc
import multiprocessing
import os
import socket
import sys
import threading

import databases
import django.db
import pytest
from conftest import SERVERS
from corners import ARE_FIRST, DRIVERS, IS_FULL
from databases import kill, open_connection, run, session_id, sessions, wait_for
from django.db import connections, transaction
from django.db.utils import DatabaseError, load_backend
from processes import forked, run_module
from projects import environment

from django_compat import (
    ThreadPoolExecutor,
    close_all_connections,
    close_stale_connections,
    closing_connections,
    discard_connections,
    fresh_connections,
)
from django_compat.drivers import descriptor
from django_compat.staleness import FORKED

START_METHODS = getattr(multiprocessing, "get_all_start_methods", lambda: [])()
WAYS = ["os.fork", "sys.exit", "Process"] + START_METHODS
if sys.version_info[0] > 2:
    WAYS.append("ProcessPoolExecutor")
if "spawn" in WAYS and not IS_FULL:
    WAYS.remove("spawn")  # inherits nothing


def in_scope():
    with fresh_connections():
        pass


def in_closing_scope():
    with closing_connections():
        pass


GIVE_UP = [
    close_all_connections,
    close_stale_connections,
    discard_connections,
    in_closing_scope,
    in_scope,
]


def count_descriptors():
    return len(os.listdir("/proc/self/fd"))


def sent(proxy, function):
    """Return what a function has the first connection send, and what it returns."""
    before = len(proxy.sent[0])
    returned = function()
    return proxy.sent[0][before:], returned


@pytest.mark.everywhere
@pytest.mark.parametrize("give_up", GIVE_UP)
def test_child_gives_up_and_sends_nothing(server_alias, proxy, give_up):
    """Each call of ours frees a child of the inherited connection without a byte."""
    connection = open_connection(server_alias, None)
    session_id(connection)
    alone = sent(proxy, lambda: session_id(connection))

    def child():
        give_up()
        is_closed = connection.connection is None
        return is_closed, session_id(connection)

    def ask_after_fork():
        assert forked(child)[0] is True
        return session_id(connection)

    assert sent(proxy, ask_after_fork) == alone


@pytest.mark.everywhere
@pytest.mark.parametrize("give_up", GIVE_UP)
def test_child_has_a_session_of_its_own(server_alias, give_up):
    """After each call of ours the child's next query opens a session."""
    connection = open_connection(server_alias, None)
    parents = session_id(connection)

    def child():
        give_up()
        own = session_id(connection)
        give_up()  # it is no inheritance any more
        return own, own in sessions(server_alias)

    own, _ = forked(child)
    assert own != parents
    assert session_id(connection) == parents
    wait_for(lambda: own not in sessions(server_alias))


@pytest.mark.everywhere
def test_scope_sees_a_fork_that_python_was_not_told_of(server_alias):
    """What is written in C may fork without its hooks, as uWSGI does, and again."""
    connection = open_connection(server_alias, None)
    fork = ctypes.PyDLL(None).fork

    def child():
        in_scope()
        return session_id(connection), forked(grandchild, fork)

    def grandchild():
        in_scope()
        return session_id(connection)

    in_scope()
    child_session, grandchild_session = forked(child, fork)
    assert len({session_id(connection), child_session, grandchild_session}) == 3
    in_scope()
    assert run(connection, "SELECT 1") == (1,)


def test_close_stale_says_why(alias):
    """The reason is that the connection came through a fork, and it is logged."""
    connection = open_connection(alias, None)
    assert close_stale_connections() == []
    assert forked(close_stale_connections) == [[alias, FORKED]]
    assert connection.connection is not None


def test_discard_without_a_fork_does_nothing(alias):
    """In the process that opened it a connection stays open."""
    connection = open_connection(alias, None)
    raw = connection.connection
    discard_connections()
    assert connection.connection is raw
    assert run(connection, "SELECT 1") == (1,)


def test_discard_takes_what_is_named(server_alias):
    """The other aliases keep what they inherited."""
    named = open_connection(server_alias, None)
    other = open_connection(server_alias + "_other", None)

    def child():
        discard_connections(server_alias)
        return named.connection is None, other.connection is None

    assert forked(child) == [True, False]


def test_database_in_memory_lives_on_in_the_child():
    """It came through the fork whole, and is the child's own."""
    settings = dict(connections.databases["default"], NAME=":memory:")
    backend = load_backend(settings["ENGINE"])
    connections["memory"] = connection = backend.DatabaseWrapper(settings, "memory")

    def child():
        found = close_stale_connections()
        discard_connections()
        in_scope()
        return found, run(connection, "SELECT count(*) FROM mine")

    try:
        settings["CONN_MAX_AGE"] = None
        run(connection, "CREATE TABLE mine (id INTEGER)")
        assert forked(child) == [[], [0]]
    finally:
        delattr(connections._connections, "memory")


@pytest.mark.everywhere
@pytest.mark.parametrize("is_grandchild", [False, True])
def test_descriptors_are_freed(server_alias, is_grandchild):
    """What five threads had open leaves no descriptor in the child, nor its own."""
    ready, done = threading.Semaphore(0), threading.Event()

    def hold():
        open_connection(server_alias, None)
        ready.release()
        done.wait()
        close_all_connections()

    threads = [threading.Thread(target=hold) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        ready.acquire()
    connection = open_connection(server_alias, None)
    gc.collect()  # what other tests have left
    before = count_descriptors()

    def child():
        discard_connections()
        counts = [count_descriptors()]
        for _ in range(3):
            session_id(connection)
            counts.append(count_descriptors())
            close_all_connections()
            counts.append(count_descriptors())
        return counts

    try:
        counts = forked(lambda: forked(child)) if is_grandchild else forked(child)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    pipes = 2 if is_grandchild else 1
    least = before - len(threads) - 1 + pipes
    assert counts == [least, least + 1, least, least + 1, least, least + 1, least]


if hasattr(django.db, "close_old_connections"):  # before, no scope leaves one open

    @pytest.mark.once
    def test_collected_connections_of_other_threads_keep_their_sessions(server_alias):
        """A pool of ours goes on after a child has collected what its threads held."""
        pool = ThreadPoolExecutor(2)
        arrived, barrier = threading.Semaphore(0), threading.Semaphore(0)

        def ask():
            connection = open_connection(server_alias, None)
            arrived.release()
            barrier.acquire()  # so that each thread takes one
            return session_id(connection)

        def ask_each():
            asked = [pool.submit(ask) for _ in range(2)]
            for _ in asked:
                arrived.acquire()
            for _ in asked:
                barrier.release()
            return {each.result() for each in asked}

        try:
            before = ask_each() | ask_each()
            for _ in range(3):
                forked(gc.collect)
            assert ask_each() | ask_each() == before
        finally:
            pool.shutdown()


_families = {}


def family(alias):
    """Return what became of a family's sessions; one process forks in every way.

    It has sessions of every server that has been started.
    """
    if alias not in _families:
        started = [each for each in SERVERS if connections.databases[each]["PORT"]]
        others = [each for each in started if each != alias]
        env = environment(alias, ["django_compat"], others=others)
        _families.update(dict.fromkeys(started, run_module("family", *WAYS, env=env)))
    return _families[alias]


@pytest.mark.everywhere
@pytest.mark.parametrize("way", WAYS)
def test_installed_app_keeps_everybodys_session(server_alias, way):
    """Parent, its four threads and children go on, each in a session of its own."""
    found = dict(
        (key, [session for session in told if session.startswith(server_alias)])
        for key, told in family(server_alias)[way].items()
    )
    assert found["lost"] == []
    assert len(found["inherited"]) == 5
    assert set(found["children"]).isdisjoint(found["inherited"])
    assert (found["children"] == []) is (way == "sys.exit")


@pytest.mark.once
def test_import_keeps_them_when_a_child_ends(server_alias):
    """Without INSTALLED_APPS too the end of a child's interpreter is not heard."""
    env = environment(server_alias)
    found = run_module("family", "--import", "sys.exit", env=env)
    assert found["sys.exit"]["lost"] == []


def test_connection_that_ends_takes_its_session_along(server_alias):
    """What is held for a fork is let go with the connection it belongs to."""
    settings = dict(connections.databases[server_alias], OPTIONS={})
    connection = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "ends")
    gc.collect()
    before = count_descriptors()
    run(connection, "SELECT 1")
    assert count_descriptors() == before + 1
    del connection
    gc.collect()
    assert count_descriptors() == before


if sys.version_info[0] > 2 and ARE_FIRST:

    @pytest.mark.once
    def test_without_us_a_child_that_does_nothing_ends_the_sessions(mysql_server):
        """What all this is for: mysqlclient's destructor says goodbye in the child."""
        env = environment("mysql")
        found = run_module("family", "sys.exit", env=env)
        assert found["sys.exit"]["lost"] != []


def make_block(alias):
    make = getattr(transaction, "atomic", None) or transaction.commit_on_success
    return make(using=alias)


def write(connection, sql):
    """Run a statement inside a block of this alias."""
    run(connection, sql)
    if django.VERSION < (1, 6):
        transaction.set_dirty(using=connection.alias)


@pytest.mark.parametrize("give_up", [discard_connections, in_scope])
def test_fork_inside_a_block(alias, give_up):
    """The child has left the block, the parent is still in it, and loses nothing."""
    connection = open_connection(alias, None)
    is_server = connection.vendor != "sqlite"  # whose file the parent has locked

    def child():
        give_up()
        if is_server:
            with make_block(alias):
                write(connection, "INSERT INTO forked VALUES (2)")
        return run(connection, "SELECT count(*) FROM forked")[0]

    with make_block(alias):
        write(connection, "CREATE TABLE forked (id INTEGER)")
    try:
        with make_block(alias):
            write(connection, "INSERT INTO forked VALUES (1)")
            assert forked(child) == int(is_server)
            write(connection, "INSERT INTO forked VALUES (3)")
        with make_block(alias):
            assert run(connection, "SELECT count(*) FROM forked")[0] == 2 + is_server
    finally:
        with make_block(alias):
            write(connection, "DROP TABLE forked")


if hasattr(transaction, "on_commit"):

    @pytest.mark.parametrize("depth", [1, 2])
    def test_child_that_leaves_the_parents_block_commits_nothing(server_alias, depth):
        """What the parent wanted to do on commit is done once, by the parent."""
        connection = open_connection(server_alias, None)
        committed = []
        blocks = [transaction.atomic(using=server_alias) for _ in range(depth)]
        for block in blocks:
            block.__enter__()
        transaction.on_commit(lambda: committed.append(1), using=server_alias)

        def child():
            discard_connections()
            for block in blocks[::-1]:
                block.__exit__(None, None, None)
            in_block = connection.in_atomic_block, connection.get_autocommit()
            return committed, in_block, run(connection, "SELECT 1")

        assert forked(child) == [[], [False, True], [1]]
        for block in blocks[::-1]:
            block.__exit__(None, None, None)
        assert committed == [1]


@pytest.mark.parametrize("leaves", [False, True])
def test_fork_inside_a_scope(server_alias, leaves):
    """The child is in no scope of its parent's, and gives up when it leaves that."""
    connection = open_connection(server_alias, None)
    parents = session_id(connection)
    scope = fresh_connections()

    def child():
        if leaves:
            scope.__exit__(None, None, None)
            assert connection.connection is None
        else:
            with fresh_connections():
                assert connection.connection is None
                own = session_id(connection)
                with fresh_connections():
                    assert session_id(connection) == own
        return session_id(connection)

    with scope:
        own = forked(child)
        assert own != parents
        assert session_id(connection) == parents


def test_fork_inside_a_scope_and_a_block(server_alias):
    """A scope in the child gives up also what is inside a block of the parent's."""
    connection = open_connection(server_alias, None)
    parents = session_id(connection)

    def child():
        with fresh_connections():
            return session_id(connection)

    with fresh_connections():
        with make_block(server_alias):
            assert forked(child) != parents
            assert session_id(connection) == parents


@pytest.mark.once
def test_another_file_in_the_place_of_the_socket_is_left_alone(server_alias):
    """A daemon closes all descriptors, and opens others, before anybody discards."""
    connection = open_connection(server_alias, None)
    parents = session_id(connection)

    def child():
        near, far = socket.socketpair()
        os.dup2(near.fileno(), descriptor(connection.connection))
        near.close()
        discard_connections()
        gc.collect()
        own = session_id(connection)
        far.setblocking(False)
        try:
            return own, repr(far.recv(100))
        except socket.error:
            return own, "nothing"  # and it is still open

    own, received = forked(child)
    assert received == "nothing"
    assert own != parents
    assert session_id(connection) == parents


def test_lost_connection_whose_descriptor_is_taken_is_found(server_alias):
    """After an error the descriptor may be another's: mysqlclient does not say so."""
    connection = open_connection(server_alias, None)
    fd = descriptor(connection.connection)
    cursor = connection.cursor()
    kill(connection)
    with pytest.raises(DatabaseError):
        cursor.execute("SELECT 1")
    pairs = []
    while not pairs or fd > max(end.fileno() for pair in pairs for end in pair):
        pairs.append(socket.socketpair())
    closed = close_stale_connections()
    for pair in pairs:
        for end in pair:
            end.close()
    if hasattr(connection, "errors_occurred"):
        assert [found for found, _ in closed] == [server_alias]
    assert run(connection, "SELECT 1") == (1,)


if django.VERSION >= (5, 1) and "psycopg" in DRIVERS:

    @pytest.fixture
    def pooled(postgresql_server, monkeypatch):
        """A connection whose alias has a pool."""
        settings = connections.databases["postgresql"]
        options = {"pool": {"min_size": 2, "max_size": 4}}
        monkeypatch.setitem(settings, "OPTIONS", options)
        yield connections["postgresql"]
        connections["postgresql"].close()
        connections["postgresql"].close_pool()
        databases.tidy()

    @pytest.mark.everywhere
    @pytest.mark.parametrize("is_idle", [False, True])
    @pytest.mark.parametrize("give_up", GIVE_UP)
    def test_pool_of_postgresql_is_given_up_in_the_child(pooled, give_up, is_idle):
        """The child makes a pool of its own; the parent's goes on with its sessions."""
        session_id(pooled)
        pool = pooled.pool
        # Until nothing more is being opened: all but the one that we have are idle.
        wait_for(lambda: len(pool._pool) == pool.get_stats()["pool_size"] - 1 > 0)
        if is_idle:
            pooled.close()
        size = pool.get_stats()["pool_size"]
        parents = sessions("postgresql")
        before = count_descriptors()

        def child():
            give_up()
            freed = before + 1 - count_descriptors()  # one is ours, to tell of it
            own = session_id(pooled)
            ends = pooled.pool is not pool
            pooled.close()
            pooled.close_pool()
            return freed, ends, own

        freed, ends, own = forked(child)
        assert (freed, ends) == (size, True)
        assert own not in parents
        assert session_id(pooled) in parents
        assert pooled.pool is pool
