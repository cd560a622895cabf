"""Read from a live connection what its server enforces: limits and idle time-outs."""

from __future__ import absolute_import

from collections import namedtuple

from django_compat._db.escapes import describe

__all__ = ["ConnectionLimit", "Limits", "Unknown", "is_number", "read_limits"]


def _quoted(names):
    return ", ".join("'%s'" % name for name in names)


def _show(kind, *names):
    # SELECT @@name fails for a variable that the server lacks; SHOW returns no row.
    return "SHOW %s WHERE Variable_name IN (%s)" % (kind, _quoted(names))


MYSQL_SETTINGS = (
    "extra_max_connections",  # MariaDB: connections of its extra port
    "extra_port",  # MariaDB; 0: no extra port
    "idle_transaction_timeout",  # MariaDB 10.3+; seconds, 0: no limit
    "interactive_timeout",  # seconds
    "max_connections",  # the server admits one more, an administrator's
    "max_user_connections",  # 0: no limit; a session shows its account's own limit
    "wait_timeout",  # seconds; a session shows interactive_timeout if it got that
)
POSTGRESQL_SETTINGS = (
    "idle_in_transaction_session_timeout",  # 9.6+; milliseconds, 0: no limit
    "idle_session_timeout",  # 14+; milliseconds, 0: no limit
    "max_connections",
    "reserved_connections",  # 16+: for the role pg_use_reserved_connections
    "superuser_reserved_connections",
)

# Each question is a statement of its own, because a server may refuse any of them.
MYSQL_QUESTIONS = {
    # ProxySQL answers this statement itself, and only when it is spelled like this
    # (SELECT_VERSION_COMMENT in its MySQL_Session.cpp).
    "comment": "select @@version_comment limit 1",
    "version": "SELECT VERSION()",
    "session": _show("SESSION VARIABLES", *MYSQL_SETTINGS),
    "global": _show("GLOBAL VARIABLES", *MYSQL_SETTINGS),
    "status": _show("GLOBAL STATUS", "Max_used_connections", "Threads_connected"),
}
POSTGRESQL_QUESTIONS = {
    "version": "SHOW server_version",
    "settings": "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN (%s)"
    % _quoted(POSTGRESQL_SETTINGS),
    # -1: no limit. A superuser has neither limit (InitPostgres in its postinit.c).
    "role": "SELECT rolconnlimit, rolsuper, rolname FROM pg_catalog.pg_roles"
    " WHERE rolname = session_user",
    "database": "SELECT datconnlimit, datname FROM pg_catalog.pg_database"
    " WHERE datname = current_database()",
    # Background processes have no database, or another backend_type. The column came
    # with PostgreSQL 10; without privileges it is null for other accounts' sessions.
    "in_use": "SELECT COUNT(*) FROM pg_catalog.pg_stat_activity"
    " WHERE datid IS NOT NULL"
    " AND COALESCE(backend_type, 'client backend') = 'client backend'",
    "pid": "SELECT pg_catalog.pg_backend_pid()",
}

PROXYSQL_COMMENT = "(ProxySQL)"
SAVEPOINT = "django_compat_question"
PSYCOPG_IDLE = 0  # TRANSACTION_STATUS_IDLE of psycopg2, TransactionStatus.IDLE

# Stands for a figure that could not be read; None means that there is no limit.
Unknown = namedtuple("Unknown", "reason")

# ``scope`` tells which connections count: "server", "account" or "database".
ConnectionLimit = namedtuple("ConnectionLimit", "scope name value")


class Limits(
    namedtuple(
        "Limits",
        "alias vendor server version proxy idle_timeout idle_timeout_name "
        "idle_in_transaction_timeout max_connections reserved extra account_limits "
        "in_use highest variables",
    )
):
    """What a server enforces on one connection: a value, times in seconds.

    Each figure is a number, None for "no limit", or an Unknown with the reason.
    ``reserved`` connections are the part of ``max_connections`` that is kept for
    administrators, ``extra`` connections come on top of ``max_connections``, through an
    extra port for administrators. ``account_limits`` are the ConnectionLimits of the
    account and of the database. ``proxy`` is "PgBouncer" or "ProxySQL" if such a proxy
    is between Django and the server, else None. ``variables`` has all that was read, by
    the server's names.
    """

    __slots__ = ()

    @property
    def connection_limits(self):
        """Every ConnectionLimit that applies, the server's first."""
        value = self.max_connections
        if is_number(value) and is_number(self.reserved):
            value = max(value - self.reserved, 0)
        of_server = ConnectionLimit("server", "max_connections", value)
        return (of_server,) + self.account_limits

    @property
    def allowed(self):
        """How many connections there may be: the lowest limit, None without limits."""
        values = [limit.value for limit in self.connection_limits]
        for value in values:
            if isinstance(value, Unknown):
                return value
        return min([value for value in values if value is not None] or [None])


