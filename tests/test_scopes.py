"""fresh_connections and closing_connections: what they do, what they leave alone."""

from __future__ import absolute_import

import contextlib
import gc
import os
import signal
import sys
import threading
import unittest

import databases
import django
import django.db
import pytest
from databases import break_connection, kill, open_connection, run, session_id
from databases import in_a_thread, sessions, wait_for
from django.conf import settings
from django.core import signals
from django.db import connections, transaction
from django.db.backends.signals import connection_created
from django.db.utils import (
    ConnectionDoesNotExist,
    DatabaseError,
    IntegrityError,
    load_backend,
)
from django.http import HttpResponse
from django.test import Client, TestCase, TransactionTestCase

from django_compat import (
    close_stale_connections,
    closing_connections,
    fresh_connections,
    guard_connections,
)

try:
    from django.urls import clear_url_caches
except ImportError:  # before Django 1.10
    from django.core.urlresolvers import clear_url_caches
try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

# Django 1.4 and 1.5 know no persistent connections: what ends closes everything.
CLOSES_ALL = not hasattr(django.db, "close_old_connections")
SCOPES = [fresh_connections, closing_connections]
SLOW = {"mysql": "SELECT SLEEP(0.1)", "postgresql": "SELECT pg_sleep(0.1)"}

both = pytest.mark.parametrize("scope", SCOPES)


def is_closed(connection):
    return connection.connection is None


def in_a_with(scope, body):
    with scope():
        return body()


def decorated(scope, body):
    @scope
    def work(argument):
        return argument()

    return work(body)


def decorated_with_parentheses(scope, body):
    @scope()
    def work(argument):
        return argument()

    return work(argument=body)


def decorated_method(scope, body):
    class Worker(object):
        @scope
        def work(self, argument):
            assert isinstance(self, Worker)
            return argument()

    return Worker().work(body)


def decorated_class_method(scope, body):
    class Worker(object):
        @classmethod
        @scope()
        def work(cls, argument):
            assert cls is Worker
            return argument()

    return Worker.work(body)


FORMS = [
    in_a_with,
    decorated,
    decorated_with_parentheses,
    decorated_method,
    decorated_class_method,
]


@both
@pytest.mark.parametrize("form", FORMS)
def test_scope_ends_after_its_body(form, scope, alias):
    """In each of its forms the body's connection is open inside, and closed after."""

    def body():
        connection = open_connection(alias, 0)
        return connection, connection.connection

    connection, raw = form(scope, body)
    assert raw is not None
    assert is_closed(connection)


@both
@pytest.mark.parametrize("parentheses", [False, True])
def test_decorated_function_keeps_its_metadata(scope, parentheses):
    """Name, module, documentation and attributes are those of the function."""

    def work(one, two=2):
        """Do the work."""
        return one, two

    work.queue = "slow"
    scoped = scope()(work) if parentheses else scope(work)
    assert scoped is not work
    assert scoped.__wrapped__ is work
    assert scoped.__name__ == "work"
    assert scoped.__doc__ == "Do the work."
    assert scoped.__module__ == __name__
    assert scoped.queue == "slow"
    assert scoped(1, two=3) == (1, 3)


GENERATORS = ["def work():\n    yield"]
if sys.version_info >= (3, 6):
    GENERATORS.append("async def work():\n    yield")


@both
@pytest.mark.parametrize("source", GENERATORS)
@pytest.mark.parametrize("parentheses", [False, True])
def test_generator_function_is_a_type_error(scope, source, parentheses):
    """A scope around what only makes a generator would end before the body begins."""
    names = {}
    exec(source, names)
    with pytest.raises(TypeError) as caught:
        scope()(names["work"]) if parentheses else scope(names["work"])
    assert scope.__name__ in str(caught.value)
    assert "generator" in str(caught.value)


@both
@pytest.mark.parametrize("value", [None, "default", 1])
def test_what_cannot_be_called_is_a_type_error(scope, value):
    """A scope decorates functions."""
    with pytest.raises(TypeError) as caught:
        scope()(value)
    assert repr(value) in str(caught.value)


