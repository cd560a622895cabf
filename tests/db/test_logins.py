"""Accounts with a password, as servers have them: a scope logs in again.

PostgreSQL asks by SCRAM, MySQL by caching_sha2_password, which PyMySQL does over TLS
only, and MariaDB by mysql_native_password.
"""

from __future__ import absolute_import

import io
import os

import pytest

from django_compat import fresh_connections, is_disconnect, retry_on_disconnect
from support.databases import (
    administration,
    connections,
    open_connection,
    run,
    session_id,
)
from support.losses import end_from_outside, error_of, since_django_16

pytestmark = [pytest.mark.contract, since_django_16]
CREATE = {
    "mysql": ["CREATE USER login IDENTIFIED BY 'sesame'", "GRANT ALL ON *.* TO login"],
    "postgresql": ["CREATE ROLE login SUPERUSER LOGIN PASSWORD 'sesame'"],
}
CHANGE = {
    "mysql": "ALTER USER login IDENTIFIED BY 'other'",
    "postgresql": "ALTER ROLE login PASSWORD 'other'",
}
DROP = {"mysql": "DROP USER login", "postgresql": "DROP ROLE login"}
ACCESS_DENIED = {
    "mysql": "Access denied",
    "postgresql": "password authentication failed",
}


def run_as_administrator(alias, statements):
    with administration(alias + "_other") as admin:
        for statement in statements:
            run(admin, statement)
        admin.connection.commit()


@pytest.fixture
def login(encrypted, spare, monkeypatch):
    """An alias whose account has a password, on an encrypted connection."""
    statements = list(CREATE[spare.vendor])
    if spare.vendor == "postgresql":  # else it trusts everybody
        statements.append("SELECT pg_reload_conf()")
        path = os.path.join(spare.folder, "data", "pg_hba.conf")
        with io.open(path, "r+") as stream:
            rules = stream.read()
            stream.seek(0)
            stream.write(u"host all login 127.0.0.1/32 scram-sha-256\n" + rules)
    run_as_administrator(encrypted, statements)
    settings_dict = connections.databases[encrypted]
    monkeypatch.setitem(settings_dict, "USER", "login")
    monkeypatch.setitem(settings_dict, "PASSWORD", "sesame")
    yield encrypted
    connections[encrypted].close()
    run_as_administrator(encrypted, [DROP[spare.vendor]])


def test_scope_logs_in_again(login):
    """The new session has the old account."""
    connection = open_connection(login, None)
    user = run(connection, "SELECT CURRENT_USER")
    assert user[0].startswith("login")
    before = session_id(connection)
    end_from_outside(connection)
    with fresh_connections():
        assert run(connection, "SELECT CURRENT_USER") == user
        assert session_id(connection) != before


def test_refused_password_is_no_disconnect(login):
    """The password was changed meanwhile: the error comes out of the first try."""
    connection, tries = open_connection(login, None), []
    run_as_administrator(login, [CHANGE[connection.vendor]])
    end_from_outside(connection)

    @fresh_connections
    @retry_on_disconnect
    def job():
        tries.append(True)
        run(connection, "SELECT 1")

    error = error_of(job)
    assert ACCESS_DENIED[connection.vendor] in str(error)
    assert "sesame" not in str(error)
    assert is_disconnect(error) is False
    assert len(tries) == 1