class Answers(object):
    """A server's answers to ``{question: SQL}``: rows, or an Unknown with the reason.

    The driver's own cursor asks, so Django notices nothing: neither its query log nor
    its state of a transaction changes. With ``savepoints`` each question has its own
    savepoint, so that a question that the server refuses leaves the transaction intact.
    """

    def __init__(self, raw, questions, savepoints=False):
        self._rows = {
            question: _ask(raw, sql, savepoints) for question, sql in questions.items()
        }

    def cell(self, question, column=0):
        """Return a column of the first row, or an Unknown."""
        rows = self._rows[question]
        if isinstance(rows, Unknown):
            return rows
        return rows[0][column] if rows else Unknown("the server has no such row")

    def number(self, question, name, default=None):
        """Return the number in the row of a name.

        Without such a row return the default, or an Unknown if there is no default.
        """
        rows = self._rows[question]
        if isinstance(rows, Unknown):
            return rows
        for row_name, value in rows:
            if row_name == name:
                return int(value)
        return Unknown("the server has no %s" % name) if default is None else default

    def numbers(self, question, names):
        """Return ``{name: number or Unknown}``."""
        return {name: self.number(question, name) for name in names}


def is_number(figure):
    """Tell whether a figure is neither None nor Unknown."""
    return figure is not None and not isinstance(figure, Unknown)


def read_limits(connection):
    """Return the Limits of the server that a connection leads to.

    A closed connection is opened, which may raise the errors of any connect, and is
    left open. A figure that the account may not read, or that the server does not have,
    is an Unknown with the reason: no error is raised. In a transaction each question to
    PostgreSQL has a savepoint of its own, so that a refused question does no harm;
    where there was no transaction, none is left behind. The idle time-out is the one
    that this very session got, not the server's default. Behind PgBouncer and ProxySQL,
    which have limits of their own, every figure that the proxy decides is Unknown.

    The questions run in the calling thread through the driver's own cursor, so Django's
    query log does not show them. SQLite has nothing to read and no limits; of a vendor
    other than mysql and postgresql every figure is Unknown. DatabaseError for a
    connection of another thread.
    """
    if connection.vendor not in ("mysql", "postgresql"):
        return _unread_limits(connection)
    connection.validate_thread_sharing()
    if connection.connection is None:
        connection.cursor().close()  # opens the connection, also before Django 1.6
    if connection.vendor == "mysql":
        return _read_mysql(connection)
    return _read_postgresql(connection)


def _unread_limits(connection):
    """Return Limits without asking a server."""
    vendor = connection.vendor
    unknown = Unknown("limits of %s cannot be read" % vendor)
    figures = dict.fromkeys(Limits._fields, unknown)
    figures.update(alias=connection.alias, vendor=vendor, server=vendor, proxy=None)
    figures.update(idle_timeout_name=None, account_limits=(), variables={})
    if vendor == "sqlite":
        figures.update(server="SQLite", reserved=0, extra=0, max_connections=None)
        figures.update(idle_timeout=None, idle_in_transaction_timeout=None)
    return Limits(**figures)


def _read_mysql(connection):
    answers = Answers(connection.connection, MYSQL_QUESTIONS)
    version = answers.cell("version")
    account_limit = answers.number("session", "max_user_connections")
    limits = _unread_limits(connection)._replace(
        server="MariaDB" if "MariaDB" in "%s" % (version,) else "MySQL",
        version=_short_version(version),
        idle_timeout=answers.number("session", "wait_timeout"),
        idle_timeout_name="wait_timeout",
        # Only MariaDB has it; on MySQL wait_timeout ends idle transactions, too.
        idle_in_transaction_timeout=_or_none(
            answers.number("session", "idle_transaction_timeout", 0)
        ),
        max_connections=answers.number("session", "max_connections"),
        reserved=0,  # an administrator's connection comes on top
        extra=answers.number("session", "extra_port", 0)
        and answers.number("session", "extra_max_connections", 0),
        account_limits=(
            ConnectionLimit("account", "max_user_connections", _or_none(account_limit)),
        ),
        in_use=answers.number("status", "Threads_connected"),
        highest=answers.number("status", "Max_used_connections"),
        variables={
            "%s.%s" % (scope, name): figure
            for scope in ("session", "global")
            for name, figure in answers.numbers(scope, MYSQL_SETTINGS).items()
        },
    )
    if answers.cell("comment") == PROXYSQL_COMMENT:
        return _behind_proxy("ProxySQL", limits)
    return limits


