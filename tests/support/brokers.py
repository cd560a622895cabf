"""A private Redis, the broker of task runners, that never outlives the tests."""

from __future__ import absolute_import

import contextlib
import ctypes
import os
import shutil
import signal
import socket
import subprocess
import tempfile

from support.databases import wait_for
from support.required import skip_or_fail
from support.servers import FOLDERS, free_port

PR_SET_PDEATHSIG = 1  # of Linux's prctl()


def find_redis():
    """Return the path of redis-server; skip the test where there is none."""
    folders = os.environ.get("PATH", "").split(os.pathsep) + FOLDERS
    for folder in folders:
        path = os.path.join(folder, "redis-server")
        if os.access(path, os.X_OK):
            return path
    return skip_or_fail("redis-server is not installed")


@contextlib.contextmanager
def redis(*options):
    """Start a Redis without persistence on a free port; give its URL."""
    binary, port = find_redis(), free_port()
    folder = tempfile.mkdtemp(prefix="redis_")
    command = [binary, "--port", str(port), "--bind", "127.0.0.1", "--dir", folder]
    command += ["--save", "", "--appendonly", "no", "--loglevel", "warning"]
    libc = ctypes.CDLL(None)
    process = subprocess.Popen(
        command + list(options),
        # The kernel ends the server when the tests are killed.
        preexec_fn=lambda: libc.prctl(PR_SET_PDEATHSIG, signal.SIGTERM),
        close_fds=True,
    )
    try:
        wait_for(lambda: process.poll() is not None or is_listening(port))
        assert process.poll() is None, "redis-server has ended"
        yield "redis://127.0.0.1:%d" % port
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def is_listening(port):
    """Tell whether a port of this machine accepts a connection."""
    try:
        socket.create_connection(("127.0.0.1", port), 5).close()
    except socket.error:
        return False
    return True
