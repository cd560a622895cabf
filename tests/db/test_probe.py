"""Has the far end hung up? Asked by poll() and by select(), on sockets and servers."""

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

from django_compat import UNUSABLE, close_stale_connections
from django_compat._db.drivers import descriptor, is_driver, is_embedded
from django_compat._db.probe import ALIVE, DEAD, UNKNOWN, liveness
from support.calls import fresh_scope
from support.databases import kill, open_connection, run, wait_for
from support.losses import PERSISTS

module = import_module("django_compat._db.probe")

LOOKS = [name for name in ("_poll", "_select") if hasattr(select, name[1:])]


class Connection(object):
    """The part of Django's wrapper that liveness() reads."""

    def __init__(self, raw):
        self.connection = raw


def state(raw):
    """Return the liveness of a raw connection; a socket can stand for one."""
    return liveness(Connection(raw))


@pytest.fixture(params=LOOKS)
def look(request, monkeypatch):
    """The probe looks by poll(), and by select()."""
    monkeypatch.setattr(module, "_look", getattr(module, request.param))
    return request.param


@pytest.fixture
def gone(look):
    """The answer for an ended connection: only poll() tells an end from data."""
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
    """The two ends of a connection: the client's, and the server's."""
    ends = request.param()
    yield ends
    for end in ends:
        end.close()


def reset(end):
    """Close with an RST, as a crashed server or a firewall does."""
    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    end.close()


def test_quiet_is_alive(look, pair):
    """A connection on which nothing arrives is alive."""
    assert state(pair[0]) is ALIVE


@pytest.mark.contract
def test_close_is_seen(look, gone, pair):
    """A close of the far end is seen before anything is sent."""
    pair[1].close()
    wait_for(lambda: state(pair[0]) is gone)


def test_reset_is_seen(look, gone):
    """A reset by the far end is seen."""
    near, far = tcp_pair()
    reset(far)
    wait_for(lambda: state(near) is gone)
    near.close()


def test_reset_by_unread_data_is_seen(look, gone, pair):
    """A far end that closes with unread data resets, and the reset is seen."""
    pair[0].sendall(b"a query")
    pair[1].close()
    wait_for(lambda: state(pair[0]) is gone)


@pytest.mark.contract
def test_data_is_no_end(look, pair):
    """Unread data proves no end, and the probe leaves the data unread."""
    pair[1].sendall(b"a notice")
    wait_for(lambda: state(pair[0]) is UNKNOWN)
    for _ in range(3):
        assert state(pair[0]) is UNKNOWN
    assert pair[0].recv(100) == b"a notice"
    assert state(pair[0]) is ALIVE


def test_urgent_data_is_no_end(look):
    """Urgent data of TCP, which no driver reads, proves no end either."""
    near, far = tcp_pair()
    far.send(b"!", socket.MSG_OOB)
    wait_for(lambda: state(near) is UNKNOWN)
    near.close()
    far.close()


def test_end_after_data_is_seen(look, gone, pair):
    """A message before the close ("idle for too long") does not hide the close."""
    pair[1].sendall(b"last words")
    pair[1].close()
    wait_for(lambda: state(pair[0]) is gone)
    assert pair[0].recv(100) == b"last words"
    assert pair[0].recv(100) == b""


def test_half_closed_by_the_server_is_an_end(look, gone, pair):
    """A server that has shut its sending side down will answer no query."""
    pair[1].shutdown(socket.SHUT_WR)
    wait_for(lambda: state(pair[0]) is gone)


def test_half_closed_by_us_is_no_end(look, pair):
    """A shutdown of the client's sending side says nothing of the far end."""
    pair[0].shutdown(socket.SHUT_WR)
    assert state(pair[0]) is ALIVE


def test_closed_descriptor_is_dead(look, pair):
    """A descriptor that was closed behind the driver's back is dead."""

    class Raw(object):
        def fileno(self):
            return fd

    fd = os.dup(pair[0].fileno())
    assert state(Raw()) is ALIVE
    os.close(fd)
    assert state(Raw()) is DEAD


def test_closed_socket_is_not_alive(look, pair):
    """The fileno() of a closed socket is -1, or raises: the socket is not alive."""
    assert state(pair[0]) is ALIVE
    pair[0].close()
    assert state(pair[0]) is not ALIVE


@pytest.fixture
def high(pair):
    """The client's end under a second descriptor, which select() cannot take."""
    limits = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(limits[0], 2048), limits[1]))
    fd = fcntl.fcntl(pair[0].fileno(), fcntl.F_DUPFD, 1100)
    yield fd
    os.close(fd)
    resource.setrlimit(resource.RLIMIT_NOFILE, limits)


