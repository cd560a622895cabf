"""Read who holds a server's connections, as groups of equal sessions."""

from __future__ import absolute_import

from collections import namedtuple
from contextlib import closing

import six
from django.db import DatabaseError

__all__ = ["Holder", "read_holders"]

UNKNOWN = "unknown"
OWN = "this process"

# MySQL and MariaDB show other accounts' sessions only with the privilege PROCESS.
_MYSQL_SESSIONS = """
    SELECT id, user, host, command, time, id = CONNECTION_ID()
    FROM information_schema.processlist
    WHERE command <> 'Daemon' AND user NOT IN ('system user', 'event_scheduler')
"""
# Needs PROCESS as well.
_MYSQL_TRANSACTIONS = "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx"
# The program that a client names: program_name, or else its library. The order makes
# program_name the later row, which wins. Both tables are empty while
# performance_schema is off, as MariaDB has it by default. The second table shows the
# own account's sessions, and needs no privilege.
_MYSQL_PROGRAMS = [
    "SELECT processlist_id, attr_value FROM performance_schema.%s "
    "WHERE attr_name IN ('program_name', '_client_name') ORDER BY attr_name" % table
    for table in ("session_connect_attrs", "session_account_connect_attrs")
]
# PostgreSQL 10+. Columns that need the privilege pg_read_all_stats are NULL without it.
_POSTGRESQL_SESSIONS = """
    SELECT usename, host(client_addr), client_port, application_name, state,
        EXTRACT(EPOCH FROM clock_timestamp() - state_change), pid = pg_backend_pid()
    FROM pg_stat_activity
    WHERE backend_type = 'client backend'
"""

# A group of sessions that differ in nothing but their idle time: ``sessions`` is their
# number, ``idle`` the longest idle time in seconds.
Holder = namedtuple("Holder", "account host program state idle sessions")


def read_holders(connection):
    """Return the Holders of a server's connections, the largest group first.

    A session that does nothing in a transaction is "idle in transaction". A text that
    the server does not show to this account is "unknown". The list is empty for a
    database without a server, and for a vendor other than mysql and postgresql.

    It only reads, also in a transaction, and opens the connection if need be. Errors of
    the database are raised.
    """
    if connection.vendor == "mysql":
        sessions = _mysql_sessions(connection)
    elif connection.vendor == "postgresql":
        sessions = _postgresql_sessions(connection)
    else:
        return []
    idle_times = {}
    for group, idle in sessions:
        idle_times.setdefault(group, []).append(int(idle))
    holders = [
        Holder(*group + (max(seconds), len(seconds)))
        for group, seconds in idle_times.items()
    ]
    return sorted(holders, key=lambda holder: (-holder.sessions, -holder.idle, holder))


def _mysql_sessions(connection):
    """Yield the account, host, program and state of each session, and its idle time."""
    rows = _rows(connection, _MYSQL_SESSIONS)
    programs = _rows_if_allowed(connection, _MYSQL_PROGRAMS[0])
    if not programs:
        programs = _rows_if_allowed(connection, _MYSQL_PROGRAMS[1])
    programs = dict(programs or ())
    in_transaction = set(_rows_if_allowed(connection, _MYSQL_TRANSACTIONS) or ())
    for number, user, host, command, seconds, is_own in rows:
        program = OWN if is_own else _text(programs.get(number))
        state = _text(command).lower()
        is_idle = state == "sleep"
        if is_idle:
            state = "idle in transaction" if (number,) in in_transaction else "idle"
        host = _text(host).rpartition(":")[0] or _text(host) or "local"
        idle = max(seconds or 0, 0) if is_idle else 0
        yield (_text(user), host, program, state), idle


def _postgresql_sessions(connection):
    """Yield the account, host, program and state of each session, and its idle time."""
    for row in _rows(connection, _POSTGRESQL_SESSIONS):
        user, host, port, program, state, seconds, is_own = row
        program = OWN if is_own else _text(program or None)
        if host is None and port is not None:
            host = "local"
        is_idle = (state or "").startswith("idle")
        idle = max(seconds or 0, 0) if is_idle else 0
        yield (_text(user), _text(host), program, _text(state)), idle


def _rows(connection, sql):
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _rows_if_allowed(connection, sql):
    """Return the rows, or None where the server refuses.

    A refused statement does not end a transaction of MySQL's.
    """
    try:
        return _rows(connection, sql)
    except DatabaseError:
        return None


def _text(value):
    return UNKNOWN if value is None else six.ensure_text(value, "utf-8", "replace")
