"""ThreadPoolExecutor: the standard library's, and no session left behind."""

from __future__ import absolute_import

import gc
import inspect
import json
import sys
import threading
from concurrent import futures

import databases
import django.db
import processes
import projects
import pytest
import servers
from conftest import give_up
from corners import IS_CORNER
from databases import administration, kill, open_connection, run, session_id
from databases import sessions, wait_for
from django.db import connections, transaction

import django_compat
from django_compat import ThreadPoolExecutor
from django_compat.executors import _AtThreadEnd, _Opened

# Django 1.4 and 1.5 know no persistent connections: what ends closes everything.
CLOSES_ALL = not hasattr(django.db, "close_old_connections")
signature = getattr(inspect, "getfullargspec", None) or inspect.getargspec
PARAMETERS = signature(futures.ThreadPoolExecutor.__init__).args
shutdown = signature(futures.ThreadPoolExecutor.shutdown)
CAN_CANCEL = "cancel_futures" in getattr(shutdown, "kwonlyargs", ())  # Python 3.9+


def ask(alias):
    """Open the alias in this thread to stay; return its session."""
    return session_id(open_connection(alias, None))


def ask_again(alias):
    """Return the session of the alias in this thread, where it may be open."""
    return session_id(connections[alias])


def meeting(number):
    """Return a task for so many threads at once: none ends before all have begun."""
    begun, all_begun = [], threading.Event()

    def ask_together(alias):
        session = ask(alias)
        begun.append(session)
        if len(begun) == number:
            all_begun.set()
        assert all_begun.wait(10)
        return session

    return ask_together


def are_gone(alias, begun):
    """Wait until none of these sessions is on the server."""
    assert begun
    wait_for(lambda: not set(begun) & sessions(alias))
    return True


# The class that it derives from.


def test_it_is_the_standard_librarys():
    """Where an executor of the standard library is wanted, ours is one."""
    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool, futures.ThreadPoolExecutor)
        assert isinstance(pool.submit(int), futures.Future)
    assert django_compat.ThreadPoolExecutor is ThreadPoolExecutor


def test_submit_passes_every_argument():
    """Keywords that are the names of parameters of ours, or theirs, are the task's."""

    def work(*args, **kwargs):
        return args, kwargs

    keywords = dict(self=1, fn=2, function=3, args=4, kwargs=5, every=6)
    with ThreadPoolExecutor(max_workers=1) as pool:
        assert pool.submit(work, 7, 8, **keywords).result() == ((7, 8), keywords)
        assert pool.submit(work).result() == ((), {})


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, futures.ThreadPoolExecutor])
def test_submit_without_a_function_is_a_type_error(pool):
    """There is nothing to call."""
    with pool(1) as pool:
        with pytest.raises(TypeError):
            pool.submit()


def test_map_keeps_the_order():
    """The results come in the order of the arguments."""
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(pow, [2, 3, 4], [5, 2, 1])) == [32, 9, 4]
        assert list(pool.map(str, range(20), timeout=10)) == [str(n) for n in range(20)]


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
def test_exception_is_the_tasks_own(kind):
    """What a task raises comes out of its future, the same object."""
    error = kind("of the task's own")

    def fail():
        raise error

    with ThreadPoolExecutor(1) as pool:
        future = pool.submit(fail)
        assert future.exception(10) is error
        with pytest.raises(kind) as caught:
            future.result()
        assert caught.value is error
        assert pool.submit(int).result() == 0


def test_workers_and_names():
    """max_workers and thread_name_prefix mean what they mean there, in any spelling."""

    def name():
        return threading.current_thread().name

    with ThreadPoolExecutor(2, "named") as pool:
        assert pool._max_workers == 2
        assert pool.submit(name).result().startswith("named")
    with ThreadPoolExecutor(max_workers=3, thread_name_prefix="so") as pool:
        assert pool._max_workers == 3
        assert pool.submit(name).result().startswith("so")
    with ThreadPoolExecutor() as pool:
        assert pool._max_workers == futures.ThreadPoolExecutor()._max_workers


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, futures.ThreadPoolExecutor])
def test_wrong_arguments_are_its_errors(pool):
    """What the class does not take, ours does not take either."""
    with pytest.raises(ValueError):
        pool(max_workers=0)
    with pytest.raises(TypeError):
        pool(nothing=1)
    with pytest.raises(TypeError):
        pool(1, "", None, (), None)


def test_submit_after_shutdown_is_a_runtime_error():
    """A pool that was shut down takes no more calls, and may be shut down again."""
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    pool.shutdown(True)
    with pytest.raises(RuntimeError):
        pool.submit(int)