@both
@pytest.mark.parametrize("several", [str, lambda alias: [alias], lambda alias: {alias}])
def test_scope_looks_after_what_is_named(scope, several, alias):
    """An alias, or several, and no other."""
    other = open_connection(alias + "_other", 0)
    with scope(using=several(alias)):
        connection = open_connection(alias, 0)
    assert is_closed(connection)
    assert not is_closed(other)


@both
def test_scope_takes_an_iterator_of_aliases(scope, alias):
    """What can be read once serves many times."""
    again = scope(each for each in [alias, alias + "_other"])
    for _ in range(2):
        with again:
            connection = open_connection(alias, 0)
        assert is_closed(connection)


@both
def test_unknown_alias_is_djangos_error(scope, alias):
    """An alias that nobody configured fails at the begin, and nothing is done."""
    connection = open_connection(alias, 0)
    with pytest.raises(ConnectionDoesNotExist):
        with scope([alias, "nowhere"]):
            raise AssertionError("the body must not run")
    assert not is_closed(connection)
    with scope(alias):  # the failed one is not taken for an outer one
        pass
    assert is_closed(connection)


@both
@pytest.mark.parametrize("inner", SCOPES)
def test_only_the_outermost_scope_acts(scope, inner, alias):
    """The end of an inner scope closes nothing, the end of the outermost does."""
    with scope():
        connection = open_connection(alias, 0)
        raw = connection.connection
        for _ in range(2):
            with inner():
                assert run(connection, "SELECT 1") == (1,)
            assert connection.connection is raw
    assert is_closed(connection)


@pytest.mark.logs_queries
def test_inner_scope_keeps_the_query_log(alias, monkeypatch):
    """The begin of an inner scope does not empty the log of the outer one."""
    monkeypatch.setattr(settings, "DEBUG", True)
    with fresh_connections():
        connection = open_connection(alias, 0)
        before = len(connection.queries)
        with fresh_connections():
            assert len(connection.queries) == before > 0


def test_scopes_nest_by_alias(alias):
    """An inner scope acts on the aliases that no outer one looks after."""
    with fresh_connections(using=alias):
        ours = open_connection(alias, 0)
        with fresh_connections():
            other = open_connection(alias + "_other", 0)
        assert is_closed(other)
        assert not is_closed(ours)
    assert is_closed(ours)


def test_closing_inside_fresh_leaves_it_to_the_outer(alias):
    """The outermost decides: here it keeps what CONN_MAX_AGE keeps."""
    with fresh_connections():
        connection = open_connection(alias, None)
        with closing_connections():
            pass
        assert not is_closed(connection)
    assert is_closed(connection) is CLOSES_ALL


def test_fresh_inside_closing_leaves_it_to_the_outer(alias):
    """What an inner scope would keep, the outer closes."""
    with closing_connections():
        with fresh_connections():
            connection = open_connection(alias, None)
        assert not is_closed(connection)
    assert is_closed(connection)


@both
def test_one_scope_object_enters_itself(scope, alias):
    """A recursive function may be decorated: the outermost call acts."""
    seen = []

    @scope(using=alias)
    def work(depth):
        connection = open_connection(alias, 0)
        if depth:
            work(depth - 1)
        seen.append(is_closed(connection))
        return connection

    assert is_closed(work(3))
    assert seen == [False] * 4


@both
def test_one_scope_object_serves_many_threads(scope, alias):
    """Threads that are in the same scope at once each end with their own connection."""
    shared = scope()
    inside = [threading.Event() for _ in range(4)]
    seen = []

    def work(mine):
        with shared:
            connection = open_connection(alias, 0)
            mine.set()
            for each in inside:
                each.wait(10)
            seen.append(is_closed(connection))
        seen.append(is_closed(connection))

    threads = [threading.Thread(target=work, args=(each,)) for each in inside]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [False] * 4 + [True] * 4


@pytest.mark.parametrize("max_age, keeps", [(0, False), (60, True), (None, True)])
def test_fresh_keeps_the_meaning_of_conn_max_age(alias, max_age, keeps):
    """A connection lives on as long as it does after a request."""
    connection = open_connection(alias, max_age)
    for _ in range(2):
        raw = connection.connection
        with fresh_connections():
            run(connection, "SELECT 1")
            if keeps and not CLOSES_ALL:
                assert connection.connection is raw
        assert is_closed(connection) is (CLOSES_ALL or not keeps)


