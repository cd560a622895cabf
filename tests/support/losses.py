"""Connections that tests make fail: ended sessions, cuts, raws that do not close."""

from __future__ import absolute_import

import threading

import django
import pytest

from django_compat._db.probe import DEAD, liveness
from support.databases import (
    administration,
    end_session,
    kill,
    open_connection,
    session_id,
    wait_for,
)

# Django 1.6 brought CONN_MAX_AGE, atomic() and autocommit. Until 1.5 every connection
# is closed at the end of a unit of work, and Django's errors do not name the driver's.
PERSISTS = django.VERSION >= (1, 6)
since_django_16 = pytest.mark.skipif(
    not PERSISTS, reason="no CONN_MAX_AGE and no atomic() before Django 1.6"
)


def is_closed(connection):
    return connection.connection is None


def is_hung_up(connection):
    return liveness(connection) is DEAD


def hang_up(*opened):
    """Kill the sessions of connections, and wait until this side knows of each end."""
    for connection in opened:
        kill(connection)
    wait_for(lambda: all(is_hung_up(connection) for connection in opened))


def end_from_outside(connection):
    """End a session by the server's other alias; wait until this side knows of it."""
    end_session(connection.alias + "_other", session_id(connection))
    wait_for(lambda: is_hung_up(connection))


def logged(caplog, logger="django_compat.connections"):
    """Return level and text of each record of a logger."""
    records = [record for record in caplog.records if record.name == logger]
    return [(record.levelname, record.getMessage()) for record in records]


class UnwillingRaw(object):
    """A raw connection whose close() raises an error; everything else works."""

    def __init__(self, raw, error):
        self.__dict__.update(_raw=raw, _error=error)

    def __getattr__(self, name):
        return getattr(self._raw, name)

    def __setattr__(self, name, value):
        setattr(self._raw, name, value)

    def close(self):
        raise self._error


def reconnects(raw):
    """Tell whether ping() reconnects by default, as that of an old PyMySQL does."""
    return getattr(getattr(raw, "ping", None), "__defaults__", None) == (True,)


def error_of(function):
    """Return the error that a function raises."""
    try:
        function()
    except Exception as error:
        return error
    raise AssertionError("no error")


def open_with_cursor(alias):
    """Return an open connection and a cursor: until 1.5 Django pings for each."""
    connection = open_connection(alias, None)
    return connection, connection.cursor()


def meanwhile(condition, act):
    """Do something in another thread as soon as a condition holds."""

    def wait():
        wait_for(condition)
        act()

    thread = threading.Thread(target=wait)
    thread.daemon = True
    thread.start()
    return thread


def cut_at_the_answer(proxy):
    """Cut when the server has answered the next statement, and lose the answer."""
    chunks = proxy.received[-1]
    before = len(chunks)
    proxy.latency = 0.1
    return meanwhile(lambda: len(chunks) > before, proxy.cut)


def counted_numbers(alias):
    """Return the numbers in the table ``counted``."""
    with administration(alias) as admin:
        cursor = admin.cursor()
        cursor.execute("SELECT number FROM counted ORDER BY number")
        return [row[0] for row in cursor.fetchall()]


class LosingJob(object):
    """A job that loses its connection in its first calls, or raises an error."""

    def __init__(self, alias, losses=1, error=None):
        self.alias, self.losses, self.error = alias, losses, error
        self.raised, self.sessions = [], []

    def __call__(self, result="done"):
        connection = open_connection(self.alias, None)
        self.sessions.append(session_id(connection))
        try:
            if self.error is not None:
                raise self.error
            if len(self.sessions) <= self.losses:
                cursor = connection.cursor()  # until 1.5 Django pings for each
                kill(connection)
                cursor.execute("SELECT 1")
        except Exception as error:
            self.raised.append(error)
            raise
        return result

    @property
    def calls(self):
        return len(self.sessions)
