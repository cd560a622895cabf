"""ThreadPoolExecutor: works like the standard library's, and leaves no session."""

from __future__ import absolute_import

import gc
import inspect
import json
import sys
import threading
from concurrent import futures

import django
import pytest
from django.db import connections

import django_compat
from django_compat import ThreadPoolExecutor
from django_compat._db.executors import _AtThreadEnd, _Opened
from support import processes, projects
from support.databases import (
    kill,
    observe,
    open_connection,
    run,
    session_id,
    sessions,
    wait_for,
)
from support.losses import PERSISTS
from support.sql import KILL
from support.tasks import ask, meeting
from support.transactions import leave_block_open, new_block

pytestmark = pytest.mark.contract
signature = getattr(inspect, "getfullargspec", None) or inspect.getargspec
PARAMETERS = signature(futures.ThreadPoolExecutor.__init__).args
shutdown = signature(futures.ThreadPoolExecutor.shutdown)
CAN_CANCEL = "cancel_futures" in getattr(shutdown, "kwonlyargs", ())  # Python 3.9+
HAS_INITIALIZER = "initializer" in PARAMETERS  # Python 3.7+, and the backport to 2.7
needs_initializer = pytest.mark.skipif(
    not HAS_INITIALIZER, reason="no initializer before Python 3.7"
)


def are_gone(alias, session_ids):
    """Wait until none of these sessions is on the server."""
    assert session_ids
    wait_for(lambda: not set(session_ids) & sessions(alias))
    return True


# It works like the standard library's.


def test_pool_is_a_subclass_of_the_standard_librarys():
    """Our pool passes isinstance() checks for the standard library's."""
    with ThreadPoolExecutor(1) as pool:
        assert isinstance(pool, futures.ThreadPoolExecutor)
        assert isinstance(pool.submit(int), futures.Future)
    assert django_compat.ThreadPoolExecutor is ThreadPoolExecutor


def test_submit_passes_every_argument():
    """The task gets keywords that are also names of the executor's parameters."""

    def work(*args, **kwargs):
        return args, kwargs

    keywords = dict(self=1, fn=2, function=3, args=4, kwargs=5, every=6)
    with ThreadPoolExecutor(max_workers=1) as pool:
        assert pool.submit(work, 7, 8, **keywords).result() == ((7, 8), keywords)
        assert pool.submit(work).result() == ((), {})


@pytest.mark.parametrize("pool", [ThreadPoolExecutor, futures.ThreadPoolExecutor])
def test_submit_without_a_function_is_a_type_error(pool):
    """submit() without arguments fails as in the standard library."""
    with pool(1) as pool:
        with pytest.raises(TypeError):
            pool.submit()


def test_map_keeps_the_order():
    """The results come in the order of the arguments."""
    with ThreadPoolExecutor(3) as pool:
        assert list(pool.map(pow, [2, 3, 4], [5, 2, 1])) == [32, 9, 4]
        assert list(pool.map(str, range(20), timeout=10)) == [str(n) for n in range(20)]


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
def test_exception_of_the_task_comes_out_unchanged(kind):
    """The future raises the same object that the task raised."""
    error = kind("an error of the task")

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
    """max_workers and thread_name_prefix work as positions and as keywords."""

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
def test_wrong_arguments_are_the_same_errors(pool):
    """Our class refuses the arguments that the standard library's refuses."""
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


def test_wait_and_as_completed_take_our_futures():
    """The functions of concurrent.futures work with our pool's futures."""
    with ThreadPoolExecutor(2) as pool:
        submitted = [pool.submit(pow, 2, n) for n in range(4)]
        assert futures.wait(submitted, timeout=10).not_done == set()
        results = [future.result() for future in futures.as_completed(submitted, 10)]
        assert sorted(results) == [1, 2, 4, 8]


# No session is left.


def run_in_each_thread(pool, alias):
    """Run a task in each thread of a pool of 3; return the sessions."""
    return list(pool.map(meeting(3), [alias] * 3))


def leave_with_block(alias):
    with ThreadPoolExecutor(3) as pool:
        return run_in_each_thread(pool, alias)


def shut_down(alias):
    pool = ThreadPoolExecutor(3)
    session_ids = run_in_each_thread(pool, alias)
    pool.shutdown()
    return session_ids


