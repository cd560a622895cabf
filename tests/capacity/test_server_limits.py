"""read_limits and read_holders: what real servers tell over live connections."""

from __future__ import absolute_import

import random

import pytest
from django.db import connections, transaction

from django_compat._capacity import server_limits
from django_compat._capacity.server_limits import (
    ConnectionLimit,
    Limits,
    Unknown,
    read_limits,
)
from django_compat._capacity.sessions import read_holders
from support.databases import administration, run, stop_observing, wait_for
from support.servers import free_port

HAS_ATOMIC = hasattr(transaction, "atomic")  # Django 1.6+
only_mysql = pytest.mark.parametrize("server_alias", ["mysql"], indirect=True)
only_postgresql = pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)


def _connection(alias):
    connection = connections[alias]
    run(connection, "SELECT 1")
    return connection


def _administer(alias, *statements):
    with administration(alias) as admin:
        if not HAS_ATOMIC:  # Django began a transaction; CREATE DATABASE forbids one
            admin.connection.rollback()
        if alias == "postgresql":
            admin.connection.autocommit = True
        for statement in statements:
            run(admin, statement)


@pytest.fixture
def account(server_alias):
    """Create an account without any privilege; drop it after the test."""
    name = "limited_%d" % random.randrange(10**9)
    creates = {"mysql": "CREATE USER %s", "postgresql": "CREATE ROLE %s LOGIN"}
    drops = {"mysql": "DROP USER %s", "postgresql": "DROP ROLE %s"}
    _administer(server_alias, creates[server_alias] % name)
    yield name
    _administer(server_alias, drops[server_alias] % name)


def _as(alias, account, **changes):
    if alias == "mysql":  # the account may use no database
        changes["NAME"] = ""
    return administration(alias, USER=account, PASSWORD="", **changes)


@pytest.mark.contract
def test_defaults_of_the_server_are_read(server_alias):
    """The tests' servers allow 100 connections; PostgreSQL reserves 3 of them."""
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


@pytest.mark.contract
def test_connections_in_use_are_counted(server_alias):
    """One more session is one more in use."""
    connection = connections[server_alias]
    stop_observing()
    wait_for(lambda: read_limits(connection).in_use == 1)
    with administration(server_alias):
        assert read_limits(connection).in_use == 2


@pytest.mark.contract
def test_sqlite_has_no_limits():
    """SQLite has no limits, and read_limits opens no connection."""
    connection = connections["default"]
    limits = read_limits(connection)
    assert limits.server == "SQLite"
    assert limits.idle_timeout is limits.allowed is None
    assert limits.max_connections is limits.idle_in_transaction_timeout is None
    assert connection.connection is None


@pytest.mark.contract
@only_mysql
def test_session_wait_timeout_is_what_counts(server_alias):
    """The session's own time-out is read, not the server's default."""
    mysql = _connection(server_alias)
    run(mysql, "SET SESSION wait_timeout = 77")
    run(mysql, "SET SESSION interactive_timeout = 78")
    limits = read_limits(mysql)
    assert limits.idle_timeout == 77
    assert limits.variables["session.wait_timeout"] == 77
    assert limits.variables["global.wait_timeout"] == 28800
    assert limits.variables["session.interactive_timeout"] == 78
    assert limits.variables["global.interactive_timeout"] == 28800


@only_mysql
def test_interactive_session_gets_the_interactive_timeout(spare, server_alias):
    """With the driver's CLIENT_INTERACTIVE a session gets interactive_timeout."""
    spare.restart("--wait-timeout=33", "--interactive-timeout=44")
    assert read_limits(connections["mysql"]).idle_timeout == 33
    with administration("mysql", OPTIONS={"client_flag": 1024}) as connection:
        limits = read_limits(connection)
    assert limits.idle_timeout == 44
    assert limits.variables["global.wait_timeout"] == 33


