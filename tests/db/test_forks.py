"""A forked child gives up its parent's sessions, and the parent keeps them."""

from __future__ import absolute_import

import ctypes
import gc
import json
import logging
import multiprocessing
import os
import signal
import socket
import sys
import threading
import time

import pytest
from django.db import connections, transaction
from django.db.utils import DatabaseError, load_backend

from django_compat import (
    FORKED,
    HUNG_UP,
    ThreadPoolExecutor,
    close_all_connections,
    close_stale_connections,
    discard_connections,
    fresh_connections,
)
from django_compat._db.drivers import descriptor
from support.calls import CALLS, fresh_scope
from support.databases import kill, open_connection, run, session_id, sessions, wait_for
from support.drivers import DRIVERS, SERVERS
from support.losses import PERSISTS, logged, since_django_16
from support.processes import count_descriptors, forked, output_of, run_module
from support.projects import environment
from support.sql import SLEEP
from support.transactions import new_block

START_METHODS = getattr(multiprocessing, "get_all_start_methods", lambda: [])()
WAYS = ["os.fork", "sys.exit", "Process"] + START_METHODS
if sys.version_info[0] > 2:
    WAYS.append("ProcessPoolExecutor")


def sent(proxy, function):
    """Return the first connection's bytes while a function runs, and its result."""
    before = len(proxy.sent[0])
    returned = function()
    return proxy.sent[0][before:], returned


@pytest.mark.contract
@pytest.mark.parametrize("give_up", CALLS)
def test_child_gives_up_and_sends_nothing(server_alias, proxy, give_up):
    """Each public call drops the inherited connection in the child, sending nothing."""
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


@pytest.mark.contract
@pytest.mark.parametrize("give_up", CALLS)
def test_child_has_a_session_of_its_own(server_alias, give_up):
    """After each public call the child's next query opens a session of the child's."""
    connection = open_connection(server_alias, None)
    parents = session_id(connection)

    def child():
        give_up()
        own = session_id(connection)
        give_up()  # the connection is the child's own by now
        return own, own in sessions(server_alias)

    own, _ = forked(child)
    assert own != parents
    assert session_id(connection) == parents
    wait_for(lambda: own not in sessions(server_alias))


@pytest.mark.contract
def test_scope_sees_a_fork_that_python_was_not_told_of(server_alias):
    """C code, as in uWSGI, forks without Python's hooks, and its child forks again."""
    connection = open_connection(server_alias, None)
    fork = ctypes.PyDLL(None).fork

    def child():
        fresh_scope()
        return session_id(connection), forked(grandchild, fork)

    def grandchild():
        fresh_scope()
        return session_id(connection)

    fresh_scope()
    child_session, grandchild_session = forked(child, fork)
    assert len({session_id(connection), child_session, grandchild_session}) == 3
    fresh_scope()
    assert run(connection, "SELECT 1") == (1,)


@pytest.mark.contract
def test_close_stale_returns_forked_as_the_reason(alias, caplog):
    """The child's call names the inherited alias; the parent's connection is open."""
    connection = open_connection(alias, None)

    def child():
        return close_stale_connections(), logged(caplog)

    with caplog.at_level(logging.INFO, "django_compat.connections"):
        assert close_stale_connections() == []
        closed, records = forked(child)
    assert closed == [[alias, FORKED]]
    assert records == [["INFO", "closed %r: %s" % (alias, FORKED)]]
    assert connection.connection is not None


@pytest.mark.contract
def test_discard_without_a_fork_does_nothing(alias):
    """A connection stays open in the process that opened it."""
    connection = open_connection(alias, None)
    raw = connection.connection
    discard_connections()
    assert connection.connection is raw
    assert run(connection, "SELECT 1") == (1,)


@pytest.mark.contract
def test_discard_takes_the_named_alias_only(server_alias):
    """The other aliases keep their inherited connections."""
    named = open_connection(server_alias, None)
    other = open_connection(server_alias + "_other", None)

    def child():
        discard_connections(server_alias)
        return named.connection is None, other.connection is None

    assert forked(child) == [True, False]


@pytest.mark.contract
def test_discard_goes_on_after_an_alias_without_a_connection(alias):
    """Of two named aliases the first is closed: the second one is given up."""
    open_connection(alias).close()
    other = open_connection(alias + "_other", None)

    def child():
        discard_connections([alias, alias + "_other"])
        return other.connection is None

    assert forked(child) is True


@pytest.mark.contract
def test_database_in_memory_lives_on_in_the_child():
    """The fork copied the database, so the child may go on with the copy."""
    settings = dict(connections.databases["default"], NAME=":memory:")
    backend = load_backend(settings["ENGINE"])
    connections["memory"] = connection = backend.DatabaseWrapper(settings, "memory")

    def child():
        closed = close_stale_connections()
        discard_connections()
        fresh_scope()
        return closed, run(connection, "SELECT count(*) FROM mine")

    try:
        settings["CONN_MAX_AGE"] = None
        run(connection, "CREATE TABLE mine (id INTEGER)")
        assert forked(child) == [[], [0]]
    finally:
        delattr(connections._connections, "memory")