if not CLOSES_ALL:

    @both
    def test_scope_begins_without_the_old(alias, scope):
        """A connection that is past its CONN_MAX_AGE is closed before the body."""
        connection = open_connection(alias, 0)
        with scope():
            assert is_closed(connection)

    @both
    def test_scope_begins_without_the_broken(server_alias, scope):
        """A connection that had an error and does not answer is closed before it."""
        connection = open_connection(server_alias, None)
        break_connection(connection)
        with scope():
            assert run(connection, "SELECT 42") == (42,)


@both
def test_closing_closes_whatever_the_age(alias, scope):
    """At the end of closing_connections nothing is open, kept or not by Django."""
    with scope():
        opened = [open_connection(alias, None), open_connection(alias + "_other", 60)]
    closes = CLOSES_ALL or scope is closing_connections
    assert [is_closed(connection) for connection in opened] == [closes] * 2


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_memory_database_outlives_its_scope(error):
    """Closing one of SQLite's in memory would end it: Django does not, nor do we."""
    memory = dict(connections.databases["default"], NAME=":memory:", CONN_MAX_AGE=0)
    backend = load_backend(memory["ENGINE"])
    connections["memory"] = backend.DatabaseWrapper(memory, "memory")
    try:
        for scope in SCOPES:
            try:
                with scope():
                    run(connections["memory"], "CREATE TABLE IF NOT EXISTS one (n int)")
                    if error:
                        raise error
            except (ValueError, KeyboardInterrupt):
                pass
            assert run(connections["memory"], "SELECT count(*) FROM one") == (0,)
    finally:
        delattr(connections._connections, "memory")


@pytest.mark.everywhere
def test_closing_in_a_thread_leaves_no_session(server_alias):
    """The target of a Thread ends the sessions that it began on the server."""
    before = sessions(server_alias)
    begun = []

    @closing_connections
    def work():
        for alias in (server_alias, server_alias + "_other"):
            begun.append(session_id(open_connection(alias, None)))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(set(begun) - before) == 2
    wait_for(lambda: not set(begun) & sessions(server_alias))


def run_case(case):
    """Run one of Django's test cases with all that belongs to it."""
    result = unittest.TestResult()
    unittest.TestSuite([case]).run(result)
    assert result.testsRun == 1
    assert [text for _, text in result.errors + result.failures] == []


@pytest.mark.logs_queries
@both
def test_query_log_is_emptied_at_the_begin(alias, scope, monkeypatch):
    """With DEBUG the log holds what the unit of work did, as it does in a request."""
    monkeypatch.setattr(settings, "DEBUG", True)
    connection = open_connection(alias, None)
    assert connection.queries
    with scope():
        assert len(connection.queries) == 0
        run(connection, "SELECT 1")
    sql = connection.queries[-1]["sql"]
    if connection.vendor == "mysql" and django.VERSION < (2, 1):
        sql = sql.replace("None", "SELECT 1")  # what it reads from a newer driver
    assert "SELECT 1" in sql


@pytest.mark.logs_queries
@both
def test_query_log_is_kept_while_somebody_counts(alias, scope):
    """Inside assertNumQueries the queries before the scope count too."""
    connection = open_connection(alias, None)
    work = scope()(lambda: run(connection, "SELECT 2"))

    class Case(TransactionTestCase):
        databases = {alias}

        def runTest(self):
            with self.assertNumQueries(3, using=alias):
                run(connection, "SELECT 1")
                work()
                run(connection, "SELECT 3")

    if CLOSES_ALL:  # closing makes a new connection, whose first queries would count
        return
    if scope is fresh_connections:
        run_case(Case())


# Inside of a transaction.


def atomic(alias):
    return transaction.atomic(using=alias)


def nested_atomic(alias):
    return nest(atomic(alias), atomic(alias))


@contextlib.contextmanager
def nest(outer, inner):
    with outer:
        with inner:
            yield


