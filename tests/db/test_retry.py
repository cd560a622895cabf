"""retry_on_disconnect: what runs again after a lost connection, and what does not."""

from __future__ import absolute_import

import logging
import sys
import time
import traceback

import django
import pytest
from django.db import connections, transaction, utils
from django.db.utils import ConnectionDoesNotExist, DatabaseError
from django.test import TestCase
from django.utils.functional import SimpleLazyObject

from django_compat import (
    close_stale_connections,
    closing_connections,
    fresh_connections,
    is_disconnect,
    retry_on_disconnect,
)
from support.databases import kill, open_connection, run, session_id
from support.losses import (
    PERSISTS,
    LosingJob,
    counted_numbers,
    cut_at_the_answer,
    error_of,
    logged,
    open_with_cursor,
    since_django_16,
)
from support.testcases import in_test_case

pytestmark = pytest.mark.contract
LOGGER = "django_compat.disconnects"
GONE = (2006, "MySQL server has gone away")


def without_parentheses(job):
    @retry_on_disconnect
    def work(result):
        return job(result)

    return work("done")


def with_parentheses(job):
    @retry_on_disconnect()
    def work(result):
        return job(result)

    return work(result="done")


def with_arguments(job):
    @retry_on_disconnect(3, 0.001, 1.5, using=[job.alias])
    def work(result):
        return job(result)

    return work("done")


def method(job):
    class Worker(object):
        @retry_on_disconnect
        def work(self, result):
            assert isinstance(self, Worker)
            return job(result)

    return Worker().work("done")


FORMS = [without_parentheses, with_parentheses, with_arguments, method]


@pytest.mark.parametrize("form", FORMS)
def test_lost_connection_is_retried(server_alias, form, caplog):
    """The function runs again in a new session, and its result comes out."""
    job = LosingJob(server_alias)
    with caplog.at_level(logging.INFO, "django_compat"):
        assert form(job) == "done"
    assert job.calls == 2
    assert job.sessions[0] != job.sessions[1]
    ((level, text),) = logged(caplog, LOGGER)
    assert level == "WARNING"
    assert "attempt 1 of " in text and " of work " in text
    assert "to %r" % str(server_alias) in text or django.VERSION < (1, 6)
    assert repr(job.raised[0]) in text


def test_decorated_function_keeps_its_metadata():
    """The decorated function has the function's name, docstring and attributes."""

    def work(one, two=2):
        """Do the work."""
        return one, two

    work.queue = "slow"
    for retried in (retry_on_disconnect(work), retry_on_disconnect(2)(work)):
        assert retried.__wrapped__ is work
        assert (retried.__name__, retried.__doc__) == ("work", "Do the work.")
        assert retried.queue == "slow"
        assert retried(1, two=3) == (1, 3)


@pytest.mark.parametrize("attempts", [1, 3])
def test_last_error_comes_out_unchanged(server_alias, attempts, caplog):
    """The caller gets the last attempt's error, with its traceback and no context."""
    job = LosingJob(server_alias, losses=9)
    with pytest.raises(DatabaseError) as caught:
        retry_on_disconnect(attempts)(job.__call__)()
    assert job.calls == attempts
    assert caught.value is job.raised[-1]
    functions = [entry[2] for entry in traceback.extract_tb(caught.tb)]
    assert "__call__" in functions and functions[-1] != "retried"
    assert caught.value not in job.raised[:-1]
    assert getattr(caught.value, "__context__", None) not in job.raised
    assert len(logged(caplog, LOGGER)) == attempts - 1


def test_delay_grows_by_the_backoff(server_alias, caplog):
    """Each pause is ``backoff`` times the last one, and the warnings state it."""
    job = LosingJob(server_alias, losses=2)
    begun = time.time()
    retry_on_disconnect(attempts=3, delay=0.05, backoff=3)(job.__call__)()
    assert time.time() - begun >= 0.05 + 0.15
    ends = [text.rsplit(", ", 1)[1] for _, text in logged(caplog, LOGGER)]
    assert ends[0] == "again in 0.05 s" and ends[1].startswith("again in 0.15")


