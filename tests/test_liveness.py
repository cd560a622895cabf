"""Whether the far end has hung up, over real sockets and both implementations."""

from __future__ import absolute_import

import errno
import fcntl
import os
import resource
import select
import signal
import socket
import struct
import time
from importlib import import_module

import pytest
from databases import kill, open_connection, wait_for

from django_compat.drivers import descriptor, is_driver, is_embedded
from django_compat.liveness import ALIVE, DEAD, UNKNOWN, liveness

module = import_module("django_compat.liveness")

LOOKS = [name for name in ("_poll", "_select") if hasattr(select, name[1:])]


class Connection(object):
    """What liveness() wants of Django's wrapper."""

    def __init__(self, raw):
        self.connection = raw


def state(raw):
    return liveness(Connection(raw))


@pytest.fixture(params=LOOKS)
def look(request, monkeypatch):
    """Each way to look in turn."""
    monkeypatch.setattr(module, "_look", getattr(module, request.param))
    return request.param


@pytest.fixture
def gone(look):
    """What the way to look makes of an end: only poll can tell it from data."""
    return DEAD if look == "_poll" else UNKNOWN


def unix_pair():
    return socket.socketpair()


def tcp_pair():
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(1)
    near = socket.create_connection(listener.getsockname())
    far = listener.accept()[0]
    listener.close()
    return near, far


@pytest.fixture(params=[unix_pair, tcp_pair])
def pair(request):
    """The two ends of a connection: ours, and the server's."""
    ends = request.param()
    yield ends
    for end in ends:
        end.close()


def reset(end):
    """Close as a crashed server or a firewall does, with an RST."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def test_quiet_is_alive(look, pair):
    """Where nothing came, nothing has ended."""
    assert state(pair[0]) is ALIVE


@pytest.mark.everywhere
def test_end_is_seen(look, gone, pair):
    """A far end that closes in good order is seen before anything is sent."""
    pair[1].close()
    wait_for(lambda: state(pair[0]) is gone)


def test_reset_is_seen(look, gone):
    """So is one that resets."""
    near, far = tcp_pair()
    reset(far)
    wait_for(lambda: state(near) is gone)
    near.close()


def test_reset_by_unread_data_is_seen(look, gone, pair):
    """So is one that closes without having read what we sent."""
    pair[0].sendall(b"a query")
    pair[1].close()
    wait_for(lambda: state(pair[0]) is gone)


def test_data_is_no_end(look, pair):
    """What can be read proves nothing, and stays to be read."""
    pair[1].sendall(b"a notice")
    wait_for(lambda: state(pair[0]) is UNKNOWN)
    for _ in range(3):
        assert state(pair[0]) is UNKNOWN
    assert pair[0].recv(100) == b"a notice"
    assert state(pair[0]) is ALIVE


def test_urgent_data_is_no_end(look):
    """Nor does TCP's urgent data, of which no driver knows."""
    near, far = tcp_pair()
    far.send(b"!", socket.MSG_OOB)
    wait_for(lambda: state(near) is UNKNOWN)
    near.close()
    far.close()


def test_end_after_data_is_seen(look, gone, pair):
    """A server's last words ("idle for too long") do not hide that it went."""
    pair[1].sendall(b"last words")
    pair[1].close()
    wait_for(lambda: state(pair[0]) is gone)
    assert pair[0].recv(100) == b"last words"
    assert pair[0].recv(100) == b""


def test_half_closed_by_the_server_is_an_end(look, gone, pair):
    """A server that will send nothing more is of no use."""
    pair[1].shutdown(socket.SHUT_WR)
    wait_for(lambda: state(pair[0]) is gone)


def test_half_closed_by_us_is_no_end(look, pair):
    """What we have ended ourselves says nothing of the far end."""
    pair[0].shutdown(socket.SHUT_WR)
    assert state(pair[0]) is ALIVE


@pytest.mark.everywhere
def test_closed_descriptor_is_dead(look, pair):
    """A descriptor that somebody closed behind the driver's back is no connection."""

    class Raw(object):
        def fileno(self):
            return fd

    fd = os.dup(pair[0].fileno())
    assert state(Raw()) is ALIVE
    os.close(fd)
    assert state(Raw()) is DEAD


def test_closed_socket_is_not_alive(look, pair):
    """A socket that knows that it is closed shows -1, or raises: it is not alive."""
    assert state(pair[0]) is ALIVE
    pair[0].close()
    assert state(pair[0]) is not ALIVE


