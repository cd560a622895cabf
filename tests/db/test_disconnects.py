"""is_disconnect: the codes and texts it knows, and what real servers say."""

from __future__ import absolute_import

import re
import sys
import time

import pytest
from django.db import connections, transaction, utils
from django.db.utils import DatabaseError

from django_compat import is_disconnect, retry_on_disconnect
from django_compat._db import disconnects
from support import databases
from support.databases import (
    administration,
    kill,
    open_connection,
    run,
    session_id,
    sessions,
    wait_for,
)
from support.drivers import DRIVERS, MODULES
from support.losses import (
    PERSISTS,
    counted_numbers,
    cut_at_the_answer,
    error_of,
    meanwhile,
    open_with_cursor,
    since_django_16,
)
from support.pgbouncer import running
from support.sql import ENCRYPTION, KILL, SLEEP

pytestmark = [pytest.mark.contract, pytest.mark.usefixtures("driver_set")]


# Errors made by the tests: every row of the tables, and neighbours of the rows.


def drivers(*names):
    """Return the modules of those of these drivers that this run uses."""
    modules = [sys.modules.get(MODULES[name]) for name in names if name in DRIVERS]
    return [module for module in modules if module]


def wrapped(error, vendor):
    """Return the error that Django raises in place of a driver's error."""
    if not PERSISTS:
        return DatabaseError(*error.args)
    connection = connections[vendor]
    with pytest.raises(utils.Error) as caught:
        with connection.wrap_database_errors:
            raise error
    assert caught.value is not error
    return caught.value


def mysql_errors(code, text):
    """Yield a code's error of mysqlclient and PyMySQL, and Django's error for each."""
    for module in drivers("mysqlclient", "PyMySQL"):
        error = module.OperationalError(code, text)
        yield error
        yield wrapped(error, "mysql")
        yield module.ProgrammingError(code, text)  # mysqlclient's class for 2014
    yield DatabaseError(code, text)


def postgresql_errors(code, text):
    """Yield a code's error of psycopg2 and psycopg, and Django's error for each."""
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


needs_mysql = pytest.mark.skipif(
    "mysql" not in connections.databases, reason="no driver of MySQL in this run"
)
needs_postgresql = pytest.mark.skipif(
    "postgresql" not in connections.databases,
    reason="no driver of PostgreSQL in this run",
)


@needs_mysql
@pytest.mark.parametrize("row", disconnects.MYSQL, ids=lambda row: str(row[0]))
def test_mysql_code_is_a_disconnect(row):
    """Each row of the table is a disconnect, as a driver's error and as Django's."""
    code, _, text = row
    for error in mysql_errors(code, text):
        assert is_disconnect(error) is True, repr(error)


@needs_mysql
def test_mysql_codes_are_those_of_the_drivers():
    """Both drivers name the codes, but for MariaDB's own and that of MySQL 8.0.24."""
    from MySQLdb.constants import CR, ER

    names = """SERVER_SHUTDOWN NET_READ_ERROR NET_READ_INTERRUPTED NET_ERROR_ON_WRITE
        NET_WRITE_INTERRUPTED SERVER_GONE_ERROR SERVER_LOST COMMANDS_OUT_OF_SYNC
        SSL_CONNECTION_ERROR SHARED_MEMORY_CONNECT_ABANDONED_ERROR
        SERVER_LOST_EXTENDED"""
    codes = {1927, 4031}
    for name in names.split():
        places = [(ER, name), (CR, name), (CR, "CR_" + name)]  # CR_: PyMySQL
        codes |= {getattr(*place) for place in places if hasattr(*place)}
    assert {row[0] for row in disconnects.MYSQL} == codes


def test_error_without_arguments_is_no_disconnect():
    """A program may raise a driver's class itself."""
    for module in drivers("mysqlclient", "PyMySQL", "psycopg2", "psycopg"):
        assert is_disconnect(module.OperationalError()) is False
    assert is_disconnect(DatabaseError()) is False


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
    (1226, "User 'x' has exceeded the 'max_user_connections' resource"),
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
    (3032, "The server is currently in offline mode"),
    (4030, "unused"),
    (4031, "Referenced trigger 'x' for the given action time does not exist"),
    (4031, ""),
    (4032, "Invalid default value for parameter"),
    (0, "no error"),
]


