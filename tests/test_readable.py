"""Readable is not dead: what a server sends on its own closes no usable connection."""

from __future__ import absolute_import

import os
import socket
import ssl
import subprocess
import threading
from importlib import import_module

import django
import pytest
from conftest import SERVERS, give_up
from databases import administration, kill, open_connection, run, wait_for
from django.db import connections
from servers import certificate_in, certify

from django_compat import close_stale_connections, fresh_connections
from django_compat.liveness import ALIVE, DEAD, UNKNOWN, liveness
from django_compat.staleness import HUNG_UP, UNUSABLE

looking = import_module("django_compat.liveness")

# Until Django 1.5 each statement is in a transaction, and each scope ends with a close.
KEEPS = django.VERSION >= (1, 6)


def commit(connection):
    if not KEEPS:
        connection.connection.commit()


def begin_fresh():
    """Begin a unit of work; tell what is open in it."""
    with fresh_connections():
        return {alias: connections[alias].connection for alias in connections}


def begin_close_stale():
    """Do what a web process does when a request begins; tell what is open then."""
    assert close_stale_connections() == []
    return {alias: connections[alias].connection for alias in connections}


BEGINS = [begin_close_stale, begin_fresh]

if "postgresql" in SERVERS:
    on_postgresql = pytest.mark.parametrize(
        "server_alias", ["postgresql"], indirect=True
    )

    def listen(connection, level="notice"):
        """Listen, and return where what comes is found."""
        raw = connection.connection
        run(connection, "SET client_min_messages = %s" % level)
        run(connection, "LISTEN here")
        commit(connection)
        if hasattr(raw, "notifies") and not callable(raw.notifies):
            return raw.notifies  # psycopg2
        found = []
        raw.add_notify_handler(found.append)
        return found

    def notify(alias, channel):
        with administration(alias) as admin:
            run(admin, "NOTIFY %s, 'news'" % channel)
            commit(admin)

    @pytest.mark.everywhere
    @on_postgresql
    @pytest.mark.parametrize("begin", BEGINS)
    def test_pending_notify_closes_nothing(server_alias, begin):
        """A NOTIFY that nobody has read neither costs the connection nor is lost."""
        connection = open_connection(server_alias, None)
        raw = connection.connection
        found = listen(connection)
        notify(server_alias, "here")
        wait_for(lambda: liveness(connection) is UNKNOWN)
        assert begin()[server_alias] is raw
        assert [notification.payload for notification in found] == ["news"]
        if connection.connection is not None:
            assert liveness(connection) is ALIVE
            assert run(connection, "SELECT 1") == (1,)

    @pytest.mark.everywhere
    @on_postgresql
    @pytest.mark.parametrize("begin", BEGINS)
    def test_pending_notice_closes_nothing(server_alias, begin):
        """Nor does a message for the log that the server sends between two queries."""
        connection = open_connection(server_alias, None)
        raw = connection.connection
        found = listen(connection, "debug5")
        # It has to look whether it is meant, and at this level it tells that it does.
        notify(server_alias, "elsewhere")
        wait_for(lambda: liveness(connection) is UNKNOWN)
        assert begin()[server_alias] is raw
        assert list(found) == []


@pytest.mark.parametrize("begin", BEGINS)
def test_one_that_answers_is_kept(alias, begin, monkeypatch):
    """Where looking does not tell, the server is asked: each driver can answer."""
    connection = open_connection(alias, None)
    raw = connection.connection
    monkeypatch.setattr(looking, "_look", lambda fd: UNKNOWN)
    assert begin()[alias] is raw


def test_one_that_does_not_answer_is_closed(server_alias, monkeypatch):
    """Without poll() an end looks like data; it is found by asking all the same."""
    connection = open_connection(server_alias, None)
    monkeypatch.setattr(looking, "_look", looking._select)
    kill(connection)
    wait_for(lambda: liveness(connection) is UNKNOWN)
    assert close_stale_connections() == [(server_alias, UNUSABLE)]
    assert run(connection, "SELECT 1") == (1,)


@pytest.fixture
def encrypted(spare, server_alias, monkeypatch):
    """An alias whose connections are encrypted."""
    certificate = certificate_in(os.path.join(spare.folder, "data"))[0]
    if not os.path.exists(certificate):
        give_up("no openssl that makes the certificate of a server")
    options = {"sslmode": "require"}
    if spare.vendor == "mysql":
        options = {"ssl": {"ca": certificate}}
    monkeypatch.setitem(connections.databases[server_alias], "OPTIONS", options)
    return server_alias


ENCRYPTION = {
    "mysql": "SHOW SESSION STATUS LIKE 'Ssl_version'",
    "postgresql": "SELECT pid, version FROM pg_stat_ssl WHERE pid = pg_backend_pid()",
}


@pytest.mark.everywhere
@pytest.mark.parametrize("begin", BEGINS)
def test_encrypted_connection_is_kept(encrypted, begin):
    """TLS's own messages close nothing, at the first look or later."""
    connection = open_connection(encrypted, None)
    raw = connection.connection
    for _ in range(3 if KEEPS else 1):
        assert begin()[encrypted] is raw
    assert run(connection, ENCRYPTION[connection.vendor])[1].startswith("TLSv1.")


def test_encrypted_connection_that_hung_up_is_closed(encrypted):
    """TLS's goodbye before the end does not hide it."""
    connection = open_connection(encrypted, None)
    assert run(connection, ENCRYPTION[connection.vendor])[1].startswith("TLSv1.")
    kill(connection)
    wait_for(lambda: liveness(connection) is DEAD)
    assert close_stale_connections() == [(encrypted, HUNG_UP)]
    assert run(connection, "SELECT 1") == (1,)


class Raw(object):
    """A raw connection of which only the socket is of interest."""

    def __init__(self, sock):
        self.fileno = sock.fileno
        self.connection = self


if getattr(ssl, "HAS_TLSv1_3", False):

    @pytest.mark.everywhere
    def test_session_tickets_are_no_end(tmpdir):
        """A TLS 1.3 server sends tickets that wait unread until the first answer."""
        try:
            subprocess.check_output(certify(str(tmpdir)), stderr=subprocess.STDOUT)
        except OSError as error:
            give_up("openssl: %s" % error)
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
