"""close_old_connections, close_connection and close_all_connections."""

from __future__ import absolute_import

import logging
import sys
import time

import django.db
import pytest
from django.core import signals
from django.db import connections
from django.db.utils import ConnectionDoesNotExist, DatabaseError

from django_compat import (
    close_all_connections,
    close_connection,
    close_old_connections,
    close_stale_connections,
)
from django_compat._db import closing
from django_compat._db.versions import used_connections
from support.databases import (
    break_connection,
    in_a_thread,
    kill,
    open_connection,
    run,
    wait_for,
)
from support.losses import PERSISTS, UnwillingRaw, is_closed, logged, reconnects

pytestmark = [
    pytest.mark.contract,
    pytest.mark.filterwarnings("ignore:close_connection"),
]


@pytest.fixture(params=["django", "ours"] if PERSISTS else ["django"])
def close_old(request):
    """Django's function, and ours for a future Django that has none."""
    if request.param == "django":
        return close_old_connections
    return closing.close_old_connections


def check_kept(connection, raw):
    """The connection is open, and the same; until 1.5 Django has closed all."""
    assert connection.connection is (raw if PERSISTS else None)


def test_close_old_connections_is_djangos_own_object():
    """The import gives Django's object: close_connection on Django 1.4 and 1.5."""
    name = "close_old_connections" if PERSISTS else "close_connection"
    assert close_old_connections is getattr(django.db, name)


def test_close_connection_is_djangos_own_object_where_django_has_it():
    """Until 1.7 close_connection is Django's object, from 1.8 on ours."""
    if hasattr(django.db, "close_connection"):
        assert close_connection is django.db.close_connection
    else:
        assert close_connection is closing.close_connection


@pytest.mark.parametrize("max_age", [60, None, 3600.5])
def test_close_old_keeps_the_young(alias, close_old, max_age):
    """A connection younger than CONN_MAX_AGE stays open, with its raw connection."""
    connection = open_connection(alias, max_age)
    raw = connection.connection
    close_old()
    check_kept(connection, raw)


def test_close_old_closes_the_old(alias, close_old):
    """A connection is closed when it is older than CONN_MAX_AGE, here a float."""
    begun = time.time()
    connection = open_connection(alias, 0.25)
    opened, raw = time.time(), connection.connection
    close_old()
    if time.time() < begun + 0.25:  # a busy machine may take longer
        check_kept(connection, raw)
    wait_for(lambda: time.time() > opened + 0.25)
    close_old()
    assert is_closed(connection)


def test_close_old_closes_at_age_zero(alias, close_old):
    """With CONN_MAX_AGE 0 the call closes every connection."""
    connection = open_connection(alias, 0)
    close_old()
    assert is_closed(connection)


def test_close_old_closes_the_broken(server_alias, close_old):
    """A connection is closed, young or not, after an error because of a lost session.

    The exception is an old PyMySQL: its ping() reconnects, so Django keeps it.
    """
    connection = open_connection(server_alias, None)
    stays = PERSISTS and reconnects(connection.connection)
    break_connection(connection)
    close_old()
    assert is_closed(connection) is not stays
    assert run(connection, "SELECT 1") == (1,)


def test_close_old_keeps_what_works_after_an_error(alias, close_old):
    """A connection that works stays open after a statement that failed."""
    connection = open_connection(alias, None)
    raw = connection.connection
    with pytest.raises(DatabaseError):
        run(connection, "SELECT nothing FROM nowhere")
    close_old()
    check_kept(connection, raw)


def test_close_old_looks_at_every_alias(alias, close_old):
    """Each alias has its own CONN_MAX_AGE."""
    young = open_connection(alias, 60)
    old = open_connection(alias + "_other", 0)
    close_old()
    assert is_closed(old)
    assert is_closed(young) is (not PERSISTS)


def test_close_connection_closes_the_young(alias):
    """close_connection closes all connections now, whatever CONN_MAX_AGE says."""
    opened = [open_connection(alias, None), open_connection(alias + "_other", 60)]
    close_connection()
    assert [is_closed(connection) for connection in opened] == [True, True]


def test_both_functions_take_the_arguments_of_a_signal(alias):
    """Both functions may be receivers: they ignore the signal's arguments."""
    connection = open_connection(alias, 0)
    close_connection(signal=None, sender=object)
    assert is_closed(connection)
    open_connection(alias, 0)
    close_old_connections(signal=None, sender=object)
    assert is_closed(connection)