@pytest.fixture
def high(pair):
    """Our end again, under a descriptor that select() cannot take."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], 2048), limits[1]))
    fd = fcntl.fcntl(pair[0].fileno(), fcntl.F_DUPFD, 1100)
    yield fd
    os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


@pytest.mark.everywhere
def test_descriptor_above_1024(look, pair, high):
    """poll() has no limit; where there is only select(), the server is to be asked."""

    class Raw(object):
        def fileno(self):
            return high

    assert high > 1023
    assert state(Raw()) is (ALIVE if look == "_poll" else UNKNOWN)
    pair[1].close()
    wait_for(lambda: state(Raw()) is (DEAD if look == "_poll" else UNKNOWN))


def test_signals_do_not_disturb(look, pair):
    """A storm of signals, each of which may interrupt the call, changes no answer."""
    seen = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
    signal.setitimer(signal.ITIMER_REAL, 0.0002, 0.0002)
    deadline = time.time() + 10
    try:
        while len(seen) < 200 and time.time() < deadline:
            assert state(pair[0]) is ALIVE
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert len(seen) >= 200


@pytest.mark.everywhere
@pytest.mark.parametrize("kind", [OSError, select.error])
def test_interrupted_call_is_made_again(look, monkeypatch, pair, kind):
    """EINTR, which Python hides from 3.5 on, is no answer; any other error is one."""
    errors = [kind(errno.EINTR, "interrupted"), kind(errno.EINTR, "interrupted")]
    real = getattr(module, look)

    def interrupted(fd):
        if errors:
            raise errors.pop()
        return real(fd)

    monkeypatch.setattr(module, "_look", interrupted)
    assert state(pair[0]) is ALIVE
    assert errors == []
    errors.append(kind(errno.EBADF, "bad descriptor"))
    assert state(pair[0]) is DEAD


def test_error_of_a_signal_handler_comes_out(look, monkeypatch, pair):
    """A handler that raises, as for a time-out, is not taken for an answer."""

    class TimeOut(Exception):
        pass

    def raising(fd):
        raise TimeOut

    monkeypatch.setattr(module, "_look", raising)
    with pytest.raises(TimeOut):
        state(pair[0])


@pytest.mark.parametrize("name", LOOKS)
def test_way_to_look_is_chosen_at_the_first_call(monkeypatch, pair, name):
    """What select has then counts: gevent may take poll() away after the import."""
    monkeypatch.setattr(module, "_look", None)
    if name == "_select":
        monkeypatch.delattr(select, "poll", raising=False)
    assert state(pair[0]) is ALIVE
    assert module._look is getattr(module, name)


def test_nothing_waits(look, pair):
    """Looking takes no time: ten thousand times in less than one time-out."""
    begin = time.time()
    for _ in range(10000):
        state(pair[0])
    assert time.time() - begin < 5


def test_descriptor_is_the_socket_of_the_driver(server_alias):
    """Each driver shows the socket that leads to its server."""
    connection = open_connection(server_alias)
    fd = descriptor(connection.connection)
    copy = socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM)
    port = copy.getpeername()[1]
    copy.close()
    assert str(port) == connection.settings_dict["PORT"]
    assert not is_embedded(connection.connection)
    assert is_driver(type(connection.connection).__module__)


def test_descriptor_of_what_the_driver_closed(look, server_alias):
    """A driver that knows that its connection is closed is believed."""
    connection = open_connection(server_alias)
    raw = connection.connection
    raw.close()
    assert descriptor(raw) == -1
    assert liveness(connection) is DEAD


@pytest.mark.everywhere
def test_killed_session_is_seen(look, gone, server_alias):
    """Each driver's connection is alive until its session is killed."""
    connection = open_connection(server_alias)
    assert liveness(connection) is ALIVE
    kill(connection)
    wait_for(lambda: liveness(connection) is gone)


@pytest.mark.everywhere
def test_killed_session_above_1024_is_seen(server_alias):
    """Each driver's too, in a process with a thousand files open."""
    held = [os.open(os.devnull, os.O_RDONLY) for _ in range(1100)]
    try:
        connection = open_connection(server_alias)
        assert descriptor(connection.connection) > 1023
        assert liveness(connection) is ALIVE
        kill(connection)
        wait_for(lambda: liveness(connection) is DEAD)
        connection.close()
    finally:
        for fd in held:
            os.close(fd)


def test_sqlite_has_no_far_end():
    """What is in this process cannot hang up, not even when it is closed."""
    connection = open_connection("default")
    assert is_embedded(connection.connection)
    assert liveness(connection) is ALIVE
    connection.close()


class Silent(object):
    """A raw connection of a driver that nobody knows, and that shows nothing."""


class Raising(object):
    def fileno(self):
        raise RuntimeError("no such thing")


class Odd(object):
    def fileno(self):
        return "no number"


class OldStyle:
    """On Python 2.7 a class without an MRO."""


class Proxied(object):
    """What a tracing tool puts around a raw connection: it shows the class within."""

    def __init__(self, raw):
        self._self_raw = raw

    @property
    def __class__(self):
        return self._self_raw.__class__

    def __getattr__(self, name):
        return getattr(self._self_raw, name)


@pytest.mark.parametrize("kind", [Silent, Raising, Odd, OldStyle, object])
def test_unknown_driver_is_asked(kind):
    """Without a descriptor there is nothing to look at: the server is to be asked."""
    assert descriptor(kind()) is None
    assert state(kind()) is UNKNOWN


def test_unknown_driver_with_a_descriptor_is_looked_at(look, gone, pair):
    """What has a fileno() is looked at, whoever made it."""
    assert descriptor(pair[0]) == pair[0].fileno()
    pair[1].close()
    wait_for(lambda: state(pair[0]) is gone)


def test_known_driver_without_a_descriptor():
    """A mysqlclient that shows no descriptor is no closed one."""
    raw = type("Connection", (object,), {"__module__": "MySQLdb.connections"})()
    assert descriptor(raw) is None


@pytest.mark.parametrize("how", ["derived", "proxied"])
def test_driver_is_known_under_another_class(alias, how):
    """A class of one's own, or a tool's proxy, hides the driver from nobody."""
    raw = open_connection(alias).connection
    if how == "proxied":
        other = Proxied(raw)
    else:
        other = type("Own", (type(raw),), {"__module__": "a_project.database"})
        other = other.__new__(other)
    assert is_embedded(other) is is_embedded(raw)
    if how == "proxied" and not is_embedded(raw):
        assert descriptor(other) == descriptor(raw)


@pytest.mark.parametrize("name", ["MySQLdb.connections", "psycopg2", "sqlite3.dbapi2"])
def test_module_of_a_driver(name):
    """A driver is known by its package."""
    assert is_driver(name)


@pytest.mark.parametrize("name", ["mysql.connector", "psycopg2cffi", "__main__", ""])
def test_module_of_no_driver(name):
    """What only looks like one is none."""
    assert not is_driver(name)
