"""MySQL Router between Django and MySQL: what it hides, and what it passes on."""

from __future__ import absolute_import

import time

import pytest
from django.db.utils import DatabaseError

from django_compat import fresh_connections, is_disconnect
from support import databases
from support.databases import (
    connections,
    end_session,
    open_connection,
    run,
    session_id,
    wait_for,
)
from support.losses import (
    error_of,
    is_hung_up,
    meanwhile,
    open_with_cursor,
    since_django_16,
)
from support.mysql_router import running
from support.servers import ROOT

pytestmark = [
    pytest.mark.contract,
    since_django_16,
    pytest.mark.skipif(not ROOT.endswith("newest"), reason="no MySQL Router"),
]


@pytest.fixture(params=["passthrough", "sharing"])
def router(request, mysql_server, tmpdir):
    options = {"client_ssl_mode": "PASSTHROUGH", "server_ssl_mode": "AS_CLIENT"}
    if request.param == "sharing":
        options = {"client_ssl_mode": "DISABLED", "server_ssl_mode": "DISABLED"}
        options["connection_sharing"] = 1
    with running(mysql_server, str(tmpdir), **options) as router:
        router.is_sharing = request.param == "sharing"
        yield router


@pytest.fixture
def routed(router, monkeypatch):
    """The alias whose connections go through the Router; its other alias's do not."""
    monkeypatch.setitem(connections.databases["mysql"], "PORT", str(router.port))
    yield "mysql"
    databases.tidy()


def job(connection):
    with fresh_connections():
        return run(connection, "SELECT 42") == (42,)


def test_job_after_the_end_of_the_session_works(routed, router):
    """Router hangs up with MySQL, or, where it shares sessions, takes another one."""
    connection = open_connection(routed, None)
    end_session("mysql_other", session_id(connection))
    if not router.is_sharing:
        wait_for(lambda: is_hung_up(connection))
    assert job(connection)


def test_job_after_a_restart_of_the_router_works(routed, router):
    """The end of Router is the end of the connection, whoever has the session."""
    connection = open_connection(routed, None)
    router.stop()
    wait_for(lambda: is_hung_up(connection))
    router.start()
    assert job(connection)


@pytest.mark.parametrize("is_busy", [False, True])
def test_end_of_the_router_is_a_disconnect(routed, router, is_busy):
    """A connection that Router then refuses is none: nothing was lost."""
    connection, cursor = open_with_cursor(routed)
    if is_busy:
        due = time.time() + 0.2
        thread = meanwhile(lambda: time.time() > due, router.stop)
        error = error_of(lambda: cursor.execute("SELECT SLEEP(30)"))
        thread.join()
    else:
        router.stop()
        error = error_of(lambda: cursor.execute("SELECT 1"))
    assert is_disconnect(error), repr(error)
    connection.close()
    refused = error_of(lambda: open_connection(routed))
    assert is_disconnect(refused) is False, repr(refused)


@pytest.mark.parametrize("server_alias", ["mysql"], indirect=True)
def test_router_without_a_server(monkeypatch, routed, router, spare):
    """The error of a new connection is no disconnect. Later the jobs work again.

    Router keeps a server that was down in quarantine, a second by default.
    """
    other = connections.databases["mysql_other"]
    monkeypatch.setitem(other, "PORT", str(router.port))
    connection = open_connection(routed, None)
    spare.kill()
    refused = error_of(lambda: open_connection("mysql_other"))
    assert is_disconnect(refused) is False, repr(refused)
    spare.start()
    wait_for(lambda: works(connection))
    assert job(connection)


def works(connection):
    try:
        return job(connection)
    except DatabaseError:
        return False
