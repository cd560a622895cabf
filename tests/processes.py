"""Processes that tests start, and children that they fork."""

from __future__ import absolute_import

import contextlib
import json
import os
import tempfile
import traceback

from nursery import Child


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


def run(arguments, env, cwd=None):
    """Run ``-m module``, ``-c code`` or a script with Python, a minute at most.

    Return the exit code, and what it printed as output and as errors.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        with open(os.devnull) as nothing:
            streams = nothing, output, errors
            child = Child(arguments, env, cwd, [each.fileno() for each in streams])
        code = child.wait()
        for each in output, errors:
            each.seek(0)
        return code, output.read().decode("utf-8"), errors.read().decode("utf-8")


def output_of(arguments, env, cwd=None):
    """Do as ``run``, which must end well; return what is printed as output."""
    code, output, errors = run(arguments, env, cwd)
    print(errors)  # pytest shows it when the test fails
    assert code == 0
    return output


def run_module(name, *arguments, **options):
    """Run a module; return what it prints, as JSON."""
    return json.loads(output_of(["-m", name] + list(arguments), **options))


@contextlib.contextmanager
def web_process(env):
    """Start a web process; give what asks it for the page."""
    (theirs, asked), (told, ours) = os.pipe(), os.pipe()
    child = Child(["-m", "web"], env, None, [theirs, ours, 2])
    os.close(theirs)
    os.close(ours)

    def get():
        os.write(asked, b"\n")
        return json.loads(answers.readline().decode("ascii"))

    with os.fdopen(told, "rb") as answers:
        try:
            yield get
        finally:
            os.close(asked)
            child.wait()
