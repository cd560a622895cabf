"""Find the connections that a test leaves open, and who blocks ``DROP DATABASE``.

The pytest plugin and the mixin for test cases share this file. Nothing is changed until
``Tracker.begin()`` is called for the first test.
"""

from __future__ import absolute_import

import atexit
import contextlib
import glob
import json
import os
import sys
import tempfile
import threading
import time
import weakref

import six
from django.conf import settings

__all__ = ["NoLeakedConnections"]

GRACE = 1.0  # seconds in which a connection may still close after its test
# The modules of these packages are not "the line that opened the connection".
_LIBRARIES = set(
    """asgiref asyncio concurrent contextlib contextvars django django_compat functools
    six socketserver SocketServer threading wsgiref""".split()
)
# Sessions of clients on one database, except the one that asks: number and who it is.
# information_schema shows at least the account's own sessions. PostgreSQL 10+.
_SESSIONS = {
    "mysql": "SELECT id, CONCAT('user ', user, ' from ', host, ', ', command)"
    " FROM information_schema.processlist WHERE db = %s AND id <> CONNECTION_ID()",
    "postgresql": "SELECT pid, 'user ' || usename || ' from '"
    " || COALESCE(host(client_addr) || ':' || client_port, 'a socket')"
    " || COALESCE(', ' || NULLIF(application_name, ''), '')"
    " || COALESCE(', ' || state, '')"
    " FROM pg_stat_activity WHERE datname = %s AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend'",
}
_SHARED = "_django_compat_is_shared"  # of a thread that no single test has started


def is_configured():
    """Tell whether Django has settings: else no connection can be open."""
    return settings.configured or "DJANGO_SETTINGS_MODULE" in os.environ


class Opened(object):
    """Where a connection was opened, and by whom."""

    def __init__(self, connection, test, is_of_test):
        thread = threading.current_thread()
        self.alias, self.vendor = connection.alias, connection.vendor
        self.number = _number(connection.connection)
        self.thread, self.pid = thread.name, os.getpid()
        self.place = _place(sys._getframe(2))
        self.test, self.is_of_test = test, is_of_test
        self.raw_id = id(connection.connection)
        # A reference as long as the test runs. Else it is up to the garbage collector
        # when the connection of a thread that has ended is closed.
        self.strong, self.connection = connection, weakref.ref(connection)

    def is_open(self):
        """Tell whether the session is still the one of its connection."""
        connection = self.connection()
        raw = getattr(connection, "connection", None)
        return raw is not None and id(raw) == self.raw_id

    def __str__(self):
        process = "" if self.pid == os.getpid() else "the child %d, " % self.pid
        session = "" if self.number is None else " (session %s)" % self.number
        return "%r%s, opened in %sthread %r at %s" % (
            str(self.alias),
            session,
            process,
            str(self.thread),
            self.place,
        )


class OpenedByChild(Opened):
    """What a forked child tells of a connection that it opened."""

    FIELDS = "alias vendor number thread pid place test is_of_test".split()

    def __init__(self, values):
        self.__dict__.update(zip(self.FIELDS, values))


def _number(raw):
    """Return the server's number of a session, without a round trip; None if unknown.

    mysqlclient and PyMySQL, psycopg2, psycopg.
    """
    for owner, name in (
        (raw, "thread_id"),
        (raw, "get_backend_pid"),
        (getattr(raw, "info", None), "backend_pid"),
    ):
        value = getattr(owner, name, None)
        if value is not None:
            return value() if callable(value) else value
    return None


def _place(frame):
    """Return the line that opened a connection, without one Django's outermost.

    The first frame is Django's, which sends the signal.
    """
    outermost = frame
    while frame is not None:
        package = (frame.f_globals.get("__name__") or "").partition(".")[0]
        if package not in _LIBRARIES:
            outermost = frame
            break
        if package == "django":
            outermost = frame
        frame = frame.f_back
    code, here = outermost.f_code, os.path.join(os.getcwd(), "")
    path = os.path.abspath(code.co_filename)
    path = path[len(here) :] if path.startswith(here) else path
    return "%s:%d (%s)" % (path, outermost.f_lineno, code.co_name)


def _is_test_database(connection):
    """Tell whether Django made the database for a run of tests.

    The name alone tells: Django overwrites NAME with the name that it has chosen.
    """
    values, name = connection.settings_dict, str(connection.settings_dict["NAME"])
    chosen = (values.get("TEST") or {}).get("NAME") or values.get("TEST_NAME")
    return name.startswith(("test_", str(chosen or "test_")))


