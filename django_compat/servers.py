"""What is asked of each server, to learn what it enforces: the SQL, and what it is of.

Names, units and defaults are those of the manuals of MariaDB 10.11, MySQL 8.0 and
PostgreSQL 17.
"""

from __future__ import absolute_import

__all__ = [
    "MYSQL",
    "MYSQL_SETTINGS",
    "POSTGRESQL",
    "POSTGRESQL_SETTINGS",
    "PROXYSQL_COMMENT",
    "in_transaction",
    "key_pid",
]

# ProxySQL answers this one itself, and only when it is spelled like this
# (SELECT_VERSION_COMMENT in its MySQL_Session.cpp).
_COMMENT = "select @@version_comment limit 1"
PROXYSQL_COMMENT = "(ProxySQL)"

MYSQL_SETTINGS = (
    "extra_max_connections",  # MariaDB's: those of its extra port
    "extra_port",  # MariaDB's; 0: there is none
    "idle_transaction_timeout",  # MariaDB's, from 10.3 on; seconds, 0: none
    "interactive_timeout",  # seconds
    "max_connections",  # there is one more for an administrator
    "max_user_connections",  # 0: none; in the session the account's own, if it has one
    "wait_timeout",  # seconds; in the session whichever of the two it began with
)
POSTGRESQL_SETTINGS = (
    "idle_in_transaction_session_timeout",  # from 9.6 on; milliseconds, 0: none
    "idle_session_timeout",  # from 14 on; milliseconds, 0: none
    "max_connections",
    "reserved_connections",  # from 16 on: for pg_use_reserved_connections
    "superuser_reserved_connections",
)


def _quoted(names):
    return ", ".join("'%s'" % name for name in names)


def _show(what, *names):
    # Unlike SELECT @@name it is no error to ask for what the server does not have.
    return "SHOW %s WHERE Variable_name IN (%s)" % (what, _quoted(names))


# A question each: a server may refuse any one.
MYSQL = {
    "comment": _COMMENT,
    "version": "SELECT VERSION()",
    "session": _show("SESSION VARIABLES", *MYSQL_SETTINGS),
    "global": _show("GLOBAL VARIABLES", *MYSQL_SETTINGS),
    "status": _show("GLOBAL STATUS", "Max_used_connections", "Threads_connected"),
}
POSTGRESQL = {
    "version": "SHOW server_version",
    "settings": "SELECT name, setting FROM pg_catalog.pg_settings WHERE name IN (%s)"
    % _quoted(POSTGRESQL_SETTINGS),
    # -1: none; neither holds for a superuser (InitPostgres in its postinit.c).
    "role": "SELECT rolconnlimit, rolsuper, rolname FROM pg_catalog.pg_roles"
    " WHERE rolname = session_user",
    "database": "SELECT datconnlimit, datname FROM pg_catalog.pg_database"
    " WHERE datname = current_database()",
    # Background processes have no database, or another type; without privileges the
    # type of others' sessions is null. The column came with 10.
    "in_use": "SELECT COUNT(*) FROM pg_catalog.pg_stat_activity"
    " WHERE datid IS NOT NULL"
    " AND COALESCE(backend_type, 'client backend') = 'client backend'",
    "pid": "SELECT pg_catalog.pg_backend_pid()",
}


def key_pid(raw):
    """Return the process id that PostgreSQL told a driver when it connected, or None.

    PgBouncer tells its clients one that it made up, for their cancel requests.
    """
    if hasattr(raw, "get_backend_pid"):  # psycopg2
        return raw.get_backend_pid()
    return getattr(getattr(raw, "info", None), "backend_pid", None)  # psycopg


def in_transaction(raw):
    """Tell whether a connection of psycopg or psycopg2 is in a transaction."""
    if hasattr(raw, "get_transaction_status"):  # psycopg2
        return raw.get_transaction_status() != 0  # IDLE
    return raw.info.transaction_status != 0
