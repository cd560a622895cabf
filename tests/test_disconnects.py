"""is_disconnect and retry_on_disconnect: what is a lost connection, what runs again."""

from __future__ import absolute_import

import logging
import sys
import threading
import time
import traceback

import django
import pytest
from databases import (
    KILL,
    administration,
    kill,
    open_connection,
    run,
    session_id,
    sessions,
    tidy,
    wait_for,
)
from django.db import connections, transaction, utils
from django.db.utils import ConnectionDoesNotExist, DatabaseError
from django.test import TestCase
from test_readable import ENCRYPTION, encrypted  # noqa: F401 (a fixture)
from test_scopes import in_test_case

from django_compat import (
    close_stale_connections,
    closing_connections,
    fresh_connections,
    is_disconnect,
    retry_on_disconnect,
)
from django_compat import disconnect_codes

# Django 1.4 and 1.5 have no atomic(), and drop the driver's error when they wrap it.
MODERN = django.VERSION >= (1, 6)
LOGGER = "django_compat.disconnects"
LONG = {"mysql": "SELECT SLEEP(%s)", "postgresql": "SELECT pg_sleep(%s)"}


def where(condition):
    """Keep a test where a condition holds; elsewhere there is no such test."""
    return lambda test: test if condition else None


modern = where(MODERN)


# What errors say: from the tables.


def drivers(*names):
    """Return the modules of these drivers that this run has loaded."""
    found = [sys.modules.get(name) for name in names]
    return {module.__name__: module for module in found if module}.values()


def wrapped(error, vendor):
    """Return what Django makes of a driver's error."""
    names = "DataError OperationalError IntegrityError InternalError ProgrammingError"
    names += " NotSupportedError DatabaseError InterfaceError Error"
    if not MODERN:
        return DatabaseError(*error.args)
    connection = connections[vendor]
    with pytest.raises(utils.Error) as caught:
        with connection.wrap_database_errors:
            raise error
    assert caught.value is not error
    return caught.value


def mysql_errors(code, text):
    for module in drivers("MySQLdb", "pymysql"):
        error = module.OperationalError(code, text)
        yield error
        yield wrapped(error, "mysql")
        yield module.ProgrammingError(code, text)  # mysqlclient's class for 2014
    yield DatabaseError(code, text)


def postgresql_errors(code, text):
    """Yield what psycopg2 and psycopg make of it, and Django of that."""
    for module in drivers("psycopg2", "psycopg"):
        if code is None:
            error = module.OperationalError(text)
        elif module.__name__ == "psycopg":
            error = module.errors.lookup(code)(text)
        else:
            error = module.OperationalError(text)
            error.__setstate__({"pgcode": code})
        yield error
        yield wrapped(error, "postgresql")


needs_mysql = where("mysql" in connections.databases)
needs_postgresql = where("postgresql" in connections.databases)


@needs_mysql
@pytest.mark.parametrize("row", disconnect_codes.MYSQL, ids=lambda row: str(row[0]))
def test_mysql_code_is_a_disconnect(row):
    """Each row, as a driver's error and as Django's."""
    code, _, text = row
    for error in mysql_errors(code, text):
        assert is_disconnect(error) is True, repr(error)


MYSQL_NEIGHBOURS = [
    (1040, "Too many connections"),
    (1044, "Access denied for user to database"),
    (1045, "Access denied for user"),
    (1047, "Unknown command"),
    (1048, "Column cannot be null"),
    (1054, "Unknown column 'Server shutdown in progress'"),
    (1062, "Duplicate entry 'MySQL server has gone away' for key 'PRIMARY'"),
    (1153, "Got a packet bigger than 'max_allowed_packet' bytes"),
    (1203, "User already has more than 'max_user_connections' active connections"),
    (1205, "Lock wait timeout exceeded; try restarting transaction"),
    (1213, "Deadlock found when trying to get lock; try restarting transaction"),
    (1290, "The server is running with the --read-only option"),
    (1317, "Query execution was interrupted"),
    (1452, "Cannot add or update a child row"),
    (1792, "Cannot execute statement in a READ ONLY transaction"),
    (1836, "Running in read-only mode"),
    (1926, "unused"),
    (1928, "unused"),
    (1969, "Query execution was interrupted (max_statement_time exceeded)"),
    (2000, "Unknown MySQL error"),
    (2002, "Can't connect to local server through socket"),
    (2003, "Can't connect to MySQL server on '127.0.0.1' (111)"),
    (2005, "Unknown server host"),
    (2007, "Protocol mismatch; server version = 9, client version = 10"),
    (2012, "Error in server handshake"),
    (2015, "Can't open named pipe"),
    (2026, "TLS/SSL error: certificate verify failed"),
    (2044, "unused"),
    (2046, "unused"),
    (2054, "This feature is not implemented or disabled"),
    (2056, "Statement closed indirectly because of a preceding call"),
    (3024, "Query execution was interrupted, maximum execution time exceeded"),
    (4030, "unused"),
    (4031, "Referenced trigger 'x' for the given action time does not exist"),
    (4031, ""),
    (4032, "Invalid default value for parameter"),
    (0, "no error"),
]


