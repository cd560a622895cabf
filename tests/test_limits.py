"""What real servers enforce, read from them."""

from __future__ import absolute_import

import os
import random
import socket
import subprocess

import pytest
from conftest import give_up
from databases import administration, run, stop_observing, wait_for
from django.db import connections, transaction
from servers import free_port

from django_compat import servers
from django_compat.answers import Unknown
from django_compat.limits import Limit, Limits, read_limits

HAS_ATOMIC = hasattr(transaction, "atomic")  # Django 1.6+


def _connection(alias):
    connection = connections[alias]
    run(connection, "SELECT 1")
    return connection


def _administer(alias, *statements):
    with administration(alias) as admin:
        if not HAS_ATOMIC:  # there is always a transaction, which CREATE DATABASE bars
            admin.connection.rollback()
        if alias == "postgresql":
            admin.connection.autocommit = True
        for statement in statements:
            run(admin, statement)


@pytest.fixture
def account(server_alias):
    """Make an account that may do nothing special; it is dropped afterwards."""
    name = "limited_%d" % random.randrange(10**9)
    creates = {"mysql": "CREATE USER %s", "postgresql": "CREATE ROLE %s LOGIN"}
    drops = {"mysql": "DROP USER %s", "postgresql": "DROP ROLE %s"}
    _administer(server_alias, creates[server_alias] % name)
    yield name
    _administer(server_alias, drops[server_alias] % name)


def _as(alias, account, **changes):
    if alias == "mysql":  # where it may use no database
        changes["NAME"] = ""
    return administration(alias, USER=account, PASSWORD="", **changes)


def test_defaults_of_the_server_are_read(server_alias):
    """What conftest's servers have: 100 connections, PostgreSQL keeps 3 of them."""
    limits = read_limits(connections[server_alias])
    assert limits.alias == limits.vendor == server_alias
    assert limits.server in ("MariaDB", "MySQL", "PostgreSQL")
    assert limits.version[0].isdigit() and "-" not in limits.version
    assert limits.proxy is None
    assert limits.max_connections >= 100
    assert limits.reserved == (3 if server_alias == "postgresql" else 0)
    assert limits.extra == 0
    assert limits.allowed == limits.max_connections - limits.reserved
    assert limits.idle_timeout == (28800 if server_alias == "mysql" else None)
    assert 1 <= limits.in_use <= limits.max_connections
    if server_alias == "mysql":
        assert limits.highest >= limits.in_use


def test_connections_in_use_are_counted(server_alias):
    """One more session is one more in use."""
    connection = connections[server_alias]
    stop_observing()
    wait_for(lambda: read_limits(connection).in_use == 1)
    with administration(server_alias):
        assert read_limits(connection).in_use == 2


def test_sqlite_has_no_limits():
    """Nothing is read, nothing is opened."""
    connection = connections["default"]
    limits = read_limits(connection)
    assert limits.server == "SQLite"
    assert limits.idle_timeout is limits.allowed is None
    assert limits.max_connections is limits.idle_in_transaction_timeout is None
    assert connection.connection is None


@pytest.mark.parametrize("server_alias", ["mysql"], indirect=True)
def test_session_wait_timeout_is_what_counts(server_alias):
    """Not the server's default: a session keeps what it began with, or was told."""
    mysql = _connection(server_alias)
    run(mysql, "SET SESSION wait_timeout = 77")
    run(mysql, "SET SESSION interactive_timeout = 78")
    limits = read_limits(mysql)
    assert limits.idle_timeout == 77
    assert limits.variables["session.wait_timeout"] == 77
    assert limits.variables["global.wait_timeout"] == 28800
    assert limits.variables["session.interactive_timeout"] == 78
    assert limits.variables["global.interactive_timeout"] == 28800


@pytest.mark.parametrize("server_alias", ["mysql"], indirect=True)
def test_interactive_session_gets_the_interactive_timeout(spare, server_alias):
    """The driver's CLIENT_INTERACTIVE makes interactive_timeout the session's own."""
    spare.restart("--wait-timeout=33", "--interactive-timeout=44")
    assert read_limits(connections["mysql"]).idle_timeout == 33
    with administration("mysql", OPTIONS={"client_flag": 1024}) as connection:
        limits = read_limits(connection)
    assert limits.idle_timeout == 44
    assert limits.variables["global.wait_timeout"] == 33


