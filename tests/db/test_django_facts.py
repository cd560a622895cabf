"""The facts about Django itself on which this package stands: a change fails here."""

from __future__ import absolute_import

import django
import django.db
import pytest
from django.core import signals
from django.db import connections, transaction
from django.db.utils import DatabaseError

from django_compat._db.versions import used_connections
from support.databases import break_connection, kill, open_connection, run, session_id
from support.losses import UnwillingRaw, since_django_16

pytestmark = pytest.mark.contract
VERSION = django.VERSION[:2]


def receivers(signal):
    """Return the names of the functions that a signal calls."""
    references = [entry[1] for entry in signal.receivers]
    return {getattr(reference(), "__name__", "?") for reference in references}


def test_names_of_each_release():
    """close_connection lives until 1.7; close_old_connections begins with 1.6."""
    assert hasattr(django.db, "close_connection") is (VERSION < (1, 8))
    assert hasattr(django.db, "close_old_connections") is (VERSION >= (1, 6))


def test_receivers_of_each_release():
    """Since 1.6 both request signals close old connections, before only the last."""
    if VERSION < (1, 6):
        assert "close_connection" in receivers(signals.request_finished)
        assert receivers(signals.request_started) == {"reset_queries"}
        return
    assert "close_old_connections" in receivers(signals.request_started)
    assert "close_old_connections" in receivers(signals.request_finished)


def test_walk_creates_wrappers_until_django_40():
    """Until 4.0 Django makes a wrapper for each alias when it closes connections."""
    connections["default"]
    if "default_other" in used_connections():
        delattr(connections._connections, "default_other")
    signals.request_finished.send(sender=object)
    assert ("default_other" in used_connections()) is (VERSION < (4, 1))


def test_session_ended_while_idle_is_not_noticed(server_alias):
    """Django does not notice at a request's begin that the server ended the session.

    Until 1.5 MySQL's backend does.
    """
    connection = open_connection(server_alias, None)
    kill(connection)
    signals.request_started.send(sender=object)
    if VERSION < (1, 6) and connection.vendor == "mysql":
        # The backend pings before each cursor, which is a round trip.
        assert run(connection, "SELECT 1") == (1,)
    else:
        with pytest.raises(DatabaseError):
            run(connection, "SELECT 1")


def test_persistent_connections_begin_with_django_16(server_alias):
    """Until 1.5 Django closes every connection at the end of a request."""
    connection = open_connection(server_alias, None)
    kill(connection)
    signals.request_finished.send(sender=object)
    if VERSION < (1, 6):
        assert run(connection, "SELECT 1") == (1,)
    else:
        with pytest.raises(DatabaseError):
            run(connection, "SELECT 1")


@since_django_16
def test_atomic_block_loses_its_connection(alias):
    """close_old_connections closes inside atomic(), even a young connection."""
    connection = open_connection(alias, None)
    with pytest.raises((django.db.Error, connection.Database.Error)):
        with transaction.atomic(using=alias):
            run(connection, "SELECT 1")
            django.db.close_old_connections()
            run(connection, "SELECT 1")
    assert run(connection, "SELECT 1") == (1,)


@pytest.mark.skipif(VERSION >= (1, 6), reason="atomic() since Django 1.6")
def test_managed_transaction_loses_its_state(alias):
    """Until 1.5 close_connection ends the transaction of the block."""
    with pytest.raises(transaction.TransactionManagementError):
        with transaction.commit_on_success(using=alias):
            run(connections[alias], "SELECT 1")
            django.db.close_connection()


def test_close_that_raises_keeps_the_other_aliases_open(alias):
    """Django stops closing connections at the first close that raises."""
    opened = [open_connection(name, 0) for name in (alias, alias + "_other")]
    raws = [connection.connection for connection in opened]
    for connection, raw in zip(opened, raws):
        connection.connection = UnwillingRaw(raw, RuntimeError("close"))
    with pytest.raises(RuntimeError):
        if VERSION < (1, 6):
            django.db.close_connection()
        else:
            django.db.close_old_connections()
    still_open = [each for each in opened if each.connection is not None]
    # Until 1.5 the connection whose close raised keeps its raw connection, too.
    assert len(still_open) == (2 if VERSION < (1, 6) else 1)
    for connection, raw in zip(opened, raws):
        connection.connection = raw


# The errors of a second close of a raw connection, by the driver's package.
SECOND_CLOSE = {
    "MySQLdb": ("ProgrammingError", "InterfaceError", "OperationalError"),
    "pymysql": ("Error",),
    "psycopg2": (),
    "psycopg": (),
}


def test_second_close_of_a_dead_raw_raises_an_error_of_each_driver(server_alias):
    """Each driver has another class for the error, and some raise nothing."""
    connection = open_connection(server_alias, None)
    raw = connection.connection
    break_connection(connection)
    try:
        raw.close()
        raw.close()
        raised = None
    except Exception as error:
        raised = type(error).__name__
    expected = SECOND_CLOSE[type(raw).__module__.split(".")[0]]
    assert raised in expected if expected else raised is None


def test_next_statement_after_a_close_opens_a_session(server_alias):
    """After close() Django opens another session for the next statement."""
    connection = open_connection(server_alias, None)
    before = session_id(connection)
    connection.close()
    assert session_id(connection) != before
