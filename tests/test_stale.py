"""Connections that the server hung up, that idled too long, and those that did not."""

from __future__ import absolute_import

import functools
import logging
import random
import sys
import threading
import time

import django
import pytest
from corners import IS_CORNER
from databases import (
    KILL,
    kill,
    observe,
    open_connection,
    run,
    session_id,
    sessions,
    tidy,
    wait_for,
)
from django.core.exceptions import ImproperlyConfigured
from django.db import connections
from django.db.utils import ConnectionDoesNotExist, DatabaseError

from django_compat import (
    close_all_connections,
    close_stale_connections,
    fresh_connections,
)
from django_compat._versions import used_connections
from django_compat.liveness import DEAD, liveness
from django_compat.staleness import FORKED, HUNG_UP, IDLE, UNUSABLE

# Django 1.4 and 1.5 close every connection at the end of a unit of work.
KEEPS = django.VERSION >= (1, 6)

LOGGER = "django_compat.connections"


def is_closed(connection):
    return connection.connection is None


def begin_fresh():
    """Begin a unit of work; its end is of no interest."""
    fresh_connections().__enter__().__exit__(None, None, None)


def is_hung_up(connection):
    return liveness(connection) is DEAD


def killed(found):
    """Kill the sessions of connections, and wait until each has heard of it."""
    for connection in found:
        kill(connection)
    wait_for(lambda: all(is_hung_up(connection) for connection in found))
    return found


def logged(caplog):
    """Return level and text of what the logger of the connections was told."""
    found = [record for record in caplog.records if record.name == LOGGER]
    return [(record.levelname, record.getMessage()) for record in found]


@pytest.fixture
def opened(server_alias):
    """Open connections with CONN_MAX_AGE 0, 60 and None when they are asked for."""
    third = server_alias + "_third"

    def open_all():
        settings = dict(connections.databases[server_alias])
        connections.databases[third] = settings
        ages = [(server_alias, 0), (server_alias + "_other", 60), (third, None)]
        return [open_connection(alias, age) for alias, age in ages]

    yield open_all
    if third in connections.databases:
        connections[third].close()
        delattr(connections._connections, third)
        del connections.databases[third]


def by_kill(request, found):
    """KILL, and pg_terminate_backend."""
    for connection in found:
        kill(connection)


def by_time_out(request, found):
    """wait_timeout, and idle_session_timeout, which PostgreSQL has from 14 on."""
    ids = set()
    for connection in found:
        ids.add(session_id(connection))
        if connection.vendor == "mysql":
            run(connection, "SET SESSION wait_timeout = 1")
        else:
            run(connection, "SET idle_session_timeout = 50")
            if not KEEPS:  # there it would count as idle in a transaction
                connection.connection.commit()
    wait_for(lambda: not ids & sessions(found[0].alias))


def by_restart(request, found):
    """A restart of the server, as for an update."""
    request.getfixturevalue("spare").restart()


def by_cut(request, found):
    """A proxy that closes."""
    request.getfixturevalue("proxy").cut()


def by_reset(request, found):
    """A proxy that resets."""
    request.getfixturevalue("proxy").reset()


@pytest.fixture(params=[by_kill, by_time_out, by_restart, by_cut, by_reset])
def hung_up(request, opened):
    """Three connections that the server hung up while nobody looked."""
    if request.param is by_restart:
        request.getfixturevalue("spare")
    elif request.param in (by_cut, by_reset):
        request.getfixturevalue("proxy")
    found = opened()
    request.param(request, found)
    wait_for(lambda: all(is_hung_up(connection) for connection in found))
    return found


@pytest.mark.everywhere
def test_fresh_connections_replaces_what_hung_up(hung_up, caplog):
    """Whatever ended them, the next job's first query on each succeeds."""
    with caplog.at_level(logging.INFO, LOGGER):
        with fresh_connections():
            for connection in hung_up:
                assert run(connection, "SELECT 1") == (1,)
    expected = ["closed %r: %s" % (each.alias, HUNG_UP) for each in hung_up]
    assert sorted(logged(caplog)) == sorted(("INFO", text) for text in expected)


@pytest.mark.everywhere
def test_close_stale_tells_what_hung_up(opened, caplog):
    """It returns each alias with the reason, and logs each once, at INFO."""
    hung_up = killed(opened())
    with caplog.at_level(logging.INFO, LOGGER):
        found = close_stale_connections()
    assert sorted(found) == sorted((each.alias, HUNG_UP) for each in hung_up)
    assert [level for level, text in logged(caplog)] == ["INFO"] * 3
    for alias, reason in found:
        assert ("INFO", "closed %r: %s" % (alias, reason)) in logged(caplog)
    for connection in hung_up:
        assert is_closed(connection)
        assert run(connection, "SELECT 1") == (1,)
    assert close_stale_connections() == []


