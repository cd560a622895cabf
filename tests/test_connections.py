"""The meaning of the two names, and of close_all_connections, on real servers."""

from __future__ import absolute_import

import logging
import time

import django.db
import pytest
from databases import break_connection, in_a_thread, open_connection, run, wait_for
from django.core import signals
from django.db import connections
from django.db.utils import ConnectionDoesNotExist, DatabaseError

import django_compat
from django_compat import (
    close_all_connections,
    close_connection,
    close_old_connections,
)
from django_compat._versions import used_connections

# Django 1.4 and 1.5 know no persistent connections: theirs closes everything.
CLOSES_ALL = not hasattr(django.db, "close_old_connections")
IS_DJANGOS = hasattr(django.db, "close_connection")
OURS = django_compat.connections

pytestmark = [
    pytest.mark.everywhere,
    pytest.mark.filterwarnings("ignore:close_connection"),
]


@pytest.fixture(params=["django"] if CLOSES_ALL else ["django", "ours"])
def close_old(request):
    """What the import line gives, and our equal for a Django that has it no more."""
    if request.param == "django":
        return close_old_connections
    return OURS.close_old_connections


def is_closed(connection):
    return connection.connection is None


def test_close_old_connections_is_djangos_own_object():
    """The import line gives Django's object, or its predecessor's on 1.4 and 1.5."""
    name = "close_connection" if CLOSES_ALL else "close_old_connections"
    assert close_old_connections is getattr(django.db, name)


def test_close_connection_is_djangos_own_object_where_django_has_it():
    """Until 1.7 the old name is Django's object, from 1.8 ours."""
    if IS_DJANGOS:
        assert close_connection is django.db.close_connection
    else:
        assert close_connection is OURS.close_connection


@pytest.mark.parametrize("max_age", [60, None, 3600.5])
def test_close_old_keeps_the_young(alias, close_old, max_age):
    """A connection younger than CONN_MAX_AGE stays open, with its raw connection."""
    connection = open_connection(alias, max_age)
    raw = connection.connection
    close_old()
    assert is_closed(connection) if CLOSES_ALL else connection.connection is raw


def test_close_old_closes_the_old(alias, close_old):
    """A connection past its CONN_MAX_AGE, a float here, is closed."""
    begun = time.time()
    connection = open_connection(alias, 0.25)
    opened, raw = time.time(), connection.connection
    close_old()
    if time.time() < begun + 0.25:  # a busy machine may take longer
        assert is_closed(connection) if CLOSES_ALL else connection.connection is raw
    wait_for(lambda: time.time() > opened + 0.25)
    close_old()
    assert is_closed(connection)


def test_close_old_closes_at_age_zero(alias, close_old):
    """With CONN_MAX_AGE 0 no connection outlives the call."""
    connection = open_connection(alias, 0)
    close_old()
    assert is_closed(connection)


def test_close_old_closes_the_broken(server_alias, close_old):
    """A connection that failed because the server ended it is closed, young or not.

    But for a PyMySQL whose ping, which is to tell, silently opens another session.
    """
    connection = open_connection(server_alias, None)
    ping = getattr(connection.connection, "ping", None)
    revives = getattr(ping, "__defaults__", None) == (True,)
    break_connection(connection)
    close_old()
    assert is_closed(connection) is (CLOSES_ALL or not revives)
    assert run(connection, "SELECT 1") == (1,)


def test_close_old_keeps_what_works_after_an_error(alias, close_old):
    """An error of the statement's own does not cost the connection."""
    connection = open_connection(alias, None)
    raw = connection.connection
    with pytest.raises(DatabaseError):
        run(connection, "SELECT nothing FROM nowhere")
    close_old()
    assert is_closed(connection) if CLOSES_ALL else connection.connection is raw


def test_close_old_looks_at_every_alias(alias, close_old):
    """Each alias has an age of its own."""
    young = open_connection(alias, 60)
    old = open_connection(alias + "_other", 0)
    close_old()
    assert is_closed(old)
    assert is_closed(young) is CLOSES_ALL


def test_close_connection_closes_the_young(alias):
    """The old name closes everything now, whatever CONN_MAX_AGE says."""
    opened = [open_connection(alias, None), open_connection(alias + "_other", 60)]
    close_connection()
    assert [is_closed(connection) for connection in opened] == [True, True]


def test_close_connection_takes_what_a_signal_sends(alias):
    """Both names serve as receivers: what a signal sends along is ignored."""
    connection = open_connection(alias, 0)
    close_connection(signal=None, sender=object)
    assert is_closed(connection)
    open_connection(alias, 0)
    close_old_connections(signal=None, sender=object)
    assert is_closed(connection)


@pytest.mark.parametrize(
    "close", [close_old_connections, close_connection, close_all_connections]
)
def test_a_thread_closes_only_its_own(alias, close):
    """What another thread has open stays open, and is not even looked at."""
    ours = open_connection(alias, 0)
    raw = ours.connection

    def work():
        theirs = open_connection(alias, 0)
        close()
        return theirs is not ours and is_closed(theirs)

    assert in_a_thread(work)
    assert ours.connection is raw
    assert run(ours, "SELECT 1") == (1,)