def _has_pool(connection):
    """Tell whether a pool of this process holds sessions: Django's, or an ENGINE's."""
    if (connection.settings_dict.get("OPTIONS") or {}).get("pool"):
        return True
    return any("pool" in base.__module__ for base in type(connection).__mro__)


class _Observer(object):
    """A session beside Django's connections that sees the sessions of a database.

    It uses another database, so it blocks no DROP DATABASE, and a driver's connection,
    so no tool that forbids a test its database is asked.
    """

    def __init__(self, connection):
        name = "" if connection.vendor == "mysql" else "postgres"
        options = dict(connection.settings_dict.get("OPTIONS") or {})
        options.pop("pool", None)
        values = dict(connection.settings_dict, NAME=name, OPTIONS=options)
        self.connection = type(connection)(values, "django_compat_observer")
        self.raw = None

    def ask(self, connection):
        """Return ``{number: text}`` of the sessions on a connection's database."""
        name = connection.settings_dict["NAME"]
        for is_last in (False, True):
            try:
                if self.raw is None:
                    self.raw = self._connect()
                with contextlib.closing(self.raw.cursor()) as cursor:
                    cursor.execute(_SESSIONS[connection.vendor], (name,))
                    rows = cursor.fetchall()
                self.raw.rollback()  # PostgreSQL shows a transaction the same list
                return dict(rows)
            except Exception:  # the driver's own class: the server was restarted
                self.close()
                if is_last:
                    raise

    def _connect(self):
        connection = self.connection
        if hasattr(connection, "get_new_connection"):  # Django 1.6+
            return connection.get_new_connection(connection.get_connection_params())
        connection._cursor().close()
        return connection.connection

    def close(self):
        raw, self.raw = self.raw, None
        if raw is not None:
            try:
                raw.close()
            except Exception:  # pragma: no cover: no driver raises here today
                pass  # the session is gone