def durable_atomic(alias):
    return transaction.atomic(using=alias, durable=True)


def commit_on_success(alias):
    return transaction.commit_on_success(using=alias)


@contextlib.contextmanager
def commit_manually(alias):
    with transaction.commit_manually(using=alias):
        yield
        transaction.commit(using=alias)


@contextlib.contextmanager
def enter_transaction_management(alias):
    transaction.enter_transaction_management(using=alias)
    if django.VERSION < (1, 6):
        transaction.managed(True, using=alias)
    yield
    transaction.commit(using=alias)
    transaction.leave_transaction_management(using=alias)


BLOCKS = []
if hasattr(transaction, "atomic"):
    BLOCKS += [atomic, nested_atomic]
if django.VERSION >= (3, 2):
    BLOCKS.append(durable_atomic)
if hasattr(transaction, "commit_on_success"):
    BLOCKS += [commit_on_success, commit_manually, enter_transaction_management]

in_blocks = pytest.mark.parametrize("block", BLOCKS)


def legacy(test):
    for category in ("DeprecationWarning", "PendingDeprecationWarning"):
        test = pytest.mark.filterwarnings("ignore::" + category)(test)
    return test


@contextlib.contextmanager
def table(connection):
    """Have an empty table, and a new session for its use."""
    block = getattr(transaction, "atomic", None) or transaction.commit_on_success
    with block(using=connection.alias):
        run(connection, "CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)")
        run(connection, "DELETE FROM numbers")
    connection.close()
    run(connection, "SELECT 1")
    yield


def numbers(alias):
    """Return what another session sees in the table."""

    @closing_connections
    def look():
        cursor = connections[alias].cursor()
        cursor.execute("SELECT n FROM numbers ORDER BY n")
        return [row[0] for row in cursor.fetchall()]

    return in_a_thread(look)


def insert(connection, number):
    cursor = connection.cursor()
    cursor.execute("INSERT INTO numbers VALUES (%d)" % number)
    if CLOSES_ALL and connection.is_managed():
        connection.set_dirty()
    cursor.close()


def use_scopes(connection, first):
    """Do in a transaction what must not end it, and write two numbers."""
    raw = connection.connection
    for number, scope in enumerate(SCOPES, first):
        with scope():
            assert connection.connection is raw
            insert(connection, number)
        assert close_stale_connections() == []
        with guard_connections():
            assert run(connection, "SELECT 1") == (1,)
        assert connection.connection is raw


@pytest.mark.everywhere
@legacy
@in_blocks
@pytest.mark.parametrize("max_age", [0, None])
def test_transaction_is_left_alone(alias, block, max_age):
    """A scope in a block closes nothing, and the block commits all that was written."""
    connection = open_connection(alias, max_age)
    with table(connection):
        with block(alias):
            insert(connection, 1)
            use_scopes(connection, 2)
            insert(connection, 4)
        assert numbers(alias) == [1, 2, 3, 4]


@legacy
@in_blocks
@both
def test_error_inside_a_transaction_leaves_it_to_the_block(alias, block, scope):
    """A body that raises in a block of the caller's does not end the transaction."""
    connection = open_connection(alias, None)
    with table(connection):
        with block(alias):
            insert(connection, 1)
            raw = connection.connection
            for error in (ValueError(), KeyboardInterrupt()):
                with pytest.raises(type(error)):
                    with scope():
                        raise error
            assert connection.connection is raw
        assert numbers(alias) == [1]


@legacy
@in_blocks
@both
def test_rollback_is_still_the_blocks(alias, block, scope):
    """A block that fails takes back what scopes in it have written."""
    if block in (commit_manually, enter_transaction_management):
        return  # they roll nothing back by themselves
    connection = open_connection(alias, None)
    with table(connection):
        with pytest.raises(ValueError):
            with block(alias):
                with scope():
                    insert(connection, 1)
                raise ValueError
        assert numbers(alias) == []


@legacy
@in_blocks
def test_scope_around_a_transaction_lets_it_commit(alias, block):
    """The usual order: the block inside of the scope."""
    connection = open_connection(alias, 0)
    with table(connection):
        with closing_connections():
            with block(alias):
                insert(connection, 1)
        assert is_closed(connection)
        assert numbers(alias) == [1]