@pytest.mark.parametrize("is_grandchild", [False, True])
def test_descriptors_are_freed(server_alias, is_grandchild):
    """The child frees the sockets of the parent's five threads, and later its own."""
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
    gc.collect()  # other tests leave connections behind
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
    closed = before - len(threads) - 1 + pipes
    assert counts == [closed] + [closed + 1, closed] * 3


@since_django_16
def test_garbage_collection_in_a_child_keeps_the_sessions_of_threads(server_alias):
    """A child collects the connections of threads; their sessions live."""
    pool = ThreadPoolExecutor(2)
    arrived, barrier = threading.Semaphore(0), threading.Semaphore(0)

    def ask():
        connection = open_connection(server_alias, None)
        arrived.release()
        barrier.acquire()  # so that each thread takes one task
        return session_id(connection)

    def ask_each_thread():
        futures = [pool.submit(ask) for _ in range(2)]
        for _ in futures:
            arrived.acquire()
        for _ in futures:
            barrier.release()
        return {future.result() for future in futures}

    try:
        before = ask_each_thread() | ask_each_thread()
        for _ in range(3):
            forked(gc.collect)
        assert ask_each_thread() | ask_each_thread() == before
    finally:
        pool.shutdown()


_families = {}


def family(alias):
    """Return the sessions of a process of the project, and of children forked by WAYS.

    One process has sessions of every server that has been started, and serves all
    aliases.
    """
    if alias not in _families:
        started = [name for name in SERVERS if connections.databases[name]["PORT"]]
        others = [name for name in started if name != alias]
        env = environment(alias, ["django_compat"], others=others)
        _families.update(dict.fromkeys(started, run_module("family", *WAYS, env=env)))
    return _families[alias]


@pytest.mark.contract
@pytest.mark.parametrize("way", WAYS)
def test_installed_app_keeps_everybodys_session(server_alias, way):
    """The parent, its four threads and its children go on in a session for each."""
    members = dict(
        (member, [name for name in names if name.startswith(server_alias)])
        for member, names in family(server_alias)[way].items()
    )
    assert members["lost"] == []
    assert len(members["inherited"]) == 5
    assert set(members["children"]).isdisjoint(members["inherited"])
    assert (members["children"] == []) is (way == "sys.exit")


@pytest.mark.contract
def test_import_alone_keeps_the_sessions_when_a_child_ends(server_alias):
    """The end of a child's interpreter ends no session, also without INSTALLED_APPS."""
    env = environment(server_alias)
    members = run_module("family", "--import", "sys.exit", env=env)
    assert members["sys.exit"]["lost"] == []


IMPORT_LATE = """
import json, os
from family import set_up
set_up()
from queries import session
before = session()
from django_compat import discard_connections
reading, writing = os.pipe()
if os.fork() == 0:
    discard_connections()
    os.write(writing, ("%s" % session()).encode("ascii"))
    os._exit(0)
os.wait()
print(json.dumps([before, int(os.read(reading, 20)), session()]))
"""


@pytest.mark.contract
def test_connection_that_was_opened_before_the_import_is_inherited(server_alias):
    """The child opens a session of its own, and the parent's lives on."""
    output = output_of(["-c", IMPORT_LATE], environment(server_alias))
    before, of_child, after = json.loads(output)
    assert before == after != of_child


def test_deleted_connection_frees_its_descriptor(server_alias):
    """The references that are kept for a fork do not outlive the connection."""
    settings = dict(connections.databases[server_alias], OPTIONS={})
    connection = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "ends")
    gc.collect()
    before = count_descriptors()
    run(connection, "SELECT 1")
    assert count_descriptors() == before + 1
    del connection
    gc.collect()
    assert count_descriptors() == before


@pytest.mark.skipif(
    sys.version_info < (3,) or "mysqlclient" not in DRIVERS,
    reason="only mysqlclient's destructor, on Python 3, says goodbye in a child",
)
def test_without_us_a_child_that_does_nothing_ends_the_sessions(mysql_server):
    """The negative: mysqlclient's destructor says goodbye when the child ends."""
    env = environment("mysql")
    members = run_module("family", "sys.exit", env=env)
    assert members["sys.exit"]["lost"] != []


def write(connection, sql):
    """Run a statement inside a block of the connection's alias."""
    run(connection, sql)
    if not PERSISTS:
        transaction.set_dirty(using=connection.alias)


@pytest.mark.contract
@pytest.mark.parametrize("give_up", [discard_connections, fresh_scope])
def test_fork_inside_a_block(alias, give_up):
    """The child is outside of the parent's block, and the block loses nothing."""
    connection = open_connection(alias, None)
    is_server = connection.vendor != "sqlite"  # the parent has locked SQLite's file

    def child():
        give_up()
        if is_server:
            with new_block(alias):
                write(connection, "INSERT INTO forked VALUES (2)")
        return run(connection, "SELECT count(*) FROM forked")[0]

    with new_block(alias):
        write(connection, "CREATE TABLE forked (id INTEGER)")
    try:
        with new_block(alias):
            write(connection, "INSERT INTO forked VALUES (1)")
            assert forked(child) == int(is_server)
            write(connection, "INSERT INTO forked VALUES (3)")
        with new_block(alias):
            assert run(connection, "SELECT count(*) FROM forked")[0] == 2 + is_server
    finally:
        with new_block(alias):
            write(connection, "DROP TABLE forked")


