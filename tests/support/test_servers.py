"""The servers and the proxy of the tests themselves."""

from __future__ import absolute_import

import errno
import os
import signal
import socket
import subprocess
import sys
import threading
import time

import pytest

from support import proxy, servers
from support.databases import wait_for
from support.required import skip_or_fail

HELLO = {
    "mysql": b"",  # MySQL greets first
    "postgresql": b"\x00\x00\x00\x08\x04\xd2\x16\x2f",  # SSLRequest
}


def make(vendor):
    try:
        return servers.Server(vendor)
    except servers.MissingServer as error:
        skip_or_fail(str(error))


def connect(port):
    return socket.create_connection(("127.0.0.1", port), 5)


def answers(server):
    client = connect(server.port)
    try:
        client.sendall(HELLO[server.vendor])
        return client.recv(100) != b""
    finally:
        client.close()


@pytest.mark.parametrize("vendor", sorted(HELLO))
def test_server_lives_on_one_port_from_start_to_stop(vendor):
    """A restart, and a start after a crash, keep the port; stop removes the folder."""
    server = make(vendor)
    assert not server.is_running()
    with server:
        port, folder = server.port, server.folder
        assert answers(server)
        server.restart()
        assert answers(server)
        server.kill()
        assert not server.is_running()
        with pytest.raises(socket.error):
            connect(port)
        server.start()
        assert answers(server)
        assert (server.port, server.folder) == (port, folder)
    assert not server.is_running()
    assert not os.path.exists(folder)
    with pytest.raises(socket.error):
        connect(port)


