"""The databases of the tests: their settings, their sessions, and the end of these."""

from __future__ import absolute_import

import contextlib
import gc
import os
import re
import sys
import threading
import time

import django
import pytest
from django.db import connections
from django.db.utils import DatabaseError, load_backend

from django_compat._db import scopes
from django_compat._db.versions import used_connections
from support import drivers, servers
from support.sql import KILL, SESSION_ID, SESSIONS


def point(alias, server):
    """Point an alias at a server; its settings have all the keys that Django adds."""
    if hasattr(connections, "ensure_defaults"):  # until 3.2; later all keys are there
        connections.ensure_defaults(alias)
    connections.databases[alias].update(
        HOST=server.host,
        NAME=server.name,
        PASSWORD=server.password,
        PORT=str(server.port),
        USER=server.user,
    )
    _servers[str(server.port)] = server


def versions():
    """Return the version of each server of this run, or why it is not known."""
    versions = []
    for vendor in drivers.SERVERS:
        url = servers.url_of(vendor)
        try:
            if not url:
                version = servers.version_of(servers.find_binaries(vendor)[1])
            else:
                point(vendor, servers.from_url(url))
                with administration(vendor) as admin:
                    (version,) = run(admin, "SELECT VERSION()")
        except Exception as error:  # also the driver's own class
            version = str(error)
        versions.append("%s: %s" % (vendor, version))
    return versions


def tidy():
    """Close the connections that a test left open, and undo its settings of them.

    A test's own aliases go: each scope of this thread would look at them, too. Fail
    when the test left a scope, which would be around those of all later tests.
    """
    frames = scopes.thread_stack()
    if frames:
        gc.collect()  # of a generator, maybe
        frames.clean()
    scopes.end_interrupted(frames)  # else the first scope of the next test does it
    for alias, connection in used_connections().items():
        try:
            connection.close()
        except Exception:
            pass  # a test may leave a connection that no driver can close
        if hasattr(connections, "__delitem__"):
            del connections[alias]
        else:  # Django 1.4 and 1.5
            delattr(connections._connections, alias)
    for alias in connections:
        for key in ("CONN_MAX_IDLE", "CONN_KEEP_SESSION"):
            connections.databases[alias].pop(key, None)
        defaults = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": 0}
        connections.databases[alias].update(defaults)
    assert not frames, "scopes that were not left: %s" % list(frames)


def open_connection(alias, max_age=0):
    """Open the alias's connection in this thread with this CONN_MAX_AGE."""
    connection = connections[alias]
    connection.settings_dict["CONN_MAX_AGE"] = max_age
    run(connection, "SELECT 1")
    return connection


def run(connection, sql):
    """Run a statement; return its first row, or None if it has no rows."""
    cursor = connection.cursor()
    try:
        cursor.execute(sql)
        return cursor.fetchone() if cursor.description else None
    finally:
        cursor.close()


@contextlib.contextmanager
def administration(alias, **changes):
    """Connect to an alias's server outside of Django's aliases.

    ``changes`` are other settings of the connection.
    """
    settings = dict(connections.databases[alias], CONN_MAX_AGE=None, **changes)
    connection = load_backend(settings["ENGINE"]).DatabaseWrapper(settings, "admin")
    try:
        if connection.vendor in SESSION_ID:
            key = settings["PORT"], session_id(connection)
            _observations[key] = time.time()
        yield connection
    finally:
        connection.close()


@contextlib.contextmanager
def global_variable(alias, name, value):
    """Set a global variable of MySQL for a while."""
    # One session for both: after max_connections was lowered no other may begin.
    with administration(alias) as admin:
        (before,) = run(admin, "SELECT @@GLOBAL." + name)
        run(admin, "SET SESSION wait_timeout = 600")  # in case it is that variable
        run(admin, "SET GLOBAL %s = %d" % (name, value))
        try:
            yield
        finally:
            run(admin, "SET GLOBAL %s = %d" % (name, before))


_servers = {}  # by port
behind = {}  # the server's port by the port of the proxy before it
# The time when each session of the harness was last seen, by port and number. A server
# lists a closed session for a moment, and after a restart its numbers begin again.
_observations = {}
_observers = {}  # by process and port: a session of PostgreSQL takes 10 ms to begin
_lock = threading.RLock()  # guards _observers