@legacy
@both
def test_block_left_open_by_the_body_is_rolled_back(alias, scope):
    """What a body began and did not end is not continued by the next."""
    connection = open_connection(alias, None)
    with table(connection):
        with scope():
            if CLOSES_ALL:
                transaction.enter_transaction_management(using=alias)
                transaction.managed(True, using=alias)
            else:
                transaction.atomic(using=alias).__enter__()
            insert(connection, 1)
        assert is_closed(connection)
        with scope():
            with BLOCKS[0](alias):
                insert(connection, 2)
        assert numbers(alias) == [2]


if hasattr(transaction, "on_commit"):

    @pytest.mark.everywhere
    @both
    def test_on_commit_runs_once(alias, scope):
        """What waits for the commit runs once, after it, whoever asked for it."""
        connection = open_connection(alias, None)
        done = []
        with transaction.atomic(using=alias):
            transaction.on_commit(lambda: done.append("block"), using=alias)
            with scope():
                transaction.on_commit(lambda: done.append("scope"), using=alias)
                with transaction.atomic(using=alias):
                    transaction.on_commit(lambda: done.append("inner"), using=alias)
            close_stale_connections()
            assert done == []
        assert done == ["block", "scope", "inner"]
        with scope():
            run(connection, "SELECT 1")
        assert done == ["block", "scope", "inner"]

    def test_on_commit_of_a_block_left_open_never_runs(alias):
        """What was not committed is not announced by the next unit's commit."""
        done = []
        with fresh_connections():
            open_connection(alias, None)
            transaction.atomic(using=alias).__enter__()
            transaction.on_commit(lambda: done.append(1), using=alias)
        with fresh_connections(), transaction.atomic(using=alias):
            run(connections[alias], "SELECT 1")
        assert done == []


served = []  # what the view saw of its connection, before and after its scopes


@fresh_connections
def view(request, alias):
    connection = connections[alias]
    insert(connection, 1)
    served.append(connection.connection)
    use_scopes(connection, 2)
    served.append(connection.connection)
    return HttpResponse("done")


urlpatterns = [re_path(r"^(\w+)/$", view)]


def in_test_case(base, alias, body):
    """Run a body as a test of Django's."""
    # Until 2.1 a test case takes "default" alone, or every alias there is.
    name = alias if django.VERSION >= (2, 2) else "default"

    class Case(base):
        databases = {name}

        def runTest(self):
            body(self, name)

    if CLOSES_ALL:  # what the test runner finds out when it makes the databases
        for each in connections.all():
            each.features.supports_transactions = True
    run_case(Case())


@pytest.mark.everywhere
@pytest.mark.parametrize("max_age", [0, None])
def test_testcase_keeps_its_transaction(alias, max_age):
    """In a TestCase the scopes leave the connection of the test alone."""

    def body(case, name):
        connection = connections[name]
        run(connection, "CREATE TEMPORARY TABLE numbers (n INTEGER)")
        use_scopes(connection, 1)
        assert run(connection, "SELECT count(*) FROM numbers") == (2,)

    for name in ("default", alias):
        open_connection(name, max_age)
    in_test_case(TestCase, alias, body)


@pytest.mark.everywhere
@pytest.mark.parametrize("max_age", [0, None])
def test_transactiontestcase_sees_what_was_committed(alias, max_age):
    """In a TransactionTestCase, too, each scope is a unit, and its blocks commit."""

    def body(case, name):
        for number, scope in enumerate(SCOPES):
            with scope(), BLOCKS[0](name):
                insert(connections[name], number)
        assert numbers(name) == [0, 1]

    for name in ("default", alias):
        open_connection(name, max_age)
    name = alias if django.VERSION >= (2, 2) else "default"
    with table(connections[name]):
        in_test_case(TransactionTestCase, alias, body)


@pytest.fixture
def own_urls(monkeypatch):
    """The views of this file; until 2.2 Django keeps those that it found first."""
    monkeypatch.setattr(settings, "ROOT_URLCONF", __name__)
    clear_url_caches()
    yield
    monkeypatch.undo()
    clear_url_caches()


