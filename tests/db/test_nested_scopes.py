"""Scopes inside scopes: which of them acts, and no fault outlives the next scope."""

from __future__ import absolute_import

import contextlib
import gc
import os
import sys
import threading
import time
from concurrent import futures
from itertools import product

import pytest
from django.db.utils import DatabaseError

from django_compat import (
    ThreadPoolExecutor,
    closing_connections,
    fresh_connections,
    guard_connections,
)
from django_compat._db.versions import is_in_block, monotonic
from support.databases import (
    break_connection,
    in_a_thread,
    kill,
    open_connection,
    run,
    session_id,
    sessions,
    wait_for,
)
from support.limits import SoftTimeLimitExceeded, limit
from support.losses import hang_up, is_closed, is_hung_up, since_django_16
from support.processes import forked
from support.sql import SLEEP
from support.transactions import (
    in_all_blocks,
    insert,
    leave_block_open,
    new_block,
    numbers,
    table,
)

pytestmark = pytest.mark.contract
SCOPES = [fresh_connections, closing_connections]
PAIRS = list(product(SCOPES, SCOPES))
in_all_pairs = pytest.mark.parametrize("outer, inner", PAIRS)


def check(connection):
    """Run two queries, each of which has to get its own answer."""
    assert run(connection, "SELECT 42") == (42,)
    assert run(connection, "SELECT 43") == (43,)


# A loop of jobs, each in a scope, that runs inside another scope.


def jobs(alias, scope, count=4):
    """Run jobs, each in a scope; between them the session ends. Return what failed."""
    failed = []
    for number in range(count):
        try:
            with scope():
                connection = open_connection(alias, None)
                check(connection)
        except Exception as error:
            failed.append((number, error))
        if connection.connection is not None and not is_hung_up(connection):
            hang_up(connection)
    return failed


def in_a_closing_thread(loop):
    results = []
    target = closing_connections(lambda: results.append(loop()))
    thread = threading.Thread(target=target)
    thread.start()
    thread.join()
    return results[0]


def in_our_executor(loop):
    with ThreadPoolExecutor(1) as executor:
        return executor.submit(loop).result()


def in_an_executor(loop):
    with futures.ThreadPoolExecutor(1) as executor:
        return executor.submit(closing_connections(loop)).result()


def in_a_fresh_scope(loop):
    with fresh_connections():
        return loop()


def in_both(loop):
    with closing_connections():
        with fresh_connections():
            return loop()


def in_a_closing_scope_twice(loop):
    with closing_connections():
        with closing_connections():
            return loop()


def beside_a_generator(loop):
    """The generator holds its scope while its consumer runs scopes."""

    def rows():
        with fresh_connections():
            yield
            yield

    generator = rows()
    next(generator)
    failed = loop()
    next(generator)
    return failed + loop()


def after_a_generator_of_another_thread(loop):
    """The generator entered its scope here, and was closed in another thread."""

    def rows():
        with fresh_connections():
            yield

    generator = rows()
    next(generator)
    in_a_thread(generator.close)
    return loop()


def inside_a_recursion(loop, depth=3):
    @fresh_connections
    def recurse(depth):
        return recurse(depth - 1) if depth else loop()

    return recurse(depth)


def in_an_exit_stack(loop):
    with contextlib.ExitStack() as stack:
        scope = closing_connections()
        for _ in range(2):
            stack.enter_context(scope)
        stack.enter_context(fresh_connections())
        return loop()


def entered_by_hand(loop):
    scope = closing_connections()
    hasattr(scope, "__exit__")  # as a tool may look at it
    scope.__enter__()
    try:
        return loop()
    finally:
        scope.__exit__(None, None, None)


def test_exit_that_nothing_entered_does_nothing(server_alias):
    """A second exit by hand leaves the connection as it is."""
    scope = closing_connections()
    connection = open_connection(server_alias, None)
    scope.__exit__(None, None, None)
    assert not is_closed(connection)
    scope.__enter__()
    scope.__exit__(None, None, None)
    assert is_closed(connection)
    connection = open_connection(server_alias, None)
    scope.__exit__(None, None, None)
    assert not is_closed(connection)