@needs_mysql
@pytest.mark.parametrize("code, text", MYSQL_NEIGHBOURS)
def test_mysql_neighbour_is_no_disconnect(code, text):
    """Refusals, lock waits, interruptions and constraints lose no connection."""
    for error in mysql_errors(code, text):
        assert is_disconnect(error) is False, repr(error)


@needs_mysql
@pytest.mark.parametrize("row", disconnects.MYSQL_TEXTS, ids=str)
def test_mysql_text_is_a_disconnect_of_its_class_only(row):
    """A text without a code counts for its class of error, and as the whole text."""
    name, args = row
    for module in drivers("mysqlclient", "PyMySQL"):
        error = getattr(module, name)(*args)
        assert is_disconnect(error) is True
        assert not PERSISTS or is_disconnect(wrapped(error, "mysql")) is True
        assert is_disconnect(module.ProgrammingError(*args)) is False
        assert is_disconnect(getattr(module, name)("say: %s" % (args[-1],))) is False


def full_code(state):
    """Return a code of five characters for a row, which may name a class of codes."""
    return {"08": "08006"}.get(state, state)


@needs_postgresql
@pytest.mark.parametrize("row", disconnects.POSTGRESQL, ids=lambda row: row[0])
def test_postgresql_code_is_a_disconnect(row):
    """A code counts whatever the text is: a server may speak another language."""
    state, text = row
    for error in postgresql_errors(full_code(state), "text in another language"):
        assert is_disconnect(error) is PERSISTS or not isinstance(error, DatabaseError)
    for error in postgresql_errors(full_code(state), text):
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
def test_postgresql_neighbour_is_no_disconnect(code, text):
    """Neither the code nor, as in Django 1.4 and 1.5, the text alone is enough."""
    for error in list(postgresql_errors(code, text)) + [DatabaseError(text)]:
        assert is_disconnect(error) is False, repr(error)
    for error in postgresql_errors(None, text):
        assert is_disconnect(error) is False, repr(error)


@needs_postgresql
@pytest.mark.parametrize("code, text", POSTGRESQL_NEIGHBOURS)
def test_postgresql_code_comes_before_the_text(code, text):
    """An error with another code is no disconnect, even if its text quotes one."""
    for error in postgresql_errors(code, "server closed the connection unexpectedly"):
        if PERSISTS or not isinstance(error, DatabaseError):
            assert is_disconnect(error) is False, repr(error)


@needs_postgresql
@pytest.mark.parametrize("text", disconnects.POSTGRESQL_TEXTS)
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
    """A text of libpq counts with each prefix that drivers put before the text."""
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
def test_other_postgresql_text_is_no_disconnect(text):
    """A connection that failed to open was not lost; a quoted text does not count."""
    for error in postgresql_errors(None, text):
        assert is_disconnect(error) is False, repr(error)


@needs_postgresql
@pytest.mark.parametrize("prefix", ["", "connection failed: FATAL:  ", "FATAL:  "])
@pytest.mark.parametrize("text", disconnects.POSTGRESQL_TIME_OUTS)
@pytest.mark.parametrize("code", ["08P01", None])
def test_poolers_time_out_is_no_disconnect(code, text, prefix):
    """A statement that took too long for PgBouncer is not to be run again."""
    for error in postgresql_errors(code, prefix + text):
        assert is_disconnect(error) is False, repr(error)
    ends = prefix + text + "\nserver closed the connection unexpectedly\n\tThis"
    for error in postgresql_errors(code, ends):
        assert is_disconnect(error) is False, repr(error)


@needs_postgresql
@pytest.mark.parametrize("text", ["query timeouts", "client_idle_timeout", "x query"])
def test_poolers_other_text_is_a_disconnect(text):
    """PgBouncer's code for every reason to hang up is a disconnect."""
    for error in postgresql_errors("08P01", text):
        if PERSISTS or not isinstance(error, DatabaseError):  # else without the code
            assert is_disconnect(error) is True, repr(error)


class Foreign(Exception):
    """An error of an unknown driver."""


def with_cause(error, cause):
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
        with_cause(DatabaseError(*GONE), Foreign(*GONE)),
        with_cause(Exception("mine"), DatabaseError(*GONE)),
    ],
    ids=repr,
)
def test_error_of_no_known_driver_is_no_disconnect(error):
    """Other exceptions do not count, even with a disconnect as their cause."""
    assert is_disconnect(error) is False


