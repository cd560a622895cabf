"""TLS and Unix sockets, on each server: through a fork, and through a restart."""

from __future__ import absolute_import

import os

import pytest

from django_compat import (
    HUNG_UP,
    UNUSABLE,
    close_stale_connections,
    discard_connections,
    fresh_connections,
)
from support.databases import (
    connections,
    open_connection,
    run,
    session_id,
    wait_for,
)
from support.losses import end_from_outside, is_hung_up, since_django_16
from support.processes import forked
from support.sql import ENCRYPTION

pytestmark = pytest.mark.contract


@pytest.fixture(params=["TLS", "socket"])
def transport(request, server_alias, spare, monkeypatch):
    """An alias whose connections are encrypted, or go through a Unix socket."""
    if request.param == "TLS":
        return request.getfixturevalue("encrypted")
    path = os.path.join(spare.folder, "s") if spare.vendor == "mysql" else spare.folder
    monkeypatch.setitem(connections.databases[server_alias], "HOST", path)
    return server_alias


@pytest.mark.parametrize("discards", [False, True])
def test_session_lives_through_a_fork(transport, discards):
    """The child has a session of its own; the parent's goes on."""
    connection = open_connection(transport, None)
    before = session_id(connection)

    def child():
        if discards:
            discard_connections()
        with fresh_connections():
            return session_id(open_connection(transport, None))

    assert forked(child) != before
    assert session_id(connection) == before


@since_django_16
def test_next_scope_works_after_a_restart(transport, spare):
    """The end of the session is found without an error of a query."""
    connection = open_connection(transport, None)
    spare.restart()
    wait_for(lambda: is_hung_up(connection) or connection.connection is None)
    with fresh_connections():
        assert run(connection, "SELECT 42") == (42,)


@since_django_16
def test_lost_session_is_told(transport):
    """An alert of TLS is data that the socket has; the reason is then another one."""
    connection = open_connection(transport, None)
    end_from_outside(connection)
    ((alias, reason),) = close_stale_connections()
    assert alias == transport
    assert reason in (HUNG_UP, UNUSABLE)


def test_transport_is_what_its_name_says(request, transport):
    """TLS is on, or the connection is of the family of Unix sockets."""
    connection = open_connection(transport, None)
    if "TLS" in request.node.name:
        version = run(connection, ENCRYPTION[connection.vendor])[1]
        assert version.startswith("TLSv1.")
    else:
        assert connections.databases[transport]["HOST"].startswith("/")
        if connection.vendor == "postgresql":
            assert run(connection, "SELECT inet_client_addr()") == (None,)
        else:
            assert "localhost" in run(connection, "SELECT USER()")[0]
