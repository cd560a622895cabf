"""Processes that tests start, and children that they fork."""

from __future__ import absolute_import

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import traceback


def forked(function):
    """Return what a function returns in a forked child, which then leaves at once."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        try:
            os.close(reading)
            try:
                answer = {"returned": function()}
            except BaseException:
                answer = {"raised": traceback.format_exc()}
            os.write(writing, json.dumps(answer).encode("ascii"))
        finally:
            os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        answer = json.loads(stream.read().decode("ascii"))
    os.waitpid(pid, 0)
    assert "raised" not in answer, answer["raised"]
    return answer["returned"]


def run_module(name, *arguments, **options):
    """Run a module with Python, a minute at most; return what it prints, as JSON."""
    process = subprocess.Popen(
        [sys.executable, "-m", name] + list(arguments),
        stdout=subprocess.PIPE,
        preexec_fn=os.setsid,
        **options
    )
    # Two that share a session may wait for an answer for ever.
    timer = threading.Timer(60, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    output = process.communicate()[0]
    timer.cancel()
    assert process.returncode == 0
    return json.loads(output.decode("ascii"))


@contextlib.contextmanager
def web_process(env):
    """Start a web process; give what asks it for the page."""
    process = subprocess.Popen(
        [sys.executable, "-m", "web"],
        env=env,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        close_fds=True,
    )

    def get():
        os.write(process.stdin.fileno(), b"\n")
        return json.loads(process.stdout.readline().decode("ascii"))

    try:
        yield get
    finally:
        process.stdin.close()
        process.stdout.close()
        process.wait()