@pytest.mark.parametrize("end", ["killed", "interrupted"])
@pytest.mark.parametrize("vendor", sorted(HELLO))
def test_server_ends_with_its_owner(vendor, end):
    """The server stops, and its folder goes, also while a child holds the pipe."""
    make(vendor)
    code = "; ".join(
        [
            "import os, servers, signal, sys, time",
            "os.setpgrp()",
            "server = servers.Server(%r)" % vendor,
            "server.start()",
            "signal.signal(signal.SIGINT, signal.SIG_DFL)",
            "child = os.fork()",
            "child or signal.signal(signal.SIGINT, signal.SIG_IGN)",
            "child or time.sleep(60)",
            "print(server.port, server.folder, child)",
            "sys.stdout.flush()",
            "time.sleep(60)",
        ]
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", "from __future__ import print_function; " + code],
        cwd=os.path.dirname(os.path.abspath(__file__)),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    port, folder, child = owner.stdout.readline().decode("ascii").split()
    try:
        assert os.path.isdir(folder)
        if end == "killed":
            owner.kill()
        else:  # as Ctrl-C does it
            os.killpg(owner.pid, signal.SIGINT)
        owner.wait()
        wait_for(lambda: not os.path.exists(folder))
        with pytest.raises(socket.error):
            connect(int(port))
    finally:
        os.kill(int(child), signal.SIGKILL)
        owner.stdout.close()
        owner.stderr.close()


def test_start_with_a_wrong_option_says_what_the_server_said():
    """The error holds the server's log, and a better start succeeds after it."""
    with make("mysql") as server:
        with pytest.raises(RuntimeError) as caught:
            server.restart("--no-such-option")
        assert "no-such-option" in str(caught.value)
        assert not server.is_running()
        server.start()
        assert server.is_running()


def test_missing_program_is_named(monkeypatch):
    """The error names the program and the folders searched."""
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setattr(servers, "FOLDERS", ["/neither"])
    with pytest.raises(servers.MissingServer) as caught:
        servers.Server("postgresql")
    assert str(caught.value) == "no initdb on PATH or in /neither"


def test_from_url_decodes_its_parts():
    """Percent escapes are decoded, and the port is optional."""
    server = servers.from_url("mysql://us%40er:p%3A%2F@db.example/na%20me")
    assert (server.vendor, server.host, server.port) == ("mysql", "db.example", 3306)
    assert (server.user, server.password, server.name) == ("us@er", "p:/", "na me")
    server.start()
    server.stop()
    with pytest.raises(RuntimeError):
        server.restart()


@pytest.mark.parametrize("url", ["sqlite://h/n", "mysql://h", "mysql://h:x/n", "none"])
def test_from_url_refuses_another_form(url):
    """The error names the schemes, and does not show the URL."""
    with pytest.raises(ValueError) as caught:
        servers.from_url(url)
    assert url not in str(caught.value) and "postgresql" in str(caught.value)


def start(target, *args):
    thread = threading.Thread(target=target, args=args)
    thread.daemon = True
    thread.start()


def echo(peer):
    for data in iter(lambda: receive(peer), b""):
        peer.sendall(data)
    peer.close()


def receive(peer):
    try:
        return peer.recv(4096)
    except socket.error:  # reset
        return b""


@pytest.fixture
def through():
    """A proxy before a server that echoes."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(5)

    def serve():
        while True:
            try:
                peer, _ = listener.accept()
            except socket.error:  # the listener was shut down
                return
            start(echo, peer)

    start(serve)
    with proxy.Proxy(*listener.getsockname()) as through:
        yield through
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


@pytest.fixture
def client(through):
    """A connection through the proxy that has been used."""
    client = connect(through.port)
    assert exchange(client, b"first") == b"first"
    yield client
    client.close()


def exchange(client, data=b"x"):
    client.sendall(data)
    return client.recv(100)


def is_silent(client):
    """Return whether neither data nor an end arrives."""
    client.settimeout(0.1)
    try:
        client.recv(100)
    except socket.timeout:
        return True
    finally:
        client.settimeout(5)
    return False


def test_proxy_keeps_what_was_sent_for_each_connection(through, client):
    """Chunks are kept by direction and connection, also after its end."""
    other = connect(through.port)
    assert exchange(other, b"other") == b"other"
    assert through.connections == 2
    assert through.sent == through.received == [[b"first"], [b"other"]]
    other.close()
    wait_for(lambda: through.connections == 1)
    assert through.sent == [[b"first"], [b"other"]]


def test_proxy_forwards_more_than_a_buffer(through, client):
    """A slow reader loses nothing."""
    data = os.urandom(1 << 22)
    start(client.sendall, data)
    time.sleep(0.1)
    got = b""
    while len(got) < len(data):
        got += client.recv(1 << 16)
    assert got == data


def test_cut_ends_in_good_order(through, client):
    """The client reads an end, and can connect again."""
    through.cut()
    assert client.recv(100) == b""
    assert through.connections == 0
    again = connect(through.port)
    assert exchange(again) == b"x"
    again.close()


def test_reset_is_an_error_for_the_client(through, client):
    """The client's read fails with ECONNRESET."""
    through.reset()
    with pytest.raises(socket.error) as caught:
        client.recv(100)
    assert caught.value.errno == errno.ECONNRESET


def test_stall_swallows_and_resume_forwards(through, client):
    """Data sent during a stall are recorded and lost; later data arrive."""
    through.stall()
    new = connect(through.port)
    client.sendall(b"lost")
    new.sendall(b"waiting")
    assert is_silent(client)
    assert is_silent(new)
    assert through.sent[0] == [b"first", b"lost"]
    through.resume()
    assert exchange(client) == b"x"
    assert new.recv(100) == b"waiting"
    new.close()


def test_stall_can_let_new_connections_pass(through, client):
    """With new=False only live connections stall."""
    through.stall(new=False)
    new = connect(through.port)
    assert exchange(new) == b"x"
    client.sendall(b"lost")
    assert is_silent(client)
    new.close()


def test_stall_hides_the_end_of_the_server():
    """The client sees the end of the server only after resume."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    with proxy.Proxy(*listener.getsockname()) as through:
        client = connect(through.port)
        peer, _ = listener.accept()
        listener.close()
        through.stall()
        peer.close()
        assert is_silent(client)
        through.resume()
        assert client.recv(100) == b""
        client.close()


def test_refuse_keeps_live_connections_and_accept_keeps_the_port(through, client):
    """Only new connections are refused, until accept."""
    port = through.port
    through.refuse()
    with pytest.raises(socket.error) as caught:
        connect(port)
    assert caught.value.errno == errno.ECONNREFUSED
    assert exchange(client) == b"x"
    through.accept()
    new = connect(port)
    assert exchange(new) == b"x"
    new.close()


def test_latency_counts_in_each_direction(through, client):
    """A round trip takes two latencies."""
    through.latency = 0.1
    began = time.time()
    assert exchange(client) == b"x"
    assert 0.2 <= time.time() - began < 1