class Tracker(object):
    """Who opened which connection, test by test.

    The thread of the tests changes the fields; every thread appends to ``opened``, and
    forked children append to the file at ``path``.

    :param write: called with a text while ``DROP DATABASE`` waits.
    :param patience: the seconds that it may take before.
    """

    def __init__(self, write, patience):
        self.write, self.patience = write, patience
        self.test = None  # the name of the test that runs
        self.leaks = []  # what it has left, where that is known before its end
        self.thread = None  # the thread that runs the tests
        self.is_shared = False  # what begins now belongs to more than one test
        self.opened, self.children = [], []
        # By database: the sessions of now, and those that earlier tests have left.
        self.seen, self.known = {}, {}
        self.shared_processes = set()
        self.blocked = []  # lines: who blocks which DROP DATABASE
        self.observers = {}  # by alias; None where a server shows no sessions
        self.pid, self.path = os.getpid(), None

    def begin(self, test):
        """Begin a test; the first one installs what notices threads and sessions."""
        self.thread = threading.current_thread()
        if self.path is None:
            self.install()
            self.share()
        self.opened = [opened for opened in self.opened if opened.is_open()]
        for opened in self.opened:
            opened.is_of_test = False
        self.test, self.leaks = test, []

    def end(self):
        """End the test; return a text for each connection that it has left open."""
        leaks = self.leaks or _patiently(self._leaks)
        self.test, self.leaks = None, []
        self.known.update(self.seen)
        for opened in self.opened:
            opened.strong = None
        return leaks

    @contextlib.contextmanager
    def shared(self):
        """Begin, in the block, what belongs to more than one test."""
        before, self.is_shared = self.is_shared, True
        try:
            yield
        finally:
            self.is_shared = before
            self.share()

    def share(self):
        """Take the sessions and the child processes of now for those of all tests."""
        self.shared_processes |= _child_processes()
        for connection in self._servers():
            self.known[_database(connection)] = set(self._sessions(connection))

    def _leaks(self):
        self._read_children()
        used = list(map(id, _used_connections().values()))
        leaks = [
            str(opened)
            for opened in list(self.opened)
            if opened.is_of_test
            and opened.is_open()
            and id(opened.connection()) not in used
        ]
        for connection in self._servers():
            sessions = self._sessions(connection)
            database = _database(connection)
            self.seen[database], known = set(sessions), self.known.get(database)
            for number in sorted(set(sessions).difference(known or ())):
                opened = self._find(connection, number)
                if (
                    opened is None
                    and known is not None
                    and self._shows_all(connection, sessions)
                ):
                    leaks.append(
                        "%r (session %s, %s), not opened by Django in this process"
                        % (str(connection.alias), number, sessions[number])
                    )
                elif isinstance(opened, OpenedByChild) and opened.is_of_test:
                    leaks.append(str(opened))
        return leaks

    def _shows_all(self, connection, sessions):
        """Tell whether each session that nobody opened here can be blamed on a test.

        Not in a database that others use as well, not where a pool opens sessions, not
        where a pooler is between, and not while processes of several tests live.
        """
        number = connection.connection and _number(connection.connection)
        return (
            _is_test_database(connection)
            and not _has_pool(connection)
            and (number is None or number in sessions)
            and not self.shared_processes & _child_processes()
        )

    def _find(self, connection, number):
        """Return who opened a session, None if nobody has told."""
        for opened in self.opened + self.children:
            if (opened.vendor, opened.number) == (connection.vendor, number):
                return opened
        return None

    def _servers(self):
        """Return the connections of this thread, one for each database of a server."""
        chosen = {}
        for connection in _used_connections().values():
            if connection.vendor in _SESSIONS:
                chosen.setdefault(_database(connection), connection)
        return list(chosen.values())

    def _sessions(self, connection):
        """Return ``{number: text}`` of the sessions on a database; {} if unreadable."""
        alias = connection.alias
        try:
            if alias not in self.observers:
                self.observers[alias] = _Observer(connection)
            observer = self.observers[alias]
            return observer.ask(connection) if observer else {}
        except Exception as error:  # the driver's own class: the account may not ask
            self.observers[alias] = None
            self.blocked.append("%r: the server shows no sessions: %s" % (alias, error))
            return {}

    def _note(self, connection, **kwargs):
        """Receive connection_created, in any thread and in forked children."""
        from django_compat._db.drivers import is_in_memory

        if is_in_memory(connection):  # Django ignores close(), else the data were lost
            return
        thread = threading.current_thread()
        is_shared = self.is_shared
        if thread is not self.thread:
            is_shared = getattr(thread, _SHARED, is_shared)
        opened = Opened(connection, self.test, self.test is not None and not is_shared)
        if os.getpid() == self.pid:
            self.opened.append(opened)
            return
        values = [getattr(opened, name) for name in OpenedByChild.FIELDS]
        line = (json.dumps(values) + "\n").encode("ascii")
        try:
            # By its path: a daemon may have closed all descriptors.
            file = os.open(self.path, os.O_WRONLY | os.O_APPEND)
            try:
                os.write(file, line)
            finally:
                os.close(file)
        except EnvironmentError:
            pass  # the run of the tests is over

    def _read_children(self):
        with open(self.path) as stream:
            lines = stream.readlines()
        self.children = [OpenedByChild(json.loads(line)) for line in lines]

    def _blockers(self, connection):
        own = connection.connection and _number(connection.connection)
        found = []
        for number, text in sorted(self._sessions(connection).items()):
            opened = self._find(connection, number)
            if opened is not None and number != own:
                found.append("%s, by %s" % (opened, opened.test or "no single test"))
            elif number != own:
                found.append("session %s: %s" % (number, text))
        return found

    def _look_at_drop(self, drop, creation, *args, **kwargs):
        if os.getpid() != self.pid:
            return drop(creation, *args, **kwargs)
        if self.test is not None:
            # Fixtures of the whole run end in the last test. A drop may take long.
            self.leaks = self.leaks or _patiently(self._leaks)
        keeps = kwargs.get("keepdb", args[2] if len(args) > 2 else False)
        lines = [] if keeps else self._who_blocks(creation.connection)
        self.blocked += lines
        text = "\n  ".join(lines) + "\n"
        timer = threading.Timer(self.patience, self.write, [text])
        timer.daemon = True
        if lines and self.patience:
            timer.start()
        elif lines:
            self.write(text)
        with self.shared():  # until 3.0 Django leaves a connection to no database
            try:
                return drop(creation, *args, **kwargs)
            finally:
                timer.cancel()

    def _who_blocks(self, connection):
        """Return lines about the sessions that a DROP DATABASE would meet."""
        if connection.vendor not in _SESSIONS or _has_pool(connection):
            return []
        self._read_children()
        found = _patiently(lambda: self._blockers(connection))
        if not found:
            return []
        verb = "may wait for" if connection.vendor == "mysql" else "is blocked by"
        name = str(connection.settings_dict["NAME"])
        return ["DROP DATABASE %s %s:" % (name, verb)] + found

    def install(self):
        """Notice new threads, new sessions, and the end of test databases."""
        from django.db.backends.signals import connection_created

        try:
            from django.db.backends.base.creation import BaseDatabaseCreation
        except ImportError:  # before Django 1.8
            from django.db.backends.creation import BaseDatabaseCreation

        file, self.path = tempfile.mkstemp("", "django_compat_")
        os.close(file)
        for thread in threading.enumerate():
            setattr(thread, _SHARED, thread is not self.thread)
        connection_created.connect(self._note)
        start = vars(threading.Thread)["start"]
        drop = vars(BaseDatabaseCreation)["destroy_test_db"]

        @six.wraps(start)
        def start_and_note(thread, *args, **kwargs):
            parent = threading.current_thread()
            is_shared = self.test is None or self.is_shared
            if parent is not self.thread:
                is_shared = getattr(parent, _SHARED, is_shared)
            setattr(thread, _SHARED, is_shared)
            return start(thread, *args, **kwargs)

        @six.wraps(drop)
        def look_and_drop(*args, **kwargs):
            return self._look_at_drop(drop, *args, **kwargs)

        threading.Thread.start = start_and_note
        BaseDatabaseCreation.destroy_test_db = look_and_drop

        def undo():
            connection_created.disconnect(self._note)
            if vars(threading.Thread)["start"] is start_and_note:
                threading.Thread.start = start
            if vars(BaseDatabaseCreation)["destroy_test_db"] is look_and_drop:
                BaseDatabaseCreation.destroy_test_db = drop

        self.undo = undo

    def remove(self):
        """Give Django and Python their methods back, and end the observers."""
        if self.path is None or os.getpid() != self.pid:
            return
        self.undo()
        os.remove(self.path)
        self.path = None
        for observer in self.observers.values():
            if observer is not None:
                observer.close()