@pytest.mark.parametrize(
    "close", [close_old_connections, close_connection, close_all_connections]
)
def test_a_thread_closes_only_its_own_connections(alias, close):
    """The connections of another thread stay open and usable."""
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
    """Disconnecting the imported function disconnects Django's own receiver."""
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
    """Connecting the imported function adds no second receiver where Django has one."""
    signal = getattr(signals, name)
    before = len(signal.receivers)
    signal.connect(close_old_connections)
    added = len(signal.receivers) - before
    connection = open_connection(alias, 0)
    signal.send(sender=object)
    assert is_closed(connection)
    if name == "request_started" and not PERSISTS:
        signal.disconnect(close_old_connections)
        assert added == 1
    else:
        assert added == 0


def test_close_all_closes_whatever_the_age(alias):
    """Every open connection of this thread is closed, whatever CONN_MAX_AGE says."""
    opened = [open_connection(alias, None), open_connection(alias + "_other", 60)]
    close_all_connections()
    assert [is_closed(connection) for connection in opened] == [True, True]


@pytest.mark.parametrize("in_list", [False, True])
def test_close_all_closes_the_named_aliases_only(alias, in_list):
    """``using`` is an alias or a list of aliases."""
    named = open_connection(alias, None)
    other = open_connection(alias + "_other", None)
    close_all_connections(using=[alias] if in_list else alias)
    assert is_closed(named)
    assert not is_closed(other)


def test_close_all_raises_djangos_error_for_an_unknown_alias(alias):
    """An alias that is not in DATABASES is Django's error, and nothing is closed."""
    connection = open_connection(alias, None)
    with pytest.raises(ConnectionDoesNotExist):
        close_all_connections([alias, "nowhere"])
    assert not is_closed(connection)


def test_close_all_creates_no_wrapper():
    """An alias that this thread never used gets no wrapper."""

    def work():
        close_all_connections()
        close_all_connections("default_other")
        return used_connections()

    assert in_a_thread(work) == {}


def test_close_all_sees_an_alias_that_is_not_configured(alias):
    """A connection whose alias is not in DATABASES is closed like the others."""
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
    """A connection that another thread opened stays open, and a warning says so."""
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
    assert issubclass(caplog.records[0].exc_info[0], DatabaseError)
    raw.close()


def test_close_stale_leaves_another_threads_lost_connection_alone(server_alias):
    """It stays where it is, and is not among what was closed."""

    def lose():
        lost = open_connection(server_alias, None)
        kill(lost)
        return lost

    connection = in_a_thread(lose)
    raw = connection.connection
    connections["borrowed"] = connection
    try:
        assert close_stale_connections() == []
    finally:
        delattr(connections._connections, "borrowed")
    assert connection.connection is raw
    raw.close()


def test_close_all_closes_what_another_thread_shares(alias):
    """A test may lend its connection to a thread: close() works there, as Django's."""
    connection = open_connection(alias, None)
    if hasattr(connection, "inc_thread_sharing"):
        connection.inc_thread_sharing()
    else:  # before Django 2.2
        connection.allow_thread_sharing = True

    def work():
        connections[alias] = connection
        close_all_connections()
        return is_closed(connection)

    assert in_a_thread(work)


def test_close_all_survives_a_dead_raw(server_alias, caplog):
    """A raw connection that was killed and closed does not keep the others open."""
    dead = open_connection(server_alias, None)
    alive = open_connection(server_alias + "_other", None)
    break_connection(dead)
    raises = False
    try:
        for _ in range(2):
            dead.connection.close()  # as drivers do after an error
    except Exception:  # each driver has its own class, and some raise nothing
        raises = True
    with caplog.at_level(logging.WARNING, "django_compat.connections"):
        close_all_connections()
    assert is_closed(dead) and is_closed(alive)
    assert [level for level, _ in logged(caplog)] == ["WARNING"] * raises
    assert all(repr(server_alias) in text for _, text in logged(caplog))
    assert all(record.exc_info[1] for record in caplog.records)
    assert run(dead, "SELECT 1") == (1,)


def test_close_all_drops_a_raw_whose_close_raises(alias, caplog):
    """A raw whose close fails is dropped and logged; the others are closed."""
    failing = open_connection(alias, None)
    # Until 1.5 only the module of the wrapper names the driver.
    driver = sys.modules[type(failing).__module__].Database
    other = open_connection(alias + "_other", None)
    raw = failing.connection
    error = driver.InterfaceError("connection already closed")
    failing.connection = UnwillingRaw(raw, error)
    close_all_connections()
    raw.close()
    assert is_closed(failing) and is_closed(other)
    assert "closing %r failed" % alias in caplog.text
    assert "connection already closed" in caplog.text
    assert run(failing, "SELECT 1") == (1,)