def shut_down_without_waiting(alias):
    pool = ThreadPoolExecutor(3)
    session_ids = run_in_each_thread(pool, alias)
    pool.shutdown(wait=False)
    return session_ids


def submit_waiting_task(pool, alias):
    """Start a task that waits for an event; return the future and the event.

    The result of the task is its session before the event, and after it.
    """
    began, goes_on = threading.Event(), threading.Event()

    def work():
        session = ask(alias)
        began.set()
        goes_on.wait(10)
        return session, session_id(connections[alias])

    future = pool.submit(work)
    began.wait(10)
    return future, goes_on


def shut_down_under_a_running_task(alias):
    pool = ThreadPoolExecutor(1)
    future, goes_on = submit_waiting_task(pool, alias)
    pool.shutdown(False)
    goes_on.set()
    return future.result()


def collect(alias):
    pool = ThreadPoolExecutor(3)
    session_ids = run_in_each_thread(pool, alias)
    del pool
    gc.collect()
    return session_ids


def raise_in_a_task(alias):
    session_ids = []

    def fail(kind):
        session_ids.append(ask(alias))
        raise kind("an error of the task")

    with ThreadPoolExecutor(1) as pool:
        for kind in (ValueError, SystemExit, ValueError):
            assert pool.submit(fail, kind).exception().__class__ is kind
    return session_ids


def leave_a_block_open(alias):
    def work():
        leave_block_open(alias)
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
    running, goes_on = submit_waiting_task(pool, alias)
    others = [pool.submit(ask, alias) for _ in range(5)]
    pool.shutdown(wait=False, cancel_futures=True)
    goes_on.set()
    assert all(future.cancelled() for future in others)
    return running.result()


def ask_in_the_initializer(alias):
    session_ids = []

    def initialize(name, other):
        session_ids.append(ask(name))
        session_ids.append(ask(other))

    several = (alias, alias + "_other")
    with ThreadPoolExecutor(1, "", initialize, several) as pool:
        assert pool.submit(int).result() == 0
    with ThreadPoolExecutor(1, initializer=initialize, initargs=several) as pool:
        assert pool.submit(int).result() == 0
    assert len(set(session_ids)) == 4
    return session_ids


def fail_in_the_initializer(alias):
    session_ids = []

    def initialize():
        session_ids.append(ask(alias))
        raise ValueError("an error of the initializer")

    pool = ThreadPoolExecutor(1, initializer=initialize)
    with pytest.raises(RuntimeError) as caught:  # a BrokenThreadPool
        pool.submit(int).result()
    assert type(caught.value).__name__ == "BrokenThreadPool"
    pool.shutdown()
    return session_ids


needs_cancel = pytest.mark.skipif(
    not CAN_CANCEL, reason="no cancel_futures before Python 3.9"
)
ENDS = [
    leave_with_block,
    shut_down,
    shut_down_without_waiting,
    shut_down_under_a_running_task,
    collect,
    raise_in_a_task,
    leave_a_block_open,
    submit_from_a_task,
    pool_in_a_task,
    pytest.param(cancel_futures, marks=needs_cancel),
    pytest.param(ask_in_the_initializer, marks=needs_initializer),
    pytest.param(fail_in_the_initializer, marks=needs_initializer),
]


@pytest.mark.parametrize("end", ENDS)
def test_no_session_is_left(server_alias, end):
    """However a pool ends, the sessions that its threads began end with it."""
    assert are_gone(server_alias, end(server_alias))


def test_standard_librarys_pool_leaves_its_sessions(server_alias):
    """The negative: there, a connection lives as long as something refers to it."""
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


def test_connection_is_closed_while_something_refers_to_it(server_alias):
    """The pool closes connections, and does not wait for the garbage collector."""

    def work():
        connection = open_connection(server_alias, None)
        return connection, session_id(connection)

    for _ in range(20):  # Python 2.7 joins a thread shortly before it ends
        with ThreadPoolExecutor(1) as pool:
            connection, session = pool.submit(work).result()
        assert connection.connection is None
    assert are_gone(server_alias, [session])


@pytest.mark.skipif(HAS_INITIALIZER, reason="this executor has an initializer")
def test_initializer_is_unknown_on_python_36():
    """The argument is refused where the standard library refuses it."""
    with pytest.raises(TypeError):
        ThreadPoolExecutor(1, initializer=int)
    with pytest.raises(TypeError):
        ThreadPoolExecutor(1, "", int)


