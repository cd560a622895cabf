"""Each example of the pages has a test: those that test_examples.py does not run.

The pages are written for the Pythons of today, so their newest words need Python 3.9.
"""

from __future__ import absolute_import

import ast
import doctest
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import unittest

import django
import pytest
from django.db import connections

import django_compat
from support.brokers import is_listening
from support.databases import (
    in_a_thread,
    kill,
    open_connection,
    run,
    session_id,
    wait_for,
)
from support.losses import PERSISTS
from support.processes import output_of, run as run_python
from support.projects import environment, site
from support.recipes import idle_timeout
from support.repository import TESTS, code_blocks, pages, read
from support.required import skip_or_fail
from support.servers import MissingServer, find_binaries, free_port

# A part of each block, and the file with its test.
PYTHON = {
    "def run(": "cli/test_readme.py",
    "INSTALLED_APPS +=": "programs/test_examples.py",
    "with fresh_connections():\n        job": "programs/test_examples.py",
    "pool.map": "programs/test_examples.py",
    "os.fork()": "programs/test_examples.py",
    "\nguard_connections()": "programs/test_examples.py",
    "queue.get()": "db/test_aio.py",
    "stop_leading": "db/test_session_state.py",
    "@shared_task": "programs/test_pages.py",
    "NoLeakedConnections": "programs/test_pages.py",
    "asyncio.to_thread": "programs/test_pages.py",
    ">>> django_compat.stats()": "programs/test_pages.py",
    "close_month": "programs/test_pages.py",
    "pymysql.install_as_MySQLdb()": "programs/test_pages.py",
    "SET SESSION wait_timeout": "programs/test_pages.py",
    ">>> reverse.__module__": "programs/test_pages.py",
}
TEXTS = [read(*page) for page in pages()]
COMMAND = r"^    (?:\$ )?(python (?:manage\.py|-m django_compat) .*)$"
COMMANDS = sorted({line for text in TEXTS for line in re.findall(COMMAND, text, re.M)})
needs_39 = pytest.mark.skipif(
    sys.version_info < (3, 9), reason="the pages' newest words need Python 3.9"
)


def example(part, language="python"):
    (code,) = [code for code in code_blocks(language) if part in code]
    return code


def test_each_python_block_has_a_test():
    """A block of no test is a failure, and so is a test of no block."""
    blocks = code_blocks("python")
    tests = {}
    for part in PYTHON:
        tests[part] = [code for code in blocks if part in "\n" + code]
    assert [part for part, of_part in tests.items() if len(of_part) != 1] == []
    assert len({code for (code,) in tests.values()}) == len(blocks)
    for part, file in PYTHON.items():
        assert part.splitlines()[-1].strip() in read("tests", *file.split("/"))


@needs_39
def test_task(server_alias):
    """Each run of the task has a session that lives."""
    numbers = []

    class Order(object):
        class objects(object):
            @staticmethod
            def count():
                connection = open_connection(server_alias, None)
                numbers.append(session_id(connection))
                kill(connection)

    names = {"shared_task": lambda function: function, "Order": Order}
    names["fresh_connections"] = django_compat.fresh_connections
    exec(example("@shared_task"), names)
    for _ in range(3):
        names["count_orders"]()
    assert len(set(numbers)) == 3


@needs_39
def test_case_without_leaks(server_alias):
    """The test passes, and fails when its thread keeps a connection."""
    done, opened = threading.Event(), threading.Event()

    def keep():
        open_connection(server_alias, None)
        opened.set()
        done.wait(30)
        connections[server_alias].close()

    def leak():
        threading.Thread(target=keep, daemon=True).start()
        opened.wait(30)

    names = {"TestCase": unittest.TestCase, "fetch": lambda: None}
    exec(example("NoLeakedConnections"), names)

    def failures():
        result = unittest.TestResult()
        names["FeedTests"]("test_fetch").run(result)
        return result.failures + result.errors

    assert failures() == []
    names["fetch"] = leak
    try:
        ((_, text),) = failures()
        assert server_alias in text
    finally:
        done.set()


