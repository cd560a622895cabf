"""Scopes, close_stale_connections and the guard inside transactions and test cases."""

from __future__ import absolute_import

import contextlib
import gc
import sys

import pytest
from django.db import connections, transaction, utils
from django.db.utils import DatabaseError
from django.http import HttpResponse
from django.test import Client, TestCase, TransactionTestCase

from django_compat import (
    close_stale_connections,
    closing_connections,
    fresh_connections,
    guard_connections,
)
from django_compat._db import scopes
from support import databases
from support.calls import SCOPES, in_both_scopes
from support.cycles import Cycle
from support.databases import kill, open_connection, run, session_id
from support.losses import is_closed, since_django_16
from support.testcases import in_test_case, usable_alias
from support.transactions import (
    COMMIT_ALWAYS,
    in_all_blocks,
    insert,
    leave_block_open,
    new_block,
    numbers,
    table,
)

try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

pytestmark = pytest.mark.contract
needs_on_commit = pytest.mark.skipif(
    not hasattr(transaction, "on_commit"), reason="no on_commit() before Django 1.9"
)


def use_scopes(connection, first):
    """Make all calls that must not end a transaction, and write two numbers."""
    raw = connection.connection
    for number, scope in enumerate(SCOPES, first):
        with scope():
            assert connection.connection is raw
            insert(connection, number)
        assert close_stale_connections() == []
        with guard_connections():
            assert run(connection, "SELECT 1") == (1,)
        assert connection.connection is raw


@in_all_blocks
@pytest.mark.parametrize("max_age", [0, None])
def test_transaction_is_left_alone(alias, block, max_age):
    """A scope in a block closes nothing, and the block commits all its rows."""
    connection = open_connection(alias, max_age)
    with table(connection):
        with block(alias):
            insert(connection, 1)
            use_scopes(connection, 2)
            insert(connection, 4)
        assert numbers(alias) == [1, 2, 3, 4]


@in_all_blocks
@in_both_scopes
def test_error_inside_a_transaction_leaves_it_to_the_block(alias, block, scope):
    """A scope whose body raises does not end the caller's transaction."""
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


@in_all_blocks
@in_both_scopes
def test_rollback_takes_back_what_scopes_wrote(alias, block, scope):
    """A block that fails rolls back the rows that scopes in the block wrote."""
    if block in COMMIT_ALWAYS:
        pytest.skip("%s() does not roll back by itself" % block.__name__)
    connection = open_connection(alias, None)
    with table(connection):
        with pytest.raises(ValueError):
            with block(alias):
                with scope():
                    insert(connection, 1)
                raise ValueError
        assert numbers(alias) == []


@in_all_blocks
def test_scope_around_a_transaction_lets_it_commit(alias, block):
    """In the usual order, the block inside of the scope, the block commits."""
    connection = open_connection(alias, 0)
    with table(connection):
        with closing_connections():
            with block(alias):
                insert(connection, 1)
        assert is_closed(connection)
        assert numbers(alias) == [1]


@in_both_scopes
def test_block_left_open_by_the_body_is_rolled_back(alias, scope):
    """The next scope does not continue a transaction that a body did not end."""
    connection = open_connection(alias, None)
    with table(connection):
        with scope():
            leave_block_open(alias)
            insert(connection, 1)
        assert is_closed(connection)
        with scope():
            with new_block(alias):
                insert(connection, 2)
        assert numbers(alias) == [2]


def rows(scope):
    with scope():
        yield 1
        yield 2


def rows_of_a_context_manager(scope):
    @contextlib.contextmanager
    def job():
        with scope():
            yield

    with job():
        yield 1
        yield 2


def close(generator):
    generator.close()


def exhaust(generator):
    list(generator)


def collect(generator):
    gc.collect()


ENDS = [close, exhaust]
if sys.version_info >= (3, 4):  # before, a generator in a cycle is never ended
    ENDS.append(collect)