@pytest.mark.contract
@pytest.mark.skipif(
    not hasattr(transaction, "on_commit"), reason="no on_commit() before Django 1.9"
)
@pytest.mark.parametrize("depth", [1, 2])
def test_child_that_leaves_the_parents_block_commits_nothing(server_alias, depth):
    """The parent's on_commit functions run once, in the parent."""
    connection = open_connection(server_alias, None)
    committed = []
    blocks = [transaction.atomic(using=server_alias) for _ in range(depth)]
    for outer in blocks:
        outer.__enter__()
    transaction.on_commit(lambda: committed.append(1), using=server_alias)

    def child():
        discard_connections()
        for inner in blocks[::-1]:
            inner.__exit__(None, None, None)
        in_block = connection.in_atomic_block, connection.get_autocommit()
        return committed, in_block, run(connection, "SELECT 1")

    assert forked(child) == [[], [False, True], [1]]
    for inner in blocks[::-1]:
        inner.__exit__(None, None, None)
    assert committed == [1]


@pytest.mark.contract
@pytest.mark.parametrize("leaves", [False, True])
def test_fork_inside_a_scope(server_alias, leaves):
    """The parent's scope does not count in the child, and its exit gives up there."""
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


@pytest.mark.contract
def test_fork_inside_a_scope_and_a_block(server_alias):
    """A scope in the child gives the connection up, though the parent is in a block."""
    connection = open_connection(server_alias, None)
    parents = session_id(connection)

    def child():
        with fresh_connections():
            return session_id(connection)

    with fresh_connections():
        with new_block(server_alias):
            assert forked(child) != parents
            assert session_id(connection) == parents


def test_discard_leaves_another_file_under_the_same_descriptor_alone(server_alias):
    """A daemon may close all descriptors and open others before anything discards."""
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
            return own, "nothing"  # and the other file is still open

    own, received = forked(child)
    assert received == "nothing"
    assert own != parents
    assert session_id(connection) == parents


@pytest.mark.contract
@pytest.mark.parametrize(
    "give_up, is_noted",
    [
        (close_stale_connections, True),
        (close_stale_connections, False),
        (fresh_scope, True),
    ],
)
def test_lost_connection_is_found_when_its_descriptor_is_reused(
    server_alias, give_up, is_noted
):
    """After an error mysqlclient names a descriptor that another file may have.

    Nothing is read of that file, and nothing written.
    """
    connection = open_connection(server_alias, None)
    fd = descriptor(connection.connection)
    cursor = connection.cursor()
    kill(connection)
    with pytest.raises(DatabaseError):
        cursor.execute("SELECT 1")
    pairs = []
    while not pairs or fd > max(end.fileno() for pair in pairs for end in pair):
        pairs.append(socket.socketpair())
    connection.errors_occurred = is_noted
    closed = give_up()
    assert connection.connection is None
    if give_up is close_stale_connections:
        assert closed == [(server_alias, HUNG_UP)]
    ends = [end for pair in pairs for end in pair]
    for end in ends:
        end.setblocking(False)
        with pytest.raises(EnvironmentError):
            end.recv(1)  # nothing came
    for end in ends:
        end.close()
    assert run(connection, "SELECT 1") == (1,)


@pytest.mark.contract
def test_fork_while_another_thread_is_in_a_query(server_alias):
    """psycopg2 and PyMySQL lock a connection that is in use: a close would hang.

    The child's alarm ends a child that hangs.
    """
    done = []

    def query():
        connection = open_connection(server_alias, None)
        for _ in range(3):
            run(connection, SLEEP[server_alias] % 0.5)
        done.append(session_id(connection))
        connection.close()

    def in_child():
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.alarm(10)
        discard_connections()
        return session_id(open_connection(server_alias))

    thread = threading.Thread(target=query)
    thread.start()
    begun = sessions(server_alias)
    wait_for(lambda: sessions(server_alias) - begun or begun)
    time.sleep(0.2)  # into the query
    number = forked(in_child)
    thread.join()
    assert len(done) == 1
    assert number != done[0]


def test_descriptor_that_another_thread_has_just_closed(server_alias):
    """A fork may come between the close of a socket and the driver's own note of it."""
    opened, done = threading.Event(), threading.Event()
    raws = []

    def hold():
        raws.append(open_connection(server_alias, None).connection)
        opened.set()
        done.wait(30)
        connections[server_alias].close()

    def in_child():
        os.close(descriptor(raws[0]))
        discard_connections()
        return session_id(open_connection(server_alias))

    thread = threading.Thread(target=hold)
    thread.start()
    assert opened.wait(10)
    try:
        assert forked(in_child)
    finally:
        done.set()
        thread.join()
