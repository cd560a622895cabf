"""One question: has the far end of a connection hung up?"""

from __future__ import absolute_import

import errno
import select
import socket
import struct
import sys

from django_compat.drivers import descriptor, handles, is_embedded

__all__ = ["ALIVE", "DEAD", "UNKNOWN", "liveness", "seconds_silent"]

ALIVE = "alive"
DEAD = "dead"
UNKNOWN = "unknown"

# When a server ends a session (a time-out, KILL, a restart) its FIN or RST arrives
# while nobody reads, and the kernel keeps it with the socket: to look is one system
# call and no round trip. Nothing is read, so nothing is lost.
#
# Quiet means alive. Hung up means dead: Linux tells a FIN from data by RDHUP. Readable
# alone means nothing yet: TLS session tickets, notices and NOTIFY are data, and on
# other systems a FIN looks the same; then the driver is to ask the server.
#
# poll() where there is one: select() ends at descriptor 1023. A link that drops its
# packets without a word stays quiet: only CONN_MAX_IDLE finds that.

_IS_LINUX = sys.platform.startswith("linux")
# Python 2.7 lacks the constant.
_RDHUP = getattr(select, "POLLRDHUP", 0x2000 if _IS_LINUX else 0)
_LAST_DATA_RECV = 52  # where linux/tcp.h has it in struct tcp_info, in milliseconds


def _poller(fd):
    poll = select.poll()
    poll.register(fd, select.POLLIN | select.POLLPRI | _RDHUP)
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
    """Return the way to look; at the first call, for gevent may patch select late."""
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
            # A signal interrupts the call until Python 3.4.
            if error.args[0] != errno.EINTR:
                return DEAD  # a descriptor that is closed


def liveness(connection):
    """Return ALIVE, DEAD or UNKNOWN for a connection that is open.

    It sends nothing, reads nothing and does not wait. UNKNOWN: ask the driver.
    """
    raw = connection.connection
    if is_embedded(raw):
        return ALIVE
    fd = descriptor(raw)
    if fd is None:
        return UNKNOWN
    return _probe(fd) if fd >= 0 else DEAD


def watch(raw):
    """Return a function that tells whether a raw connection is quiet, and nothing else.

    True: ALIVE, and no answer is left over. False decides nothing. It is for one thread
    at a time, and has looked up beforehand what there is to call.
    """
    if is_embedded(raw):
        return lambda: True
    look = _look or _choose()
    try:
        fileno, state, usual = handles(raw)
        fd = fileno()
        events = _poller(fd) if look is _poll else lambda _: look(fd) is not ALIVE
    except Exception:
        return lambda: False  # what a closed one raises: see drivers.descriptor

    def is_quiet():
        try:
            return fileno() == fd and not events(0) and state() == usual
        except Exception:
            return False

    return is_quiet


def seconds_silent(connection):
    """Return for how many seconds the far end of an open connection has said nothing.

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