@needs_39
def test_thread_of_a_coroutine(server_alias):
    """The function's thread keeps no connection."""
    import asyncio

    used = []

    def count_rows(alias):
        used.append(open_connection(server_alias, None))
        return 7

    names = {
        "asyncio": asyncio,
        "closing_connections": django_compat.closing_connections,
        "count_rows": count_rows,
    }
    code = example("asyncio.to_thread").replace("\n", "\n    ")
    exec("async def main():\n    %s\n    return number" % code, names)
    assert asyncio.run(names["main"]()) == 7
    assert used[0].connection is None


@needs_39
@pytest.mark.skipif(not PERSISTS, reason="no connection outlives a unit of work")
def test_stats(server_alias):
    """The numbers have the shape, and the reason, that the page shows."""

    def numbers():
        django_compat.stats()
        for _ in range(2):
            with django_compat.fresh_connections():
                connection = open_connection(server_alias, None)
        kill(connection)
        django_compat.close_stale_connections()
        return django_compat.stats()[server_alias]

    shown = ast.literal_eval(example(">>> django_compat.stats()").split("\n", 1)[1])
    assert set(shown["default"]["closed"]) == {django_compat.HUNG_UP}
    assert set(in_a_thread(numbers)) == set(shown["default"])


@needs_39
def test_retry(server_alias):
    """The function runs again after its session was killed."""
    numbers = []

    class Invoice(object):
        class objects(object):
            @staticmethod
            def filter(month):
                return Invoice

        @staticmethod
        def update(closed):
            connection = open_connection(server_alias, None)
            numbers.append(session_id(connection))
            if len(numbers) == 1:
                kill(connection)
            run(connection, "SELECT 1")

    class transaction(object):
        @staticmethod
        def atomic():
            return django_compat.atomic(using=server_alias)

    names = {"Invoice": Invoice, "transaction": transaction}
    exec(example("close_month"), names)
    names["close_month"](11)
    assert len(set(numbers)) == 2


@needs_39
@pytest.mark.parametrize("alias", ["mysql"], indirect=True)
def test_tutorial(alias, tmpdir):
    """The worker of the tutorial dies, and lives with the change."""
    env = environment(alias, options=idle_timeout(alias, 1))
    settings = json.loads(env["DJANGO_COMPAT_TEST_SETTINGS"])
    database = dict(settings["DATABASES"]["default"], CONN_MAX_AGE=None)
    code = example("pymysql.install_as_MySQLdb()")
    code = re.sub(r"DATABASE = \{[^}]*\}", lambda _: "DATABASE = %r" % database, code)
    diff = [line for line in example("with fresh", "diff").splitlines()]
    before = "\n".join(line[1:] for line in diff if line[:1] != "+").strip()
    after = "\n".join(line[1:] for line in diff if line[:1] != "-").strip()
    assert before in code
    results = []
    for text in code, code.replace(before, after):
        tmpdir.join("worker.py").write(text)
        results.append(run_python([str(tmpdir.join("worker.py"))], env))
    assert "job 0, session" in results[0][1] and "job 1" not in results[0][1]
    assert re.search("2006|2013|4031", results[0][2])
    sessions = re.findall(r"job \d, session (\d+)", results[1][1])
    assert len(set(sessions)) == len(sessions) == 3, results[1]


