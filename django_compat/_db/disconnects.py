"""Tell a lost connection from other errors: by codes first, then by texts.

Each row of the tables has the code or the text, and names its source. The rows are
about lost connections only. A connection that could not be made is no row (MySQL 2002,
2003, 2005; PostgreSQL 57P03, 53300): nothing was lost, and trying again adds to the
load. A session that lives and refuses is no row either (MySQL 1290, 1836; PostgreSQL
25006, from a server that became read-only): replicas and read-only transactions answer
the same.
"""

from __future__ import absolute_import

import inspect
import re

import six
from django.db import utils

__all__ = [
    "MYSQL",
    "MYSQL_TEXTS",
    "POSTGRESQL",
    "POSTGRESQL_TEXTS",
    "POSTGRESQL_TIME_OUTS",
    "is_disconnect",
    "judge_of",
    "of_mysql",
    "of_postgresql",
]

# By error number; a row with a text matches only messages that contain the text.
MYSQL = (
    # errmsg-utf8.txt: ER_SERVER_SHUTDOWN. sql_class.h: the session is killed, in MySQL
    # by KILL and by a shutdown, in MariaDB by a shutdown. Seen from MySQL 9.7, when a
    # shutdown ends a statement (tests/db/test_disconnects.py, like all rows "seen").
    (1053, "", "Server shutdown in progress"),
    # errmsg-utf8.txt: ER_NET_READ_ERROR and its like, SQLSTATE 08S01, a communication
    # link that failed: net_serv.cc gives up the socket. 1159 is also what MariaDB's
    # sql_class.cc, killed_errno(), has for a time-out of an idle session.
    (1158, "", "Got an error reading communication packets"),
    (1159, "", "Got timeout reading communication packets"),
    (1160, "", "Got an error writing communication packets"),
    (1161, "", "Got timeout writing communication packets"),
    # errmsg-utf8.txt of MariaDB: ER_CONNECTION_KILLED, by KILL.
    (1927, "", "Connection was killed"),
    # errmsg.h, CR_SERVER_GONE_ERROR: "disappeared _between_ queries". Also what
    # mysqlclient's _mysql.c has for a closed connection, with any text or none.
    (2006, "", "MySQL server has gone away"),
    # errmsg.h, CR_SERVER_LOST: "disappeared _during_ a query". PyMySQL's
    # connections.py too, when it cannot read, and for a packet numbered 0: a goodbye.
    (2013, "", "Lost connection to MySQL server during query"),
    # errmsg.h, CR_COMMANDS_OUT_OF_SYNC: a result was not read to its end. The session
    # lives, but accepts no further statement.
    (2014, "", "Commands out of sync; you can't run this command now"),
    # errmsg.h, CR_SSL_CONNECTION_ERROR: with OpenSSL's or the system's text for an
    # encrypted connection that was cut, and also for certificates. The first two as
    # seen with mysqlclient 1.4.6 and 2.3.1 (libmariadb) on MariaDB 10.11.
    (2026, "unexpected eof", "TLS/SSL error: unexpected eof while reading"),
    (2026, "reset by peer", "TLS/SSL error: Connection reset by peer (104)"),
    (2026, "Broken pipe", "TLS/SSL error: Broken pipe (32)"),
    # errmsg.h of MySQL, and PyMySQL's CR.py: CR_SHARED_MEMORY_CONNECT_ABANDONED_ERROR.
    (2045, "", "Can't open shared memory; no answer from server"),
    # errmsg.h, CR_SERVER_LOST_EXTENDED.
    (2055, "", "Lost connection to MySQL server at 'reading', system error: 104"),
    # messages_to_clients.txt of MySQL 8.0.24+: ER_CLIENT_INTERACTION_TIMEOUT, a
    # wait_timeout, or an interactive_timeout where the driver sends CLIENT_INTERACTIVE.
    # Seen from MySQL 9.7 with mysqlclient; PyMySQL raises 2013 for it. By its text:
    # MariaDB's 4031 is about triggers (mysqld_error.h).
    (
        4031,
        "inactivity",
        "The client was disconnected by the server because of inactivity. See "
        "wait_timeout and interactive_timeout for configuring this behavior.",
    ),
)

