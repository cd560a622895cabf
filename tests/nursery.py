"""Children of an interpreter that has loaded Django, and nothing of ours, already.

To load Django is most of what a short-lived process of the tests costs. A child is
forked before anything was configured, opened or imported of ours, then it is given its
environment, folder and arguments, and runs a module, script or code as ``python`` does.

Run as a script, this file is that interpreter: at the end of its socket it ends.
"""

from __future__ import absolute_import

import gc
import json
import os
import runpy
import signal
import socket
import struct
import subprocess
import sys
import threading
import types
from importlib import import_module

import django

LOADED = """decimal email.message multiprocessing uuid
    django.forms django.http django.template
    django.core.handlers.wsgi django.core.management""".split()
# The drivers of this run; mysqlclient is quickly loaded, by another name.
DRIVERS = os.environ.get("DJANGO_COMPAT_TEST_DRIVERS", "psycopg2").split()
LOADED += [driver.lower() for driver in DRIVERS]
if django.VERSION >= (1, 7):  # before, these need settings: the child loads them
    LOADED += """django.db django.db.models django.urls django.core.serializers.json
        django.test.utils django.test.client django.views.generic""".split()

try:
    from multiprocessing.reduction import recvfds, sendfds
except ImportError:  # Python 2
    from _multiprocessing import recvfd, sendfd

    def sendfds(sock, fds):
        for fd in fds:
            sendfd(sock.fileno(), fd)

    def recvfds(sock, size):
        return [recvfd(sock.fileno()) for _ in range(size)]


_nurseries = {}  # by the process that began it: a forked child has its own


class Nursery(object):
    """The other end of the interpreter that forks."""

    def __init__(self):
        self.socket, theirs = socket.socketpair()
        # As stdin: Python 2 has no pass_fds.
        self.process = subprocess.Popen(
            [sys.executable, os.path.splitext(os.path.abspath(__file__))[0] + ".py"],
            stdin=theirs,
            close_fds=True,
        )
        theirs.close()

    def ask(self, *request, **options):
        """Send a request, and the descriptors that go with it; return the answer."""
        line = json.dumps(request).encode("ascii")
        self.socket.sendall(struct.pack("=I", len(line)) + line)
        if "fds" in options:
            sendfds(self.socket, options["fds"])
        return struct.unpack("=q", read(self.socket, 8))[0]


class Child(object):
    """A forked child that runs what ``python`` does, leading its own session.

    ``fds`` are its standard input, output and error.
    """

    def __init__(self, arguments, env, cwd, fds):
        if os.getpid() not in _nurseries:
            _nurseries[os.getpid()] = Nursery()
        self.nursery, self.returncode = _nurseries[os.getpid()], None
        self.pid = self.nursery.ask("fork", arguments, dict(env), cwd, fds=fds)

    def wait(self):
        """Wait for its end, a minute at most; return its exit code."""
        if self.returncode is None:
            # Two that share a session may wait for an answer for ever.
            timer = threading.Timer(60, os.killpg, (self.pid, signal.SIGKILL))
            timer.start()
            self.returncode = self.nursery.ask("wait", self.pid)
            timer.cancel()
        return self.returncode


def read(sock, size):
    """Read so many bytes; fewer at the end."""
    found = b""
    while len(found) < size:
        part = sock.recv(size - len(found))
        if not part:
            break
        found += part
    return found


def serve():
    """Fork and wait as asked; in a child return what it is to do."""
    sock = socket.fromfd(0, socket.AF_UNIX, socket.SOCK_STREAM)
    while True:
        header = read(sock, 4)
        if not header:
            os._exit(0)
        line = read(sock, struct.unpack("=I", header)[0])
        request = json.loads(line.decode("ascii"))
        if request[0] == "wait":
            status = os.waitpid(request[1], 0)[1]
            ended = os.WEXITSTATUS(status) if os.WIFEXITED(status) else None
            answer = -os.WTERMSIG(status) if ended is None else ended
        else:
            fds = recvfds(sock, 3)
            answer = os.fork()
            if answer == 0:
                for number, fd in enumerate(fds):
                    os.dup2(fd, number)
                    os.close(fd)
                sock.close()
                return request[1:]
            for fd in fds:
                os.close(fd)
        sock.sendall(struct.pack("=q", answer))


def main():
    gc.disable()  # what is loaded stays
    for name in LOADED:
        try:
            import_module(name)
        except ImportError:  # django.urls until 1.9
            pass
    if hasattr(gc, "freeze"):  # Python 3.7+
        gc.freeze()
    gc.enable()
    here = os.path.dirname(os.path.abspath(__file__))
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry) != here]
    words, env, cwd = serve()
    words = [str(word) for word in words]  # for Python 2
    os.setsid()
    os.environ.clear()
    os.environ.update((str(key), str(value)) for key, value in env.items())
    if cwd:
        os.chdir(cwd)
    sys.path[:0] = [""] + env["PYTHONPATH"].split(os.pathsep)
    sys.modules.pop("sitecustomize", None)
    try:
        import_module("sitecustomize")  # as an interpreter does when it begins
    except ImportError:
        pass
    run(words)


def run(words):
    """Run ``-m module``, ``-c code`` or a script in the module ``__main__``."""
    main = sys.modules["__main__"] = types.ModuleType("__main__")
    if words[0] == "-m":
        sys.argv = words[1:]
        # What the interpreter calls: others empty the module afterwards on Python 2.
        runpy._run_module_as_main(words[1])
        return
    if words[0] == "-c":
        sys.argv, name, code = ["-c"] + words[2:], "<string>", words[1]
    else:
        sys.argv, name = words, words[0]
        sys.path[0] = os.path.dirname(os.path.abspath(name))
        main.__file__ = name
        with open(name, "rb") as script:
            code = script.read()
    exec(compile(code, name, "exec", 0, True), main.__dict__)


if __name__ == "__main__":
    nursery = sys.modules["__main__"]  # Python 2 empties a module that nobody refers to
    main()
