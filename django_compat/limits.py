"""What the server of a connection enforces, read from the live connection."""

from __future__ import absolute_import

from collections import namedtuple

from django_compat import servers
from django_compat.answers import Answers, Unknown, is_number

__all__ = ["Limit", "Limits", "read_limits"]

# ``scope``: whose connections it counts, "server", "account" or "database".
Limit = namedtuple("Limit", "scope name value")


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
    ``reserved`` are those of ``max_connections`` that are kept for administrators,
    ``extra`` those that they have on top, by an extra port. ``proxy`` is "PgBouncer" or
    "ProxySQL" if one is in between, else None. ``variables`` is all that was read, by
    the server's names.

    .. versionadded:: 1.0
    """

    __slots__ = ()

    @property
    def limits(self):
        """Every Limit on how many connections there may be, the server's first."""
        value = self.max_connections
        if is_number(value) and is_number(self.reserved):
            value = max(value - self.reserved, 0)
        return (Limit("server", "max_connections", value),) + self.account_limits

    @property
    def allowed(self):
        """How many there may be: the lowest of the limits, None without any."""
        values = [limit.value for limit in self.limits]
        for value in values:
            if isinstance(value, Unknown):
                return value
        return min([value for value in values if value is not None] or [None])


def read_limits(connection):
    """Return the Limits of the server that a connection leads to.

    The connection is opened if it is not open, and what that raises comes out; it is
    left open. What the account may not ask, or the server does not know, is an Unknown
    with the reason: nothing is raised for it. In a transaction each question to
    PostgreSQL is in a savepoint of its own, so that a refused one does no harm; where
    there was no transaction none is left behind. An idle time-out is what this very
    session gets, not what the server gives by default. Behind PgBouncer and ProxySQL,
    which have limits of their own, all that they decide is Unknown.

    It asks in the calling thread, with the driver's own cursor: Django's query log does
    not show it. Of SQLite there is nothing to read, no figure has a limit; of a vendor
    other than mysql and postgresql all is Unknown. DatabaseError for a connection of
    another thread.

    .. versionadded:: 1.0
    """
    read = _READERS.get(connection.vendor)
    if read is None:
        return _nothing_read(connection)
    connection.validate_thread_sharing()
    if connection.connection is None:
        connection.cursor().close()  # opens it, also before Django 1.6
    return read(connection)


def _nothing_read(connection):
    vendor = connection.vendor
    figures = dict.fromkeys(Limits._fields, Unknown("of %s nothing is read" % vendor))
    figures.update(alias=connection.alias, vendor=vendor, server=vendor, proxy=None)
    figures.update(idle_timeout_name=None, account_limits=(), variables={})
    if vendor == "sqlite":
        figures.update(server="SQLite", reserved=0, extra=0, max_connections=None)
        figures.update(idle_timeout=None, idle_in_transaction_timeout=None)
    return Limits(**figures)


def _read_mysql(connection):
    answers = Answers(connection.connection, servers.MYSQL)
    version = answers.cell("version")
    account_limit = answers.number("session", "max_user_connections")
    limits = _nothing_read(connection)._replace(
        server="MariaDB" if "MariaDB" in "%s" % (version,) else "MySQL",
        version=_number_of(version),
        idle_timeout=answers.number("session", "wait_timeout"),
        idle_timeout_name="wait_timeout",
        # MariaDB's; elsewhere wait_timeout is all there is.
        idle_in_transaction_timeout=_or_none(
            answers.number("session", "idle_transaction_timeout", 0)
        ),
        max_connections=answers.number("session", "max_connections"),
        reserved=0,  # what an administrator may have comes on top
        extra=answers.number("session", "extra_port", 0)
        and answers.number("session", "extra_max_connections", 0),
        account_limits=(
            Limit("account", "max_user_connections", _or_none(account_limit)),
        ),
        in_use=answers.number("status", "Threads_connected"),
        highest=answers.number("status", "Max_used_connections"),
        variables={
            "%s.%s" % (scope, name): figure
            for scope in ("session", "global")
            for name, figure in answers.numbers(scope, servers.MYSQL_SETTINGS).items()
        },
    )
    if answers.cell("comment") == servers.PROXYSQL_COMMENT:
        return _behind("ProxySQL", limits)
    return limits


def _read_postgresql(connection):
    raw = connection.connection
    was_in_transaction = servers.in_transaction(raw)
    answers = Answers(raw, servers.POSTGRESQL, savepoints=not raw.autocommit)
    if not was_in_transaction and servers.in_transaction(raw):
        raw.rollback()  # autocommit is off, as it always is until Django 1.5

    in_transaction = "idle_in_transaction_session_timeout"

    def number(name, default=0):  # what a server is too old for it does not do
        return answers.number("settings", name, default)

    def limit(kind):
        figure = answers.cell(kind)
        is_superuser = answers.cell("role", 1) is True
        return None if figure == -1 or is_superuser else figure

    reserved = number("superuser_reserved_connections")
    if is_number(reserved):
        reserved += number("reserved_connections")
    limits = _nothing_read(connection)._replace(
        server="PostgreSQL",
        version=_number_of(answers.cell("version")),
        idle_timeout=_seconds(number("idle_session_timeout")),
        idle_timeout_name="idle_session_timeout",
        idle_in_transaction_timeout=_seconds(number(in_transaction)),
        max_connections=number("max_connections", None),
        reserved=reserved,
        extra=0,
        account_limits=(
            Limit("account", "CONNECTION LIMIT of the role", limit("role")),
            Limit("database", "CONNECTION LIMIT of the database", limit("database")),
        ),
        in_use=answers.cell("in_use"),
        highest=Unknown("PostgreSQL does not count it"),
        variables=answers.numbers("settings", servers.POSTGRESQL_SETTINGS),
    )
    pids = answers.cell("pid"), servers.key_pid(raw)
    if all(map(is_number, pids)) and pids[0] != pids[1]:
        return _behind("PgBouncer", limits)
    return limits


def _number_of(version):
    """Return 10.11.6 of 10.11.6-MariaDB-log, 15.3 of 15.3 (Debian 15.3-1)."""
    if isinstance(version, Unknown):
        return version
    return version.split("-")[0].split()[0]


def _or_none(figure):
    return figure if not is_number(figure) or figure > 0 else None


def _seconds(figure):
    return _or_none(figure / 1000.0 if is_number(figure) else figure)


def _behind(proxy, limits):
    """Return what can be known of a server through a proxy with limits of its own."""
    unknown = Unknown(
        "%s is in between: its own settings decide, and it does not tell them" % proxy
    )
    names = "idle_timeout idle_in_transaction_timeout max_connections reserved extra"
    figures = dict.fromkeys(names.split(), unknown)
    return limits._replace(proxy=proxy, account_limits=(), **figures)


_READERS = {"mysql": _read_mysql, "postgresql": _read_postgresql}