WAYS = [
    in_a_closing_thread,
    in_our_executor,
    in_an_executor,
    in_a_fresh_scope,
    in_both,
    in_a_closing_scope_twice,
    beside_a_generator,
    after_a_generator_of_another_thread,
    inside_a_recursion,
    entered_by_hand,
]
if hasattr(contextlib, "ExitStack"):  # Python 3.3+
    WAYS.append(in_an_exit_stack)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("scope", SCOPES)
def test_job_after_a_hang_up_works_inside_another_scope(server_alias, way, scope):
    """However the outer scope came about, each job finds a session that works."""
    assert way(lambda: jobs(server_alias, scope)) == []


@pytest.mark.parametrize("way", [in_a_closing_thread, in_our_executor, in_an_executor])
@pytest.mark.parametrize("max_age", [0, 60, None])
def test_thread_of_jobs_leaves_no_session(server_alias, way, max_age):
    """Whatever CONN_MAX_AGE says, jobs in a thread's scope leave no session behind."""
    begun = []

    def loop():
        connection = open_connection(server_alias, max_age)
        for _ in range(2):
            with fresh_connections():
                begun.append(session_id(connection))

    way(loop)
    wait_for(lambda: not set(begun) & sessions(server_alias))


# What makes a connection useless to the outer scope as well.


def cut_query(connection):
    """Let a time limit end a query, whose answer nobody has read."""
    try:
        with limit(SoftTimeLimitExceeded, 0.03):
            connection.cursor().execute(SLEEP[connection.vendor] % 0.1)
    except SoftTimeLimitExceeded:
        pass


@pytest.mark.parametrize("spoil", [hang_up, break_connection, cut_query])
@in_all_pairs
def test_inner_scope_replaces_what_is_of_no_use(server_alias, outer, inner, spoil):
    """What hung up, failed or was interrupted is replaced; then the outer goes on."""
    with outer():
        connection = open_connection(server_alias, None)
        spoil(connection)
        with inner():
            check(connection)
        check(connection)
    with fresh_connections():
        check(connection)


@in_all_pairs
def test_child_of_nested_scopes_has_a_session_of_its_own(server_alias, outer, inner):
    """Its own scopes give up what it inherited; the parent keeps the session."""
    with outer():
        with inner():
            connection = open_connection(server_alias, None)
            before = session_id(connection)

            def child():
                with inner():
                    with inner():
                        return session_id(connection)

            assert forked(child) != before
            assert session_id(connection) == before


@in_all_pairs
@pytest.mark.parametrize("error", [None, ValueError])
def test_child_may_leave_its_parents_scopes(server_alias, outer, inner, error):
    """A fork in the body leaves both scopes twice, and the parent keeps its session."""
    parent = os.getpid()
    reading, writing = os.pipe()
    seen = []
    try:
        try:
            with outer():
                connection = open_connection(server_alias, None)
                before = session_id(connection)
                with inner():
                    child = os.fork()
                    if not child:
                        seen.append(is_closed(connection))
                        if error:
                            raise error()
                    else:
                        os.waitpid(child, 0)
                        assert session_id(connection) == before
        except ValueError:
            seen.append("raised")
        if os.getpid() != parent:
            with fresh_connections():
                seen.append(session_id(connection) not in (None, before))
            assert seen == ([False, "raised", True] if error else [False, True])
            os.write(writing, b"right")
    finally:
        if os.getpid() != parent:
            os._exit(0)
    os.close(writing)
    assert os.read(reading, 10) == b"right"
    os.close(reading)
    with fresh_connections():
        check(connection)


# Age: whose business it is.


