# -*- coding: utf-8 -*-
"""Both commands with a pipe that ends, a closed stdout, a full disk, and ASCII."""

from __future__ import absolute_import

import errno
import json
import os
import subprocess
import sys

import pytest

from django_compat._cli.output import Output
from support.processes import interrupt
from support.repository import ROOT

SETTINGS = u"""# -*- coding: utf-8 -*-
SECRET_KEY = "x"
INSTALLED_APPS = ["django_compat"]
ENTRY = {"ENGINE": "django.db.backends.sqlite3"}
NAMES = ["default", "zwölf\\x1b[2J"]
DATABASES = dict((name, dict(ENTRY, NAME="a%d" % len(name))) for name in NAMES)
"""
MANAGE = """import sys
from django.core.management import execute_from_command_line
execute_from_command_line(sys.argv)
"""
COMMANDS = [
    ["manage.py", "dbconnections"],
    ["manage.py", "dbconnections", "--json"],
    ["-m", "django_compat"],
    ["-m", "django_compat", "--json"],
    ["-m", "django_compat", "matrix"],
]


@pytest.fixture(params=COMMANDS, ids=" ".join)
def start(request, tmpdir):
    """Return a function that runs a line of a shell, which redirects ``$COMMAND``."""
    tmpdir.join("here.py").write_binary(SETTINGS.encode("utf-8"))
    tmpdir.join("manage.py").write(MANAGE)

    def start(line, **environment):
        env = dict(os.environ, PYTHONPATH=os.pathsep.join([str(tmpdir), ROOT]))
        env.update(DJANGO_SETTINGS_MODULE="here", **environment)
        env["COMMAND"] = " ".join([sys.executable] + request.param)
        process = subprocess.Popen(
            ["bash", "-c", line],
            cwd=str(tmpdir),
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        output, errors = process.communicate()
        return process.returncode, output.decode("utf-8"), errors.decode("utf-8")

    start.is_json = "--json" in request.param
    start.has_watch = request.param == COMMANDS[0]
    start.is_matrix = "matrix" in request.param
    return start


UNHEARD = {
    "reader ends at once": "$COMMAND | true; exit ${PIPESTATUS[0]}",
    "reader takes a line": "$COMMAND | head -n 1; exit ${PIPESTATUS[0]}",
    "stdout is closed": "exec $COMMAND >&-",
}


@pytest.mark.parametrize("line", sorted(UNHEARD))
def test_report_that_nobody_reads_ends_quietly(start, line):
    """The exit code is that of the report, and nothing is written to stderr."""
    code, _, errors = start(UNHEARD[line], PYTHONUNBUFFERED="")
    assert (code, errors) == (0, "")


@pytest.mark.parametrize(
    "arguments",
    [
        ["--settings", "here"],
        pytest.param(
            ["audit", "pipe.html"],
            marks=pytest.mark.skipif(sys.version_info < (3, 10), reason="needs 3.10"),
        ),
    ],
    ids=" ".join,
)
def test_interrupt_ends_with_one_line(tmpdir, arguments):
    """Ctrl-C shows no traceback, and the exit code is that of shells."""
    tmpdir.join("here.py").write("open('pipe.html').read()\n")
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([str(tmpdir), ROOT]))
    command = ["-m", "django_compat"] + arguments
    pipe = str(tmpdir.join("pipe.html"))
    assert interrupt(command, pipe, env, str(tmpdir)) == (130, "Interrupted\n")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_help_that_nobody_reads_ends_quietly(unbuffered):
    """On Python 2.7 argparse raises what an unbuffered stdout raises."""
    reading, writing = os.pipe()
    os.close(reading)
    env = dict(os.environ, PYTHONPATH=ROOT, PYTHONUNBUFFERED=unbuffered)
    command = [sys.executable, "-m", "django_compat", "-h"]
    process = subprocess.Popen(
        command, stdout=writing, stderr=subprocess.PIPE, env=env, close_fds=True
    )
    os.close(writing)
    _, errors = process.communicate()
    assert (process.returncode, errors) == (0, b"")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
def test_full_disk_of_another_stream_is_an_error():
    """A caller's own stream fails, and stdout goes on."""
    stream = open("/dev/full", "w")
    output = Output(stream)
    with pytest.raises(EnvironmentError) as caught:
        output.write("text")
    assert caught.value.errno == errno.ENOSPC
    assert not output.is_heard
    try:
        stream.close()
    except EnvironmentError:  # Python 3 still has the text
        pass


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no /dev/full")
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_full_disk_is_an_error(start, unbuffered):
    """One line tells of it; the exit code is 1."""
    code, _, errors = start("exec $COMMAND >/dev/full", PYTHONUNBUFFERED=unbuffered)
    assert code == 1
    assert "No space left on device" in errors
    assert len(errors.splitlines()) == 1


@pytest.mark.parametrize("encoding", ["ascii", "utf-8"])
def test_names_are_written_with_replacement(start, encoding):
    """A name that stdout cannot encode is no error; control characters are escaped."""
    code, output, errors = start(
        "$COMMAND | cat -v", LC_ALL="C", PYTHONIOENCODING=encoding
    )
    assert (code, errors) == (0, "")
    assert "^[" not in output
    if start.is_json:
        aliases = [facts["alias"] for facts in json.loads(output)["databases"]]
        assert u"zwölf\x1b[2J" in aliases
    elif not start.is_matrix:
        shown = {"ascii": "?", "utf-8": "M-CM-6"}[encoding]
        assert "zw%slf\\x1b[2J" % shown in output


@pytest.mark.parametrize("line", sorted(UNHEARD))
def test_watch_ends_when_nobody_reads(start, line):
    """A report is not repeated for a reader that has gone."""
    if not start.has_watch:
        pytest.skip("only the report of dbconnections is repeated")
    line = UNHEARD[line].replace("$COMMAND", "$COMMAND --watch 0.1")
    code, _, errors = start("timeout 30 bash -c '%s'" % line)
    assert (code, errors) == (0, "")
