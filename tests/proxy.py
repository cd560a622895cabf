"""A TCP proxy that cuts, resets, stalls and delays what goes through it."""
from __future__ import absolute_import

import socket
import struct
import threading
import time

TICK = 0.02  # seconds after which a thread looks whether it should still wait


class Proxy(object):
    """Forward a free port of 127.0.0.1 to a server.

    ``latency`` is in seconds a chunk and direction. ``sent`` and ``received`` hold, for
    each connection in the order of connecting, the chunks that came from the client and
    from the server, forwarded or swallowed.
    """

    def __init__(self, target_host, target_port):
        self.target = (target_host, target_port)
        self.port = self._listener = None
        self.latency = 0
        self.sent, self.received = [], []
        self.stalls_new = False
        self._pairs = []
        self._lock = threading.Lock()  # guards _pairs, sent, received, stalls_new
        self.accept()

    def __enter__(self):
        return self

    def __exit__(self, *exc_info):
        self.close()

    @property
    def connections(self):
        """The number of live connections, those without an answer yet included."""
        return len(self._pairs)

    def cut(self):
        """Close all live connections in good order."""
        self._end(reset=False)

    def reset(self):
        """Reset all live connections."""
        self._end(reset=True)

    def stall(self, new=True):
        """Swallow all that comes on live connections, their end included.

        New ones are accepted and left without an answer, or pass with ``new=False``.
        """
        with self._lock:
            self.stalls_new = new
            for pair in self._pairs:
                pair.stalled = True

    def resume(self):
        """Forward again; what was swallowed is lost, what had ended now ends."""
        with self._lock:
            self.stalls_new = False
            for pair in self._pairs:
                pair.stalled = False

    def refuse(self):
        """Refuse new connections; live ones stay."""
        listener, self._listener = self._listener, None
        if listener is not None:
            self._accepting.join()
            listener.close()

    def accept(self):
        """Accept new connections, on the same port as before."""
        if self._listener is not None:
            return
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", self.port or 0))
        listener.listen(128)
        listener.settimeout(TICK)
        self.port = listener.getsockname()[1]
        self._listener = listener
        self._accepting = threading.Thread(target=self._accept, args=(listener,))
        self._accepting.daemon = True
        self._accepting.start()

    def close(self):
        """Close the listener and all live connections."""
        self.refuse()
        self.cut()

    def wait(self, predicate, timeout=5):
        """Return the first true value of a function; fail after so many seconds."""
        deadline = time.time() + timeout
        while True:
            value = predicate()
            if value:
                return value
            assert time.time() < deadline, "waited %s s in vain" % timeout
            time.sleep(0.005)

    def _end(self, reset):
        with self._lock:
            pairs = list(self._pairs)
        for pair in pairs:
            pair.is_reset = reset
            pair.ended = True
        for pair in pairs:
            pair.join()

    def _accept(self, listener):
        while self._listener is listener:
            try:
                client, _ = listener.accept()
            except socket.timeout:
                continue
            with self._lock:
                pair = _Pair(self, client, stalled=self.stalls_new)
                self._pairs.append(pair)
                self.sent.append(pair.sent)
                self.received.append(pair.received)
                pair.start()


class _Pair(threading.Thread):
    """A client's connection and the one to the server that belongs to it."""

    def __init__(self, proxy, client, stalled):
        threading.Thread.__init__(self)
        self.daemon = True
        self.proxy, self.client, self.stalled = proxy, client, stalled
        self.sent, self.received = [], []
        self.ended = self.is_reset = False

    def run(self):
        sockets = [self.client]
        self._wait_while_stalled()
        try:
            server = socket.create_connection(self.proxy.target, 5)
        except socket.error:
            self.ended = True
        else:
            sockets.append(server)
            for each in sockets:
                each.settimeout(TICK)
                each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            args = (server, self.client, self.received)
            back = threading.Thread(target=self._pump, args=args)
            back.daemon = True
            back.start()
            self._pump(self.client, server, self.sent)
            back.join()
        for each in sockets:
            self._close(each)
        with self.proxy._lock:
            self.proxy._pairs.remove(self)

    def _pump(self, source, target, chunks):
        while not self.ended:
            try:
                data = source.recv(65536)
            except socket.timeout:
                continue
            except socket.error:
                break  # reset by the far end
            if not data:
                break
            chunks.append(data)
            time.sleep(self.proxy.latency)
            self._send(target, data)
        self._wait_while_stalled()
        self.ended = True

    def _send(self, target, data):
        while data and not (self.ended or self.stalled):
            try:
                data = data[target.send(data) :]
            except socket.timeout:
                pass
            except socket.error:
                return  # The other direction will see the end of this one.

    def _wait_while_stalled(self):
        while self.stalled and not self.ended:
            time.sleep(TICK)

    def _close(self, each):
        try:
            if self.is_reset:
                linger = struct.pack("ii", 1, 0)
                each.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                # Close alone would reset when there is something left to read.
                each.shutdown(socket.SHUT_RDWR)
        except socket.error:
            pass  # The far end was faster.
        each.close()