def _used_connections():
    from django_compat._db.versions import used_connections  # imports django.db

    return used_connections()


def _database(connection):
    values = connection.settings_dict
    return connection.vendor, values["HOST"], str(values["PORT"]), values["NAME"]


def _patiently(find):
    """Return what a function finds until a moment later: a session ends by and by."""
    deadline, pause = time.time() + GRACE, 0.01
    found = find()
    while found and time.time() < deadline:
        time.sleep(pause)
        pause = min(2 * pause, 0.1)
        found = find()
    return found


def _child_processes():
    """Return the ids of this process's children, on Linux."""
    found = set()
    for path in glob.glob("/proc/self/task/*/children"):
        try:
            with open(path) as stream:
                found.update(stream.read().split())
        except EnvironmentError:  # pragma: no cover: a race
            pass  # the thread has ended
    return found


_trackers = {}  # by process


def _tracker_of_cases():
    pid = os.getpid()
    if pid not in _trackers:
        _trackers[pid] = Tracker(lambda text: sys.stderr.write(text), patience=0)
        atexit.register(_trackers[pid].remove)
    return _trackers[pid]


def text_of(leaks):
    """Return what a test that fails says."""
    return "the test left connections open:\n  " + "\n  ".join(leaks)


class NoLeakedConnections(object):
    """A mixin for test cases: a test fails that leaves a connection open.

    List it first: ``class BlogTests(NoLeakedConnections, TestCase)``. A connection
    counts that the test opened and left open in a thread, in a forked child, or, on
    MySQL and PostgreSQL, on the server. The connections of the thread that runs the
    tests, which hold the test database, do not count, nor does a thread that
    ``setUpClass()`` started. The failure names alias, thread and line. A second is
    given to connections that are about to close.

    On MySQL and PostgreSQL each test costs a query in a session of the mixin's own.
    Before a test database is dropped, its other sessions are written to stderr.

    .. versionadded:: 1.0
    """

    def run(self, result=None):
        """Run the test; see the base class."""
        if not is_configured():
            return super(NoLeakedConnections, self).run(result)
        tracker = _tracker_of_cases()
        tracker.begin(self.id())
        self.addCleanup(self._fail_for_leaks)  # the first one is the last to run
        try:
            return super(NoLeakedConnections, self).run(result)
        finally:
            tracker.test = None

    def _fail_for_leaks(self):
        leaks = _tracker_of_cases().end()
        if leaks:
            self.fail(text_of(leaks))