def test_circle_of_causes_ends():
    """Two errors that are each other's cause are each looked at once."""
    one, two = DatabaseError("one"), DatabaseError("two")
    one.__cause__, two.__cause__ = two, one
    assert is_disconnect(one) is False


# Errors of real servers.


@pytest.mark.parametrize("query", ["SELECT 1", "UPDATE nowhere SET n = 1"])
def test_killed_while_idle_is_a_disconnect(server_alias, query):
    """The first statement after the kill fails so, and so do later statements."""
    connection, cursor = open_with_cursor(server_alias)
    kill(connection)
    assert is_disconnect(error_of(lambda: cursor.execute(query)))
    if PERSISTS:  # before, Django connects again for a cursor
        assert is_disconnect(error_of(lambda: run(connection, "SELECT 1")))


def test_killed_in_a_query_is_a_disconnect(server_alias):
    """KILL and pg_terminate_backend end a session while it runs a query."""
    connection, cursor = open_with_cursor(server_alias)
    doomed = session_id(connection)

    def end():
        with administration(server_alias) as admin:
            run(admin, KILL[admin.vendor] % doomed)

    started = []
    thread = meanwhile(lambda: started, end)
    started.append(True)
    query = SLEEP[connection.vendor] % 10
    assert is_disconnect(error_of(lambda: cursor.execute(query)))
    thread.join()


# MySQL's SLEEP() says nothing when the server is shut down.
LONG = "SELECT COUNT(*) FROM information_schema.columns a, "
LONG += "information_schema.columns b, information_schema.columns c"


def test_killed_query_is_no_disconnect(server_alias):
    """The session lives on after KILL QUERY and pg_cancel_backend."""
    connection, cursor = open_with_cursor(server_alias)
    session = session_id(connection)
    sql = {"mysql": "KILL QUERY %d", "postgresql": "SELECT pg_cancel_backend(%d)"}
    ended = []

    def end():
        with administration(server_alias) as admin:
            while not ended:
                run(admin, sql[admin.vendor] % session)
                time.sleep(0.02)

    thread = meanwhile(lambda: True, end)
    error = error_of(lambda: cursor.execute(LONG))
    ended.append(True)
    thread.join()
    assert is_disconnect(error) is False
    assert error.args[0] == 1317 or "canceling" in str(error)


def check_code(error, name, code):
    """Compare the code of a server's last words with that in the table.

    PyMySQL raises 2013 for any goodbye that it did not ask for, and psycopg2 does not
    hand the words on.
    """
    driver = "psycopg" if name == "PostgreSQL" else "mysqlclient"
    if driver in DRIVERS:
        cause = getattr(error, "__cause__", None) or error
        assert (cause.sqlstate if driver == "psycopg" else cause.args[0]) == code


# A setting, of seconds in MySQL and MariaDB and of milliseconds in PostgreSQL, with the
# first release that has it; whether it is for a transaction; and the code that comes.
IDLE_LIMITS = [
    ("MySQL", 8, "wait_timeout = 1", False, 4031),
    ("MySQL", 8, "wait_timeout = 1", True, 4031),
    ("MariaDB", 10, "wait_timeout = 1", False, 2006),
    ("MariaDB", 10, "idle_transaction_timeout = 1", True, 2006),
    ("PostgreSQL", 14, "idle_session_timeout = 30", False, "57P05"),
    ("PostgreSQL", 10, "idle_in_transaction_session_timeout = 30", True, "25P03"),
    ("PostgreSQL", 17, "transaction_timeout = 30", True, "25P04"),
]


@since_django_16  # until 1.5 each statement begins a transaction
def test_idle_session_is_a_disconnect(server_alias):
    """The server ends an idle session, outside of a transaction and inside of one."""
    with administration(server_alias) as admin:
        name, release, _ = databases.version(admin)
    for server, since, setting, is_in_transaction, code in IDLE_LIMITS:
        if server != name or release < since:
            continue
        connection, cursor = open_with_cursor(server_alias)
        session = session_id(connection)
        cursor.execute("SET SESSION " + setting)
        if is_in_transaction:
            cursor.execute("START TRANSACTION")
        wait_for(lambda: session not in sessions(server_alias))
        error = error_of(lambda: cursor.execute("SELECT 1"))
        assert is_disconnect(error), setting
        check_code(error, name, code)
        connection.close()