@since_django_16
@pytest.mark.parametrize("max_age", [0, 60, None])
def test_fresh_inside_closing_is_a_unit_of_its_own(alias, max_age):
    """The inner scope closes for age at its begin and end, as an outermost one does."""
    with closing_connections():
        connection = open_connection(alias, max_age)
        for _ in range(2):
            raw = connection.connection
            with fresh_connections():
                run(connection, "SELECT 1")
                if max_age != 0:
                    assert connection.connection is raw
            assert is_closed(connection) is (max_age == 0)
        if max_age == 60:
            connection.close_at = 0  # as if it had been opened long ago
            with fresh_connections():
                assert is_closed(connection)
                run(connection, "SELECT 1")
            assert not is_closed(connection)
    assert is_closed(connection)


@since_django_16
@pytest.mark.parametrize("inner", SCOPES)
@pytest.mark.parametrize("ends", ["begin", "body"])
def test_scope_inside_fresh_leaves_age_to_the_outer(alias, inner, ends):
    """A connection that grew old stays open until the outer scope ends."""
    with fresh_connections():
        connection = open_connection(alias, 60)
        raw = connection.connection
        if ends == "begin":
            connection.close_at = 0
        with inner():
            connection.close_at = 0
        assert connection.connection is raw
        run(connection, "SELECT 1")
    assert is_closed(connection)


@since_django_16
@pytest.mark.parametrize("inner", SCOPES)
def test_scope_inside_fresh_leaves_the_idle_limit_to_the_outer(server_alias, inner):
    """CONN_MAX_IDLE is a kind of age: the caller's cursor must not be lost to it."""
    with fresh_connections():
        connection = open_connection(server_alias, None)
        connection.settings_dict["CONN_MAX_IDLE"] = 0
        raw = connection.connection
        start = monotonic()
        wait_for(lambda: monotonic() > start)
        with inner():
            assert connection.connection is raw
        assert connection.connection is raw
    with fresh_connections():
        assert is_closed(connection)


@pytest.mark.parametrize("error", [None, ValueError])
@pytest.mark.parametrize("inner", SCOPES)
def test_iterator_of_the_outer_scope_is_not_broken(server_alias, inner, error):
    """With CONN_MAX_AGE 0 a job inside of a loop over rows leaves the rows alone."""
    rows = " UNION ALL ".join("SELECT %d" % number for number in range(5))
    with fresh_connections():
        connection = open_connection(server_alias, 0)
        make = getattr(connection, "chunked_cursor", connection.cursor)  # Django 1.11+
        cursor, seen = make(), []
        cursor.execute(rows)
        for _ in range(5):
            seen += [cursor.fetchone()[0]]
            try:
                with inner():
                    check(connection)
                    if error:
                        raise error
            except ValueError:
                pass
        cursor.close()
    assert seen == list(range(5))
    assert is_closed(connection)


ALIASES = ["default", "default_other"]
FRAMES = list(product(SCOPES, [None] + ALIASES))


def closed_in_the_innermost(frames):
    """Enter scopes, outermost first; return the aliases that the last one closes."""
    scope, using = frames[0]
    with scope(using):
        if frames[1:]:
            return closed_in_the_innermost(frames[1:])
        opened = [open_connection(alias, 0) for alias in ALIASES]
    return [connection.alias for connection in opened if is_closed(connection)]


@since_django_16
@pytest.mark.parametrize("depth", [1, 2, 3])
def test_one_scope_acts_for_the_age_of_an_alias(depth):
    """In every nesting: fresh acts unless in fresh, closing unless in any scope."""

    def acts(frames, alias):
        around = [scope for scope, using in frames[:-1] if using in (None, alias)]
        scope, using = frames[-1]
        if using not in (None, alias):
            return False
        return not around if scope is closing_connections else scope not in around

    for frames in product(FRAMES, repeat=depth):
        expected = [alias for alias in ALIASES if acts(frames, alias)]
        assert closed_in_the_innermost(list(frames)) == expected, frames


@since_django_16
@pytest.mark.parametrize("keeps", [False, True])
def test_error_in_an_inner_scope_lets_the_next_scope_ask(server_alias, keeps):
    """A connection that keeps its session is not asked: its errors come out."""
    connection = open_connection(server_alias, None)
    connection.settings_dict["CONN_KEEP_SESSION"] = keeps
    with fresh_connections():
        check(connection)
        with pytest.raises(ValueError):
            with fresh_connections():
                check(connection)
                raise ValueError
        assert connection.errors_occurred is not keeps


