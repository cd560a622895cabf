"""Who holds a server's connections."""

from __future__ import absolute_import

from collections import namedtuple
from contextlib import closing

import six
from django.db import DatabaseError

__all__ = ["Holder", "read_holders"]

Holder = namedtuple("Holder", "account host program state idle sessions")

UNKNOWN = "unknown"
OWN = "this process"

# MySQL and MariaDB show the sessions of other accounts to those with PROCESS only.
_MYSQL = """
    SELECT id, user, host, command, time, id = CONNECTION_ID()
    FROM information_schema.processlist
    WHERE command <> 'Daemon' AND user NOT IN ('system user', 'event_scheduler')
"""
# Needs PROCESS as well.
_TRANSACTIONS = "SELECT trx_mysql_thread_id FROM information_schema.innodb_trx"
# What a client says of itself: program_name, of both the last one, else its library.
# Empty while performance_schema is off, as it is in MariaDB by default. The second
# shows the own account's and needs no privilege.
_PROGRAMS = [
    "SELECT processlist_id, attr_value FROM performance_schema.%s "
    "WHERE attr_name IN ('program_name', '_client_name') ORDER BY attr_name" % name
    for name in ("session_connect_attrs", "session_account_connect_attrs")
]
# PostgreSQL 10+. What the privilege pg_read_all_stats is needed for is NULL.
_POSTGRESQL = """
    SELECT usename, host(client_addr), client_port, application_name, state,
        EXTRACT(EPOCH FROM clock_timestamp() - state_change), pid = pg_backend_pid()
    FROM pg_stat_activity
    WHERE backend_type = 'client backend'
"""


def read_holders(connection):
    """Return who holds the connections of a connection's server, largest group first.

    Holders: account, host, program, state, the longest ``idle`` of the group in
    seconds, and the number of its ``sessions``. One that is in a transaction and does
    nothing is "idle in transaction". Text that the server does not tell this account is
    "unknown". An empty list for a database without a server, or of an unknown kind.

    Reads only, and opens the connection if need be; in a transaction too. The
    database's own errors come out.

    .. versionadded:: 1.0
    """
    readers = {"mysql": _read_mysql, "postgresql": _read_postgresql}
    groups = {}
    for key, idle in readers.get(connection.vendor, lambda _: [])(connection):
        groups.setdefault(key, []).append(int(idle))
    found = [Holder(*key + (max(idle), len(idle))) for key, idle in groups.items()]
    return sorted(found, key=lambda holder: (-holder.sessions, -holder.idle, holder))


def _rows(connection, sql):
    with closing(connection.cursor()) as cursor:
        cursor.execute(sql)
        return cursor.fetchall()


def _rows_if_allowed(connection, sql):
    """Return the rows, None where the server refuses: MySQL goes on after an error."""
    try:
        return _rows(connection, sql)
    except DatabaseError:
        return None


def _text(value):
    return UNKNOWN if value is None else six.ensure_text(value, "utf-8", "replace")


def _read_mysql(connection):
    rows = _rows(connection, _MYSQL)
    programs = _rows_if_allowed(connection, _PROGRAMS[0])
    if not programs:
        programs = _rows_if_allowed(connection, _PROGRAMS[1])
    programs = dict(programs or ())
    in_transaction = dict.fromkeys(_rows_if_allowed(connection, _TRANSACTIONS) or ())
    for number, user, host, command, seconds, is_own in rows:
        program = OWN if is_own else _text(programs.get(number))
        state = _text(command).lower()
        is_idle = state == "sleep"
        if is_idle:
            state = "idle in transaction" if (number,) in in_transaction else "idle"
        host = _text(host).rpartition(":")[0] or _text(host) or "local"
        idle = max(seconds or 0, 0) if is_idle else 0
        yield (_text(user), host, program, state), idle


def _read_postgresql(connection):
    for row in _rows(connection, _POSTGRESQL):
        user, host, port, program, state, seconds, is_own = row
        program = OWN if is_own else _text(program or None)
        if host is None and port is not None:
            host = "local"
        is_idle = (state or "").startswith("idle")
        idle = max(seconds or 0, 0) if is_idle else 0
        yield (_text(user), _text(host), program, _text(state)), idle