@needs_mysql
@pytest.mark.parametrize("code, text", MYSQL_NEIGHBOURS)
def test_mysql_neighbour_is_none(code, text):
    """What refuses, waits, interrupts or constrains is not a lost connection."""
    for error in mysql_errors(code, text):
        assert is_disconnect(error) is False, repr(error)


@needs_mysql
@pytest.mark.parametrize("row", disconnect_codes.MYSQL_TEXTS, ids=str)
def test_mysql_text_is_a_disconnect_of_its_class_only(row):
    """A text counts where it is all that a class of error says."""
    name, args = row
    for module in drivers("MySQLdb", "pymysql"):
        error = getattr(module, name)(*args)
        assert is_disconnect(error) is True
        assert not MODERN or is_disconnect(wrapped(error, "mysql")) is True
        assert is_disconnect(module.ProgrammingError(*args)) is False
        assert is_disconnect(getattr(module, name)("say: %s" % (args[-1],))) is False


def example(state):
    return {"08": "08006"}.get(state, state)


@needs_postgresql
@pytest.mark.parametrize("row", disconnect_codes.POSTGRESQL, ids=lambda row: row[0])
def test_postgresql_code_is_a_disconnect(row):
    """Whatever its text is: a server may speak another language."""
    state, text = row
    for error in postgresql_errors(example(state), "text in another language"):
        assert is_disconnect(error) is MODERN or not isinstance(error, DatabaseError)
    for error in postgresql_errors(example(state), text):
        assert is_disconnect(error) is True, repr(error)


POSTGRESQL_NEIGHBOURS = [
    ("22P02", "invalid input syntax"),
    ("23505", "duplicate key value violates unique constraint"),
    ("25006", "cannot execute INSERT in a read-only transaction"),
    ("25P01", "there is no transaction in progress"),
    ("25P02", "current transaction is aborted"),
    ("28P01", "password authentication failed"),
    ("3D000", "database does not exist"),
    ("40001", "could not serialize access due to concurrent update"),
    ("40P01", "deadlock detected"),
    ("53300", "sorry, too many clients already"),
    ("55P03", "could not obtain lock on row"),
    ("57014", "canceling statement due to statement timeout"),
    ("57P03", "the database system is starting up"),
    ("P0001", "raised by a function"),
]


@needs_postgresql
@pytest.mark.parametrize("code, text", POSTGRESQL_NEIGHBOURS)
def test_postgresql_neighbour_is_none(code, text):
    """Neither by its code nor, as in Django 1.4 and 1.5, by its text alone."""
    for error in list(postgresql_errors(code, text)) + [DatabaseError(text)]:
        assert is_disconnect(error) is False, repr(error)
    for error in postgresql_errors(None, text):
        assert is_disconnect(error) is False, repr(error)


@needs_postgresql
@pytest.mark.parametrize("code, text", POSTGRESQL_NEIGHBOURS)
def test_postgresql_code_comes_before_the_text(code, text):
    """An error whose code is another's may quote what it likes."""
    for error in postgresql_errors(code, "server closed the connection unexpectedly"):
        if MODERN or not isinstance(error, DatabaseError):
            assert is_disconnect(error) is False, repr(error)


@needs_postgresql
@pytest.mark.parametrize("text", disconnect_codes.POSTGRESQL_TEXTS)
@pytest.mark.parametrize(
    "prefix",
    [
        "",
        "FATAL:  ",
        "consuming input failed: ",
        "sending query and params failed: ",
        'connection to server at "localhost" (::1), port 5432 failed: ',
        'connection failed: connection to server on socket "/tmp/s" failed: FATAL:  ',
    ],
)
def test_postgresql_text_is_a_disconnect(prefix, text):
    """As libpq and the drivers say it, with what they put before."""
    for error in postgresql_errors(None, prefix + text + ": why\n\tmore"):
        assert is_disconnect(error) is True, repr(error)


