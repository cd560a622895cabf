"""Unread data is no end: NOTIFY, notices and TLS messages close no connection."""

from __future__ import absolute_import

import socket
import ssl
import subprocess
import threading

import pytest
from django.db import connections

from django_compat import HUNG_UP, close_stale_connections, fresh_connections
from django_compat._db.probe import ALIVE, DEAD, UNKNOWN, liveness
from support.databases import administration, open_connection, run, tidy, wait_for
from support.drivers import SERVERS
from support.losses import PERSISTS, hang_up
from support.required import skip_or_fail
from support.servers import certificate_in, certify
from support.sql import ENCRYPTION

pytestmark = pytest.mark.contract


def raws_in_a_scope():
    """Enter a scope; return the raw connections that are open in it."""
    with fresh_connections():
        return {alias: connections[alias].connection for alias in connections}


def raws_after_close_stale():
    """Call close_stale_connections, as a request does; return what is open then."""
    assert close_stale_connections() == []
    return {alias: connections[alias].connection for alias in connections}


with_both_calls = pytest.mark.parametrize(
    "open_raws", [raws_after_close_stale, raws_in_a_scope]
)
needs_postgresql = pytest.mark.skipif(
    "postgresql" not in SERVERS, reason="no driver of PostgreSQL in this run"
)


def commit(connection):
    if not PERSISTS:  # each statement is in a transaction
        connection.connection.commit()


@pytest.fixture
def listening(postgresql_server):
    """A function that makes a connection of PostgreSQL listen.

    It returns the connection and the list in which notifications arrive.
    """

    def listen(level):
        connection = open_connection("postgresql", None)
        raw = connection.connection
        run(connection, "SET client_min_messages = %s" % level)
        run(connection, "LISTEN here")
        commit(connection)
        if hasattr(raw, "notifies") and not callable(raw.notifies):
            return connection, raw.notifies  # psycopg2
        notifications = []
        raw.add_notify_handler(notifications.append)
        return connection, notifications

    yield listen
    tidy()


def notify(channel):
    with administration("postgresql") as admin:
        run(admin, "NOTIFY %s, 'news'" % channel)
        commit(admin)


@needs_postgresql
@with_both_calls
def test_pending_notify_closes_nothing(listening, open_raws):
    """An unread NOTIFY does not cost the connection, and the NOTIFY is not lost."""
    connection, notifications = listening("notice")
    raw = connection.connection
    notify("here")
    wait_for(lambda: liveness(connection) is UNKNOWN)
    assert open_raws()["postgresql"] is raw
    assert [notification.payload for notification in notifications] == ["news"]
    if connection.connection is not None:
        assert liveness(connection) is ALIVE
        assert run(connection, "SELECT 1") == (1,)


@needs_postgresql
@with_both_calls
def test_pending_notice_closes_nothing(listening, open_raws):
    """An unread message of the server's log does not cost the connection."""
    connection, notifications = listening("debug5")
    raw = connection.connection
    # At level debug5 the session reports that it looks at the notification.
    notify("elsewhere")
    wait_for(lambda: liveness(connection) is UNKNOWN)
    assert open_raws()["postgresql"] is raw
    assert list(notifications) == []


@with_both_calls
def test_encrypted_connection_is_kept(encrypted, open_raws):
    """Messages of TLS itself close nothing, at the first call or later."""
    connection = open_connection(encrypted, None)
    raw = connection.connection
    for _ in range(3 if PERSISTS else 1):
        assert open_raws()[encrypted] is raw
    assert run(connection, ENCRYPTION[connection.vendor])[1].startswith("TLSv1.")


def test_encrypted_connection_that_hung_up_is_closed(encrypted):
    """TLS's own message before the end does not hide the end."""
    connection = open_connection(encrypted, None)
    assert run(connection, ENCRYPTION[connection.vendor])[1].startswith("TLSv1.")
    hang_up(connection)
    assert close_stale_connections() == [(encrypted, HUNG_UP)]
    assert run(connection, "SELECT 1") == (1,)


class Raw(object):
    """A raw connection that has a socket and nothing else."""

    def __init__(self, sock):
        self.fileno = sock.fileno
        self.connection = self


@pytest.mark.skipif(
    not getattr(ssl, "HAS_TLSv1_3", False), reason="this Python has no TLS 1.3"
)
def test_session_tickets_are_no_end(tmpdir):
    """A TLS 1.3 server sends tickets that wait unread until the first answer."""
    try:
        subprocess.check_output(certify(str(tmpdir)), stderr=subprocess.STDOUT)
    except OSError as error:
        skip_or_fail("openssl: %s" % error)
    context = ssl.SSLContext(getattr(ssl, "PROTOCOL_TLS_SERVER", ssl.PROTOCOL_TLS))
    certificate, key = certificate_in(str(tmpdir))
    context.load_cert_chain(certificate, key)
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    asked = threading.Event()

    def serve():
        client = context.wrap_socket(listener.accept()[0], server_side=True)
        asked.wait(10)
        client.sendall(b"answer")
        client.close()

    thread = threading.Thread(target=serve)
    thread.start()
    near = socket.create_connection(listener.getsockname())
    trusting = ssl.create_default_context(cafile=certificate)
    client = trusting.wrap_socket(near, server_hostname="127.0.0.1")
    try:
        assert client.version() == "TLSv1.3"
        wait_for(lambda: liveness(Raw(client)) is UNKNOWN)
        asked.set()
        assert client.recv(100) == b"answer"
        wait_for(lambda: liveness(Raw(client)) is DEAD)
    finally:
        asked.set()
        thread.join()
        client.close()
        listener.close()