# Inside a transaction.


@in_all_blocks
@in_all_pairs
def test_inner_scope_changes_nothing_in_a_block(alias, block, outer, inner):
    """The block of the outer scope goes on, in the same session, and is committed."""
    with outer():
        connection = open_connection(alias, 0)
        with table(connection):
            with block(alias):
                insert(connection, 1)
                raw = connection.connection
                for number, error in enumerate([None, ValueError, KeyboardInterrupt]):
                    try:
                        with inner():
                            insert(connection, 2 + number)
                            if error:
                                raise error
                    except (ValueError, KeyboardInterrupt):
                        pass
                    assert connection.connection is raw
                insert(connection, 5)
            assert numbers(alias) == [1, 2, 3, 4, 5]


@since_django_16
@in_all_pairs
def test_hang_up_in_a_block_is_an_error_in_the_inner_scope(server_alias, outer, inner):
    """The second half of a transaction must not run in another session."""
    with outer():
        connection = open_connection(server_alias, None)
        with table(connection):
            with pytest.raises(DatabaseError):
                with new_block(server_alias):
                    insert(connection, 1)
                    hang_up(connection)
                    with inner():
                        insert(connection, 2)
            with inner():
                check(connection)
            assert numbers(server_alias) == []


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")
@in_all_pairs
def test_block_left_open_by_a_failed_inner_body_is_given_up(alias, outer, inner):
    """What the outer scope does next is not part of the failed body's transaction."""
    with outer():
        connection = open_connection(alias, None)
        with table(connection):
            with pytest.raises(ValueError):
                with inner():
                    leave_block_open(alias)
                    insert(connection, 1)
                    raise ValueError
            assert not is_in_block(connection)
            with new_block(alias):
                insert(connection, 2)
            assert numbers(alias) == [2]


# On leaving with an exception.


@since_django_16
@in_all_pairs
def test_failed_inner_body_keeps_a_session_that_works(server_alias, outer, inner):
    """After an error of the job's own the session is asked, and kept."""
    with outer():
        connection = open_connection(server_alias, None)
        before = session_id(connection)
        with pytest.raises(ValueError):
            with inner():
                raise ValueError
        with inner():
            assert session_id(connection) == before


@in_all_pairs
@pytest.mark.parametrize("kind", [KeyboardInterrupt, GeneratorExit, SystemExit])
def test_interrupted_inner_body_costs_the_session(server_alias, outer, inner, kind):
    """The exception comes out, and what may have been cut is closed at once."""
    error = kind()
    with outer():
        connection = open_connection(server_alias, None)
        with pytest.raises(kind) as caught:
            with inner():
                raise error
        assert caught.value is error
        assert is_closed(connection)
        check(connection)


@in_all_pairs
def test_cut_query_of_an_inner_body_reaches_nobody(server_alias, outer, inner):
    """A time limit ends the inner body in mid-query; the outer scope goes on."""
    with outer():
        connection = open_connection(server_alias, None)
        with pytest.raises(SoftTimeLimitExceeded):
            with inner():
                with limit(SoftTimeLimitExceeded, 0.03):
                    connection.cursor().execute(SLEEP[connection.vendor] % 0.1)
        check(connection)
    with fresh_connections():
        check(connection)


def lose_in_a_query(connection):
    cursor = connection.cursor()  # until 1.5 Django pings for each
    kill(connection)
    cursor.execute("SELECT 1")


def lose_and_swallow(connection):
    with pytest.raises(DatabaseError):
        lose_in_a_query(connection)


def lose_and_fail(connection):
    hang_up(connection)
    raise ValueError


@in_all_pairs
@pytest.mark.parametrize("lose", [lose_in_a_query, lose_and_swallow, lose_and_fail])
def test_code_around_gets_no_connection_lost_inside(server_alias, outer, inner, lose):
    """A callback after the job, in the outer scope alone, has a session that works."""
    with outer():
        connection = open_connection(server_alias, None)
        try:
            with inner():
                lose(connection)
        except (DatabaseError, ValueError):
            pass
        check(connection)


