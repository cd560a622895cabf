"""What tests do with databases: settings, sessions, and killing them on the server."""

from __future__ import absolute_import

import contextlib
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
    """Point an alias at a server."""
    connections.databases[alias].update(
        HOST=server.host,
        NAME=server.name,
        PASSWORD=server.password,
        PORT=str(server.port),
        USER=server.user,
    )


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


# When each of their sessions began, by port and id: a server may end one late, and
# numbers them anew when it starts.
_administrations = {}


@contextlib.contextmanager
def administration(alias, **changes):
    """A connection of no alias to the same server, with other settings if given."""
    settings = dict(connections.databases[alias], CONN_MAX_AGE=None, **changes)
    connection = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "admin")
    try:
        if connection.vendor in SESSION_ID:
            key = settings["PORT"], session_id(connection)
            _administrations[key] = time.time()
        yield connection
    finally:
        connection.close()


def sessions(alias):
    """Return the ids of the client sessions that the server has, ours aside."""
    options = connections.databases[alias].get("OPTIONS") or {}
    options = {key: options[key] for key in options if key == "ssl_disabled"}
    with administration(alias, OPTIONS=options) as connection:
        found = _clients(connection)
    port, now = connection.settings_dict["PORT"], time.time()
    return {n for n in found if now - _administrations.get((port, n), 0) > 5}


def _clients(connection):
    cursor = connection.cursor()
    cursor.execute(SESSIONS[connection.vendor])
    found = {row[0] for row in cursor.fetchall()}
    connection.connection.commit()  # else Django 1.4 and 1.5 show the same once more
    return found


def session_id(connection):
    """Return the server's number for a connection's session."""
    return run(connection, SESSION_ID[connection.vendor])[0]


def kill(connection):
    """End a connection's session on the server, and wait until it is gone."""
    doomed = session_id(connection)
    with administration(connection.alias) as admin:
        run(admin, KILL[connection.vendor] % doomed)
        wait_for(lambda: doomed not in _clients(admin))


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