@needs_postgresql
@pytest.mark.parametrize(
    "text",
    [
        "cursor already closed",
        "the cursor is closed",
        "could not receive data from client",
        'connection to server at "127.0.0.1", port 1 failed: Connection refused',
        "connection failed: FATAL:  the database system is shutting down",
        "connection timeout expired",
        "could not translate host name",
        "couldn't get a connection after 30.00 sec",
        "the pool 'pool-1' is already closed",
        'syntax error at or near "server closed the connection unexpectedly"',
        "ERROR\nserver closed the connection unexpectedly",
        "",
    ],
)
def test_other_postgresql_text_is_none(text):
    """What could not be made was not lost; what is quoted was not said."""
    for error in postgresql_errors(None, text):
        assert is_disconnect(error) is False, repr(error)


class Foreign(Exception):
    """An error of a driver that nobody knows."""


def caused(error, cause):
    error.__cause__ = cause
    return error


GONE = (2006, "MySQL server has gone away")


@pytest.mark.parametrize(
    "error",
    [
        None,
        Exception(*GONE),
        RuntimeError(*GONE),
        OSError(104, "Connection reset by peer"),
        KeyboardInterrupt(),
        Foreign(*GONE),
        DatabaseError(),
        DatabaseError(None),
        DatabaseError([2006]),
        DatabaseError("2006", "MySQL server has gone away"),
        DatabaseError(True, "no"),
        caused(DatabaseError(*GONE), Foreign(*GONE)),
        caused(Exception("mine"), DatabaseError(*GONE)),
    ],
    ids=repr,
)
def test_what_no_known_driver_says_is_none(error):
    """Neither other exceptions, nor those of one's own that a disconnect caused."""
    assert is_disconnect(error) is False


def test_circle_of_causes_ends():
    """A cause that leads back is looked at once."""
    one, two = DatabaseError("one"), DatabaseError("two")
    one.__cause__, two.__cause__ = two, one
    assert is_disconnect(one) is False


# What servers really say.


def fails(work):
    """Return the error that a function raises."""
    try:
        work()
    except Exception as error:
        return error
    raise AssertionError("no error")


def prepared(alias):
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


@pytest.mark.parametrize("query", ["SELECT 1", "UPDATE nowhere SET n = 1"])
def test_killed_while_idle_is_a_disconnect(server_alias, query):
    """The first statement after it, and whatever is asked of that connection later."""
    connection, cursor = prepared(server_alias)
    kill(connection)
    assert is_disconnect(fails(lambda: cursor.execute(query)))
    if MODERN:  # before, Django connects again for a cursor
        assert is_disconnect(fails(lambda: run(connection, "SELECT 1")))


def test_killed_in_a_query_is_a_disconnect(server_alias):
    """KILL and pg_terminate_backend do not wait for the answer."""
    connection, cursor = prepared(server_alias)
    doomed = session_id(connection)

    def end():
        with administration(server_alias) as admin:
            run(admin, KILL[admin.vendor] % doomed)

    started = []
    thread = meanwhile(lambda: started, end)
    started.append(True)
    assert is_disconnect(fails(lambda: cursor.execute(LONG[connection.vendor] % 10)))
    thread.join()


def test_killed_query_is_none(server_alias):
    """KILL QUERY and pg_cancel_backend: the session lives on."""
    connection, cursor = prepared(server_alias)
    session = session_id(connection)
    sql = {"mysql": "KILL QUERY %d", "postgresql": "SELECT pg_cancel_backend(%d)"}
    ended = []

    def end():
        with administration(server_alias) as admin:
            while not ended:
                run(admin, sql[admin.vendor] % session)
                time.sleep(0.02)

    thread = meanwhile(lambda: True, end)
    query = "SELECT COUNT(*) FROM information_schema.columns a, "
    query += "information_schema.columns b, information_schema.columns c"
    error = fails(lambda: cursor.execute(query))
    ended.append(True)
    thread.join()
    assert is_disconnect(error) is False
    assert error.args[0] == 1317 or "canceling" in str(error)


IDLE = {
    "mysql": ["wait_timeout = 1", "idle_transaction_timeout = 1"],
    "postgresql": [
        "idle_session_timeout = 30",
        "idle_in_transaction_session_timeout = 30",
    ],
}


@modern  # until 1.5 each statement begins a transaction
def test_idle_session_is_a_disconnect(server_alias):
    """wait_timeout, idle_session_timeout and those within a transaction."""
    for setting in IDLE[connections[server_alias].vendor]:
        connection, cursor = prepared(server_alias)
        cursor.execute("SET SESSION " + setting)
        session = session_id(connection)
        if "transaction" in setting:
            cursor.execute("START TRANSACTION")
        wait_for(lambda: session not in sessions(server_alias))
        assert is_disconnect(fails(lambda: cursor.execute("SELECT 1"))), setting
        connection.close()