@needs_initializer
@pytest.mark.parametrize("pool", [ThreadPoolExecutor, futures.ThreadPoolExecutor])
def test_initializer_must_be_callable(pool):
    """An initializer that cannot be called is a TypeError; None means none."""
    if sys.version_info >= (3,):  # the backport does not check
        with pytest.raises(TypeError):
            pool(1, initializer=5)
    with pool(1, initializer=None) as pool:
        assert pool.submit(int).result() == 0


@pytest.mark.parametrize("arguments", [[], ["late", "raise"]])
def test_interpreter_exit_is_clean(server_alias, arguments):
    """A pool that is not shut down ends with its process, and prints nothing."""
    env = projects.environment(server_alias)
    code, output, errors = processes.run(["-m", "pool"] + arguments, env)
    assert errors == ""
    assert code == (3 if "raise" in arguments else 0)
    session_ids = json.loads(output)
    assert len(set(session_ids)) == 4
    assert are_gone(server_alias, session_ids)


def test_thread_that_has_nothing_to_close_takes_no_lock():
    """Python 2.7 may have emptied the lock's module when a late thread ends."""
    opened = _Opened()
    opened.lock = None
    _AtThreadEnd(opened).__del__()


@pytest.mark.parametrize("pool", ["ThreadPoolExecutor", "futures.ThreadPoolExecutor"])
def test_settings_are_read_before_the_threads_begin(pool):
    """Two threads that read the settings at once can deadlock.

    Django sets up logging with the settings, which imports modules. On Django 1.6 the
    first thread that reads them does.
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
    """With CONN_MAX_AGE None the tasks of a thread share the thread's session."""
    with ThreadPoolExecutor(3) as pool:
        first = run_in_each_thread(pool, server_alias)
        later = set(pool.map(ask, [server_alias] * 20))
    assert len(set(first)) == 3
    assert later <= set(first) or not PERSISTS


def test_age_zero_ends_with_the_task(server_alias):
    """With CONN_MAX_AGE 0 no session outlives its task."""

    def work():
        return session_id(open_connection(server_alias, 0))

    with ThreadPoolExecutor(1) as pool:
        session_ids = [pool.submit(work).result() for _ in range(3)]
        assert are_gone(server_alias, session_ids)
    assert len(set(session_ids)) == 3


def test_task_after_killed_sessions_works(server_alias):
    """A task finds a connection that works after its thread's session was killed."""
    with ThreadPoolExecutor(3) as pool:
        for _ in range(3):
            session_ids = run_in_each_thread(pool, server_alias)
            if PERSISTS:  # else each session ends with its task
                for session in session_ids:
                    observe(server_alias, KILL, session)
            assert are_gone(server_alias, session_ids)
        assert run_in_each_thread(pool, server_alias)


def test_killed_session_causes_no_warning_at_the_end(server_alias, caplog):
    """A pool whose session is gone already ends without a warning."""

    def work():
        kill(open_connection(server_alias, None))

    with ThreadPoolExecutor(1) as pool:
        pool.submit(work).result()
    assert [r for r in caplog.records if r.levelname not in ("INFO", "DEBUG")] == []


def test_task_begins_outside_of_the_last_tasks_transaction(server_alias):
    """A transaction that a task left open is over when the next task begins."""

    def is_in_block():
        connection = connections[server_alias]
        if PERSISTS:
            return connection.in_atomic_block
        return bool(connection.transaction_state)

    with ThreadPoolExecutor(1) as pool:
        pool.submit(leave_block_open, server_alias).result()
        assert pool.submit(is_in_block).result() is False


def test_connection_of_another_thread_is_not_closed(server_alias):
    """A test may share its connection with a pool: the pool leaves it open."""
    ours = open_connection(server_alias, None)
    raw = ours.connection

    def borrow():
        connections[server_alias] = ours
        return run(connections[server_alias], "SELECT 42")

    if hasattr(ours, "inc_thread_sharing"):
        ours.inc_thread_sharing()
    else:
        ours.allow_thread_sharing = True
    with new_block(server_alias):
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(borrow).result() == (42,)
        assert ours.connection is raw
        assert run(ours, "SELECT 43") == (43,)