def test_options_of_the_server_are_read(spare, server_alias):
    """Other limits, time-outs and reserves than by default."""
    options = {
        "mysql": "--wait-timeout=2 --max-connections=21 --max-user-connections=11 "
        "--extra-port=%d --extra-max-connections=5" % free_port(),
        "postgresql": "-c idle_session_timeout=2500 -c max_connections=21 "
        "-c superuser_reserved_connections=4 "
        "-c idle_in_transaction_session_timeout=7000",
    }
    spare.restart(*options[server_alias].split())
    limits = read_limits(connections[server_alias])
    assert limits.max_connections == 21
    if server_alias == "mysql":
        assert limits.idle_timeout == 2
        if limits.server == "MariaDB":
            assert limits.extra == 5
        assert limits.account_limits[0].value == limits.allowed == 11
    else:
        assert (limits.idle_timeout, limits.reserved) == (2.5, 4)
        assert limits.idle_in_transaction_timeout == 7
        assert limits.allowed == 17


def test_limit_of_the_account_is_read(server_alias, account):
    """Of whom is asked, without a privilege."""
    limited = {
        "mysql": "ALTER USER %s WITH MAX_USER_CONNECTIONS 3",
        "postgresql": "ALTER ROLE %s CONNECTION LIMIT 3",
    }
    _administer(server_alias, limited[server_alias] % account)
    with _as(server_alias, account) as connection:
        limits = read_limits(connection)
    assert limits.account_limits[0].scope == "account"
    assert limits.account_limits[0].value == limits.allowed == 3
    assert limits.in_use >= 1
    assert limits.max_connections >= 100


@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_limit_of_the_database_is_read(account, server_alias):
    """It holds for an ordinary role, for a superuser it does not."""
    _administer(server_alias, "CREATE DATABASE %s CONNECTION LIMIT 4" % account)
    try:
        with _as(server_alias, account, NAME=account) as connection:
            limits = read_limits(connection)
        assert limits.account_limits[1].scope == "database"
        assert limits.account_limits[1].value == limits.allowed == 4
        with administration(server_alias, NAME=account) as connection:
            assert read_limits(connection).account_limits[1].value is None
    finally:
        _administer(server_alias, "DROP DATABASE %s" % account)


@pytest.fixture
def refused(server_alias, account):
    """A connection of an account that may read neither settings nor activity."""
    tables = "pg_catalog.pg_settings, pg_catalog.pg_stat_activity"
    _administer(server_alias, "REVOKE SELECT ON %s FROM PUBLIC" % tables)
    with _as(server_alias, account) as connection:
        yield connection
    _administer(server_alias, "GRANT SELECT ON %s TO PUBLIC" % tables)


@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_missing_privilege_is_unknown_with_its_reason(refused):
    """What may be read is read all the same, and nothing is raised."""
    limits = read_limits(refused)
    for figure in (limits.idle_timeout, limits.max_connections, limits.in_use):
        assert "permission denied" in figure.reason
    assert isinstance(limits.allowed, Unknown)
    assert limits.version[0].isdigit()
    assert limits.account_limits[0].value is None
    assert run(refused, "SELECT 1") == (1,)


@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_refusal_does_not_break_the_transaction(refused):
    """Each question has its own savepoint: what came before is still there."""
    if HAS_ATOMIC:
        refused.set_autocommit(False)
    run(refused, "SELECT 1")
    run(refused, "CREATE TEMPORARY TABLE before (id integer)")
    assert isinstance(read_limits(refused).max_connections, Unknown)
    assert run(refused, "SELECT COUNT(*) FROM before") == (0,)
    (refused.rollback if HAS_ATOMIC else refused.connection.rollback)()


if HAS_ATOMIC:

    def test_inside_of_atomic_it_reads_the_same(server_alias):
        """And the block goes on: on both sides of it the statements are one unit."""
        connection = _connection(server_alias)
        before = read_limits(connection)
        with transaction.atomic(using=server_alias):
            run(connection, "CREATE TEMPORARY TABLE held (id integer)")
            run(connection, "INSERT INTO held VALUES (1)")
            assert read_limits(connection) == before
            assert connection.in_atomic_block
            assert run(connection, "SELECT COUNT(*) FROM held") == (1,)
        assert read_limits(connection) == before


@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_no_transaction_is_left_open(server_alias):
    """Also until Django 1.5, where autocommit is always off."""
    connection = _connection("postgresql")
    raw = connection.connection
    raw.rollback()
    read_limits(connection)
    status = getattr(raw, "get_transaction_status", None)
    assert (status() if status else raw.info.transaction_status) == 0