def test_statement_time_out_is_none(server_alias):
    """The server ends the statement only."""
    connection, cursor = prepared(server_alias)
    if connection.vendor == "mysql":
        query = "SET STATEMENT max_statement_time = 0.05 FOR SELECT COUNT(*) FROM "
        query += "information_schema.columns a, information_schema.columns b, "
        query += "information_schema.columns c"
    else:
        cursor.execute("SET statement_timeout = 30")
        query = "SELECT pg_sleep(10)"
    error = fails(lambda: cursor.execute(query))
    assert is_disconnect(error) is False
    assert error.args[0] == 1969 or "statement timeout" in str(error)


def test_cut_before_the_query_is_a_disconnect(server_alias, proxy):
    """In good order, and by a reset."""
    for end in (proxy.cut, proxy.reset):
        connection, cursor = prepared(server_alias)
        end()
        assert is_disconnect(fails(lambda: cursor.execute("SELECT 1")))
        connection.close()


def test_cut_during_the_query_is_a_disconnect(server_alias, proxy):
    """The server works at it, and the answer has nowhere to go."""
    for end in (proxy.cut, proxy.reset):
        connection, cursor = prepared(server_alias)
        chunks = proxy.sent[-1]
        before = len(chunks)
        thread = meanwhile(lambda: len(chunks) > before, end)
        query = LONG[connection.vendor] % 0.2
        assert is_disconnect(fails(lambda: cursor.execute(query)))
        thread.join()
        connection.close()


def cut_at_the_answer(proxy):
    """Cut when the server has answered the next statement, and nobody has heard it."""
    chunks = proxy.received[-1]
    before = len(chunks)
    proxy.latency = 0.1
    return meanwhile(lambda: len(chunks) > before, proxy.cut)


@pytest.fixture
def table(server_alias):
    """A table on the server, of numbers."""
    with administration(server_alias) as admin:
        run(admin, "DROP TABLE IF EXISTS counted")
        run(admin, "CREATE TABLE counted (number integer primary key)")
        if not MODERN:
            admin.connection.commit()
    yield "counted"


@pytest.fixture
def table_of_one(alias):
    """A table with one row."""
    with administration(alias) as admin:
        run(admin, "DROP TABLE IF EXISTS counted")
        run(admin, "CREATE TABLE counted AS SELECT 1 AS number")


def numbers(alias):
    with administration(alias) as admin:
        cursor = admin.cursor()
        cursor.execute("SELECT number FROM counted ORDER BY number")
        return [row[0] for row in cursor.fetchall()]


@modern
def test_cut_after_the_query_is_a_disconnect(server_alias, proxy, table):
    """And the statement has had its effect: this is what the caller vouches for."""
    direct = connections.databases[server_alias]["PORT"]
    connection, cursor = prepared(server_alias)
    thread = cut_at_the_answer(proxy)
    query = "INSERT INTO counted VALUES (1)"
    assert is_disconnect(fails(lambda: cursor.execute(query)))
    thread.join()
    proxy.latency = 0
    assert numbers(server_alias) == [1]
    assert direct == str(proxy.port)


@modern
def test_cut_before_the_commit_is_a_disconnect(server_alias, proxy, table):
    """What atomic() raises for it; nothing was done."""
    open_connection(server_alias, None)

    def work():
        with transaction.atomic(using=server_alias):
            run(connections[server_alias], "INSERT INTO counted VALUES (1)")
            proxy.cut()

    assert is_disconnect(fails(work))
    assert numbers(server_alias) == []


@modern
def test_lost_while_rows_are_read_is_a_disconnect(server_alias, proxy):
    """An answer that breaks off."""
    connection, cursor = prepared(server_alias)
    chunks = proxy.received[-1]
    before = len(chunks)
    thread = meanwhile(lambda: len(chunks) > before + 3, proxy.cut)
    rows = "(SELECT 1 AS n UNION ALL SELECT 2)"
    joined = ", ".join("%s AS r%d" % (rows, each) for each in range(20))

    def read():
        cursor.execute("SELECT REPEAT('x', 1000) FROM " + joined)
        cursor.fetchall()

    assert is_disconnect(fails(read))
    thread.join()


@pytest.mark.parametrize("how", ["refused", "cut"])
def test_connecting(server_alias, proxy, how):
    """Refused: nothing was lost. Accepted and cut: that is."""
    connection = connections[server_alias]
    if how == "refused":
        proxy.refuse()
    else:
        proxy.target = ("127.0.0.1", 1)  # it accepts, finds no server, and closes
    error = fails(connection.cursor)
    proxy.accept()
    assert is_disconnect(error) is (how == "cut"), repr(error)