def test_close_old_detaches_from_the_signals_by_identity(alias):
    """Who detaches the imported object has detached Django's own receiver."""
    connection = open_connection(alias, 0)
    signals.request_finished.disconnect(close_old_connections)
    try:
        signals.request_finished.send(sender=object)
        assert not is_closed(connection)
    finally:
        signals.request_finished.connect(close_old_connections)
    signals.request_finished.send(sender=object)
    assert is_closed(connection)


@pytest.mark.parametrize("name", ["request_started", "request_finished"])
def test_close_old_attached_again_runs_once(alias, name):
    """To attach the imported object adds no second receiver where Django has one."""
    signal = getattr(signals, name)
    before = len(signal.receivers)
    signal.connect(close_old_connections)
    added = len(signal.receivers) - before
    connection = open_connection(alias, 0)
    signal.send(sender=object)
    assert is_closed(connection)
    if CLOSES_ALL and name == "request_started":
        signal.disconnect(close_old_connections)
        assert added == 1
    else:
        assert added == 0


def test_close_all_closes_whatever_the_age(alias):
    """Every open connection of this thread is closed."""
    opened = [open_connection(alias, None), open_connection(alias + "_other", 60)]
    close_all_connections()
    assert [is_closed(connection) for connection in opened] == [True, True]


@pytest.mark.parametrize("several", [False, True])
def test_close_all_closes_what_is_named(alias, several):
    """An alias, or several, and no other."""
    named = open_connection(alias, None)
    other = open_connection(alias + "_other", None)
    close_all_connections(using=[alias] if several else alias)
    assert is_closed(named)
    assert not is_closed(other)


def test_close_all_raises_djangos_error_for_an_unknown_alias(alias):
    """An alias that nobody configured is Django's error, before anything is closed."""
    connection = open_connection(alias, None)
    with pytest.raises(ConnectionDoesNotExist):
        close_all_connections([alias, "nowhere"])
    assert not is_closed(connection)


def test_close_all_creates_no_wrapper():
    """An alias that this thread never used is left unused."""

    def work():
        close_all_connections()
        close_all_connections("default_other")
        return used_connections()

    assert in_a_thread(work) == {}


def test_close_all_sees_an_alias_that_is_not_configured(alias):
    """A connection whose alias is missing from DATABASES is closed like the others."""
    connection = open_connection(alias, None)
    connections["tenant"] = connection
    try:
        close_all_connections("tenant")
        assert is_closed(connection)
        run(connection, "SELECT 1")
        close_all_connections()
        assert is_closed(connection)
    finally:
        delattr(connections._connections, "tenant")


def test_close_all_leaves_another_threads_connection_alone(alias, caplog):
    """One that somebody put here from another thread is logged, and stays open."""
    connection = in_a_thread(lambda: open_connection(alias, None))
    raw = connection.connection
    mine = open_connection(alias + "_other", None)
    connections["borrowed"] = connection
    try:
        close_all_connections()
    finally:
        delattr(connections._connections, "borrowed")
    assert connection.connection is raw
    assert is_closed(mine)
    assert "another thread" in caplog.text
    raw.close()


def close_raw(connection):
    """Close the raw connection behind Django's back, as drivers do after an error."""
    connection.connection.close()


def test_close_all_survives_a_dead_raw(server_alias, caplog):
    """After KILL, a failed query and a close by the driver, the rest is closed."""
    dead = open_connection(server_alias, None)
    alive = open_connection(server_alias + "_other", None)
    break_connection(dead)
    error = None
    try:
        close_raw(dead)
        close_raw(dead)
    except Exception as raised:
        error = raised
    with caplog.at_level(logging.WARNING, "django_compat.connections"):
        close_all_connections()
    assert is_closed(dead) and is_closed(alive)
    logged = [r for r in caplog.records if r.name == "django_compat.connections"]
    if error is not None:
        assert [record.levelname for record in logged] == ["WARNING"]
        assert repr(server_alias) in logged[0].getMessage()
        assert logged[0].exc_info[1] is not None
    else:
        assert logged == []
    assert run(dead, "SELECT 1") == (1,)


def test_close_all_drops_a_raw_whose_close_raises(alias, caplog):
    """One that fails is logged with its alias and dropped; the others are closed."""

    class Stubborn(object):
        """A raw connection whose close raises, as every driver's may."""

        def __init__(self, raw):
            self.raw = raw

        def __getattr__(self, name):
            return getattr(self.raw, name)

        def close(self):
            raise failing.Database.InterfaceError("connection already closed")

    failing = open_connection(alias, None)
    if not hasattr(failing, "Database"):  # before Django 1.6
        failing.Database = __import__(
            type(failing).__module__, fromlist=["Database"]
        ).Database
    other = open_connection(alias + "_other", None)
    raw = failing.connection
    failing.connection = Stubborn(raw)
    close_all_connections()
    raw.close()
    assert is_closed(failing) and is_closed(other)
    assert "closing %r failed" % alias in caplog.text
    assert "connection already closed" in caplog.text
    assert run(failing, "SELECT 1") == (1,)