@in_all_pairs
def test_child_gets_no_connection_lost_inside(server_alias, outer, inner):
    """A child that loses its session in an inner scope goes on, as does its parent."""
    connection = open_connection(server_alias, None)

    def child():
        with pytest.raises(DatabaseError):
            with inner():
                lose_in_a_query(connection)
        check(connection)
        return session_id(connection)

    with outer():
        before = session_id(connection)
        assert forked(child) != before
        assert session_id(connection) == before


@in_all_pairs
def test_guard_and_inner_scope_replace_what_was_lost_once(server_alias, outer, inner):
    """With the guard on, one new session serves the code around and the next job."""
    with guard_connections(), outer():
        connection = open_connection(server_alias, None)
        with pytest.raises(DatabaseError):
            with inner():
                lose_in_a_query(connection)
        check(connection)
        after = session_id(connection)
        with fresh_connections():
            assert session_id(connection) == after


@in_all_pairs
@pytest.mark.parametrize("kind", [ValueError, KeyboardInterrupt])
def test_exception_may_pass_both_scopes(server_alias, outer, inner, kind):
    """The same object comes out of both, and the next scope works."""
    error = kind()
    connection = open_connection(server_alias, None)
    with pytest.raises(kind) as caught:
        with outer():
            with inner():
                check(connection)
                kill(connection)
                raise error
    assert caught.value is error
    with fresh_connections():
        check(connection)


# What scopes cost, and leave behind.


def seconds_of_nesting(depth):
    """Return how long it takes to enter and leave nested scopes; the best of three."""
    clock = getattr(time, "process_time", None) or time.clock  # Python 3.3+

    def nest(depth):
        if depth:
            with fresh_connections():
                nest(depth - 1)

    def measure():
        start = clock()
        nest(depth)
        return clock() - start

    return min(measure() for _ in range(3))


def test_deep_nesting_is_linear(alias):
    """Ten times as many scopes take about ten times as long, not a hundred times.

    A deep stack costs Python itself some more.
    """
    open_connection(alias, None)
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(20000)
    try:
        few = seconds_of_nesting(200)
        assert seconds_of_nesting(2000) < 70 * few
    finally:
        sys.setrecursionlimit(limit)


def test_generator_closed_in_another_thread_leaves_its_scope(server_alias):
    """The thread that entered the scope is in none: its next scope closes for age."""

    def rows():
        with fresh_connections():
            yield

    generator = rows()
    next(generator)
    connection = open_connection(server_alias, 0)
    in_a_thread(generator.close)
    with fresh_connections():
        check(connection)
    assert is_closed(connection)


def test_generator_closed_in_another_thread_ends_no_scope_of_that_thread(server_alias):
    """Also when both threads are in the same scope object."""
    scope = fresh_connections()

    def rows():
        with scope:
            yield

    generator = rows()
    next(generator)

    def close_inside():
        with scope:
            connection = open_connection(server_alias, 0)
            generator.close()
            check(connection)
            opened = not is_closed(connection)
        return opened, is_closed(connection)

    assert in_a_thread(close_inside) == (True, True)


@pytest.mark.skipif(sys.version_info < (3, 3), reason="no ExitStack before Python 3.3")
@pytest.mark.parametrize("ends", [True, False])
def test_exit_stack_of_another_thread_leaves_its_scope(server_alias, ends):
    """So does one that nobody closes: the scope ends with its last name."""

    def rows():
        with contextlib.ExitStack() as stack:
            stack.enter_context(fresh_connections())
            yield

    generator = rows()
    next(generator)
    connection = open_connection(server_alias, 0)
    if ends:
        in_a_thread(generator.close)
    else:
        fresh_connections().__enter__()
    del generator
    gc.collect()  # an error of asgiref's may hold the frames of its callers
    with fresh_connections():
        check(connection)
    assert is_closed(connection)