def test_read_only_server_is_none(server_alias, table):
    """The session lives: a server that was demoted answers as a replica does."""
    mysql = server_alias == "mysql"
    settings = connections.databases[server_alias]
    before = dict(settings)
    with administration(server_alias) as admin:
        if mysql:  # an account that the option holds for
            run(admin, "CREATE USER IF NOT EXISTS clerk")
            run(admin, "GRANT ALL ON %s.* TO clerk" % settings["NAME"])
            settings.update(USER="clerk", PASSWORD="")
        connection, cursor = prepared(server_alias)
        session = session_id(connection)
        set_read_only(admin, True)
        try:
            query = "INSERT INTO counted VALUES (1)"
            if not mysql:
                show = "SHOW default_transaction_read_only"
                wait_for(lambda: run(connection, show) == ("on",))
            if not MODERN:
                connection.connection.rollback()  # the transaction is older
            error = fails(lambda: cursor.execute(query))
        finally:
            set_read_only(admin, False)
            settings.update(before)
    assert "read-only" in str(error)
    assert is_disconnect(error) is False
    if not MODERN:
        connection.connection.rollback()
    assert session_id(connection) == session


def set_read_only(admin, on):
    if admin.vendor == "mysql":
        run(admin, "SET GLOBAL read_only = %d" % on)
        return
    if not MODERN:
        admin.connection.set_isolation_level(0)
    value = "on" if on else "off"
    run(admin, "ALTER SYSTEM SET default_transaction_read_only = " + value)
    run(admin, "SELECT pg_reload_conf()")
    wait_for(lambda: run(admin, "SHOW default_transaction_read_only") == (value,))


@needs_postgresql
@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
@pytest.mark.parametrize("row", disconnect_codes.POSTGRESQL, ids=lambda row: row[0])
def test_code_of_another_server_is_none(alias, row):
    """At severity ERROR the session lives: postgres_fdw hands on what it was told."""
    connection, cursor = prepared(alias)
    session = session_id(connection)
    query = "DO $$ BEGIN RAISE EXCEPTION 'elsewhere' USING ERRCODE = '%s'; END $$"
    error = fails(lambda: cursor.execute(query % example(row[0])))
    assert is_disconnect(error) is False
    if not MODERN:
        connection.connection.rollback()
    assert session_id(connection) == session


def test_errors_of_a_live_session_are_none(alias):
    """Syntax and constraints."""
    connection, cursor = prepared(alias)
    assert is_disconnect(fails(lambda: cursor.execute("SELEKT 1"))) is False
    if not MODERN and alias == "postgresql":
        connection.connection.rollback()
    cursor.execute("CREATE TEMPORARY TABLE once (number integer primary key)")
    cursor.execute("INSERT INTO once VALUES (1)")
    again = fails(lambda: cursor.execute("INSERT INTO once VALUES (1)"))
    assert is_disconnect(again) is False


def test_encrypted_connection_that_is_lost(encrypted, proxy):  # noqa: F811
    """TLS has its own words for it: killed, cut before a query and during one."""
    for end in (kill, lambda _: proxy.cut(), lambda _: proxy.reset()):
        connection, cursor = prepared(encrypted)
        assert run(connection, ENCRYPTION[connection.vendor])[1].startswith("TLSv1.")
        end(connection)
        error = fails(lambda: cursor.execute("SELECT 1"))
        assert is_disconnect(error), repr(error)
        connection.close()
    for end in (proxy.cut, proxy.reset):
        connection, cursor = prepared(encrypted)
        chunks = proxy.sent[-1]
        before = len(chunks)
        thread = meanwhile(lambda: len(chunks) > before, end)
        error = fails(lambda: cursor.execute(LONG[connection.vendor] % 0.2))
        thread.join()
        assert is_disconnect(error), repr(error)
        connection.close()


@where("postgresql" in connections.databases and MODERN)
@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
def test_serialization_failure_is_none(alias, table_of_one):
    """Two transactions that change one row."""
    names = [alias, alias + "_other"]
    query = "UPDATE counted SET number = number + 1"
    found = [open_connection(name, None) for name in names]
    for connection in found:
        run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ")
        run(connection, "SELECT * FROM counted")
    run(found[0], query)
    run(found[0], "COMMIT")
    error = fails(lambda: run(found[1], query))
    assert "could not serialize access" in str(error)
    assert is_disconnect(error) is False
    run(found[1], "ROLLBACK")