def test_statement_time_out_is_no_disconnect(server_alias):
    """The server ends the statement, and keeps the session."""
    connection, cursor = open_with_cursor(server_alias)
    name = databases.version(connection)[0]
    if name == "PostgreSQL":
        cursor.execute("SET statement_timeout = 30")
    if name == "MySQL":
        cursor.execute("SET max_execution_time = 30")
    query = "SET STATEMENT max_statement_time = 0.03 FOR " * (name == "MariaDB") + LONG
    error = error_of(lambda: cursor.execute(query))
    assert is_disconnect(error) is False
    assert error.args[0] in (1969, 3024) or "statement timeout" in str(error)


def test_cut_before_the_query_is_a_disconnect(server_alias, proxy):
    """A proxy closes the connection, or resets it, before the next statement."""
    for end in (proxy.cut, proxy.reset):
        connection, cursor = open_with_cursor(server_alias)
        end()
        assert is_disconnect(error_of(lambda: cursor.execute("SELECT 1")))
        connection.close()


def test_cut_during_the_query_is_a_disconnect(server_alias, proxy):
    """A proxy closes or resets while the server works at the statement."""
    for end in (proxy.cut, proxy.reset):
        connection, cursor = open_with_cursor(server_alias)
        chunks = proxy.sent[-1]
        before = len(chunks)
        thread = meanwhile(lambda: len(chunks) > before, end)
        query = SLEEP[connection.vendor] % 0.2
        assert is_disconnect(error_of(lambda: cursor.execute(query)))
        thread.join()
        connection.close()


@pytest.fixture
def table_of_one(alias):
    """A table with one row."""
    with administration(alias) as admin:
        run(admin, "DROP TABLE IF EXISTS counted")
        run(admin, "CREATE TABLE counted AS SELECT 1 AS number")


@since_django_16
@pytest.mark.usefixtures("counted")
def test_cut_after_the_query_is_a_disconnect(server_alias, proxy):
    """The answer is lost, but the statement had its effect."""
    direct = connections.databases[server_alias]["PORT"]
    connection, cursor = open_with_cursor(server_alias)
    thread = cut_at_the_answer(proxy)
    query = "INSERT INTO counted VALUES (1)"
    assert is_disconnect(error_of(lambda: cursor.execute(query)))
    thread.join()
    proxy.latency = 0
    assert counted_numbers(server_alias) == [1]
    assert direct == str(proxy.port)


@since_django_16
@pytest.mark.usefixtures("counted")
def test_cut_before_the_commit_is_a_disconnect(server_alias, proxy):
    """atomic() raises a disconnect, and the server rolled the block back."""
    open_connection(server_alias, None)

    def work():
        with transaction.atomic(using=server_alias):
            run(connections[server_alias], "INSERT INTO counted VALUES (1)")
            proxy.cut()

    assert is_disconnect(error_of(work))
    assert counted_numbers(server_alias) == []


@since_django_16
def test_lost_while_rows_are_read_is_a_disconnect(server_alias, proxy):
    """The connection is cut in the middle of a long answer."""
    connection, cursor = open_with_cursor(server_alias)
    chunks = proxy.received[-1]
    before = len(chunks)
    thread = meanwhile(lambda: len(chunks) > before + 3, proxy.cut)
    rows = "(SELECT 1 AS n UNION ALL SELECT 2)"
    joined = ", ".join("%s AS r%d" % (rows, each) for each in range(20))

    def read():
        cursor.execute("SELECT REPEAT('x', 1000) FROM " + joined)
        cursor.fetchall()

    assert is_disconnect(error_of(read))
    thread.join()


@pytest.mark.parametrize("how", ["refused", "cut"])
def test_connect_that_is_cut_is_a_disconnect_but_a_refusal_is_none(
    server_alias, proxy, how
):
    """A refused connect lost nothing; an accepted one that is cut did."""
    connection = connections[server_alias]
    if how == "refused":
        proxy.refuse()
    else:
        proxy.target = ("127.0.0.1", 1)  # accepted by the proxy, then closed
    error = error_of(connection.cursor)
    proxy.accept()
    assert is_disconnect(error) is (how == "cut"), repr(error)