@needs_39
def test_server_of_the_tutorial():
    """The command without docker starts a server that ends idle sessions."""
    try:
        find_binaries("mysql")
    except MissingServer as error:
        skip_or_fail(str(error))
    block = r"((?:    .*\n)*    mariadb-install-db (?:.*\n    )+.*) &\n"
    (command,) = re.findall(block, read("docs", "tutorial.rst"))
    port, folder = free_port(), tempfile.mkdtemp()
    command = command.replace("--port=3307", "--port=%d" % port)
    if shutil.which("mariadb-install-db") is None:
        skip_or_fail("mariadb-install-db is not on PATH")
    account = "mysql" if os.getuid() == 0 else None
    shutil.chown(folder, account or os.getuid())
    options = {"cwd": folder, "user": account, "start_new_session": True}
    server = subprocess.Popen(command, shell=True, stdout=subprocess.PIPE, **options)

    ask = """if True:
        import pymysql
        with pymysql.connect(port=%d, host="127.0.0.1", database="test") as raw:
            with raw.cursor() as cursor:
                cursor.execute("SELECT @@wait_timeout")
                print(*cursor.fetchone())
    """
    try:
        wait_for(lambda: is_listening(port), 60)
        assert output_of(["-c", ask % port], {}) == "1\n"
    finally:
        os.killpg(server.pid, signal.SIGTERM)
        server.communicate()  # mariadbd holds the pipe, too, until its end
        shutil.rmtree(folder)


@needs_39
@pytest.mark.parametrize("with_scope", [False, True])
def test_proof_of_a_cure(server_alias, with_scope):
    """The first query after the time-out works in a scope, and fails without one."""
    code = example("SET SESSION wait_timeout")
    if server_alias == "postgresql":
        statement = "SET idle_session_timeout = 1000"
        assert "``%s``" % statement in read("docs", "guides", "gone-away.rst")
        code = code.replace("SET SESSION wait_timeout = 1", statement)
    if not with_scope:
        assert "with fresh_connections():" in code
        code = code.replace("with fresh_connections():", "if True:")
    code = "import django\ndjango.setup()\n" + code
    result = run_python(["-c", code], environment(server_alias))
    assert (result[0] == 0) is with_scope, result
    assert ("closed 'default': the server hung up. A new" in result[2]) is with_scope


@needs_39
def test_place_of_a_moved_name():
    """The name has the place that the page shows."""
    run = doctest.DocTestRunner()
    text = example(">>> reverse.__module__")
    run.run(doctest.DocTestParser().get_doctest(text, {}, "page", None, 0))
    assert run.failures == 0 and run.tries == 2


@needs_39
@pytest.mark.parametrize("command", COMMANDS)
def test_command(command, server_alias, tmpdir):
    """Each command of the pages is understood, and ends without a traceback."""
    if " src/ " in command and sys.version_info < (3, 10):
        pytest.skip("audit, adopt and retire need Python 3.10+")
    if "check --database" in command and django.VERSION < (3, 1):
        pytest.skip("check --database came with Django 3.1")
    if re.search(" (adopt|retire) ", command):
        pytest.importorskip("libcst", reason="LibCST is not installed")
    source = "from django.core.urlresolvers import reverse\n"
    tmpdir.mkdir("src").join("app.py").write(source)
    tmpdir.join("uwsgi.ini").write("[uwsgi]\nprocesses = 2\nthreads = 2\n")
    env = dict(site(server_alias, ["django_compat"]))
    env["PATH"] = os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]
    line = command.replace("manage.py", os.path.join(TESTS, "project", "manage.py"))
    process = subprocess.run(
        line, shell=True, env=env, cwd=str(tmpdir), capture_output=True, text=True
    )
    assert process.returncode in (0, 1), process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout or process.stderr  # Django writes warnings there


@needs_39
def test_imports_of_the_diffs():
    """Each import that a diff of the guides adds gives its names."""
    lines = [
        line[1:]
        for code in code_blocks("diff")
        for line in code.splitlines()
        if line.startswith("+from django_compat import")
    ]
    assert len(lines) > 5
    apps = ["django.contrib.contenttypes", "django.contrib.auth"]
    code = "\n".join(["import django", "django.setup()"] + lines)
    output_of(["-c", code], environment("default", apps))