@pytest.mark.everywhere
def test_client_in_a_testcase_keeps_its_transaction(alias, own_urls):
    """A view in a scope, asked through the test client, is part of the test's block."""

    def body(case, name):
        connection = connections[name]
        run(connection, "CREATE TEMPORARY TABLE numbers (n INTEGER)")
        raw = connection.connection
        assert case.client.get("/%s/" % name).content == b"done"
        assert connection.connection is raw
        assert served[-2:] == [raw, raw]
        assert run(connection, "SELECT count(*) FROM numbers") == (3,)

    for name in ("default", alias):
        open_connection(name, 0)
    in_test_case(TestCase, alias, body)


if not CLOSES_ALL:

    @pytest.mark.everywhere
    @pytest.mark.parametrize("max_age", [0, None])
    def test_atomic_requests_commit_what_scopes_wrote(alias, max_age, own_urls):
        """With ATOMIC_REQUESTS the view's transaction outlives the scopes in it."""
        connection = open_connection(alias, max_age)
        with table(connection):
            connection.settings_dict["ATOMIC_REQUESTS"] = True
            assert Client().get("/%s/" % alias).content == b"done"
            connection.settings_dict["ATOMIC_REQUESTS"] = False
            assert served[-2] is served[-1]
            assert numbers(alias) == [1, 2, 3]

    @pytest.fixture
    def manual(server_alias):
        """A connection with AUTOCOMMIT False in its settings, and a table."""
        with table(connections[server_alias]):
            databases.tidy()  # until 1.7 it takes a new wrapper to notice the setting
            connections[server_alias].settings_dict["AUTOCOMMIT"] = False
            yield open_connection(server_alias, None)

    def test_autocommit_false_is_kept(manual):
        """A scope keeps the session, and the setting; its body commits for itself."""
        session = session_id(manual)
        for number in range(2):
            with fresh_connections():
                insert(manual, number)
                manual.commit()
        with fresh_connections():
            assert session_id(manual) == session
            assert manual.get_autocommit() is False
        assert numbers(manual.alias) == [0, 1]

    @pytest.mark.parametrize("idle", [None, 0])
    def test_autocommit_false_is_never_swapped_in_mid_transaction(manual, idle):
        """What is not committed yet is not lost to close_stale_connections."""
        manual.settings_dict["CONN_MAX_IDLE"] = idle
        insert(manual, 1)
        raw = manual.connection
        assert close_stale_connections() == []
        with guard_connections():
            insert(manual, 2)
        assert manual.connection is raw
        manual.commit()
        assert numbers(manual.alias) == [1, 2]

    def test_lost_session_is_not_swapped_in_mid_transaction(manual):
        """The body hears of the loss, and does not go on in a new session."""
        insert(manual, 1)
        kill(manual)
        assert close_stale_connections() == []
        with pytest.raises(DatabaseError):
            with guard_connections():
                insert(manual, 2)

    def test_autocommit_false_begins_with_a_session_that_lives(manual):
        """A scope's begin is a boundary: a session that is gone is replaced."""
        kill(manual)
        with fresh_connections():
            insert(manual, 1)
            manual.commit()
        assert numbers(manual.alias) == [1]

    @pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
    def test_autocommit_false_failed_body_is_rolled_back(manual, error):
        """The next body's commit does not commit what a failed one has left."""
        with pytest.raises(type(error)):
            with fresh_connections():
                insert(manual, 1)
                raise error
        with fresh_connections():
            insert(manual, 2)
            manual.commit()
        assert numbers(manual.alias) == [2]

    @pytest.mark.everywhere
    @both
    @pytest.mark.parametrize("fails", [False, True])
    def test_autocommit_left_off_is_on_again(alias, scope, fails):
        """A body that leaves autocommit off does not take it from the next one."""
        connection = open_connection(alias, None)
        with table(connection):
            try:
                with scope():
                    connection.set_autocommit(False)
                    insert(connection, 1)
                    if fails:
                        raise ValueError
            except ValueError:
                assert fails
            with scope():
                run(connection, "SELECT 1")
                assert connection.get_autocommit() is True
                insert(connection, 2)
            assert numbers(alias) == [2]


