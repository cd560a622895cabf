"""Has the far end of a connection hung up? Looking costs no round trip."""

from __future__ import absolute_import

import errno
import select
import socket
import struct
import sys

from django_compat._db.drivers import (
    descriptor,
    idle_test,
    is_embedded,
    is_of_database,
)

__all__ = [
    "ALIVE",
    "DEAD",
    "EVENTS",
    "UNKNOWN",
    "liveness",
    "seconds_silent",
    "watch",
]

ALIVE = "alive"
DEAD = "dead"
UNKNOWN = "unknown"

# When a server ends a session (a time-out, KILL, a restart), its FIN or RST arrives
# while nobody reads, and the kernel keeps that with the socket. One system call shows
# it. The call reads no byte, so no byte is lost.
#
# No event: alive. RDHUP, HUP or ERR: closed; Linux reports a FIN as RDHUP, which tells
# it from data. POLLIN alone is ambiguous, so the driver is to ask the server: TLS
# session tickets, notices and NOTIFY are data, and other systems report a FIN as
# readable, too.
#
# poll() where there is one, because select() cannot take descriptors above 1023. A link
# that drops packets without a word shows no event: only CONN_MAX_IDLE finds that.

_IS_LINUX = sys.platform.startswith("linux")
# Python 2.7 lacks the constant.
_RDHUP = getattr(select, "POLLRDHUP", 0x2000 if _IS_LINUX else 0)
# To be told of; HUP and ERR are told always. A system without poll() has none.
EVENTS = select.POLLIN | select.POLLPRI | _RDHUP if hasattr(select, "poll") else None
_LAST_DATA_RECV = 52  # its offset in struct tcp_info of linux/tcp.h; milliseconds


def _poller(fd):
    poll = select.poll()
    poll.register(fd, EVENTS)
    return poll.poll


def _poll(fd):
    events = _poller(fd)(0)
    if not events:
        return ALIVE
    hung_up = select.POLLERR | select.POLLHUP | select.POLLNVAL | _RDHUP
    return DEAD if events[0][1] & hung_up else UNKNOWN


def _select(fd):
    try:
        readable = any(select.select([fd], [], [fd], 0))
    except ValueError:
        return UNKNOWN  # a descriptor above 1023 on a system without poll()
    return UNKNOWN if readable else ALIVE


_look = None


def _choose():
    """Choose poll() or select() at the first call: gevent may patch select late."""
    global _look
    _look = _poll if hasattr(select, "poll") else _select
    return _look


def _probe(fd):
    """Look at a descriptor without waiting."""
    look = _look or _choose()
    while True:
        try:
            return look(fd)
        except (OSError, select.error) as error:
            if not error.args or not isinstance(error.args[0], int):
                raise  # a time-out of the program's own
            # Until Python 3.4 a signal interrupts the call.
            if error.args[0] != errno.EINTR:
                return DEAD  # the descriptor is closed


def liveness(connection):
    """Return ALIVE, DEAD or UNKNOWN for an open connection.

    Sends nothing, reads nothing, does not wait. UNKNOWN means: ask the driver.
    """
    raw = connection.connection
    if is_embedded(raw):
        return ALIVE
    fd = descriptor(raw)
    if fd is None:
        return UNKNOWN
    return _probe(fd) if fd >= 0 else DEAD


def watch(raw):
    """Return a function that tells whether a raw connection is quiet.

    True means ALIVE, with no answer left to read. False decides nothing. The function
    takes the raw connection, to which it holds no reference, and serves one thread at a
    time. The lookups have been made beforehand.
    """
    if is_embedded(raw):
        return lambda raw: True
    fd = descriptor(raw)
    if fd is None or fd < 0:
        return lambda raw: False
    look, is_idle = _look or _choose(), idle_test(raw)
    events = _poller(fd) if look is _poll else lambda _: look(fd) is not ALIVE

    def is_quiet(raw):
        try:
            return is_idle(raw, fd) and not events(0)
        except Exception as error:
            if not is_of_database(error, raw):
                raise
            return False  # a closed one raises: see drivers.descriptor

    return is_quiet


def seconds_silent(connection):
    """Return for how many seconds the far end of an open connection sent nothing.

    None where the system does not tell: only Linux does, and only for TCP.
    """
    fd = descriptor(connection.connection)
    if not _IS_LINUX or fd is None or fd < 0:
        return None
    try:
        copy = socket.fromfd(fd, socket.AF_INET, socket.SOCK_STREAM)
        try:
            size = _LAST_DATA_RECV + 4
            info = copy.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, size)
        finally:
            copy.close()
        return struct.unpack_from("=I", info, _LAST_DATA_RECV)[0] / 1000.0
    except (OSError, socket.error, struct.error):
        return None  # a Unix socket
