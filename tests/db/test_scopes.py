"""fresh_connections and closing_connections: their forms, begin, end and nesting.

test_transactions.py has what they leave alone, test_interruptions.py has bodies that
raise.
"""

from __future__ import absolute_import

import sys
import threading

import django
import pytest
from django.conf import settings
from django.db import connections
from django.db.utils import ConnectionDoesNotExist, load_backend
from django.test import TransactionTestCase

from django_compat import closing_connections, fresh_connections
from support.calls import SCOPES, in_both_scopes
from support.databases import (
    break_connection,
    needs_query_log,
    open_connection,
    run,
    session_id,
    sessions,
    wait_for,
)
from support.losses import PERSISTS, is_closed, since_django_16
from support.testcases import run_case

pytestmark = pytest.mark.contract


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


@in_both_scopes
@pytest.mark.parametrize("form", FORMS)
def test_scope_ends_after_its_body(form, scope, alias):
    """In each form of a scope the connection is open in the body, and closed after."""

    def body():
        connection = open_connection(alias, 0)
        return connection, connection.connection

    connection, raw = form(scope, body)
    assert raw is not None
    assert is_closed(connection)


@in_both_scopes
@pytest.mark.parametrize("parentheses", [False, True])
def test_decorated_function_keeps_its_metadata(scope, parentheses):
    """The decorated function has the function's name, module, docstring, attributes."""

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


@in_both_scopes
@pytest.mark.parametrize("source", GENERATORS)
@pytest.mark.parametrize("parentheses", [False, True])
def test_generator_function_is_a_type_error(scope, source, parentheses):
    """A scope around a generator function would end before the body begins."""
    names = {}
    exec(source, names)
    with pytest.raises(TypeError) as caught:
        scope()(names["work"]) if parentheses else scope(names["work"])
    assert scope.__name__ in str(caught.value)
    assert "generator" in str(caught.value)


@in_both_scopes
@pytest.mark.parametrize("value", [None, "default", 1])
def test_decorating_no_callable_is_a_type_error(scope, value):
    """A scope decorates functions, and the message shows the other value."""
    with pytest.raises(TypeError) as caught:
        scope()(value)
    assert repr(value) in str(caught.value)


@in_both_scopes
@pytest.mark.parametrize("using", [str, lambda alias: [alias], lambda alias: {alias}])
def test_scope_looks_after_the_named_aliases_only(scope, using, alias):
    """``using`` is an alias or a collection of aliases."""
    other = open_connection(alias + "_other", 0)
    with scope(using=using(alias)):
        connection = open_connection(alias, 0)
    assert is_closed(connection)
    assert not is_closed(other)


@in_both_scopes
def test_scope_takes_an_iterator_of_aliases(scope, alias):
    """A scope that was given an iterator can be entered more than once."""
    aliases = [alias, alias + "_other"]
    entered_twice = scope(name for name in aliases)
    for _ in range(2):
        with entered_twice:
            connection = open_connection(alias, 0)
        assert is_closed(connection)


@in_both_scopes
def test_unknown_alias_is_djangos_error(scope, alias):
    """An alias that is not in DATABASES fails at the begin, and nothing is done."""
    connection = open_connection(alias, 0)
    with pytest.raises(ConnectionDoesNotExist):
        with scope([alias, "nowhere"]):
            raise AssertionError("the body must not run")
    assert not is_closed(connection)
    with scope(alias):  # the failed scope does not count as an outer scope
        pass
    assert is_closed(connection)


@pytest.mark.parametrize(
    "scope, inner",
    [
        (fresh_connections, fresh_connections),
        (fresh_connections, closing_connections),
        (closing_connections, closing_connections),
    ],
)
def test_only_the_outermost_scope_closes_for_age(scope, inner, alias):
    """The end of an inner scope closes nothing; the end of the outermost scope does.

    fresh_connections inside closing_connections is a unit of its own instead: see
    test_nested_scopes.py.
    """
    with scope():
        connection = open_connection(alias, 0)
        raw = connection.connection
        for _ in range(2):
            with inner():
                assert run(connection, "SELECT 1") == (1,)
            assert connection.connection is raw
    assert is_closed(connection)


def test_inner_scope_keeps_the_query_log(alias, monkeypatch):
    """The begin of an inner scope does not empty the query log of the outer scope."""
    needs_query_log(alias)
    monkeypatch.setattr(settings, "DEBUG", True)
    with fresh_connections():
        connection = open_connection(alias, 0)
        before = len(connection.queries)
        with fresh_connections():
            assert len(connection.queries) == before > 0


def test_scopes_nest_by_alias(alias):
    """An inner scope acts on the aliases that no outer scope looks after."""
    with fresh_connections(using=alias):
        ours = open_connection(alias, 0)
        with fresh_connections():
            other = open_connection(alias + "_other", 0)
        assert is_closed(other)
        assert not is_closed(ours)
    assert is_closed(ours)


def test_closing_inside_fresh_closes_nothing(alias):
    """The outer fresh_connections decides, and follows CONN_MAX_AGE."""
    with fresh_connections():
        connection = open_connection(alias, None)
        with closing_connections():
            pass
        assert not is_closed(connection)
    assert is_closed(connection) is (not PERSISTS)


def test_fresh_inside_closing_is_closed_by_the_outer(alias):
    """closing_connections closes a connection that the inner scope would keep."""
    with closing_connections():
        with fresh_connections():
            connection = open_connection(alias, None)
        assert is_closed(connection) is (not PERSISTS)
    assert is_closed(connection)


@in_both_scopes
def test_decorated_function_may_recurse(scope, alias):
    """One scope object is entered inside of itself; the outermost call acts."""
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