@pytest.mark.parametrize("end", ["restart", "kill"])
@pytest.mark.parametrize("busy", [False, True])
def test_server_that_goes_down_is_a_disconnect(server_alias, spare, end, busy):
    """Shut down or crashed, under an idle session and under one at work."""
    connection, cursor = prepared(server_alias)
    if busy:
        due = time.time() + 0.2
        thread = meanwhile(lambda: time.time() > due, getattr(spare, end))
        error = fails(lambda: cursor.execute(LONG[connection.vendor] % 30))
        thread.join()
    else:
        getattr(spare, end)()
        error = fails(lambda: cursor.execute("SELECT 1"))
    if end == "kill":
        refused = fails(lambda: open_connection(server_alias + "_other"))
        spare.start()
        assert is_disconnect(refused) is False
    assert is_disconnect(error), repr(error)


# What runs again.


class Job(object):
    """A function's body that loses its connection in its first calls."""

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


def logged(caplog):
    found = [record for record in caplog.records if record.name == LOGGER]
    return [(record.levelname, record.getMessage()) for record in found]


def bare(job):
    @retry_on_disconnect
    def work(result):
        return job(result)

    return work("done")


def with_parentheses(job):
    @retry_on_disconnect()
    def work(result):
        return job(result)

    return work(result="done")


def with_arguments(job):
    @retry_on_disconnect(3, 0.001, 1.5, using=[job.alias])
    def work(result):
        return job(result)

    return work("done")


def method(job):
    class Worker(object):
        @retry_on_disconnect
        def work(self, result):
            assert isinstance(self, Worker)
            return job(result)

    return Worker().work("done")


@pytest.mark.parametrize("form", [bare, with_parentheses, with_arguments, method])
def test_lost_connection_is_retried(server_alias, form, caplog):
    """The function runs again in a new session, and its result comes out."""
    job = Job(server_alias)
    with caplog.at_level(logging.INFO, "django_compat"):
        assert form(job) == "done"
    assert job.calls == 2
    assert job.sessions[0] != job.sessions[1]
    ((level, text),) = logged(caplog)
    assert level == "WARNING"
    assert "attempt 1 of " in text and " of work " in text
    assert "to %r" % str(server_alias) in text or django.VERSION < (1, 6)
    assert repr(job.raised[0]) in text


def test_decorated_function_keeps_its_metadata():
    """Name, documentation and attributes are those of the function."""

    def work(one, two=2):
        """Do the work."""
        return one, two

    work.queue = "slow"
    for retried in (retry_on_disconnect(work), retry_on_disconnect(2)(work)):
        assert retried.__wrapped__ is work
        assert (retried.__name__, retried.__doc__) == ("work", "Do the work.")
        assert retried.queue == "slow"
        assert retried(1, two=3) == (1, 3)


@pytest.mark.parametrize("attempts", [1, 3])
def test_last_error_comes_out_unchanged(server_alias, attempts, caplog):
    """The same object with its traceback, and no other as its context."""
    job = Job(server_alias, losses=9)
    with pytest.raises(DatabaseError) as caught:
        retry_on_disconnect(attempts)(job.__call__)()
    assert job.calls == attempts
    assert caught.value is job.raised[-1]
    functions = [entry[2] for entry in traceback.extract_tb(caught.tb)]
    assert "__call__" in functions and functions[-1] != "retried"
    assert caught.value not in job.raised[:-1]
    assert getattr(caught.value, "__context__", None) not in job.raised
    assert len(logged(caplog)) == attempts - 1


def test_delay_grows(server_alias, caplog):
    """By the factor, in seconds; both are told."""
    job = Job(server_alias, losses=2)
    begun = time.time()
    retry_on_disconnect(attempts=3, delay=0.05, backoff=3)(job.__call__)()
    assert time.time() - begun >= 0.05 + 0.15
    ends = [text.rsplit(", ", 1)[1] for _, text in logged(caplog)]
    assert ends[0] == "again in 0.05 s" and ends[1].startswith("again in 0.15")


@pytest.mark.parametrize(
    "error",
    [
        DatabaseError(1213, "Deadlock found when trying to get lock"),
        DatabaseError(1205, "Lock wait timeout exceeded"),
        DatabaseError(1040, "Too many connections"),
        DatabaseError("could not serialize access"),
        utils.IntegrityError("duplicate key"),
        ValueError("no database"),
        KeyboardInterrupt(),
    ],
    ids=repr,
)
def test_other_errors_are_not_retried(server_alias, error, caplog):
    """They come out at once, and the connection stays."""
    job = Job(server_alias, error=error)
    with pytest.raises(type(error)) as caught:
        retry_on_disconnect(job.__call__)()
    assert caught.value is error
    assert job.calls == 1
    assert session_id(connections[server_alias]) == job.sessions[0]
    assert logged(caplog) == []