@pytest.mark.usefixtures("counted")
def test_read_only_server_is_no_disconnect(server_alias):
    """The session lives: a demoted server answers like a replica."""
    mysql = server_alias == "mysql"
    settings = connections.databases[server_alias]
    before = dict(settings)
    with administration(server_alias) as admin:
        if mysql:  # root may write all the same
            run(admin, "CREATE USER IF NOT EXISTS clerk")
            run(admin, "GRANT ALL ON %s.* TO clerk" % settings["NAME"])
            settings.update(USER="clerk", PASSWORD="")
        connection, cursor = open_with_cursor(server_alias)
        session = session_id(connection)
        set_read_only(admin, True)
        try:
            query = "INSERT INTO counted VALUES (1)"
            if not mysql:
                show = "SHOW default_transaction_read_only"
                wait_for(lambda: run(connection, show) == ("on",))
            if not PERSISTS:
                connection.connection.rollback()  # the transaction is older
            error = error_of(lambda: cursor.execute(query))
        finally:
            set_read_only(admin, False)
            settings.update(before)
    assert "read-only" in str(error)
    assert is_disconnect(error) is False
    if not PERSISTS:
        connection.connection.rollback()
    assert session_id(connection) == session


@since_django_16
def test_refused_session_of_an_account_is_no_disconnect(server_alias):
    """Nothing was lost; the codes are 1226 and 53300."""
    clerk = {"USER": "clerk", "PASSWORD": ""}
    with administration(server_alias) as admin:
        if admin.vendor == "mysql":  # the account may use no database
            clerk["NAME"] = ""
        limit_clerk(admin, 1)
        try:
            with administration(server_alias, **clerk):
                error = error_of(administration(server_alias, **clerk).__enter__)
        finally:
            limit_clerk(admin, None)
    assert is_disconnect(error) is False
    assert re.search("1226|too many connections for role", str(error)), repr(error)


def limit_clerk(admin, sessions):
    """Create or drop an account that may have so many sessions."""
    if admin.vendor == "postgresql":
        sql = "CREATE ROLE clerk LOGIN CONNECTION LIMIT %s"
        drop = "DROP ROLE IF EXISTS clerk"
    else:
        sql = "CREATE USER clerk WITH MAX_USER_CONNECTIONS %s"
        drop = "DROP USER IF EXISTS clerk"
    run(admin, drop)
    if sessions:
        run(admin, sql % sessions)


def set_read_only(admin, on):
    if admin.vendor == "mysql":
        run(admin, "SET GLOBAL read_only = %d" % on)
        return
    if not PERSISTS:
        admin.connection.set_isolation_level(0)
    value = "on" if on else "off"
    run(admin, "ALTER SYSTEM SET default_transaction_read_only = " + value)
    run(admin, "SELECT pg_reload_conf()")
    wait_for(lambda: run(admin, "SHOW default_transaction_read_only") == (value,))


@needs_postgresql
@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
@pytest.mark.parametrize("row", disconnects.POSTGRESQL, ids=lambda row: row[0])
def test_code_at_severity_error_is_no_disconnect(alias, row):
    """The session lives: postgres_fdw passes the codes of another server on."""
    connection, cursor = open_with_cursor(alias)
    session = session_id(connection)
    query = "DO $$ BEGIN RAISE EXCEPTION 'elsewhere' USING ERRCODE = '%s'; END $$"
    error = error_of(lambda: cursor.execute(query % full_code(row[0])))
    assert is_disconnect(error) is False
    if not PERSISTS:
        connection.connection.rollback()
    assert session_id(connection) == session


@pytest.mark.parametrize("severity, is_lost", [("ERROR", False), ("FATAL", True)])
def test_severity_of_an_old_server_counts(severity, is_lost):
    """Until PostgreSQL 9.6 there is only the severity in the server's language."""
    diag = type("Diagnostics", (), {"severity": severity})
    attributes = {"__module__": "psycopg2", "pgcode": "57P01", "diag": diag}
    assert is_disconnect(type("Error", (Exception,), attributes)()) is is_lost


def test_errors_of_a_live_session_are_no_disconnects(alias):
    """Errors of syntax and of constraints leave the session alive."""
    connection, cursor = open_with_cursor(alias)
    assert is_disconnect(error_of(lambda: cursor.execute("SELEKT 1"))) is False
    if not PERSISTS and alias == "postgresql":
        connection.connection.rollback()
    cursor.execute("CREATE TEMPORARY TABLE once (number integer primary key)")
    cursor.execute("INSERT INTO once VALUES (1)")
    again = error_of(lambda: cursor.execute("INSERT INTO once VALUES (1)"))
    assert is_disconnect(again) is False