class Observer(object):
    """A session of the harness that sees all sessions of a server.

    The observer bypasses Django and the proxies, and stays open from test to test. A
    forked child makes its own observer.
    """

    def __init__(self, alias, port):
        settings = connections.databases[alias]
        keys = {"host": "HOST", "user": "USER"}
        self.vendor = _servers[str(port)].vendor  # a test may change ENGINE
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
        """Return all rows; end the transaction: the next one must see the changes."""
        with contextlib.closing(self.raw.cursor()) as cursor:
            cursor.execute(sql)
            rows = cursor.fetchall() if cursor.description else []
        self.raw.commit()
        return rows


def observe(alias, statements, *values):
    """Run KILL or SESSIONS on an alias's server, in a session of the harness."""
    port = str(connections.databases[alias]["PORT"])
    key = os.getpid(), behind.get(port, port)
    with _lock:
        for is_last in (False, True):
            try:
                if key not in _observers:
                    _observers[key] = Observer(alias, key[1])
                observer = _observers[key]
                rows = observer.ask(statements[observer.vendor] % values)
                _observations[observer.key] = time.time()
                return rows
            except Exception:  # the driver's own class: the server was restarted
                _observers.pop(key, None)
                if is_last:
                    raise


def stop_observing():
    """End the sessions of the observers, for a test that counts all sessions."""
    with _lock:
        while _observers:
            _observers.popitem()[1].raw.close()


def sessions(alias):
    """Return the numbers of a server's sessions, without those of the harness."""
    numbers = {number for number, in observe(alias, SESSIONS)}
    port = str(connections.databases[alias]["PORT"])
    since = max(time.time() - 5, _servers[behind.get(port, port)].since)
    recent = [key for key, seen in _observations.items() if seen >= since]
    ports = port, behind.get(port)
    return numbers - {number for port, number in recent if port in ports}


def version(connection):
    """Return "MySQL", "MariaDB" or "PostgreSQL", and the two numbers of its release."""
    (text,) = run(connection, "SELECT VERSION()")
    names = [name for name in ("MariaDB", "PostgreSQL") if name in text] + ["MySQL"]
    return (names[0],) + tuple(map(int, re.findall(r"\d+", text)[:2]))


def session_id(connection):
    """Return the server's number for a connection's session."""
    return run(connection, SESSION_ID[connection.vendor])[0]


def kill(connection):
    """End a connection's session on the server, and wait for its end."""
    end_session(connection.alias, session_id(connection))


def end_session(alias, number):
    """End a session by its number, and wait for its end."""
    try:
        observe(alias, KILL, number)
    except Exception:
        pass  # MySQL has no session of this number any more: the driver's own class
    wait_for(lambda: (number,) not in map(tuple, observe(alias, SESSIONS)))


def break_connection(connection):
    """Kill a connection's session, and let a statement on it fail."""
    cursor = connection.cursor()  # before the end: until 1.5 Django pings for a cursor
    kill(connection)
    with pytest.raises(DatabaseError):
        cursor.execute("SELECT 1")


def needs_query_log(alias):
    """Skip the test where Django's log of queries does not work with PyMySQL.

    Until 2.2 Django reads a statement back from the cursor, by a name that PyMySQL 1.0
    dropped.
    """
    if alias == "mysql" and sys.version_info >= (3,) and django.VERSION < (3, 0):
        if sys.modules["MySQLdb"].__name__ == "pymysql":
            pytest.skip("PyMySQL: no log of queries before Django 3.0")


def in_a_thread(function, seconds=30):
    """Run a function in a new thread, and return its result; fail at the deadline."""
    results = []
    thread = threading.Thread(target=lambda: results.append(function()))
    thread.daemon = True  # a thread that hangs must not hang the tests
    thread.start()
    thread.join(seconds)
    assert not thread.is_alive(), "the thread still runs after %s s" % seconds
    return results[0]


def wait_for(condition, seconds=30):
    """Wait until a condition holds; fail at the deadline."""
    deadline, pause = time.time() + seconds, 0.01
    while not condition():
        assert time.time() < deadline, "waited %s s in vain" % seconds
        time.sleep(pause)
        pause = min(1.5 * pause, 0.05)
