"""What each Django does by itself: a new one that changes it is noticed here."""

from __future__ import absolute_import

import django
import django.db
import pytest
from databases import break_connection, kill, open_connection, run, session_id
from django.core import signals
from django.db import connections, transaction
from django.db.utils import DatabaseError

from django_compat._versions import used_connections

pytestmark = pytest.mark.everywhere
VERSION = django.VERSION[:2]


def receivers(signal):
    """Return the names of the functions that a signal calls."""
    found = [entry[1] for entry in signal.receivers]
    return {getattr(ref(), "__name__", "?") for ref in found}


def test_names_of_each_release():
    """Fact 1: the old name lives until 1.7, the new one begins with 1.6."""
    assert hasattr(django.db, "close_connection") is (VERSION < (1, 8))
    assert hasattr(django.db, "close_old_connections") is (VERSION >= (1, 6))


def test_receivers_of_each_release():
    """Fact 1: from 1.6 both request signals close old ones, before it only the last."""
    if VERSION < (1, 6):
        assert "close_connection" in receivers(signals.request_finished)
        assert receivers(signals.request_started) == {"reset_queries"}
        return
    assert "close_old_connections" in receivers(signals.request_started)
    assert "close_old_connections" in receivers(signals.request_finished)


def test_walk_creates_wrappers_until_django_40():
    """Fact 1: up to 4.0 Django's walk makes a wrapper for each alias it passes."""
    connections["default"]
    if "default_other" in used_connections():
        delattr(connections._connections, "default_other")
    signals.request_finished.send(sender=object)
    assert ("default_other" in used_connections()) is (VERSION < (4, 1))


def test_session_ended_while_idle_is_not_noticed(server_alias):
    """Fact 2: Django does not see before a job that the server hung up after the last.

    But for MySQL until 1.5.
    """
    connection = open_connection(server_alias, None)
    kill(connection)
    signals.request_started.send(sender=object)
    if VERSION < (1, 6) and connection.vendor == "mysql":
        # It pings, one round trip, before each cursor.
        assert run(connection, "SELECT 1") == (1,)
    else:
        with pytest.raises(DatabaseError):
            run(connection, "SELECT 1")


def test_persistent_connections_begin_with_django_16(server_alias):
    """Fact 2: until 1.5 each unit of work ends with every connection closed."""
    connection = open_connection(server_alias, None)
    kill(connection)
    signals.request_finished.send(sender=object)
    if VERSION < (1, 6):
        assert run(connection, "SELECT 1") == (1,)
    else:
        with pytest.raises(DatabaseError):
            run(connection, "SELECT 1")


if VERSION >= (1, 6):

    def test_atomic_block_loses_its_connection(alias):
        """Fact 3: close_old_connections closes inside atomic(), however young."""
        connection = open_connection(alias, None)
        with pytest.raises((django.db.Error, connection.Database.Error)):
            with transaction.atomic(using=alias):
                run(connection, "SELECT 1")
                django.db.close_old_connections()
                run(connection, "SELECT 1")
        assert run(connection, "SELECT 1") == (1,)

else:

    def test_managed_transaction_loses_its_state(alias):
        """Fact 3, until 1.5: close_connection ends the transaction of the block."""
        with pytest.raises(transaction.TransactionManagementError):
            with transaction.commit_on_success(using=alias):
                run(connections[alias], "SELECT 1")
                django.db.close_connection()


def test_close_of_one_that_raises_stops_the_loop(alias):
    """Fact 5: an alias that raises while closing keeps Django from the others."""
    opened = [open_connection(name, 0) for name in (alias, alias + "_other")]
    raws = [connection.connection for connection in opened]

    class Stubborn(object):
        """A raw connection whose close raises."""

        def __init__(self, raw):
            self.raw = raw

        def __getattr__(self, name):
            return getattr(self.raw, name)

        def close(self):
            raise RuntimeError("close")

    for connection in opened:
        connection.connection = Stubborn(connection.connection)
    with pytest.raises(RuntimeError):
        if VERSION < (1, 6):
            django.db.close_connection()
        else:
            django.db.close_old_connections()
    still_open = [c for c in opened if c.connection is not None]
    # Until 1.5 the one that raised keeps its raw connection too.
    assert len(still_open) == (2 if VERSION < (1, 6) else 1)
    for connection, raw in zip(opened, raws):
        connection.connection = raw


# What a second close of a raw raises, by the driver's package.
SECOND_CLOSE = {
    "MySQLdb": ("ProgrammingError", "InterfaceError", "OperationalError"),
    "pymysql": ("Error",),
    "psycopg2": (),
    "psycopg": (),
}


def test_close_of_a_dead_raw_raises_what_the_driver_likes(server_alias):
    """Fact 5: there is no one class for it, and some raise nothing."""
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


def test_a_new_session_replaces_the_closed_one(server_alias):
    """Fact 6: close, and the next statement opens another session by itself."""
    connection = open_connection(server_alias, None)
    before = session_id(connection)
    connection.close()
    assert session_id(connection) != before