# By the error's class and all of its arguments.
MYSQL_TEXTS = (
    # connections.py of PyMySQL, _execute_command(), and _mysql.c of mysqlclient when no
    # error is noted: a statement on a connection that was given up.
    ("InterfaceError", (0, "")),
    # connections.py of PyMySQL, close() and ping().
    ("Error", ("Already closed",)),
)

# By SQLSTATE, as in PostgreSQL's errcodes.txt; "08": the class. Never at severity
# ERROR: then the session lives, and the code is another server's, handed on by
# postgres_fdw or dblink, or an 08P01 of a bad message. FATAL ends the session (manual,
# "Message Severity Levels").
POSTGRESQL = (
    # connection_exception; PgBouncer's proto.c, send_pooler_error(), has 08P01 and
    # FATAL for every reason to hang up ("server conn crashed?").
    ("08", "server conn crashed?"),
    # idle_in_transaction_session_timeout; 25P04: transaction_timeout, PostgreSQL 17+.
    # Seen from PostgreSQL 15 and 18 with psycopg; psycopg2 hides the server's words.
    ("25P03", "terminating connection due to idle-in-transaction timeout"),
    ("25P04", "terminating connection due to transaction timeout"),
    # admin_shutdown: pg_terminate_backend() and shutdowns. Seen from 15 and 18.
    ("57P01", "terminating connection due to administrator command"),
    # crash_shutdown: another session crashed, the server restarts.
    ("57P02", "terminating connection because of crash of another server process"),
    # database_dropped: on a standby.
    ("57P04", "terminating connection due to conflict with recovery"),
    # idle_session_timeout, PostgreSQL 14+. Seen from 15 and 18.
    ("57P05", "terminating connection due to idle-session timeout"),
)

# How the first line begins, where there is no code, or a code at severity FATAL.
POSTGRESQL_TEXTS = (
    # postgres.c, ProcessInterrupts(), and postmaster.c. By text for Django 1.4 and 1.5,
    # which drop the code, and for "due to conflict with recovery", whose code is also
    # that of a serialization failure (40001).
    "terminating connection ",
    # libpq: fe-misc.c, pqReadData() and pqSendSome().
    "server closed the connection unexpectedly",
    "could not receive data from server",
    "could not send data to server",
    "connection not open",
    # libpq: fe-exec.c, PQsendQueryStart().
    "no connection to the server",
    # libpq: fe-protocol3.c, handleSyncLoss().
    "lost synchronization with server",
    # libpq: fe-secure-openssl.c, pgtls_read() and pgtls_write().
    "SSL connection has been closed unexpectedly",
    "SSL SYSCALL error",
    "SSL error: decryption failed or bad record mac",
    "SSL error: unexpected eof while reading",
    # PgBouncer's objects.c, disconnect_server(), for Django 1.4 and 1.5.
    "server conn crashed?",
    # psycopg2's connection.h, EXC_IF_CONN_CLOSED. Not "cursor already closed", which
    # a cursor that the program closed says, too.
    "connection already closed",
    # psycopg's _connection_base.py and errors.py, waiting.py, generators.py.
    "the connection is closed",
    "the connection is lost",
    "connection socket closed",
)

# The whole first line. The session is lost, but the statement took too long, or waited
# too long for a session: to run it again adds to the load.
POSTGRESQL_TIME_OUTS = (
    # PgBouncer's janitor.c, pool_server_maint(): query_timeout, of a statement at work.
    "query timeout",
    # PgBouncer's janitor.c, pool_client_maint(): of a statement that waits.
    "query_timeout",
    "query_wait_timeout",
)

# What psycopg (pq_ctypes.py) and libpq (fe-connect.c) put before the text. A connection
# that was accepted, and cut during its handshake, is lost, as with MySQL (2013).
_PREFIXES = (
    r"(?:connection to server (?:at|on) .*? failed: "
    r"|connection failed: |[a-z ]+ failed: |FATAL:  )*"
)