def assert_not_retried(job, caplog, **options):
    with pytest.raises(Exception) as caught:
        retry_on_disconnect(**options)(job.__call__)()
    assert caught.value is job.raised[-1]
    assert is_disconnect(caught.value)
    assert job.calls == 1
    assert logged(caplog) == []


@modern
@pytest.mark.parametrize("nested", [False, True])
def test_inside_atomic_nothing_is_retried(server_alias, nested, caplog):
    """What the block did before is lost, and only its beginner can do it again."""
    job = Job(server_alias)

    def work():
        if nested:
            nested.pop()
            with transaction.atomic(using=server_alias):
                work()
        assert_not_retried(job, caplog)
        raise job.raised[-1]

    nested = [True] * nested
    with pytest.raises(utils.Error) as caught:
        with transaction.atomic(using=server_alias):
            work()
    assert is_disconnect(caught.value)


@modern
@pytest.mark.parametrize("named", [False, True])
def test_inside_atomic_of_another_alias_nothing_is_retried(server_alias, named, caplog):
    """What was done in that block would be done twice."""
    job = Job(server_alias)
    with transaction.atomic(using="default"):
        assert_not_retried(job, caplog, using=server_alias if named else None)


@modern
def test_with_autocommit_off_nothing_is_retried(server_alias, caplog):
    """By set_autocommit() before, and by the setting."""
    connection = open_connection(server_alias)
    connection.set_autocommit(False)
    assert_not_retried(Job(server_alias), caplog)
    connection.close()
    connection.settings_dict["AUTOCOMMIT"] = False
    assert_not_retried(Job(server_alias), caplog)


def test_in_a_test_case_nothing_is_retried(alias):
    """It holds a transaction around each test."""
    calls = []

    @retry_on_disconnect
    def work():
        calls.append(True)
        raise DatabaseError(*GONE)

    def body(case, name):
        case.assertRaises(DatabaseError, work)

    in_test_case(TestCase, alias, body)
    assert len(calls) == 1
    with pytest.raises(DatabaseError):
        work()
    assert len(calls) == 3


@where(django.VERSION >= (5, 1) and sys.modules.get("psycopg"))
def test_pool_of_postgresql_whose_connections_were_lost(postgresql_server, monkeypatch):
    """One retry is enough, although every idle one in it is dead as well."""
    pytest.importorskip("psycopg_pool")
    options = {"pool": {"min_size": 4, "max_size": 4}}
    monkeypatch.setitem(connections.databases["postgresql"], "OPTIONS", options)
    tidy()
    connection = connections["postgresql"]
    calls = []

    @retry_on_disconnect
    def work():
        calls.append(session_id(connection))
        if len(calls) == 1:
            wait_for(lambda: len(connection.pool._pool) == 3)
            others = list(sessions("postgresql"))
            with administration("postgresql", OPTIONS={}) as admin:
                for each in others:
                    run(admin, KILL["postgresql"] % each)
            wait_for(lambda: not set(others) & sessions("postgresql"))
        return run(connection, "SELECT 1")

    try:
        assert work() == (1,)
        assert len(calls) == 2
    finally:
        connection.close()
        connection.close_pool()
        monkeypatch.undo()
        tidy()


@where(django.VERSION < (1, 8))
@pytest.mark.parametrize("name", ["commit_on_success", "commit_manually"])
def test_inside_a_legacy_transaction_nothing_is_retried(server_alias, name, caplog):
    """As inside atomic()."""
    job = Job(server_alias)

    def work():
        try:
            assert_not_retried(job, caplog)
        finally:
            connections[server_alias].close()
            transaction.set_clean(using=server_alias)

    getattr(transaction, name)(using=server_alias)(work)()


@modern
def test_atomic_inside_the_function_is_retried(server_alias, table, proxy, caplog):
    """The block is rolled back with its session, so it is done once."""
    calls = []

    @retry_on_disconnect(using=server_alias)
    def work():
        calls.append(True)
        with transaction.atomic(using=server_alias):
            run(connections[server_alias], "INSERT INTO counted VALUES (1)")
            if len(calls) == 1:
                proxy.cut()

    work()
    assert len(calls) == 2
    assert numbers(server_alias) == [1]
    assert "to %r" % str(server_alias) in logged(caplog)[0][1]


@modern
def test_statement_that_was_sent_may_be_done_twice(server_alias, table, proxy):
    """The limit that the documentation shows: its answer was lost, not its effect."""
    calls = []

    @retry_on_disconnect
    def work():
        calls.append(True)
        proxy.latency = 0
        cursor = connections[server_alias].cursor()
        if len(calls) == 1:
            cut_at_the_answer(proxy)
        cursor.execute("INSERT INTO counted SELECT COUNT(*) FROM counted")

    work()
    assert len(calls) == 2
    assert numbers(server_alias) == [0, 1]