def test_one_job_fails_without_us(server_alias):
    """The negative: what the functions above repair is really broken."""
    connection = open_connection(server_alias, None)
    cursor = connection.cursor()  # before: until 1.5 Django pings MySQL for each cursor
    kill(connection)
    with pytest.raises(DatabaseError):
        cursor.execute("SELECT 1")


def test_close_stale_leaves_what_works(alias, caplog):
    """A connection that works stays the same, whatever its CONN_MAX_AGE."""
    found = [open_connection(alias, 0), open_connection(alias + "_other", None)]
    raws = [connection.connection for connection in found]
    with caplog.at_level(logging.DEBUG, LOGGER):
        assert close_stale_connections() == []
    assert [connection.connection for connection in found] == raws
    assert logged(caplog) == []


if KEEPS:

    def test_fresh_connections_leaves_what_works(alias, caplog):
        """So it does in a scope, and after it."""
        connection = open_connection(alias, 60)
        raw = connection.connection
        with caplog.at_level(logging.DEBUG, LOGGER):
            for _ in range(3):
                with fresh_connections():
                    assert run(connection, "SELECT 1") == (1,)
        assert connection.connection is raw
        assert logged(caplog) == []


@pytest.mark.everywhere
def test_reasons_are_constants():
    """Four texts that differ, to be compared and to be read."""
    reasons = {FORKED, HUNG_UP, IDLE, UNUSABLE}
    assert len(reasons) == 4
    assert all(isinstance(reason, str) and reason for reason in reasons)


@pytest.mark.parametrize("several", [False, True])
def test_close_stale_looks_at_what_is_named(server_alias, several):
    """An alias, or several, and no other."""
    named = open_connection(server_alias, None)
    other = open_connection(server_alias + "_other", None)
    killed([named, other])
    using = [server_alias] if several else server_alias
    assert close_stale_connections(using=using) == [(server_alias, HUNG_UP)]
    assert is_closed(named) and not is_closed(other)


def test_fresh_connections_looks_at_what_is_named(server_alias):
    """So does a scope."""
    named = open_connection(server_alias, None)
    other = open_connection(server_alias + "_other", None)
    killed([named, other])
    with fresh_connections(server_alias):
        assert is_closed(named) and not is_closed(other)
        assert run(named, "SELECT 1") == (1,)


def enter_fresh(using):
    begin = fresh_connections(using)
    begin.__enter__()
    begin.__exit__(None, None, None)


@pytest.mark.parametrize("begin", [close_stale_connections, enter_fresh])
def test_unknown_alias_is_djangos_error(server_alias, begin):
    """An alias that nobody configured is Django's error, before anything is done."""
    connection = open_connection(server_alias, None)
    kill(connection)
    with pytest.raises(ConnectionDoesNotExist):
        begin([server_alias, "nowhere"])
    assert not is_closed(connection)


def in_a_thread(function, seconds=10):
    """Run a function in a thread of its own, and return what it returns."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.daemon = True  # what hangs must not hang the tests
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "it waited"
    return results[0]


@pytest.mark.parametrize("begin", [close_stale_connections, begin_fresh])
def test_other_threads_are_left_alone(server_alias, begin):
    """What another thread has open is its own business, stale or not."""
    connection = open_connection(server_alias, None)
    raw = connection.connection
    killed([connection])
    in_a_thread(begin)
    assert connection.connection is raw
    assert close_stale_connections() == [(server_alias, HUNG_UP)]


@pytest.mark.parametrize("begin", [close_stale_connections, begin_fresh])
@pytest.mark.parametrize("ends", [False, True])
def test_borrowed_connection_is_left_alone(server_alias, begin, ends, caplog):
    """One that somebody put here from another thread is neither asked nor dropped."""
    connection = in_a_thread(lambda: open_connection(server_alias, 0))
    raw = connection.connection
    if ends:
        raw.close()
    connections["borrowed"] = connection
    try:
        begin()
    finally:
        delattr(connections._connections, "borrowed")
    assert connection.connection is raw
    assert "another thread" in caplog.text
    if not ends:
        raw.close()


@pytest.mark.parametrize("begin", [close_stale_connections, begin_fresh])
@pytest.mark.parametrize("using", [None, "default_other"])
def test_no_wrapper_is_created(begin, using):
    """An alias that this thread never used is left unused."""

    def work():
        if begin is begin_fresh:
            enter_fresh(using)
        else:
            assert begin(using) == []
        return used_connections()

    assert in_a_thread(work) == {}


@pytest.mark.parametrize("begin", [close_stale_connections, begin_fresh])
def test_nothing_is_opened(server_alias, begin):
    """A connection that is closed stays closed."""
    connection = open_connection(server_alias, None)
    connection.close()
    before = sessions(server_alias)
    begin()
    assert is_closed(connection)
    # Those that count come and go as well, each a little later than told.
    wait_for(lambda: not sessions(server_alias) - before)


class Stubborn(object):
    """A raw connection whose close raises, as every driver's may; else the real one."""

    def __init__(self, raw):
        self.__dict__["raw"] = raw

    def __getattr__(self, name):
        return getattr(self.raw, name)

    def __setattr__(self, name, value):
        setattr(self.raw, name, value)

    def close(self):
        raise RuntimeError("no close today")