def test_encrypted_connection_that_is_lost(encrypted, proxy):
    """TLS libraries have texts of their own for a kill, a cut and a reset."""
    for end in (kill, lambda _: proxy.cut(), lambda _: proxy.reset()):
        connection, cursor = open_with_cursor(encrypted)
        assert run(connection, ENCRYPTION[connection.vendor])[1].startswith("TLSv1.")
        end(connection)
        error = error_of(lambda: cursor.execute("SELECT 1"))
        assert is_disconnect(error), repr(error)
        connection.close()
    for end in (proxy.cut, proxy.reset):
        connection, cursor = open_with_cursor(encrypted)
        chunks = proxy.sent[-1]
        before = len(chunks)
        thread = meanwhile(lambda: len(chunks) > before, end)
        error = error_of(lambda: cursor.execute(SLEEP[connection.vendor] % 0.2))
        thread.join()
        assert is_disconnect(error), repr(error)
        connection.close()


@needs_postgresql
@since_django_16
@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
def test_serialization_failure_is_no_disconnect(alias, table_of_one):
    """Of two transactions that change one row the second fails; its session lives."""
    names = [alias, alias + "_other"]
    query = "UPDATE counted SET number = number + 1"
    first, second = [open_connection(name, None) for name in names]
    for connection in (first, second):
        run(connection, "BEGIN ISOLATION LEVEL REPEATABLE READ")
        run(connection, "SELECT * FROM counted")
    run(first, query)
    run(first, "COMMIT")
    error = error_of(lambda: run(second, query))
    assert "could not serialize access" in str(error)
    assert is_disconnect(error) is False
    run(second, "ROLLBACK")


@pytest.mark.parametrize("end", ["restart", "kill"])
@pytest.mark.parametrize("busy", [False, True])
def test_server_that_goes_down_is_a_disconnect(server_alias, spare, end, busy):
    """The server is shut down, or crashes, under an idle session and a busy one."""
    connection, cursor = open_with_cursor(server_alias)
    name = databases.version(connection)[0]
    if busy:
        due = time.time() + 0.2
        thread = meanwhile(lambda: time.time() > due, getattr(spare, end))
        query = SLEEP["postgresql"] % 30 if name == "PostgreSQL" else LONG
        error = error_of(lambda: cursor.execute(query))
        thread.join()
        if end == "restart" and name != "MariaDB":
            check_code(error, name, "57P01" if name == "PostgreSQL" else 1053)
    else:
        getattr(spare, end)()
        error = error_of(lambda: cursor.execute("SELECT 1"))
    if end == "kill":
        refused = error_of(lambda: open_connection(server_alias + "_other"))
        spare.start()
        assert is_disconnect(refused) is False
    assert is_disconnect(error), repr(error)


def wait_in_pgbouncer(alias, port):
    """Run a statement that waits for the only session of a PgBouncer."""
    other = connections[alias + "_other"]
    other.settings_dict["PORT"] = str(port)
    run(other, "BEGIN")
    try:
        run(connections[alias], "SELECT 1")
    finally:
        run(other, "ROLLBACK")


def work_in_pgbouncer(alias, port):
    """Run a statement that takes too long for a PgBouncer."""
    run(connections[alias], "SELECT pg_sleep(30)")


POOLERS = [
    ("query_timeout", work_in_pgbouncer),
    ("query_wait_timeout", wait_in_pgbouncer),
]


@needs_postgresql
@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
@pytest.mark.parametrize("option, wait", POOLERS)
def test_time_out_of_a_pgbouncer_is_not_retried(
    alias, postgresql_server, tmpdir, option, wait
):
    """A real PgBouncer gives up; the statement runs once, and its error comes out."""
    calls = []

    @retry_on_disconnect(attempts=3)
    def heavy():
        calls.append(True)
        wait(alias, port)

    options = {"default_pool_size": 1, option: 1}
    with running(postgresql_server, tmpdir, **options) as port:
        connections[alias].settings_dict["PORT"] = str(port)
        open_connection(alias, None)
        if not PERSISTS:
            connections[alias].connection.commit()
        error = error_of(heavy)
        databases.tidy()
        databases.point(alias, postgresql_server)
        databases.point(alias + "_other", postgresql_server)
    assert isinstance(error, getattr(utils, "Error", DatabaseError))
    assert len(calls) == 1