@pytest.mark.parametrize(
    "error",
    [
        DatabaseError(1213, "Deadlock found when trying to get lock"),
        DatabaseError(1205, "Lock wait timeout exceeded"),
        DatabaseError(1040, "Too many connections"),
        DatabaseError("could not serialize access"),
        utils.IntegrityError("duplicate key"),
        ValueError("no database"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_other_errors_are_not_retried(server_alias, error, caplog):
    """An error that is no disconnect comes out at once, and the session stays."""
    job = LosingJob(server_alias, error=error)
    with pytest.raises(type(error)) as caught:
        retry_on_disconnect(job.__call__)()
    assert caught.value is error
    assert job.calls == 1
    assert session_id(connections[server_alias]) == job.sessions[0]
    assert logged(caplog, LOGGER) == []


def check_not_retried(job, caplog, **options):
    """Let the job lose its connection; its first error has to come out."""
    with pytest.raises(Exception) as caught:
        retry_on_disconnect(**options)(job.__call__)()
    assert caught.value is job.raised[-1]
    assert is_disconnect(caught.value)
    assert job.calls == 1
    assert logged(caplog, LOGGER) == []


@since_django_16
@pytest.mark.parametrize("nested", [False, True])
def test_inside_atomic_nothing_is_retried(server_alias, nested, caplog):
    """Only the code that began the block can repeat all of the block."""
    job = LosingJob(server_alias)

    def work():
        if nested:
            nested.pop()
            with transaction.atomic(using=server_alias):
                work()
        check_not_retried(job, caplog)
        raise job.raised[-1]

    nested = [True] * nested
    with pytest.raises(utils.Error) as caught:
        with transaction.atomic(using=server_alias):
            work()
    assert is_disconnect(caught.value)


@since_django_16
@pytest.mark.parametrize("named", [False, True])
def test_inside_atomic_of_another_alias_nothing_is_retried(server_alias, named, caplog):
    """A retry would do the work on the other alias twice in one block."""
    job = LosingJob(server_alias)
    with transaction.atomic(using="default"):
        check_not_retried(job, caplog, using=server_alias if named else None)


@since_django_16
def test_with_autocommit_off_nothing_is_retried(server_alias, caplog):
    """Autocommit may be off by set_autocommit() or by the setting AUTOCOMMIT."""
    connection = open_connection(server_alias)
    connection.set_autocommit(False)
    check_not_retried(LosingJob(server_alias), caplog)
    connection.close()
    connection.settings_dict["AUTOCOMMIT"] = False
    check_not_retried(LosingJob(server_alias), caplog)


def test_in_a_test_case_nothing_is_retried(alias):
    """A TestCase has each test in a transaction."""
    calls = []

    @retry_on_disconnect
    def work():
        calls.append(True)
        raise DatabaseError(*GONE)

    def body(case, name):
        case.assertRaises(DatabaseError, work)

    in_test_case(TestCase, alias, body)
    assert len(calls) == 1
    with pytest.raises(DatabaseError):
        work()
    assert len(calls) == 3


@pytest.mark.skipif(
    django.VERSION >= (1, 8), reason="no commit_on_success() since Django 1.8"
)
@pytest.mark.parametrize("name", ["commit_on_success", "commit_manually"])
def test_inside_a_legacy_transaction_nothing_is_retried(server_alias, name, caplog):
    """The transaction blocks before atomic() are treated like atomic()."""
    job = LosingJob(server_alias)

    def work():
        try:
            check_not_retried(job, caplog)
        finally:
            connections[server_alias].close()
            transaction.set_clean(using=server_alias)

    getattr(transaction, name)(using=server_alias)(work)()


@since_django_16
def test_atomic_inside_the_function_is_retried(server_alias, counted, proxy, caplog):
    """The lost session rolled the first block back, so its row is there once."""
    calls = []

    @retry_on_disconnect(using=server_alias)
    def work():
        calls.append(True)
        with transaction.atomic(using=server_alias):
            run(connections[server_alias], "INSERT INTO counted VALUES (1)")
            if len(calls) == 1:
                proxy.cut()

    work()
    assert len(calls) == 2
    assert counted_numbers(server_alias) == [1]
    assert "to %r" % str(server_alias) in logged(caplog, LOGGER)[0][1]


@since_django_16
@pytest.mark.usefixtures("counted")
def test_statement_that_was_sent_may_be_done_twice(server_alias, proxy):
    """The documented limit: a statement whose answer was lost had its effect."""
    calls = []

    @retry_on_disconnect
    def work():
        calls.append(True)
        proxy.latency = 0
        cursor = connections[server_alias].cursor()
        if len(calls) == 1:
            cut_at_the_answer(proxy)
        cursor.execute("INSERT INTO counted SELECT COUNT(*) FROM counted")

    work()
    assert len(calls) == 2
    assert counted_numbers(server_alias) == [0, 1]


@since_django_16
def test_job_that_leaves_a_block_open_is_not_retried(server_alias):
    """The next attempt would run inside of that block."""
    calls = []

    @retry_on_disconnect
    def work():
        calls.append(True)
        connection, cursor = open_with_cursor(server_alias)
        transaction.atomic(using=server_alias).__enter__()
        kill(connection)
        cursor.execute("SELECT 1")

    assert is_disconnect(error_of(work))
    assert len(calls) == 1
    connection = connections[server_alias]
    connection.in_atomic_block = False
    connection.close()


@since_django_16
@pytest.mark.usefixtures("counted")
def test_open_transaction_of_a_failed_attempt_is_rolled_back(server_alias):
    """A row that an attempt wrote with autocommit off is not there after the retry."""
    calls = []
    other = server_alias + "_other"

    @retry_on_disconnect
    def work():
        calls.append(True)
        connection = open_connection(other, None)
        connection.set_autocommit(False)
        run(connection, "INSERT INTO counted VALUES (%d)" % len(calls))
        if len(calls) == 1:
            lost, cursor = open_with_cursor(server_alias)
            kill(lost)
            cursor.execute("SELECT 1")
        connection.commit()

    work()
    connections[other].close()
    assert counted_numbers(server_alias) == [2]


def test_retry_keeps_connections_that_work(server_alias):
    """A retry closes the dead connection, and no other, whatever ``using`` names."""
    other = open_connection(server_alias + "_other", None)
    session = session_id(other)
    for using in (None, server_alias, [server_alias, server_alias + "_other"]):
        raw = other.connection
        retry_on_disconnect(using=using)(LosingJob(server_alias).__call__)()
        assert other.connection is raw
    assert session_id(other) == session


@since_django_16
def test_alias_that_is_not_named_is_left_alone(server_alias, caplog):
    """The dead connection stays, so each attempt fails, and the error comes out."""
    job = LosingJob(server_alias)

    def work():
        if job.calls:
            run(connections[server_alias], "SELECT 1")
        job()

    retried = retry_on_disconnect(3, using=server_alias + "_other")(work)
    assert is_disconnect(error_of(retried))
    assert len(logged(caplog, LOGGER)) == 2
    assert "lost its connection (" in logged(caplog, LOGGER)[0][1]
    connections[server_alias].close()


@pytest.mark.parametrize("scope", [fresh_connections, closing_connections])
@pytest.mark.parametrize("inside", [False, True])
def test_scope_around_and_inside(server_alias, scope, inside, caplog):
    """A scope and a retry work in either order of their decorators."""
    job = LosingJob(server_alias)
    decorators = [scope, retry_on_disconnect]
    work = job.__call__
    for decorate in decorators if inside else reversed(decorators):
        work = decorate(work)
    assert work() == "done"
    assert job.calls == 2
    assert len(logged(caplog, LOGGER)) == 1
    if scope is closing_connections:
        assert connections[server_alias].connection is None
    elif PERSISTS:
        assert session_id(connections[server_alias]) == job.sessions[1]
    assert close_stale_connections() == []


def test_unknown_alias_is_djangos_error():
    """The call raises ConnectionDoesNotExist, and the function does not run."""
    work = retry_on_disconnect(using=["default", "nowhere"])(lambda: 1 / 0)
    with pytest.raises(ConnectionDoesNotExist):
        work()


BAD_ARGUMENTS = [
    ("attempts", [0, -1, 1.5, "2", None, True, 10**10], "whole number, 1 or more"),
    ("delay", [-1, "1", None, True, float("inf"), float("nan")], "seconds, 0 or more"),
    ("delay", [1e10, 10**10], "(at most 1000000000)"),
    ("backoff", [0.5, 0, "2", None, False, float("inf")], "number, 1 or more"),
    ("using", [1, [1], ["default", None], True, object()], "alias, several, or None"),
]


@pytest.mark.parametrize(
    "name, value, allowed",
    [(name, value, text) for name, values, text in BAD_ARGUMENTS for value in values],
)
def test_bad_argument_is_a_value_error(name, value, allowed):
    """The message names the argument, its value and what is allowed."""
    with pytest.raises(ValueError) as caught:
        retry_on_disconnect(**{name: value})
    assert "(%s=%r)" % (name, value) in str(caught.value)
    assert allowed in str(caught.value)


@pytest.mark.parametrize("name", ["attempts", "delay", "backoff"])
@pytest.mark.parametrize("value", [10**400, SimpleLazyObject(lambda: 2)])
def test_strange_number_is_a_value_error(name, value):
    """A number that no float can hold, and a lazy object, are named in a short line."""
    with pytest.raises(ValueError) as caught:
        retry_on_disconnect(**{name: value})
    assert str(caught.value).startswith("retry_on_disconnect(%s=" % name)
    assert len(str(caught.value)) < 250


@pytest.mark.parametrize("delay", [0.01, 1e-300])
def test_delay_that_nobody_can_wait_for_ends_the_retries(server_alias, delay):
    """The disconnect comes out, not the OverflowError of time.sleep()."""
    job = LosingJob(server_alias, losses=9)
    with pytest.raises(DatabaseError) as caught:
        retry_on_disconnect(attempts=10**9, delay=delay, backoff=1e200)(job.__call__)()
    assert caught.value is job.raised[-1]
    assert job.calls in (2, 3)


@pytest.mark.parametrize(
    "source",
    ["def work():\n    yield"]
    + ["async def work():\n    yield"] * (sys.version_info >= (3, 6)),
)
def test_generator_function_is_a_type_error(source):
    """A generator's body runs after the call, when nothing can repeat the body."""
    names = {}
    exec(source, names)
    for decorate in (retry_on_disconnect, retry_on_disconnect()):
        with pytest.raises(TypeError) as caught:
            decorate(names["work"])
        assert "generator" in str(caught.value)
    with pytest.raises(TypeError):
        retry_on_disconnect()(None)
