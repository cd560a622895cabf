"""What tests do with databases: settings, sessions, and killing them on the server."""

from __future__ import absolute_import

import contextlib
import os
import sys
import threading
import time

import pytest
from django.db import connections
from django.db.utils import DatabaseError, load_backend

SESSION_ID = {
    "mysql": "SELECT CONNECTION_ID()",
    "postgresql": "SELECT pg_backend_pid()",
}
SESSIONS = {
    "mysql": "SELECT id FROM information_schema.processlist",
    "postgresql": "SELECT pid FROM pg_stat_activity"
    " WHERE backend_type = 'client backend'",
}
KILL = {"mysql": "KILL %d", "postgresql": "SELECT pg_terminate_backend(%d)"}


def point(alias, server):
    """Point an alias at a server, with settings as complete as Django makes them."""
    if hasattr(connections, "ensure_defaults"):  # else, Django 4.0+, all are complete
        connections.ensure_defaults(alias)
    connections.databases[alias].update(
        HOST=server.host,
        NAME=server.name,
        PASSWORD=server.password,
        PORT=str(server.port),
        USER=server.user,
    )
    _servers[str(server.port)] = server


def tidy():
    """Close what a test left open, and forget the settings it made."""
    for alias in connections:
        connection = connections[alias]
        try:
            connection.close()
        except Exception:
            pass  # a test may leave any kind of wreck
        if hasattr(connections, "__delitem__"):
            del connections[alias]
        else:  # Django 1.4 and 1.5
            delattr(connections._connections, alias)
        for key in ("CONN_MAX_AGE", "CONN_MAX_IDLE", "AUTOCOMMIT", "ATOMIC_REQUESTS"):
            connections.databases[alias].pop(key, None)
        defaults = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": 0}
        connections.databases[alias].update(defaults)


def choice_of_drivers():
    """Return code that makes the drivers of this run those of another process."""
    lines = ["import sys"]
    if sys.modules.get("psycopg", sys) is None:
        lines.append("sys.modules['psycopg'] = None")
    if getattr(sys.modules.get("MySQLdb"), "__name__", "") == "pymysql":
        lines.append("import pymysql; pymysql.install_as_MySQLdb()")
    return "\n".join(lines) + "\n"


def open_connection(alias, max_age=0):
    """Open the alias's connection in this thread with this CONN_MAX_AGE."""
    connection = connections[alias]
    connection.settings_dict["CONN_MAX_AGE"] = max_age
    run(connection, "SELECT 1")
    return connection


def run(connection, sql):
    """Run one statement, and return the first row of what it gives."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None
    finally:
        cursor.close()


@contextlib.contextmanager
def administration(alias, **changes):
    """A connection of no alias to the same server, with other settings if given."""
    settings = dict(connections.databases[alias], CONN_MAX_AGE=None, **changes)
    connection = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "admin")
    try:
        if connection.vendor in SESSION_ID:
            key = settings["PORT"], session_id(connection)
            _observations[key] = time.time()
        yield connection
    finally:
        connection.close()


_servers = {}  # by port
behind = {}  # a proxy's port: that of the server behind it
# When each session of ours was last known to be there, by port and id: a server may end
# one late, and numbers them anew when it starts.
_observations = {}
_observers = {}  # by process and port; a session of PostgreSQL's costs 10 ms to begin
_lock = threading.RLock()  # guards the observers


class Observer(object):
    """A session, past any proxy and unknown to Django, that looks at all of a server.

    It is kept from test to test, and in a forked child left alone.
    """

    def __init__(self, alias, port):
        settings = connections.databases[alias]
        keys = {"host": "HOST", "user": "USER"}
        self.vendor = _servers[str(port)].vendor  # a test may have another ENGINE
        if self.vendor == "mysql":
            driver = sys.modules["MySQLdb"]
            keys.update(password="PASSWORD", database="NAME")
        else:
            driver = sys.modules.get("psycopg") or sys.modules["psycopg2"]
            keys.update(password="PASSWORD", dbname="NAME")
        options = dict((key, settings[keys[key]]) for key in keys)
        if self.vendor == "postgresql":
            options["application_name"] = "observer"
        if "ssl_disabled" in (settings.get("OPTIONS") or {}):
            options["ssl_disabled"] = True
        self.raw = driver.connect(port=int(port), **options)
        ((number,),) = self.ask(SESSION_ID[self.vendor])
        self.key = str(port), number

    def ask(self, sql):
        """Return all rows; end the transaction, or the next ones show the same."""
        with contextlib.closing(self.raw.cursor()) as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall() if cursor.description else []
        self.raw.commit()
        return rows


def observe(alias, kind, *values):
    """Ask an alias's server by KILL or SESSIONS, in a session of its own."""
    port = str(connections.databases[alias]["PORT"])
    key = os.getpid(), behind.get(port, port)
    with _lock:
        for is_last in (False, True):
            try:
                if key not in _observers:
                    _observers[key] = Observer(alias, key[1])
                observer = _observers[key]
                rows = observer.ask(kind[observer.vendor] % values)
                _observations[observer.key] = time.time()
                return rows
            except Exception:  # each driver's own: the server was started anew
                _observers.pop(key, None)
                if is_last:
                    raise


def stop_observing():
    """End the sessions that look, for who counts them all."""
    with _lock:
        while _observers:
            _observers.popitem()[1].raw.close()


def sessions(alias):
    """Return the ids of the client sessions that the server has, ours aside."""
    found = {number for number, in observe(alias, SESSIONS)}
    port = str(connections.databases[alias]["PORT"])
    since = max(time.time() - 5, _servers[behind.get(port, port)].since)
    ours = [key for key, seen in _observations.items() if seen >= since]
    ports = port, behind.get(port)
    return found - {number for port, number in ours if port in ports}


def session_id(connection):
    """Return the server's number for a connection's session."""
    return run(connection, SESSION_ID[connection.vendor])[0]


def kill(connection):
    """End a connection's session on the server, and wait until it is gone."""
    doomed = session_id(connection)
    observe(connection.alias, KILL, doomed)
    wait_for(lambda: (doomed,) not in map(tuple, observe(connection.alias, SESSIONS)))


def break_connection(connection):
    """Kill a connection's session, and let a statement on it fail."""
    cursor = connection.cursor()  # before: until 1.5 Django pings MySQL for each cursor
    kill(connection)
    with pytest.raises(DatabaseError):
        cursor.execute("SELECT 1")


def in_a_thread(function):
    """Run a function in a thread of its own, and return what it returns."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.start()
    thread.join()
    return results[0]


def wait_for(condition, seconds=10):
    """Wait until a condition holds; fail at the deadline."""
    deadline, pause = time.time() + seconds, 0.01
    while not condition():
        assert time.time() < deadline, "waited %s s in vain" % seconds
        time.sleep(pause)
        pause = min(1.5 * pause, 0.05)