def _read_postgresql(connection):
    raw = connection.connection
    had_transaction = _has_transaction(raw)
    answers = Answers(raw, POSTGRESQL_QUESTIONS, savepoints=not raw.autocommit)
    if not had_transaction and _has_transaction(raw):
        raw.rollback()  # autocommit is off, as always until Django 1.5

    transaction_timeout = "idle_in_transaction_session_timeout"

    def number(name, default=0):  # a server too old for a limit does not enforce it
        return answers.number("settings", name, default)

    def connection_limit(question):
        figure = answers.cell(question)
        is_superuser = answers.cell("role", 1) is True
        return None if figure == -1 or is_superuser else figure

    reserved = number("superuser_reserved_connections")
    if is_number(reserved):
        reserved += number("reserved_connections")
    limits = _unread_limits(connection)._replace(
        server="PostgreSQL",
        version=_short_version(answers.cell("version")),
        idle_timeout=_seconds(number("idle_session_timeout")),
        idle_timeout_name="idle_session_timeout",
        idle_in_transaction_timeout=_seconds(number(transaction_timeout)),
        max_connections=number("max_connections", None),
        reserved=reserved,
        extra=0,
        account_limits=(
            ConnectionLimit(
                "account", "CONNECTION LIMIT of the role", connection_limit("role")
            ),
            ConnectionLimit(
                "database",
                "CONNECTION LIMIT of the database",
                connection_limit("database"),
            ),
        ),
        in_use=answers.cell("in_use"),
        highest=Unknown("PostgreSQL keeps no such count"),
        variables=answers.numbers("settings", POSTGRESQL_SETTINGS),
    )
    # PgBouncer makes up the process id that it tells its clients when they connect.
    pids = answers.cell("pid"), _pid_told_at_connect(raw)
    if all(map(is_number, pids)) and pids[0] != pids[1]:
        return _behind_proxy("PgBouncer", limits)
    return limits


def _short_version(version):
    """Return 10.11.6 of 10.11.6-MariaDB-log, 15.3 of 15.3 (Debian 15.3-1)."""
    if isinstance(version, Unknown):
        return version
    return version.split("-")[0].split()[0]


def _or_none(figure):
    """Return None for 0, which servers use for "no limit"."""
    return figure if not is_number(figure) or figure > 0 else None


def _seconds(milliseconds):
    if is_number(milliseconds):
        return _or_none(milliseconds / 1000.0)
    return milliseconds


def _behind_proxy(proxy, limits):
    """Return what can be known of a server through a proxy with limits of its own."""
    unknown = Unknown(
        "%s is in between: its own settings decide, and cannot be read" % proxy
    )
    names = "idle_timeout idle_in_transaction_timeout max_connections reserved extra"
    figures = dict.fromkeys(names.split(), unknown)
    return limits._replace(proxy=proxy, account_limits=(), **figures)


def _has_transaction(raw):
    """Tell whether a connection of psycopg or psycopg2 is in a transaction."""
    if hasattr(raw, "get_transaction_status"):  # psycopg2
        return raw.get_transaction_status() != PSYCOPG_IDLE
    return raw.info.transaction_status != PSYCOPG_IDLE


def _pid_told_at_connect(raw):
    """Return the process id that a driver got from PostgreSQL at connect, or None."""
    if hasattr(raw, "get_backend_pid"):  # psycopg2
        return raw.get_backend_pid()
    return getattr(getattr(raw, "info", None), "backend_pid", None)  # psycopg


def _ask(raw, sql, savepoint):
    """Return the rows of a statement, or an Unknown with the driver's error."""
    try:
        cursor = raw.cursor()
        try:
            if not savepoint:
                return _fetch(cursor, sql)
            cursor.execute("SAVEPOINT " + SAVEPOINT)
            try:
                return _fetch(cursor, sql)
            except Exception:
                cursor.execute("ROLLBACK TO SAVEPOINT " + SAVEPOINT)
                raise
            finally:
                cursor.execute("RELEASE SAVEPOINT " + SAVEPOINT)
        finally:
            cursor.close()
    except Exception as error:
        # Each driver raises its own error class, and MySQLdb.Warning is not one of
        # them.
        return Unknown(describe(error))


def _fetch(cursor, sql):
    cursor.execute(sql)
    return list(cursor.fetchall())