def test_waiting_for_futures():
    """The functions of the module take our futures."""
    with ThreadPoolExecutor(2) as pool:
        begun = [pool.submit(pow, 2, n) for n in range(4)]
        assert futures.wait(begun, timeout=10).not_done == set()
        results = [future.result() for future in futures.as_completed(begun, 10)]
        assert sorted(results) == [1, 2, 4, 8]


# No session is left.


def use(pool, alias):
    """Run a task in each thread of a pool of 3; return the sessions."""
    return list(pool.map(meeting(3), [alias] * 3))


def leave_with_block(alias):
    with ThreadPoolExecutor(3) as pool:
        return use(pool, alias)


def shut_down(alias):
    pool = ThreadPoolExecutor(3)
    begun = use(pool, alias)
    pool.shutdown()
    return begun


def shut_down_without_waiting(alias):
    pool = ThreadPoolExecutor(3)
    begun = use(pool, alias)
    pool.shutdown(wait=False)
    return begun


def shut_down_under_a_running_task(alias):
    pool = ThreadPoolExecutor(1)
    began, goes_on = threading.Event(), threading.Event()

    def work():
        session = ask(alias)
        began.set()
        goes_on.wait(10)
        return session, session_id(connections[alias])

    future = pool.submit(work)
    began.wait(10)
    pool.shutdown(False)
    goes_on.set()
    return future.result()


def collect(alias):
    pool = ThreadPoolExecutor(3)
    begun = use(pool, alias)
    del pool
    gc.collect()
    return begun


def raise_in_a_task(alias):
    begun = []

    def fail(kind):
        begun.append(ask(alias))
        raise kind("of the task's own")

    with ThreadPoolExecutor(1) as pool:
        for kind in (ValueError, SystemExit, ValueError):
            assert pool.submit(fail, kind).exception().__class__ is kind
    return begun


def leave_a_block_open(alias):
    def work():
        if CLOSES_ALL:
            transaction.enter_transaction_management(using=alias)
            transaction.managed(True, using=alias)
        else:
            transaction.atomic(using=alias).__enter__()
        return ask(alias)

    with ThreadPoolExecutor(1) as pool:
        return [pool.submit(work).result() for _ in range(2)]


def submit_from_a_task(alias):
    with ThreadPoolExecutor(2) as pool:

        def outer():
            inner = pool.submit(ask, alias)
            return ask(alias), inner.result(10)

        return pool.submit(outer).result()


def pool_in_a_task(alias):
    def work():
        return [ask(alias)] + leave_with_block(alias)

    with ThreadPoolExecutor(1) as pool:
        return pool.submit(work).result()


def cancel_futures(alias):
    pool = ThreadPoolExecutor(1)
    began, goes_on = threading.Event(), threading.Event()

    def work():
        session = ask(alias)
        began.set()
        goes_on.wait(10)
        return session

    first = pool.submit(work)
    others = [pool.submit(ask, alias) for _ in range(5)]
    began.wait(10)
    pool.shutdown(wait=False, cancel_futures=True)
    goes_on.set()
    assert all(future.cancelled() for future in others)
    return [first.result()]


def ask_in_the_initializer(alias):
    begun = []

    def initialize(name, other):
        begun.append(ask(name))
        begun.append(ask(other))

    several = (alias, alias + "_other")
    with ThreadPoolExecutor(1, "", initialize, several) as pool:
        assert pool.submit(int).result() == 0
    with ThreadPoolExecutor(1, initializer=initialize, initargs=several) as pool:
        assert pool.submit(int).result() == 0
    assert len(set(begun)) == 4
    return begun


def fail_in_the_initializer(alias):
    begun = []

    def initialize():
        begun.append(ask(alias))
        raise ValueError("of the initializer's own")

    pool = ThreadPoolExecutor(1, initializer=initialize)
    with pytest.raises(RuntimeError) as caught:  # a BrokenThreadPool
        pool.submit(int).result()
    assert type(caught.value).__name__ == "BrokenThreadPool"
    pool.shutdown()
    return begun


USUAL_WAYS = [
    shut_down,
    shut_down_without_waiting,
    raise_in_a_task,
    submit_from_a_task,
]
if CAN_CANCEL:
    USUAL_WAYS.append(cancel_futures)
if "initializer" in PARAMETERS:
    USUAL_WAYS.append(ask_in_the_initializer)
UNUSUAL_WAYS = [
    leave_with_block,
    shut_down_under_a_running_task,
    collect,
    leave_a_block_open,
    pool_in_a_task,
]
if "initializer" in PARAMETERS:
    UNUSUAL_WAYS.append(fail_in_the_initializer)