@modern
def test_block_that_was_left_open_is_not_retried(server_alias, caplog):
    """The next attempt would run inside of it."""
    calls = []

    @retry_on_disconnect
    def work():
        calls.append(True)
        connection, cursor = prepared(server_alias)
        transaction.atomic(using=server_alias).__enter__()
        kill(connection)
        cursor.execute("SELECT 1")

    assert is_disconnect(fails(work))
    assert len(calls) == 1
    connection = connections[server_alias]
    connection.in_atomic_block = False
    connection.close()


@modern
def test_transaction_that_was_left_open_is_rolled_back(server_alias, table):
    """With autocommit off at the end of an attempt, what it did is not kept."""
    calls = []
    other = server_alias + "_other"

    @retry_on_disconnect
    def work():
        calls.append(True)
        connection = open_connection(other, None)
        connection.set_autocommit(False)
        run(connection, "INSERT INTO counted VALUES (%d)" % len(calls))
        if len(calls) == 1:
            lost, cursor = prepared(server_alias)
            kill(lost)
            cursor.execute("SELECT 1")
        connection.commit()

    work()
    connections[other].close()
    assert numbers(server_alias) == [2]


def test_what_works_stays_open(server_alias):
    """Only the dead connection is closed, and only of what ``using`` names."""
    other = open_connection(server_alias + "_other", None)
    session = session_id(other)
    for using in (None, server_alias, [server_alias, server_alias + "_other"]):
        raw = other.connection
        retry_on_disconnect(using=using)(Job(server_alias).__call__)()
        assert other.connection is raw
    assert session_id(other) == session


@modern
def test_alias_that_is_not_named_is_left_alone(server_alias, caplog):
    """Its dead connection stays, so the function fails again, and that comes out."""
    job = Job(server_alias)

    def work():
        if job.calls:
            run(connections[server_alias], "SELECT 1")
        job()

    retried = retry_on_disconnect(3, using=server_alias + "_other")(work)
    assert is_disconnect(fails(retried))
    assert len(logged(caplog)) == 2
    assert "lost its connection (" in logged(caplog)[0][1]
    connections[server_alias].close()


@pytest.mark.parametrize("scope", [fresh_connections, closing_connections])
@pytest.mark.parametrize("inside", [False, True])
def test_scope_around_and_inside(server_alias, scope, inside, caplog):
    """A unit of work may be retried, and may retry."""
    job = Job(server_alias)
    decorators = [scope, retry_on_disconnect]
    work = job.__call__
    for decorate in decorators if inside else reversed(decorators):
        work = decorate(work)
    assert work() == "done"
    assert job.calls == 2
    assert len(logged(caplog)) == 1
    if scope is closing_connections:
        assert connections[server_alias].connection is None
    elif MODERN:
        assert session_id(connections[server_alias]) == job.sessions[1]
    assert close_stale_connections() == []


def test_unknown_alias_is_djangos_error():
    """At the call; nothing runs."""
    work = retry_on_disconnect(using=["default", "nowhere"])(lambda: 1 / 0)
    with pytest.raises(ConnectionDoesNotExist):
        work()


BAD = [
    ("attempts", [0, -1, 1.5, "2", None, True], "whole number, 1 or more"),
    ("delay", [-1, "1", None, True, float("inf"), float("nan")], "seconds, 0 or more"),
    ("backoff", [0.5, 0, "2", None, False, float("inf")], "number, 1 or more"),
    ("using", [1, [1], ["default", None], True, object()], "alias, several, or None"),
]


@pytest.mark.parametrize(
    "name, value, allowed",
    [(name, value, text) for name, values, text in BAD for value in values],
)
def test_bad_argument_is_a_value_error(name, value, allowed):
    """It names the argument, the value and what is allowed."""
    with pytest.raises(ValueError) as caught:
        retry_on_disconnect(**{name: value})
    assert "(%s=%r)" % (name, value) in str(caught.value)
    assert allowed in str(caught.value)


@pytest.mark.parametrize(
    "source",
    ["def work():\n    yield"]
    + ["async def work():\n    yield"] * (sys.version_info >= (3, 6)),
)
def test_generator_function_is_a_type_error(source):
    """Its body runs when there is nothing left that could run it again."""
    names = {}
    exec(source, names)
    for decorate in (retry_on_disconnect, retry_on_disconnect()):
        with pytest.raises(TypeError) as caught:
            decorate(names["work"])
        assert "generator" in str(caught.value)
    with pytest.raises(TypeError):
        retry_on_disconnect()(None)