def test_options_of_the_server_are_read(spare, server_alias):
    """Limits, time-outs and reserves that differ from the defaults are read."""
    options = {
        "mysql": "--wait-timeout=2 --max-connections=21 --max-user-connections=11 "
        # MySQL passes over an unknown option that is loose.
        "--loose-extra-port=%d --loose-extra-max-connections=5" % free_port(),
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


@pytest.mark.contract
def test_limit_of_the_account_is_read(server_alias, account):
    """An account without privileges reads its own limit."""
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


@pytest.mark.contract
@only_postgresql
def test_limit_of_the_database_is_read(account, server_alias):
    """The database's limit holds for an ordinary role, not for a superuser."""
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


@pytest.mark.contract
@only_mysql
def test_account_without_privileges_reads_its_own_sessions(server_alias, account):
    """MySQL refuses the tables of transactions and programs; the rest is known."""
    with _as(server_alias, account) as connection:
        (holder,) = read_holders(connection)
    assert (holder.account, holder.program) == (account, "this process")


@only_postgresql
def test_session_of_a_socket_is_local(spare, server_alias):
    """A client on the server's own machine has no address."""
    with administration(server_alias, HOST=spare.folder) as connection:
        holders = read_holders(connection)
    (own,) = [holder for holder in holders if holder.program == "this process"]
    assert own.host == "local"


@pytest.fixture
def refused(server_alias, account):
    """A connection whose account may read neither settings nor activity."""
    tables = "pg_catalog.pg_settings, pg_catalog.pg_stat_activity"
    _administer(server_alias, "REVOKE SELECT ON %s FROM PUBLIC" % tables)
    with _as(server_alias, account) as connection:
        yield connection
    _administer(server_alias, "GRANT SELECT ON %s TO PUBLIC" % tables)


@pytest.mark.contract
@only_postgresql
def test_missing_privilege_is_unknown_with_its_reason(refused):
    """A refused figure is Unknown with the reason; all others are read."""
    limits = read_limits(refused)
    for figure in (limits.idle_timeout, limits.max_connections, limits.in_use):
        assert "permission denied" in figure.reason
    assert isinstance(limits.allowed, Unknown)
    assert limits.version[0].isdigit()
    assert limits.account_limits[0].value is None
    assert run(refused, "SELECT 1") == (1,)


@only_postgresql
def test_refusal_does_not_break_the_transaction(refused):
    """A refused question leaves the work of the transaction intact."""
    if HAS_ATOMIC:
        refused.set_autocommit(False)
    run(refused, "SELECT 1")
    run(refused, "CREATE TEMPORARY TABLE before (id integer)")
    assert isinstance(read_limits(refused).max_connections, Unknown)
    assert run(refused, "SELECT COUNT(*) FROM before") == (0,)
    (refused.rollback if HAS_ATOMIC else refused.connection.rollback)()


@pytest.mark.contract
@pytest.mark.skipif(not HAS_ATOMIC, reason="no atomic() before Django 1.6")
def test_atomic_block_reads_the_same_limits_and_goes_on(server_alias):
    """read_limits neither ends nor breaks the transaction of an atomic block."""
    connection = _connection(server_alias)

    def limits():
        return read_limits(connection)._replace(in_use=None)  # earlier sessions end

    before = limits()
    with transaction.atomic(using=server_alias):
        run(connection, "CREATE TEMPORARY TABLE held (id integer)")
        run(connection, "INSERT INTO held VALUES (1)")
        assert limits() == before
        assert connection.in_atomic_block
        assert run(connection, "SELECT COUNT(*) FROM held") == (1,)
    assert limits() == before


@pytest.mark.contract
@only_postgresql
def test_no_transaction_is_left_open(server_alias):
    """read_limits ends the transaction that its own questions began.

    Until Django 1.5 autocommit is always off, so that any question begins one.
    """
    connection = _connection("postgresql")
    raw = connection.connection
    raw.rollback()
    read_limits(connection)
    status = getattr(raw, "get_transaction_status", None)
    assert (status() if status else raw.info.transaction_status) == 0


@only_postgresql
def test_broken_transaction_makes_all_unknown(server_alias):
    """A transaction that failed before is left as it is."""
    with administration("postgresql") as connection:
        raw = connection.connection
        if HAS_ATOMIC:
            connection.set_autocommit(False)
        with pytest.raises(Exception):
            raw.cursor().execute("SELECT nonsense")
        assert "aborted" in read_limits(connection).max_connections.reason
        raw.rollback()
        assert read_limits(connection).max_connections == 100


def test_variable_that_a_server_lacks_is_unknown(server_alias):
    """A variable of newer or other servers is Unknown with a reason."""
    variables = read_limits(connections[server_alias]).variables
    missing = [value for value in variables.values() if isinstance(value, Unknown)]
    assert all(value.reason.startswith("the server has no ") for value in missing)


@pytest.mark.contract
def test_proxysql_is_recognised_by_its_answer(mysql_server, monkeypatch):
    """The limits are Unknown behind a server that answers as ProxySQL does."""
    answer = "SELECT '(ProxySQL)'"
    questions = dict(server_limits.MYSQL_QUESTIONS, comment=answer)
    monkeypatch.setattr(server_limits, "MYSQL_QUESTIONS", questions)
    limits = read_limits(_connection("mysql"))
    connections["mysql"].close()
    assert limits.proxy == "ProxySQL"
    assert "ProxySQL is in between" in limits.idle_timeout.reason
    assert "ProxySQL is in between" in limits.max_connections.reason


def test_other_vendor_is_unknown():
    """A server of another vendor is asked nothing, and its figures are Unknown."""

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
    """The lowest limit decides; with an Unknown limit the lowest is Unknown."""
    limits = _limits(max_connections=100)._replace(reserved=3)
    assert limits.allowed == 97
    role = ConnectionLimit("account", "role", 50)
    assert limits._replace(account_limits=(role,)).allowed == 50
    unknown = Unknown("why")
    role = role._replace(value=unknown)
    assert limits._replace(account_limits=(role,)).allowed is unknown
    assert _limits().allowed is None


def test_server_that_is_down_raises(server_alias):
    """read_limits raises the error of a connect that fails."""
    with administration(server_alias) as connection:
        connection.close()
        connection.settings_dict["PORT"] = str(free_port())
        with pytest.raises(Exception):
            read_limits(connection)


@pytest.mark.contract
def test_pgbouncer_is_recognised(pgbouncer):
    """PgBouncer's limits apply, not those of the server, and are Unknown."""
    with administration("postgresql", PORT=str(pgbouncer)) as connection:
        limits = read_limits(connection)
    assert limits.proxy == "PgBouncer"
    assert limits.server == "PostgreSQL"
    for figure in (limits.idle_timeout, limits.max_connections, limits.allowed):
        assert "PgBouncer" in figure.reason
    assert limits.variables["max_connections"] == 100