@pytest.mark.everywhere
@pytest.mark.parametrize("way", USUAL_WAYS)
def test_no_session_is_left(server_alias, way):
    """However a pool ends, the sessions that its threads began end with it."""
    assert are_gone(server_alias, way(server_alias))


@pytest.mark.parametrize("way", UNUSUAL_WAYS)
def test_no_session_is_left_in_unusual_ways(server_alias, way):
    """Nor by what a pool is seldom put through."""
    assert are_gone(server_alias, way(server_alias))


def test_the_standard_librarys_leaves_its_sessions(server_alias):
    """What ours is for: there, connections live as long as something refers to them."""
    kept = []

    def work():
        session = ask(server_alias)
        kept.append(connections[server_alias])
        return session

    with futures.ThreadPoolExecutor(1) as pool:
        session = pool.submit(work).result()
    assert session in sessions(server_alias)
    kept.pop().connection.close()
    assert are_gone(server_alias, [session])


def test_no_session_is_left_that_somebody_refers_to(server_alias):
    """It is a close that ends them, not only the garbage collector."""

    def work():
        connection = open_connection(server_alias, None)
        return connection, session_id(connection)

    for _ in range(20):  # Python 2.7's threads are joined before they have ended
        with ThreadPoolExecutor(1) as pool:
            connection, session = pool.submit(work).result()
        assert connection.connection is None
    assert are_gone(server_alias, [session])


if "initializer" not in PARAMETERS:

    def test_initializer_is_as_unknown_as_there():
        """Python 3.6 has none."""
        with pytest.raises(TypeError):
            ThreadPoolExecutor(1, initializer=int)
        with pytest.raises(TypeError):
            ThreadPoolExecutor(1, "", int)

else:

    @pytest.mark.parametrize("pool", [ThreadPoolExecutor, futures.ThreadPoolExecutor])
    def test_initializer_must_be_callable(pool):
        """What cannot be called is a TypeError, None is no initializer."""
        if sys.version_info >= (3,):  # the backport does not look
            with pytest.raises(TypeError):
                pool(1, initializer=5)
        with pool(1, initializer=None) as pool:
            assert pool.submit(int).result() == 0


@pytest.mark.everywhere
@pytest.mark.parametrize(
    "arguments", [pytest.param([], marks=pytest.mark.once), ["late", "raise"]]
)
def test_interpreter_exit_is_clean(server_alias, arguments):
    """A pool that nobody shut down ends with its process, and without a word."""
    env = projects.environment(server_alias)
    code, output, errors = processes.run(["-m", "pool"] + arguments, env)
    assert errors == ""
    assert code == (3 if "raise" in arguments else 0)
    begun = json.loads(output)
    assert len(set(begun)) == 4
    assert are_gone(server_alias, begun)


def test_thread_that_has_nothing_to_close_takes_no_lock():
    """At its end Python 2.7 may have lost what the lock calls."""
    opened = _Opened()
    opened.lock = None
    _AtThreadEnd(opened).__del__()


@pytest.mark.once
@pytest.mark.parametrize("pool", ["ThreadPoolExecutor", "futures.ThreadPoolExecutor"])
def test_settings_are_read_before_the_threads_begin(pool):
    """Two threads that read them at once can wait for each other for ever.

    Logging is set up with them, and imports; on Django 1.6 by who comes first.
    """
    code = (
        "import threading, django, django_compat; from concurrent import futures\n"
        "if hasattr(django, 'setup'): django.setup()\n"
        "from django_compat import ThreadPoolExecutor\n"
        "from django.db import connections\n"
        "%s(1).submit(list, connections).result()\n"
        "import settings; print(settings.READ_BY)\n"
    )
    env = projects.environment("default")
    output = processes.output_of(["-c", code % pool], env)
    by_us = pool == "ThreadPoolExecutor" or django.VERSION[:2] != (1, 6)
    assert (output.strip() == "MainThread") is by_us


# Between the tasks.


def test_each_thread_keeps_its_session(server_alias):
    """With CONN_MAX_AGE None the tasks of a thread share one, and one thread has it."""
    with ThreadPoolExecutor(3) as pool:
        first = use(pool, server_alias)
        later = set(pool.map(ask, [server_alias] * 20))
    assert len(set(first)) == 3
    assert later <= set(first) or CLOSES_ALL


def test_age_zero_ends_with_the_task(server_alias):
    """With CONN_MAX_AGE 0 no session outlives its task."""

    def work():
        return session_id(open_connection(server_alias, 0))

    with ThreadPoolExecutor(1) as pool:
        begun = [pool.submit(work).result() for _ in range(3)]
        assert are_gone(server_alias, begun)
    assert len(set(begun)) == 3