@pytest.mark.everywhere
@pytest.mark.parametrize("begin", [close_stale_connections, begin_fresh])
@pytest.mark.parametrize("first", [True, False])
def test_failing_close_is_logged_once(server_alias, begin, first, caplog):
    """With its alias and the reason; the others are closed, and it works again."""
    names = [server_alias, server_alias + "_other"]
    found = [open_connection(alias, None) for alias in names]
    failing, other = found if first else reversed(found)
    killed(found)
    raw = failing.connection
    failing.connection = Stubborn(raw)
    with caplog.at_level(logging.INFO, LOGGER):
        result = begin()
    if begin is close_stale_connections:
        assert sorted(result) == [(alias, HUNG_UP) for alias in names]
    text = "closing %r (%s) failed" % (failing.alias, HUNG_UP)
    expected = [("INFO", "closed %r: %s" % (other.alias, HUNG_UP)), ("WARNING", text)]
    assert sorted(logged(caplog)) == expected
    assert "no close today" in caplog.text
    assert is_closed(failing) and is_closed(other)
    assert run(failing, "SELECT 1") == (1,)
    raw.close()


@pytest.mark.parametrize("begin", [close_stale_connections, begin_fresh])
def test_what_the_driver_closed_is_stale(server_alias, begin):
    """A driver that gave up its connection by itself is not used again."""
    connection = open_connection(server_alias, None)
    connection.connection.close()
    begin()
    assert is_closed(connection)
    assert run(connection, "SELECT 1") == (1,)


def age(seconds):
    """Wait until what is open has idled for so long."""
    due = time.time() + seconds
    wait_for(lambda: time.time() > due)


@pytest.fixture
def stalled(proxy):
    """A proxy, to be stalled; what waits on it is freed at the end."""
    yield proxy
    proxy.cut()


@pytest.mark.everywhere
def test_silent_drop_is_found_by_the_idle_limit(server_alias, stalled, caplog):
    """Past CONN_MAX_IDLE a connection is closed before use, its socket not waited on.

    The proxy swallows everything on it, as a load balancer does that forgot it.
    """

    def work():
        connection = open_connection(server_alias, None)
        connection.settings_dict["CONN_MAX_IDLE"] = 0.05
        age(0.1)
        stalled.stall(new=False)
        with fresh_connections():
            assert run(connection, "SELECT 1") == (1,)
        connection.close()
        return True

    with caplog.at_level(logging.INFO, LOGGER):
        assert in_a_thread(work)
    expected = ("INFO", "closed %r: %s" % (server_alias, IDLE))
    assert expected in logged(caplog)


def test_silent_drop_is_not_seen_without_the_limit(server_alias, stalled):
    """The negative: the socket is quiet, so the job waits, until the proxy ends it."""
    failed = []

    def work():
        connection = open_connection(server_alias, None)
        stalled.stall(new=False)
        assert close_stale_connections() == []
        at_work.set()
        try:
            run(connection, "SELECT 1")
        except DatabaseError:
            failed.append(True)
        close_all_connections()

    at_work = threading.Event()
    thread = threading.Thread(target=work)
    thread.daemon = True
    thread.start()
    assert at_work.wait(10)
    thread.join(0.2)
    assert thread.is_alive()
    stalled.cut()
    thread.join(10)
    if KEEPS:
        assert failed == [True]
    else:  # Django 1.4 and 1.5 ping MySQL for a cursor, and connect again
        assert not thread.is_alive()