def test_descriptor_above_1024(look, pair, high):
    """poll() has no limit; with select() alone the answer is UNKNOWN."""

    class Raw(object):
        def fileno(self):
            return high

    assert high > 1023
    assert state(Raw()) is (ALIVE if look == "_poll" else UNKNOWN)
    pair[1].close()
    wait_for(lambda: state(Raw()) is (DEAD if look == "_poll" else UNKNOWN))


def test_signals_do_not_disturb(look, pair):
    """200 signals, each of which may interrupt the call, change no answer."""
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


@pytest.mark.parametrize("kind", [OSError, select.error])
def test_interrupted_call_is_made_again(look, monkeypatch, pair, kind):
    """After EINTR, which Python hides since 3.5, the call is repeated; EBADF: DEAD."""
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


@pytest.mark.parametrize("base", [Exception, OSError])
@pytest.mark.parametrize("args", [(), ("too late",)])
def test_error_of_a_signal_handler_comes_out(look, monkeypatch, pair, base, args):
    """The exception of a signal handler is no answer, and comes out."""

    class TimeOut(base):
        pass

    def raising(fd):
        raise TimeOut(*args)

    monkeypatch.setattr(module, "_look", raising)
    with pytest.raises(TimeOut):
        state(pair[0])
    is_quiet = module.watch(pair[0])
    with pytest.raises(TimeOut):
        is_quiet(pair[0])


@pytest.mark.parametrize("name", LOOKS)
def test_way_to_look_is_chosen_at_the_first_call(monkeypatch, pair, name):
    """The choice is made late because gevent may remove poll() after the import."""
    monkeypatch.setattr(module, "_look", None)
    if name == "_select":
        monkeypatch.delattr(select, "poll", raising=False)
    assert state(pair[0]) is ALIVE
    assert module._look is getattr(module, name)


@pytest.mark.parametrize("name", LOOKS)
def test_first_look_may_be_that_of_a_scope(monkeypatch, server_alias, name):
    """A scope's look at a raw connection makes the same choice."""
    monkeypatch.setattr(module, "_look", None)
    if name == "_select":
        monkeypatch.delattr(select, "poll", raising=False)
    connection = open_connection(server_alias)
    raw = connection.connection
    is_quiet = module.watch(raw)
    assert is_quiet(raw) is True
    assert module._look is getattr(module, name)
    kill(connection)
    wait_for(lambda: not is_quiet(raw))


def test_closed_raw_connection_is_not_quiet(server_alias):
    """A driver's error for a connection that is closed decides nothing."""
    connection = open_connection(server_alias)
    raw = connection.connection
    is_quiet = module.watch(raw)
    raw.close()
    assert is_quiet(raw) is False


def test_descriptor_may_be_zero(look, pair):
    """A process that closed its stdin may have a connection there."""

    class Raw(object):
        def fileno(self):
            return 0

    before = os.dup(0)
    os.dup2(pair[0].fileno(), 0)
    try:
        assert state(Raw()) is ALIVE
        assert module.watch(Raw())(Raw()) is True
        tells = module.seconds_silent(Connection(pair[0])) is not None
        assert (module.seconds_silent(Connection(Raw())) is not None) is tells
    finally:
        os.dup2(before, 0)
        os.close(before)


@pytest.mark.skipif("_poll" not in LOOKS, reason="no poll() on this system")
def test_each_event_of_an_end_is_enough(monkeypatch):
    """A pipe has POLLERR alone when its reader is gone, and POLLHUP its writer."""

    class Raw(object):
        def fileno(self):
            return fd

    monkeypatch.setattr(module, "_look", module._poll)
    for end in (0, 1):
        ends = os.pipe()
        fd = ends[end]
        assert state(Raw()) is ALIVE
        os.close(ends[1 - end])
        assert state(Raw()) is DEAD
        os.close(fd)


@pytest.mark.skipif(not module._IS_LINUX, reason="only Linux tells")
def test_seconds_of_silence():
    """The kernel knows when the far end sent its last byte, of TCP only."""
    near, far = tcp_pair()
    far.sendall(b"a notice")
    near.recv(100)
    begun = time.time()
    wait_for(lambda: time.time() > begun + 0.3)
    silent = module.seconds_silent(Connection(near))
    assert 0.2 < silent < time.time() - begun + 10
    far.sendall(b"a notice")
    wait_for(lambda: module.seconds_silent(Connection(near)) < silent)
    near.close()
    far.close()
    near, far = unix_pair()
    assert module.seconds_silent(Connection(near)) is None
    near.close()
    far.close()
    assert module.seconds_silent(Connection(Silent())) is None