@in_both_scopes
def test_one_scope_object_serves_many_threads(scope, alias):
    """Each of four threads in the same scope object closes its own connection."""
    shared = scope()
    inside = [threading.Event() for _ in range(4)]
    seen = []

    def work(mine):
        with shared:
            connection = open_connection(alias, 0)
            mine.set()
            for event in inside:
                event.wait(10)
            seen.append(is_closed(connection))
        seen.append(is_closed(connection))

    threads = [threading.Thread(target=work, args=(event,)) for event in inside]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(seen) == [False] * 4 + [True] * 4


@pytest.mark.parametrize("max_age, keeps", [(0, False), (60, True), (None, True)])
def test_fresh_keeps_the_meaning_of_conn_max_age(alias, max_age, keeps):
    """A scope keeps a connection as long as Django keeps it after a request."""
    connection = open_connection(alias, max_age)
    for _ in range(2):
        raw = connection.connection
        with fresh_connections():
            run(connection, "SELECT 1")
            if keeps and PERSISTS:
                assert connection.connection is raw
        assert is_closed(connection) is (not keeps or not PERSISTS)


@since_django_16
@in_both_scopes
def test_scope_closes_an_old_connection_at_its_begin(alias, scope):
    """A connection that is past its CONN_MAX_AGE is closed before the body."""
    connection = open_connection(alias, 0)
    with scope():
        assert is_closed(connection)


@since_django_16
@in_both_scopes
def test_scope_replaces_a_broken_connection_at_its_begin(server_alias, scope):
    """A connection that had an error and does not answer is replaced."""
    connection = open_connection(server_alias, None)
    break_connection(connection)
    with scope():
        assert run(connection, "SELECT 42") == (42,)


@in_both_scopes
def test_closing_closes_whatever_the_age(alias, scope):
    """closing_connections closes all; fresh_connections keeps what is young."""
    with scope():
        opened = [open_connection(alias, None), open_connection(alias + "_other", 60)]
    closes = scope is closing_connections or not PERSISTS
    assert [is_closed(connection) for connection in opened] == [closes] * 2


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_memory_database_outlives_its_scope(error):
    """A close would delete an SQLite database in memory, so a scope never closes it."""
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


def test_closing_in_a_thread_leaves_no_session(server_alias):
    """A thread's target in closing_connections ends the sessions of the thread."""
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


@in_both_scopes
def test_query_log_is_emptied_at_the_begin(alias, scope, monkeypatch):
    """With DEBUG the query log holds the queries of one scope, as of one request."""
    needs_query_log(alias)
    monkeypatch.setattr(settings, "DEBUG", True)
    connection = open_connection(alias, None)
    assert connection.queries
    with scope():
        assert len(connection.queries) == 0
        run(connection, "SELECT 1")
    sql = connection.queries[-1]["sql"]
    if connection.vendor == "mysql" and django.VERSION < (2, 1):
        sql = sql.replace("None", "SELECT 1")  # Django logs None with newer drivers
    assert "SELECT 1" in sql


@in_both_scopes
def test_query_log_of_a_closed_connection_is_emptied(alias, scope, monkeypatch):
    """The log of a connection that is closed is of one scope, too."""
    needs_query_log(alias)
    monkeypatch.setattr(settings, "DEBUG", True)
    connection = open_connection(alias, None)
    connection.close()
    assert connection.queries
    with scope():
        assert len(connection.queries) == 0
        run(connection, "SELECT 1")
        connection.close()
        with scope():
            assert connection.queries


@since_django_16  # before, a scope closes, and the first queries of a connect count
def test_query_log_is_kept_inside_assertnumqueries(alias):
    """assertNumQueries counts the queries before the scope, too."""
    needs_query_log(alias)
    connection = open_connection(alias, None)
    work = fresh_connections(lambda: run(connection, "SELECT 2"))

    class Case(TransactionTestCase):
        databases = {alias}

        def runTest(self):
            with self.assertNumQueries(3, using=alias):
                run(connection, "SELECT 1")
                work()
                run(connection, "SELECT 3")

    run_case(Case())


def by_hand(scope):
    scope.__enter__()
    yield
    scope.__exit__(None, None, None)


def by_hand_with_exit_first(scope):
    leave = scope.__exit__
    scope.__enter__()
    yield
    leave(None, None, None)


def by_hand_of_the_class(scope):
    type(scope).__enter__(scope)
    yield
    type(scope).__exit__(scope, None, None, None)


def by_hand_after_a_look(scope):
    assert hasattr(scope, "__exit__")
    scope.__enter__()
    yield
    assert hasattr(scope, "__exit__")
    scope.__exit__(None, None, None)


HANDS = [by_hand, by_hand_with_exit_first, by_hand_of_the_class, by_hand_after_a_look]


@pytest.mark.parametrize("hand", HANDS)
@in_both_scopes
def test_scope_may_be_entered_without_a_with_statement(alias, scope, hand):
    """As setUp() and tearDown() do, or a library; one object may serve many times."""
    shared = scope()
    for _ in range(3):
        steps = hand(shared)
        next(steps)
        connection = open_connection(alias, 0)
        with fresh_connections():  # is inside of the other scope
            run(connection, "SELECT 1")
        assert is_closed(connection) is (scope is closing_connections)
        if is_closed(connection):
            run(connection, "SELECT 1")
        assert list(steps) == []
        assert is_closed(connection)


@in_both_scopes
def test_other_name_of_a_connection_is_looked_after(alias, scope):
    """Two aliases may be one connection: the name that the scope has counts."""
    connection = open_connection(alias, 0)
    connections["twin"] = connection
    with scope(using="twin"):
        assert run(connection, "SELECT 42") == (42,)
    assert is_closed(connection)