# A body that raises.


class Interruption(Exception):
    """What a signal handler raises."""


INTERRUPTIONS = [Interruption, KeyboardInterrupt]
if sys.version_info >= (3,):
    INTERRUPTIONS.append(TimeoutError)  # an OSError: PyMySQL takes it for one


@contextlib.contextmanager
def interrupted(kind):
    """Raise an exception from a signal handler, soon."""

    def handle(*_):
        if kind is KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
        else:
            raise kind("interrupted")

    gc.disable()  # what a weak reference calls would swallow the exception
    before = signal.signal(signal.SIGALRM, handle)
    ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, 0.03)
    try:
        yield
        wait_for(lambda: False)  # a driver may have finished first
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.signal(signal.SIGINT, ctrl_c)
        gc.enable()


def slow_query(connection):
    # Not closed: mysqlclient's close() would raise an error of its own then.
    connection.cursor().execute(SLOW[connection.vendor])


def check_next(connection):
    """The next unit of work gets the right answers, in a session that Django set up."""
    with fresh_connections():
        assert run(connection, "SELECT 42") == (42,)
        assert run(connection, "SELECT 43") == (43,)


@pytest.mark.everywhere
@both
@pytest.mark.parametrize("kind", INTERRUPTIONS)
def test_interrupted_query_does_not_reach_the_next_scope(server_alias, scope, kind):
    """The exception comes out as it is, and nobody reads the answer it has left."""
    if scope is closing_connections and kind is not Interruption:
        return  # it closes them all in any case
    connection = open_connection(server_alias, None)
    seen = []
    with pytest.raises(BaseException) as caught:
        with scope():
            with interrupted(kind):
                try:
                    slow_query(connection)
                except BaseException as error:
                    seen.append(error)
                    raise
    assert caught.value is seen[0]
    check_next(connection)


class JobFailed(Exception):
    """What a job makes of an interruption."""


def test_interruption_may_become_another_error(server_alias):
    """A job that raises an error of its own for it leaves no answer behind either."""
    connection = open_connection(server_alias, None)
    with pytest.raises(JobFailed):
        with fresh_connections():
            try:
                with interrupted(Interruption):
                    slow_query(connection)
            except Interruption:
                raise JobFailed()
    check_next(connection)


def test_interruption_may_be_swallowed(server_alias):
    """Nor does one that goes on as if nothing had happened."""
    connection = open_connection(server_alias, None)
    with fresh_connections():
        try:
            with interrupted(Interruption):
                slow_query(connection)
        except Interruption:
            pass
    check_next(connection)


def test_interruption_outside_of_a_scope_is_found_at_the_begin(server_alias):
    """The next scope looks also at what happened before it."""
    connection = open_connection(server_alias, None)
    with pytest.raises(Interruption):
        with interrupted(Interruption):
            slow_query(connection)
    check_next(connection)


@pytest.mark.everywhere
@both
@pytest.mark.parametrize("kind", [SystemExit, GeneratorExit, KeyboardInterrupt])
def test_exception_that_is_no_error_comes_out(alias, scope, kind):
    """The same object comes out; where in the body it struck is not asked."""
    connection = open_connection(alias, None)
    error = kind()
    with pytest.raises(kind) as caught:
        with scope():
            run(connection, "SELECT 1")
            raise error
    assert caught.value is error
    assert is_closed(connection)
    check_next(connection)


@both
def test_interrupted_connect_is_not_kept(alias, scope):
    """A session that may lack a part of its settings serves nobody."""
    connection = connections[alias]
    connection.settings_dict["CONN_MAX_AGE"] = None
    error = Interruption()

    def interrupt(**kwargs):
        raise error

    connection_created.connect(interrupt)
    try:
        with pytest.raises(Interruption) as caught:
            with scope():
                run(connection, "SELECT 1")
    finally:
        connection_created.disconnect(interrupt)
    assert caught.value is error
    assert is_closed(connection)
    check_next(connection)