@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_broken_transaction_is_no_crash(server_alias):
    """Nothing is known then, and it is left as it is."""
    with administration("postgresql") as connection:
        raw = connection.connection
        if HAS_ATOMIC:
            connection.set_autocommit(False)
        with pytest.raises(Exception):
            raw.cursor().execute("SELECT nonsense")
        assert "aborted" in read_limits(connection).max_connections.reason
        raw.rollback()
        assert read_limits(connection).max_connections == 100


def test_what_a_server_does_not_have_is_unknown(server_alias):
    """An older server, or one of another kind, lacks a variable: no crash."""
    variables = read_limits(connections[server_alias]).variables
    missing = [value for value in variables.values() if isinstance(value, Unknown)]
    assert all(value.reason.startswith("the server has no ") for value in missing)


def test_proxysql_is_known_by_its_answer(mysql_server, monkeypatch):
    """Shown with a server that answers as it does; what it enforces is unknown."""
    answer = "SELECT '(ProxySQL)'"
    monkeypatch.setattr(servers, "MYSQL", dict(servers.MYSQL, comment=answer))
    limits = read_limits(_connection("mysql"))
    connections["mysql"].close()
    assert limits.proxy == "ProxySQL"
    assert "ProxySQL is in between" in limits.idle_timeout.reason
    assert "ProxySQL is in between" in limits.max_connections.reason


def test_unknown_vendor_is_unknown():
    """No question is asked of a server that nobody here knows."""

    class Oracle(object):
        alias, vendor = "warehouse", "oracle"

    limits = read_limits(Oracle())
    assert limits.server == "oracle"
    assert "oracle" in limits.max_connections.reason
    assert isinstance(limits.allowed, Unknown)


def _limits(**figures):
    values = dict.fromkeys(Limits._fields)
    return Limits(**dict(values, account_limits=(), reserved=0, **figures))


def test_allowed_is_the_lowest_of_the_limits():
    """And unknown as long as one of them is."""
    limits = _limits(max_connections=100)._replace(reserved=3)
    assert limits.allowed == 97
    role = Limit("account", "role", 50)
    assert limits._replace(account_limits=(role,)).allowed == 50
    unknown = Unknown("why")
    role = role._replace(value=unknown)
    assert limits._replace(account_limits=(role,)).allowed is unknown
    assert _limits().allowed is None


def test_server_that_is_down_raises(server_alias):
    """That is no limit to be unknown: it is the error that any query has."""
    with administration(server_alias) as connection:
        connection.close()
        connection.settings_dict["PORT"] = str(free_port())
        with pytest.raises(Exception):
            read_limits(connection)


@pytest.fixture
def pgbouncer(server_alias, postgresql_server, tmpdir):
    """The port of a PgBouncer before the server."""
    binary = "/usr/sbin/pgbouncer"
    if not os.access(binary, os.X_OK):
        give_up("pgbouncer is not installed: no %s" % binary)
    server, port = postgresql_server, free_port()
    ini = tmpdir.join("pgbouncer.ini")
    ini.write(
        "[databases]\n* = host=%s port=%s user=postgres\n"
        "[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        "listen_port = %d\nauth_type = any\nunix_socket_dir =\nserver_lifetime = 0\n"
        "ignore_startup_parameters = extra_float_digits\npool_mode = transaction\n"
        % (server.host, server.port, port)
    )
    command = [binary, "-q", str(ini)]
    if os.getuid() == 0:  # which it refuses to run as
        command += ["-u", "nobody"]
    process = subprocess.Popen(command)
    wait_for(lambda: _listens(port) or process.poll() is not None)
    yield port
    process.terminate()
    process.wait()


def _listens(port):
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except socket.error:
        return False
    return True


@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_pgbouncer_is_recognised(pgbouncer):
    """Its limits count, not those of the server behind it, and they are unknown."""
    port = str(pgbouncer)

    def read():
        with administration("postgresql", PORT=port) as connection:
            return read_limits(connection)

    limits = read()
    assert limits.proxy == "PgBouncer"
    assert limits.server == "PostgreSQL"
    for figure in (limits.idle_timeout, limits.max_connections, limits.allowed):
        assert "PgBouncer" in figure.reason
    assert limits.variables["max_connections"] == 100