@since_django_16
@in_both_scopes
@pytest.mark.parametrize("end", ENDS)
@pytest.mark.parametrize("rows", [rows, rows_of_a_context_manager])
def test_generator_that_ends_in_a_block_of_its_consumer(server_alias, scope, end, rows):
    """The scope began before the block, and is not the one to end the transaction."""
    connection = open_connection(server_alias, None)
    with table(connection):
        generator = rows(scope)
        next(generator)
        if end is collect:
            generator = Cycle(generator) and None
        with new_block(server_alias):
            insert(connection, 1)
            end(generator)
            with scope():
                insert(connection, 2)
            insert(connection, 3)
        assert numbers(server_alias) == [1, 2, 3]


class Late(BaseException):
    """A time limit."""


@since_django_16
@in_both_scopes
@pytest.mark.parametrize("is_faulty", [False, True])
def test_interrupted_end_knows_a_later_block(
    server_alias, scope, is_faulty, monkeypatch
):
    """What the body left open is given up, and a block that begins later is not."""

    def interrupt(*args, **kwargs):
        raise Late

    connection = open_connection(server_alias, None)
    with table(connection):
        with pytest.raises(Late):
            with scope():
                if is_faulty:
                    leave_block_open(server_alias)
                    insert(connection, 0)
                monkeypatch.setattr(scopes, "are_healthy", interrupt)
                monkeypatch.setattr(scopes, "leave", interrupt)
        monkeypatch.undo()
        if is_faulty:
            with scope():
                assert is_closed(connection)
        with new_block(server_alias):
            insert(connection, 1)
            with scope():
                insert(connection, 2)
            insert(connection, 3)
        assert numbers(server_alias) == [1, 2, 3]


@since_django_16
@in_both_scopes
@pytest.mark.parametrize("kind", [None, ValueError])
def test_scope_left_by_hand_in_a_later_block_ends_the_block(server_alias, scope, kind):
    """Django refuses the rest of the block, and half a transaction is not written."""
    entered = scope()
    connection = open_connection(server_alias, None)
    with table(connection):
        entered.__enter__()
        with pytest.raises(utils.Error):
            with transaction.atomic(using=server_alias):
                insert(connection, 1)
                entered.__exit__(kind, kind and kind(), None)
                insert(connection, 2)
        assert numbers(server_alias) == []
        with scope():
            insert(connection, 3)
        assert numbers(server_alias) == [3]


@since_django_16
@in_both_scopes
def test_block_left_open_in_a_scope_by_hand_is_given_up(server_alias, scope):
    """The next scope begins without it."""
    connection = open_connection(server_alias, None)
    with table(connection):
        for number in range(3):
            entered = scope()
            entered.__enter__()
            if number < 2:
                leave_block_open(server_alias)
            insert(connection, number)
            entered.__exit__(None, None, None)
        assert numbers(server_alias) == [2]


@in_both_scopes
def test_context_manager_of_a_generator_gives_up_what_was_left_open(alias, scope):
    """contextlib ends such a generator where a with statement ends, after the body."""

    @contextlib.contextmanager
    def job():
        with scope():
            yield

    connection = open_connection(alias, None)
    with table(connection):
        with job():
            leave_block_open(alias)
            insert(connection, 1)
        assert is_closed(connection)
        assert numbers(alias) == []


@needs_on_commit
@in_both_scopes
def test_on_commit_runs_once(alias, scope):
    """Each on_commit function runs once, after the commit, in a scope or out of it."""
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


@needs_on_commit
def test_on_commit_of_a_block_left_open_never_runs(alias):
    """The commit of the next scope runs no on_commit function of a lost block."""
    done = []
    with fresh_connections():
        open_connection(alias, None)
        transaction.atomic(using=alias).__enter__()
        transaction.on_commit(lambda: done.append(1), using=alias)
    with fresh_connections(), transaction.atomic(using=alias):
        run(connections[alias], "SELECT 1")
    assert done == []


served = []  # the view's raw connection before its scopes, and after them


@fresh_connections
def view(request, alias):
    connection = connections[alias]
    insert(connection, 1)
    served.append(connection.connection)
    use_scopes(connection, 2)
    served.append(connection.connection)
    return HttpResponse("done")


urlpatterns = [re_path(r"^(\w+)/$", view)]