@pytest.mark.everywhere
@both
@pytest.mark.parametrize("is_closed_first", [True, False])
def test_generator_that_is_given_up(alias, scope, is_closed_first):
    """A generator with a scope inside may end at its yield; the next scope works."""

    def rows():
        with scope():
            connection = open_connection(alias, None)
            while True:
                yield run(connection, "SELECT 1")

    generator = rows()
    assert next(generator) == (1,)
    if is_closed_first:
        generator.close()
    del generator
    connection = connections[alias]
    with closing_connections():  # the outermost again
        assert run(connection, "SELECT 42") == (42,)
    assert is_closed(connection)


def test_generators_may_end_in_any_order(alias):
    """Scopes that do not nest leave nothing behind that looks like an outer one."""

    def rows():
        with fresh_connections():
            yield

    first, second = rows(), rows()
    next(first)
    next(second)
    first.close()
    second.close()
    with fresh_connections():
        connection = open_connection(alias, 0)
    assert is_closed(connection)


def raise_value_error(connection):
    raise ValueError("of the job's own")


def violate(connection):
    insert(connection, 1)
    insert(connection, 1)


def violate_in_a_block(connection):
    with BLOCKS[0](connection.alias):
        violate(connection)


def ask_nonsense(connection):
    run(connection, "SELECT nothing FROM nowhere")


def stop_in_on_commit(connection):
    with transaction.atomic(using=connection.alias):
        transaction.on_commit(lambda: raise_value_error(connection), connection.alias)


FAILURES = [
    (raise_value_error, ValueError),
    (violate, IntegrityError),
    (violate_in_a_block, IntegrityError),
    (ask_nonsense, DatabaseError),
]
if hasattr(transaction, "on_commit"):
    FAILURES.append((stop_in_on_commit, ValueError))

if not CLOSES_ALL:

    @pytest.mark.parametrize("fail, kind", FAILURES)
    def test_error_of_the_job_does_not_cost_the_connection(server_alias, fail, kind):
        """A session that works goes on, with CONN_MAX_AGE None."""
        connection = open_connection(server_alias, None)
        session = session_id(connection)
        with table(connection):
            session = session_id(connection)
            with pytest.raises(kind):
                with fresh_connections():
                    fail(connection)
            with fresh_connections():
                assert session_id(connection) == session

    @pytest.mark.everywhere
    @pytest.mark.parametrize("swallows", [False, True])
    def test_connection_lost_in_the_body_is_replaced(server_alias, swallows):
        """The next session is one that Django has opened and set up, on PyMySQL too."""
        connection = open_connection(server_alias, None)
        announced = []

        def note(connection, **kwargs):
            announced.append(connection.connection)

        connection_created.connect(note)
        try:
            try:
                with fresh_connections():
                    kill(connection)
                    try:
                        run(connection, "SELECT 1")
                    except DatabaseError:
                        if not swallows:
                            raise
            except DatabaseError:
                assert not swallows
            check_next(connection)
        finally:
            connection_created.disconnect(note)
        assert announced[-1] is connection.connection


class Unwilling(Exception):
    """What a close raises."""


@both
@pytest.mark.parametrize("error", [None, ValueError(), KeyboardInterrupt()])
def test_failing_close_does_not_hide_the_bodys_error(
    alias, scope, error, monkeypatch, caplog
):
    """It is logged with its alias; the body's own exception comes out, or none."""
    connection = open_connection(alias, 0)
    raws = []

    def refuse():
        raws.append(connection.connection)
        raise Unwilling()

    try:
        with scope():
            other = open_connection(alias + "_other", 0)
            run(connection, "SELECT 1")
            monkeypatch.setattr(connection, "close", refuse)
            if error is not None:
                raise error
    except (ValueError, KeyboardInterrupt) as caught:
        assert caught is error
    monkeypatch.undo()
    assert is_closed(connection) and is_closed(other)
    logged = [r for r in caplog.records if r.name == "django_compat.connections"]
    assert [r.exc_info[0] for r in logged] == [Unwilling]
    assert repr(alias) in logged[0].getMessage()
    for raw in raws:
        raw.close()