def test_probe_does_not_wait(look, pair):
    """Ten thousand probes of a quiet socket take less than 5 s."""
    begin = time.time()
    for _ in range(10000):
        state(pair[0])
    assert time.time() - begin < 5


def test_descriptor_is_the_socket_of_the_driver(server_alias):
    """Each driver's descriptor is that of the socket to the server."""
    connection = open_connection(server_alias)
    fd = descriptor(connection.connection)
    copy = socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM)
    port = copy.getpeername()[1]
    copy.close()
    assert str(port) == connection.settings_dict["PORT"]
    assert not is_embedded(connection.connection)
    assert is_driver(type(connection.connection).__module__)


def test_connection_that_the_driver_closed_is_dead(look, server_alias):
    """A closed raw connection has the descriptor -1, with each driver."""
    connection = open_connection(server_alias)
    raw = connection.connection
    raw.close()
    assert descriptor(raw) == -1
    assert liveness(connection) is DEAD


@pytest.mark.contract
def test_killed_session_is_seen(look, gone, server_alias):
    """Each driver's connection is alive until its session is killed."""
    connection = open_connection(server_alias)
    assert liveness(connection) is ALIVE
    kill(connection)
    wait_for(lambda: liveness(connection) is gone)


@pytest.mark.contract
def test_killed_session_above_1024_is_seen(server_alias):
    """A killed session is seen in a process with more than 1024 open files."""
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


@pytest.mark.parametrize("call", [close_stale_connections, fresh_scope])
def test_connection_that_answers_is_kept(alias, call, monkeypatch):
    """Where the probe answers UNKNOWN, each driver can ask the server."""
    connection = open_connection(alias, None)
    raw = connection.connection
    monkeypatch.setattr(module, "_look", lambda fd: UNKNOWN)
    call()
    closes = call is fresh_scope and not PERSISTS
    assert connection.connection is (None if closes else raw)


def test_connection_that_does_not_answer_is_closed(server_alias, monkeypatch):
    """With select() alone an end looks like data, so the server is asked, in vain."""
    connection = open_connection(server_alias, None)
    monkeypatch.setattr(module, "_look", module._select)
    kill(connection)
    wait_for(lambda: liveness(connection) is UNKNOWN)
    assert close_stale_connections() == [(server_alias, UNUSABLE)]
    assert run(connection, "SELECT 1") == (1,)


def test_sqlite_has_no_far_end():
    """An SQLite connection has no far end that could hang up."""
    connection = open_connection("default")
    assert is_embedded(connection.connection)
    assert liveness(connection) is ALIVE
    connection.close()


class Silent(object):
    """A raw connection of an unknown driver, without a descriptor."""


class Raising(object):
    def fileno(self):
        raise RuntimeError("no such thing")


class Odd(object):
    def fileno(self):
        return "no number"


class OldStyle:
    """On Python 2.7 a class without an MRO."""


class Proxied(object):
    """A tracing tool's proxy of a raw connection: ``__class__`` is the raw's."""

    def __init__(self, raw):
        self._self_raw = raw

    @property
    def __class__(self):
        return self._self_raw.__class__

    def __getattr__(self, name):
        return getattr(self._self_raw, name)


@pytest.mark.parametrize("kind", [Silent, Raising, Odd, OldStyle, object])
def test_unknown_driver_is_asked(kind):
    """Without a descriptor the answer is UNKNOWN, so the server is asked."""
    assert descriptor(kind()) is None
    assert state(kind()) is UNKNOWN
    assert module.watch(kind())(kind()) is False


def test_unknown_driver_with_a_descriptor_is_looked_at(look, gone, pair):
    """Any raw connection with a fileno() is probed."""
    assert descriptor(pair[0]) == pair[0].fileno()
    pair[1].close()
    wait_for(lambda: state(pair[0]) is gone)


def test_known_driver_without_a_descriptor():
    """A connection of an old mysqlclient has no descriptor, and is not closed."""
    raw = type("Connection", (object,), {"__module__": "MySQLdb.connections"})()
    assert descriptor(raw) is None


@pytest.mark.parametrize("how", ["derived", "proxied"])
def test_driver_is_known_under_another_class(alias, how):
    """The driver is known behind a subclass of its connection, or a tool's proxy."""
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
    """A driver is known by its package's name."""
    assert is_driver(name)


@pytest.mark.parametrize("name", ["mysql.connector", "psycopg2cffi", "__main__", ""])
def test_module_of_no_driver(name):
    """A module whose name only begins like a driver's is no driver."""
    assert not is_driver(name)