_CODES = {}
for _code, _text, _ in MYSQL:
    _CODES.setdefault(_code, []).append(_text)
_STATES = tuple(state for state, _ in POSTGRESQL)
_TEXTS = re.compile(_PREFIXES + "(?:%s)" % "|".join(map(re.escape, POSTGRESQL_TEXTS)))
_TIME_OUT = "(?:%s)\\s*$" % "|".join(POSTGRESQL_TIME_OUTS)
_TIME_OUTS = re.compile(_PREFIXES + _TIME_OUT, re.MULTILINE)


def of_mysql(error):
    """Tell whether an error of a MySQL driver is about a lost connection."""
    args = error.args
    if args and isinstance(args[0], six.integer_types):
        message = "%s" % (args[1:2] or "",)
        if args[0] in _CODES:
            return any(text in message for text in _CODES[args[0]])
    return (type(error).__name__, args) in MYSQL_TEXTS


def of_postgresql(error):
    """Tell whether an error of a PostgreSQL driver is about a lost connection."""
    text = error.args[0] if error.args else None
    is_text = isinstance(text, (str, six.text_type))
    if _TIME_OUTS.match(_reason(error) or (text if is_text else "")):
        return False
    # psycopg2 has pgcode, psycopg has sqlstate.
    state = getattr(error, "pgcode", None) or getattr(error, "sqlstate", None)
    if state:
        diag = getattr(error, "diag", None)
        severity = getattr(diag, "severity_nonlocalized", None)  # PostgreSQL 9.6+
        severity = severity or getattr(diag, "severity", None)
        if severity not in (None, "FATAL", "PANIC"):
            return False
        if state.startswith(_STATES):
            return True
        if severity is None:
            return False
    return is_text and bool(_TEXTS.match(text))


def _reason(error):
    """Return all that libpq says of an error of psycopg2, "" where that is unknown.

    With libpq 14 and later psycopg2 hands on only "server closed the connection
    unexpectedly", and keeps the reason with the connection until that is closed.
    """
    connection = getattr(getattr(error, "cursor", None), "connection", None)
    info = getattr(connection, "info", None)  # psycopg2 2.8+
    return getattr(info, "error_message", None) or ""


_JUDGES = {
    "MySQLdb": of_mysql,
    "_mysql_exceptions": of_mysql,  # mysqlclient until 1.3
    "psycopg": of_postgresql,
    "psycopg2": of_postgresql,
    "pymysql": of_mysql,
}


def judge_of(error):
    """Return the function that judges an error; None for an unknown driver."""
    for base in inspect.getmro(type(error)):
        judge = _JUDGES.get(base.__module__.partition(".")[0])
        if judge:
            return judge
    return None


# Django 1.6+ has a base class for all of its database errors.
_DJANGO_ERROR = getattr(utils, "Error", utils.DatabaseError)


def is_disconnect(exception):
    """Tell whether an exception says that a connection was lost.

    The exception may be a driver's (mysqlclient, PyMySQL, psycopg2, psycopg) or
    Django's, whose ``__cause__`` is the driver's; Django 1.4 and 1.5 hand on only the
    driver's arguments. The code decides where there is one, else the text: libpq's own
    texts are known in English. The tables are in ``django_compat/_db/disconnects.py``.

    False for everything else: a server that refuses (too many connections, starting up,
    read-only), locks, constraints, a statement that took too long or was cancelled, by
    PgBouncer's ``query_timeout`` and ``query_wait_timeout`` as well, an unknown driver,
    and your own exceptions, also those raised from a disconnect.

    .. versionadded:: 1.0
    """
    seen = set()
    while exception is not None and id(exception) not in seen:
        seen.add(id(exception))
        judge = judge_of(exception)
        if judge is not None:
            return judge(exception)
        if not isinstance(exception, _DJANGO_ERROR):
            return False
        cause = getattr(exception, "__cause__", None)
        if cause is None:
            args = exception.args
            is_code = bool(args) and isinstance(args[0], six.integer_types)
            return (of_mysql if is_code else of_postgresql)(exception)
        exception = cause
    return False
