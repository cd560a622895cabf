"""Servers that accept a connection and then misbehave, on a free port."""

from __future__ import absolute_import

import contextlib
import socket
import struct
import threading
import time

HOSTILE = u"\x1b[2J\x9b31m\u202e\u2066\u2028\r\nevil\x00\x07\x7f"


def _mysql_packet(number, payload):
    return struct.pack("<I", len(payload))[:3] + struct.pack("B", number) + payload


def _postgresql_message(kind, payload):
    return kind + struct.pack(">I", len(payload) + 4) + payload


_GREETING = (
    b"\x0a5.5.5-10.6.0-MariaDB\x00\x01\x00\x00\x00abcdefgh\x00\xff\xf7\x21\x02\x00"
    b"\xff\x81\x15" + 10 * b"\x00" + b"abcdefghijkl\x00mysql_native_password\x00"
)
_PARAMETERS = (
    b"server_version\x0016.4\x00",
    b"server_encoding\x00UTF8\x00",
    b"client_encoding\x00UTF8\x00",
    b"DateStyle\x00ISO, MDY\x00",
    b"TimeZone\x00UTC\x00",
    b"integer_datetimes\x00on\x00",
    b"standard_conforming_strings\x00on\x00",
)


class Peer(object):
    """A server of a vendor that does what a function ``behave(peer, client)`` does.

    Its attributes are those of ``servers.Server`` that ``databases.point`` takes.
    ``accepted`` holds the sockets of all clients.
    """

    host, name, password, user = "127.0.0.1", "n", "sesame open", "u"

    def __init__(self, vendor, behave):
        self.vendor, self.behave, self.since = vendor, behave, time.time()
        self.accepted, self.has_ended = [], False
        self.listener = socket.socket()
        self.listener.bind((self.host, 0))
        self.listener.listen(8)
        self.port = self.listener.getsockname()[1]

    def serve(self):
        """Accept clients until the listener is closed."""
        while True:
            try:
                client, _ = self.listener.accept()
            except EnvironmentError:
                return
            self.accepted.append(client)
            _start(self._attend, client)

    def _attend(self, client):
        try:
            if self.vendor == "postgresql":
                if client.recv(8)[4:8] == b"\x04\xd2\x16\x2f":  # a request for TLS
                    client.sendall(b"N")
            self.behave(self, client)
        except EnvironmentError:
            pass  # the client, or the end of the test, closed it


def _start(function, *arguments):
    thread = threading.Thread(target=function, args=arguments)
    thread.daemon = True
    thread.start()


@contextlib.contextmanager
def peer(vendor, behave):
    """Run a Peer until the end of the block."""
    server = Peer(vendor, behave)
    _start(server.serve)
    try:
        yield server
    finally:
        server.has_ended = True
        for sock in [server.listener] + server.accepted:
            try:
                sock.shutdown(socket.SHUT_RDWR)  # wakes the thread that waits at it
            except EnvironmentError:
                pass  # the client has closed it
            sock.close()


def be_silent(server, client):
    """Accept, and never answer."""


def send_garbage(server, client):
    """Send what no driver understands."""
    client.sendall(bytes(bytearray(range(255, 0, -1))) * 16)


def send_text(server, client):
    """Answer as a web server does."""
    client.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")


def drip(server, client):
    """Begin an answer, and go on with a byte now and then."""
    if server.vendor == "mysql":
        client.sendall(_mysql_packet(0, b"\x0a" + 4000 * b"5")[:5])
    else:
        client.sendall(_postgresql_message(b"E", 4000 * b"S")[:5])
    while not server.has_ended:
        client.sendall(b"5")
        time.sleep(0.1)


def greet(server, client):
    """Let the client in, and never answer again."""
    if server.vendor == "mysql":
        client.sendall(_mysql_packet(0, _GREETING))
        client.recv(4096)
        client.sendall(_mysql_packet(2, b"\x00\x00\x00\x02\x00\x00\x00"))
        return
    client.recv(4096)
    client.sendall(
        _postgresql_message(b"R", struct.pack(">I", 0))
        + b"".join(_postgresql_message(b"S", name) for name in _PARAMETERS)
        + _postgresql_message(b"K", struct.pack(">II", 7, 7))
        + _postgresql_message(b"Z", b"I")
    )


def refuse(server, client):
    """Refuse the client with an error that a terminal would obey."""
    text = HOSTILE.replace(u"\x00", u"").encode("utf-8")
    if server.vendor == "mysql":
        client.sendall(_mysql_packet(0, struct.pack("<BH", 255, 1129) + text))
    else:
        error = b"SFATAL\x00C28000\x00M" + text + b"\x00\x00"
        client.sendall(_postgresql_message(b"E", error))
    client.close()