def test_killed_sessions_do_no_harm(server_alias):
    """A task finds a connection that works, whatever became of the last one."""
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            begun = use(pool, server_alias)
            for session in [] if CLOSES_ALL else begun:  # there all of them end
                databases.observe(server_alias, databases.KILL, session)
            assert are_gone(server_alias, begun)
        assert use(pool, server_alias)


def test_killed_session_does_not_disturb_the_end(server_alias, caplog):
    """A session that is gone already is nothing to speak of."""

    def work():
        kill(open_connection(server_alias, None))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    assert [r for r in caplog.records if r.levelname not in ("INFO", "DEBUG")] == []


def test_tasks_start_with_no_transaction_of_the_last(server_alias):
    """What a task left uncommitted is gone, and autocommit is as it was."""
    with ThreadPoolExecutor(1) as pool:
        pool.submit(leave_open, server_alias).result()
        assert pool.submit(is_in_block, server_alias).result() is False


def leave_open(alias):
    if CLOSES_ALL:
        transaction.enter_transaction_management(using=alias)
    else:
        transaction.atomic(using=alias).__enter__()


def is_in_block(alias):
    connection = connections[alias]
    if CLOSES_ALL:
        return bool(connection.transaction_state)
    return connection.in_atomic_block


def test_borrowed_connection_is_left_to_its_thread(server_alias):
    """A test may share its connection with a pool: the pool does not close it."""
    ours = open_connection(server_alias, None)
    raw = ours.connection

    def borrow():
        connections[server_alias] = ours
        return run(connections[server_alias], "SELECT 42")

    if hasattr(ours, "inc_thread_sharing"):
        ours.inc_thread_sharing()
    else:
        ours.allow_thread_sharing = True
    with atomic(server_alias):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(borrow).result() == (42,)
        assert ours.connection is raw
        assert run(ours, "SELECT 43") == (43,)


def atomic(alias):
    block = getattr(transaction, "atomic", None) or transaction.commit_on_success
    return block(using=alias)


if IS_CORNER:

    LIMIT = {
        "mysql": ["--max-connections=20"],
        "postgresql": ["-c", "max_connections=20"],
    }

    @pytest.fixture
    def small(server_aliases):
        """Servers that allow 20 connections; all aliases point at them so long."""
        names = [alias + end for alias in server_aliases for end in ("", "_other")]
        before = [dict(connections.databases[name]) for name in names]
        begun = []
        try:
            for alias in server_aliases:
                begun.append(servers.Server(alias))
                begun[-1].start(*LIMIT[alias])
                databases.point(alias, begun[-1])
                databases.point(alias + "_other", begun[-1])
            yield
            databases.tidy()
        except servers.MissingServer as error:
            give_up(str(error))
        finally:
            for server in begun:
                server.stop()
            for name, settings in zip(names, before):
                connections.databases[name].update(settings)

    class Census(object):
        """Count the sessions of a server but one's own, and remember the most."""

        def __init__(self, admin):
            self.admin, self.most = admin, 0
            self.own = session_id(admin)

        def count(self):
            if CLOSES_ALL:
                self.admin.connection.rollback()  # a transaction sees no news
            cursor = self.admin.cursor()
            cursor.execute(databases.SESSIONS[self.admin.vendor])
            found = len({row[0] for row in cursor.fetchall()} - {self.own})
            self.most = max(self.most, found)
            return found

    @pytest.mark.everywhere
    def test_many_pools_on_a_small_server(server_aliases, small):
        """25 pools of 8 threads run 2,000 tasks on servers that allow 20 sessions."""
        admins = [administration(alias) for alias in server_aliases]
        counts = [Census(admin.__enter__()) for admin in admins]
        for number in range(25):
            place = number % len(server_aliases)
            alias, census = server_aliases[place], counts[place]
            pool = ThreadPoolExecutor(8)
            meet = meeting(8)
            begun = [pool.submit(meet, alias) for _ in range(8)]
            begun += [pool.submit(ask_again, alias) for _ in range(72)]
            while futures.wait(begun, timeout=0.01).not_done:
                census.count()
            census.count()
            assert len({future.result() for future in begun}) >= 8
            pool.shutdown()
            wait_for(lambda: census.count() == 0)
        for admin in admins:
            admin.__exit__(None, None, None)
        if not CLOSES_ALL:  # there each task has a session, whose end may be late
            assert [census.most for census in counts] == [8] * len(counts)
