"""Processes that tests start, and children that they fork."""

from __future__ import absolute_import

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import traceback

if sys.version_info >= (3, 2):
    OWN_SESSION = {"start_new_session": True}
else:
    OWN_SESSION = {"preexec_fn": os.setsid}


def forked(function, fork=os.fork):
    """Return what a function returns in a forked child, which then leaves at once."""
    reading, writing = os.pipe()
    pid = fork()
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


def start(arguments, env, cwd=None, **streams):
    """Start Python with ``-m module``, ``-c code`` or a script; return the process.

    The process leads a session of its own, so no signal for the tests reaches it.
    """
    command = [sys.executable] + list(arguments)
    options = dict(OWN_SESSION, close_fds=True, **streams)
    return subprocess.Popen(command, env=env, cwd=cwd, **options)


def wait(process):
    """Return the exit code of a process of ``start``; after 150 s kill it.

    Its children are killed with it: two that share a session may wait for ever.
    """
    timer = threading.Timer(150, os.killpg, (process.pid, signal.SIGKILL))
    timer.start()
    try:
        return process.wait()
    finally:
        timer.cancel()


def run(arguments, env, cwd=None):
    """Run Python as ``start`` does; return the exit code, the output and the errors."""
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        with open(os.devnull) as nothing:
            streams = {"stdin": nothing, "stdout": output, "stderr": errors}
            code = wait(start(arguments, env, cwd, **streams))
        texts = []
        for stream in output, errors:
            stream.seek(0)
            texts.append(stream.read().decode("utf-8"))
    return code, texts[0], texts[1]


def interrupt(arguments, pipe, env, cwd=None):
    """Run Python until it reads a pipe, then send SIGINT; return exit code and errors.

    ``pipe`` is the path of the pipe, which is made.
    """
    os.mkfifo(pipe)
    # A child inherits from a job in the background that it ignores SIGINT.
    handler = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        process = start(arguments, env, cwd, stderr=subprocess.PIPE)
    finally:
        signal.signal(signal.SIGINT, handler)
    # Waits for the reader, which gets the end of the file if it misses the signal.
    with open(pipe, "w"):
        process.send_signal(signal.SIGINT)
    errors = process.communicate()[1]
    return process.returncode, errors.decode("utf-8")


def output_of(arguments, env, cwd=None):
    """Run Python as ``run`` does, expect the exit code 0, and return the output."""
    code, output, errors = run(arguments, env, cwd)
    print(errors)  # pytest shows it when the test fails
    assert code == 0
    return output


def run_module(name, *arguments, **options):
    """Run a module that prints JSON; return the value."""
    return json.loads(output_of(["-m", name] + list(arguments), **options))


@contextlib.contextmanager
def web_process(env, module="web", *arguments):
    """Start the project's web process; give a function that requests the page.

    Another ``module`` of the project may answer each line of its stdin with JSON, too.
    """
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    process = start(["-m", module] + list(arguments), env, **pipes)

    def get():
        process.stdin.write(b"\n")
        process.stdin.flush()
        return json.loads(process.stdout.readline().decode("ascii"))

    try:
        yield get
    finally:
        process.stdin.close()
        wait(process)
        process.stdout.close()


def count_descriptors():
    """Return how many files and sockets this process has open."""
    return len(os.listdir("/proc/self/fd"))
