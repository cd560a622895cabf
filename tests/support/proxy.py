"""A TCP proxy that cuts, resets, stalls and delays connections."""

from __future__ import absolute_import

import socket
import struct
import threading
import time

TICK = 0.02  # seconds: a thread that waits checks this often whether to stop


class Proxy(object):
    """Forward a free port of 127.0.0.1 to a server.

    ``latency`` is the delay in seconds of each chunk, in each direction. ``sent`` and
    ``received`` hold a list of chunks for each connection, oldest first: the chunks of
    the client and of the server, whether forwarded or swallowed.
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
        """The number of live connections, also of those still without an answer."""
        return len(self._pairs)

    def cut(self):
        """Close all live connections with a FIN."""
        self._end(reset=False)

    def reset(self):
        """Close all live connections with an RST."""
        self._end(reset=True)

    def stall(self, new=True):
        """Swallow all data of live connections, and their end.

        New connections are accepted and get no answer; with ``new=False`` they pass.
        """
        with self._lock:
            self.stalls_new = new
            for pair in self._pairs:
                pair.stalled = True

    def resume(self):
        """Forward again; swallowed data are lost, a swallowed end is forwarded now."""
        with self._lock:
            self.stalls_new = False
            for pair in self._pairs:
                pair.stalled = False

    def refuse(self):
        """Refuse new connections; live connections stay."""
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
    """A client's connection, and its connection to the server."""

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
            for sock in sockets:
                sock.settimeout(TICK)
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            args = (server, self.client, self.received)
            back = threading.Thread(target=self._pump, args=args)
            back.daemon = True
            back.start()
            self._pump(self.client, server, self.sent)
            back.join()
        for sock in sockets:
            self._close(sock)
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
                return  # the other direction notices the end

    def _wait_while_stalled(self):
        while self.stalled and not self.ended:
            time.sleep(TICK)

    def _close(self, sock):
        try:
            if self.is_reset:
                linger = struct.pack("ii", 1, 0)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
            else:
                # A close alone resets the connection when data are left to read.
                sock.shutdown(socket.SHUT_RDWR)
        except socket.error:
            pass  # the far end has closed
        sock.close()