@pytest.mark.parametrize("limit", [None, 1000, 1000.5, float("inf")])
def test_within_the_idle_limit_is_kept(alias, limit):
    """Younger idleness costs nothing, None is no limit."""
    connection = open_connection(alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = limit
    assert close_stale_connections() == []
    assert not is_closed(connection)


@pytest.mark.parametrize("limit", [0, 0.0001])
def test_past_the_idle_limit_is_closed(alias, limit):
    """With 0 no connection is used again after it was let go."""
    connection = open_connection(alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = limit
    age(0.001)
    assert close_stale_connections() == [(alias, IDLE)]
    assert is_closed(connection)


def test_database_in_memory_is_never_idle(monkeypatch):
    """It lives and dies with its connection, which Django does not close either."""
    monkeypatch.setitem(connections.databases["default"], "NAME", ":memory:")
    connection = open_connection("default", 0)
    connection.settings_dict["CONN_MAX_IDLE"] = 0
    run(connection, "CREATE TABLE here (number integer)")
    age(0.001)
    assert close_stale_connections() == []
    assert run(connection, "SELECT count(*) FROM here") == (0,)
    connection.connection.close()
    connection.connection = None
    tidy()


if KEEPS:

    @pytest.mark.parametrize("alias", ["default"], indirect=True)
    def test_a_long_job_is_not_idle(alias):
        """Idleness counts from the end of the last unit of work, not from its begin."""
        connection = open_connection(alias, None)
        connection.settings_dict["CONN_MAX_IDLE"] = 0.1
        raw = connection.connection
        for _ in range(2):
            with fresh_connections():
                assert connection.connection is raw
                age(0.11)
        assert connection.connection is raw

    def test_jobs_without_a_query_are_idle(server_alias):
        """A loop that looks at a queue for long uses no connection meanwhile.

        Only Linux tells how long a socket has been silent.
        """
        connection = open_connection(server_alias, None)
        connection.settings_dict["CONN_MAX_IDLE"] = 60  # a busy machine takes its time

        def look():
            with fresh_connections():
                return is_closed(connection)

        assert not look()
        connection.settings_dict["CONN_MAX_IDLE"] = 0.1
        if sys.platform.startswith("linux"):
            wait_for(look)

    def test_a_nested_job_is_not_idle(alias):
        """Of nested scopes the outermost looks: the work between them is use."""
        connection = open_connection(alias, None)
        raw = connection.connection
        with fresh_connections():
            connection.settings_dict["CONN_MAX_IDLE"] = 0
            age(0.001)
            with fresh_connections():
                assert connection.connection is raw


def enter_and_run():
    with fresh_connections():
        pytest.fail("the unit of work has begun")


@pytest.mark.parametrize("begin", [close_stale_connections, enter_and_run])
@pytest.mark.parametrize("value", [-1, "60", True, float("nan"), [], object()])
@pytest.mark.parametrize("alias", ["default"], indirect=True)
def test_bad_idle_limit_is_improperly_configured(alias, begin, value, caplog):
    """It raises, naming the setting, the value and what is allowed; all stays open."""
    connection = open_connection(alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = value
    with pytest.raises(ImproperlyConfigured) as raised:
        begin()
    text = str(raised.value)
    assert "DATABASES[%r]['CONN_MAX_IDLE'] is %r;" % (alias, value) in text
    assert "number of seconds, 0 or more, or None" in text
    assert not is_closed(connection)
    assert logged(caplog) == []


if IS_CORNER:

    @pytest.mark.everywhere
    def test_a_thousand_jobs_and_two_hundred_hang_ups(proxies):
        """None fails, whatever hung up between them; each hang-up was a real one."""
        found = [open_connection(alias, None) for alias in sorted(proxies)]
        numbers = dict((each.alias, session_id(each)) for each in found)
        chance = random.Random(3)
        doomed = set(chance.sample(range(1000), 200))
        broken = 0
        for number in range(1000):
            connection = found[number % len(found)]
            alias, raw = connection.alias, connection.connection
            if number in doomed:
                end = functools.partial(observe, alias, KILL, numbers[alias])
                chance.choice([proxies[alias].cut, proxies[alias].reset, end])()
                wait_for(lambda: is_hung_up(connection))
            if KEEPS:
                with fresh_connections():
                    numbers[alias] = session_id(connection)
            else:
                close_stale_connections()
                numbers[alias] = session_id(connection)
            broken += connection.connection is not raw
        assert broken == 200