@pytest.mark.parametrize("max_age", [0, None])
def test_testcase_keeps_its_transaction(alias, max_age):
    """Scopes in a TestCase leave the connection of the test alone."""

    def body(case, name):
        connection = connections[name]
        run(connection, "CREATE TEMPORARY TABLE numbers (n INTEGER)")
        use_scopes(connection, 1)
        assert run(connection, "SELECT count(*) FROM numbers") == (2,)

    for name in ("default", alias):
        open_connection(name, max_age)
    in_test_case(TestCase, alias, body)


@pytest.mark.parametrize("max_age", [0, None])
def test_transactiontestcase_sees_what_was_committed(alias, max_age):
    """Blocks in scopes commit in a TransactionTestCase as they do elsewhere."""

    def body(case, name):
        for number, scope in enumerate(SCOPES):
            with scope(), new_block(name):
                insert(connections[name], number)
        assert numbers(name) == [0, 1]

    for name in ("default", alias):
        open_connection(name, max_age)
    with table(connections[usable_alias(alias)]):
        in_test_case(TransactionTestCase, alias, body)


def test_client_in_a_testcase_keeps_its_transaction(alias, own_urls):
    """A view in a scope writes in the test's transaction, through the test client."""

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


@since_django_16
@pytest.mark.parametrize("max_age", [0, None])
def test_atomic_requests_commit_what_scopes_wrote(alias, max_age, own_urls):
    """With ATOMIC_REQUESTS the view's transaction outlives the scopes in the view."""
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
        databases.tidy()  # until 1.7 only a new wrapper reads the setting
        connections[server_alias].settings_dict["AUTOCOMMIT"] = False
        yield open_connection(server_alias, None)


@since_django_16
def test_autocommit_false_is_kept(manual):
    """A scope keeps the session and the setting; the body commits by itself."""
    session = session_id(manual)
    for number in range(2):
        with fresh_connections():
            insert(manual, number)
            manual.commit()
    with fresh_connections():
        assert session_id(manual) == session
        assert manual.get_autocommit() is False
    assert numbers(manual.alias) == [0, 1]


@since_django_16
@pytest.mark.parametrize("idle", [None, 0])
def test_autocommit_false_keeps_the_session_in_mid_transaction(manual, idle):
    """close_stale_connections loses no row that is not committed yet."""
    manual.settings_dict["CONN_MAX_IDLE"] = idle
    insert(manual, 1)
    raw = manual.connection
    assert close_stale_connections() == []
    with guard_connections():
        insert(manual, 2)
    assert manual.connection is raw
    manual.commit()
    assert numbers(manual.alias) == [1, 2]


@since_django_16
def test_session_lost_in_mid_transaction_is_an_error(manual):
    """With AUTOCOMMIT False the guard does not go on in a new session."""
    insert(manual, 1)
    kill(manual)
    assert close_stale_connections() == []
    with pytest.raises(DatabaseError):
        with guard_connections():
            insert(manual, 2)


@since_django_16
def test_autocommit_false_session_is_replaced_at_the_begin(manual):
    """The begin of a scope is outside of a transaction: a lost session is replaced."""
    kill(manual)
    with fresh_connections():
        insert(manual, 1)
        manual.commit()
    assert numbers(manual.alias) == [1]


@since_django_16
@pytest.mark.parametrize("error", [ValueError(), KeyboardInterrupt()])
def test_autocommit_false_failed_body_is_rolled_back(manual, error):
    """The commit of the next body does not commit rows of a failed body."""
    with pytest.raises(type(error)):
        with fresh_connections():
            insert(manual, 1)
            raise error
    with fresh_connections():
        insert(manual, 2)
        manual.commit()
    assert numbers(manual.alias) == [2]


@since_django_16
def test_autocommit_false_failed_inner_body_leaves_the_outer_one(manual):
    """The rows of both bodies are the outer one's to commit."""
    with fresh_connections():
        insert(manual, 1)
        raw = manual.connection
        with pytest.raises(ValueError):
            with fresh_connections():
                insert(manual, 2)
                raise ValueError
        assert manual.connection is raw
        manual.commit()
    assert numbers(manual.alias) == [1, 2]


@since_django_16
@in_both_scopes
@pytest.mark.parametrize("fails", [False, True])
def test_autocommit_left_off_is_on_again(alias, scope, fails):
    """After a body that left autocommit off the next body has autocommit on."""
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
