"""The pytest plugin and the mixin that find connections that a test leaves open."""

from __future__ import absolute_import

import os
import re

import django
import pytest

from support import databases
from support.databases import administration, wait_for
from support.processes import run
from support.projects import environment
from support.required import needs_package

needs_package("pytest_django")
needs_package("xdist")

PREAMBLE = """
import os, signal, sys, threading, time, unittest
from contextlib import closing

import pytest
from django.db import connections
from django.test import TestCase

from django_compat import closing_connections, discard_connections
from django_compat.contrib.leaks import NoLeakedConnections


def ask():
    with closing(connections["default"].cursor()) as cursor:
        cursor.execute("SELECT 1")


def ask_in_thread(target=ask, name="asks"):
    thread = threading.Thread(target=target, name=name)
    thread.start()
    thread.join()


def hold_in_child(seconds=60):
    pid = os.fork()
    if not pid:
        try:
            discard_connections()
            ask()
            time.sleep(seconds)
        finally:
            os._exit(0)
    return pid


db = pytest.mark.django_db(transaction=True)
"""
OPTION = "--fail-on-leaked-connections"


@pytest.fixture
def run_tests(server_alias, tmpdir):
    """Run pytest on a file of tests; return its exit code and its output."""

    def run_tests(code, *arguments, **options):
        tmpdir.join("pytest.ini").write("[pytest]\ndjango_find_project = false\n")
        tmpdir.join("test_it.py").write(PREAMBLE + code)
        env = environment(server_alias, **options.get("project", {}))
        env.update(options.get("variables", ()))
        env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
        env.pop("PYTEST_ADDOPTS", None)
        command = "-m pytest -p no:cacheprovider -p django_compat.contrib.pytest"
        if options.get("xdist"):
            command += " -p xdist.plugin -n 2"
        if options.get("django", True):
            command += " -p pytest_django.plugin --create-db"
        code, output, errors = run(
            command.split() + list(arguments), env, str(tmpdir)
        )
        print(output + errors)
        return code, output + errors

    return run_tests


def line_of(code, text):
    """Return the number of the first line with a text in the file of tests."""
    lines = (PREAMBLE + code).splitlines()
    return [number for number, line in enumerate(lines, 1) if text in line][0]


THREAD = """
@db
def test_leaks():
    ask_in_thread()

@db
def test_closes():
    ask()
    ask_in_thread(closing_connections(ask))
"""


def test_connection_of_an_ended_thread_fails_its_test(run_tests):
    """The text names alias, session, thread and line; no other test fails."""
    code, output = run_tests(THREAD, OPTION)
    assert code == 1
    assert "2 passed" in output and "1 error" in output
    line = line_of("", "connections[")
    text = "opened in thread 'asks' at test_it.py:%d (ask)" % line
    assert re.search(r"'default' \(session \d+\), " + re.escape(text), output)
    assert "ERROR at teardown of test_leaks" in output


def test_plugin_is_off_until_asked(run_tests):
    """Without option and fixture nothing is changed, and no Django is imported."""
    code, output = run_tests(THREAD)
    assert code == 0
    code, output = run_tests(
        """
def test_nothing_is_changed():
    start = vars(threading.Thread)["start"]
    assert start.__module__ == "threading"
"""
    )
    assert code == 0


def test_line_of_django_is_told_where_there_is_no_other(run_tests):
    """A thread may run nothing but a function of Django's."""
    code, output = run_tests(
        """
from django.db import transaction

@db
def test_leaks():
    ask_in_thread(transaction.get_autocommit)
""",
        OPTION,
    )
    assert code == 1
    assert re.search(r"thread 'asks' at \S+transaction.py:\d+ \(\w+\)", output)


NO_DJANGO = """
import sys

def test_no_django():
    assert "django" not in sys.modules
"""


def test_plugin_alone_imports_no_django(run_tests, tmpdir):
    """A project without Django pays for nothing."""
    tmpdir.join("test_other.py").write(NO_DJANGO)
    code, _ = run_tests("", "test_other.py", django=False)
    assert code == 0


def test_fixture_serves_its_own_test_only(run_tests):
    """One test asks for the look, the other does not."""
    code, output = run_tests(
        """
@db
def test_not_asked():
    ask_in_thread()

@db
def test_asked(no_leaked_connections):
    ask_in_thread()

@db
def test_asked_in_vain(no_leaked_connections):
    ask_in_thread(closing_connections(ask))
"""
    )
    assert code == 1
    assert "3 passed" in output and "1 error" in output
    assert "ERROR at teardown of test_asked " in output


CHILD = """
@db
def test_leaks():
    pid = hold_in_child()
    children.append(pid)
    time.sleep(1)

def test_other():
    pass

children = []

def teardown_module():
    for pid in children:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
"""


def test_connection_of_a_living_child_fails_its_test(run_tests):
    """The child is named, and the line that opened the connection in it."""
    code, output = run_tests(CHILD, OPTION)
    assert code == 1
    assert re.search(r"in the child \d+, thread 'MainThread' at test_it.py:", output)


def test_child_that_ends_is_no_leak(run_tests):
    """The server ends the session of a child that has ended."""
    code, output = run_tests(
        """
@db
def test_child():
    os.waitpid(hold_in_child(0.5), 0)
""",
        OPTION,
    )
    assert code == 0, output


def test_child_may_outlive_the_run(run_tests, tmpdir):
    """A connection that a child opens after the tests is told to nobody."""
    code, output = run_tests(
        """
@db
def test_child():
    parent = os.getpid()
    if os.fork():
        return
    try:
        discard_connections()
        while os.getppid() == parent:
            time.sleep(0.05)
        connection = connections["default"]
        is_mysql = connection.vendor == "mysql"
        connection.settings_dict["NAME"] = "" if is_mysql else "postgres"
        ask()
        with open("asked", "w") as stream:
            stream.write("yes")
    finally:
        os._exit(0)
""",
        OPTION,
    )
    assert code == 0, output
    wait_for(lambda: tmpdir.join("asked").check() and tmpdir.join("asked").read())


LOST = """
SESSIONS = {
    "mysql": "SELECT id FROM information_schema.processlist WHERE db IS NULL"
    " AND command = 'Sleep'",
    "postgresql": "SELECT pid FROM pg_stat_activity WHERE datname = 'postgres'"
    " AND application_name <> 'observer'",
}
KILL = {"mysql": "KILL %d", "postgresql": "SELECT pg_terminate_backend(%d)"}
kept = []

@db
def test_loses_sessions():
    connection = connections["default"]
    with closing(connection.cursor()) as cursor:
        cursor.execute(SESSIONS[connection.vendor])
        numbers = [number for number, in cursor.fetchall()]
        assert numbers
        for number in numbers:
            cursor.execute(KILL[connection.vendor] % number)

@db
def test_leaks():
    ask()
    connection = connections["default"]
    kept.append(connection.get_new_connection(connection.get_connection_params()))
"""


def test_look_goes_on_after_the_end_of_its_session(run_tests):
    """The server may restart, or an administrator may end what is idle."""
    code, output = run_tests(LOST, OPTION)
    assert code == 1
    assert "2 passed" in output and "1 error" in output
    assert "ERROR at teardown of test_leaks" in output
    assert "not opened by Django in this process" in output


@pytest.fixture
def limited(server_alias, monkeypatch):
    """Let the run use an account that may not read the sessions of PostgreSQL."""
    sessions = "SELECT ON pg_catalog.pg_stat_activity"
    # The tests before, or the role, may have left the test database.
    drop = "DROP DATABASE IF EXISTS test_postgres WITH (FORCE)"
    with administration(server_alias) as admin:
        databases.run(admin, drop)
        databases.run(admin, "CREATE ROLE limited LOGIN CREATEDB")
        databases.run(admin, "REVOKE %s FROM PUBLIC" % sessions)
        with monkeypatch.context() as patch:
            values = databases.connections[server_alias].settings_dict
            patch.setitem(values, "USER", "limited")
            yield
        databases.run(admin, "GRANT %s TO PUBLIC" % sessions)
        databases.run(admin, drop)
        databases.run(admin, "DROP ROLE limited")


@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
def test_server_that_shows_no_sessions_is_told_once(run_tests, limited):
    """What this process has opened counts all the same."""
    code, output = run_tests(THREAD, OPTION)
    assert code == 1
    assert "2 passed" in output and "1 error" in output
    summary = output.split("connections that were left open")[1]
    assert summary.count("'default': the server shows no sessions: permission") == 1


@pytest.mark.parametrize("server_alias", ["postgresql"], indirect=True)
@pytest.mark.skipif(django.VERSION < (5, 1), reason="no pools before 5.1")
def test_sessions_of_a_pool_fail_no_test(run_tests):
    """psycopg's pool opens sessions in its own threads, and keeps them."""
    code, output = run_tests(
        """
@db
def test_asks():
    ask()
    time.sleep(0.5)  # the pool opens its other sessions
""",
        OPTION,
        project={"options": {"pool": True}, "max_age": 0},
        variables={"DJANGO_COMPAT_TEST_DRIVERS": "PyMySQL psycopg"},
    )
    assert code == 0, output
    assert "left open" not in output


OTHER = """
from django.test import TransactionTestCase

def ask_other():
    with closing(connections["default_other"].cursor()) as cursor:
        cursor.execute("SELECT 1")
"""
FILE = """
connections["default_other"].settings_dict["TEST"]["NAME"] = "other.sqlite3"

class FileTests(TransactionTestCase):
    databases = {"default", "default_other"}

    def test_closes(self):
        ask_other()
        ask_in_thread(closing_connections(ask_other))

    def test_leaks(self):
        ask_other()
        ask_in_thread(ask_other)
"""
MEMORY = """
class MemoryTests(TransactionTestCase):
    databases = {"default", "default_other"}

    def test_closes(self):
        ask_other()
        ask_in_thread(closing_connections(ask_other))

    def test_child_drops_its_database(self):
        pid = os.fork()
        if not pid:
            status = 1
            try:
                discard_connections()
                creation = connections["default_other"].creation
                creation.destroy_test_db("unused", verbosity=0)
                status = 0
            finally:
                os._exit(status)
        assert os.waitpid(pid, 0)[1] == 0
"""


def test_database_without_a_server_is_looked_at(run_tests):
    """A connection to SQLite has no session; nobody blocks the end of a file."""
    project = {"others": ["default_other"]}
    code, output = run_tests(OTHER + FILE, OPTION, project=project)
    assert code == 1
    assert "2 passed" in output and "1 error" in output
    assert "'default_other', opened in thread 'asks' at test_it.py:" in output
    assert "DROP DATABASE" not in output


def test_database_in_memory_stays_open(run_tests):
    """Django closes no connection to it: the data would be lost."""
    project = {"others": ["default_other"]}
    code, output = run_tests(OTHER + MEMORY, OPTION, project=project)
    assert code == 0, output
    assert "DROP DATABASE" not in output


PATCHED = """
import atexit
from django.db.backends.base.creation import BaseDatabaseCreation

@atexit.register
def tell():
    start = vars(threading.Thread)["start"]
    drop = vars(BaseDatabaseCreation)["destroy_test_db"]
    sys.stderr.write("at the end: %s, %s" % (start.__name__, drop.__name__))

@db
def test_patches():
    start = threading.Thread.start
    drop = BaseDatabaseCreation.destroy_test_db

    def own_start(thread, *args, **kwargs):
        return start(thread, *args, **kwargs)

    def own_drop(creation, *args, **kwargs):
        return drop(creation, *args, **kwargs)

    threading.Thread.start = own_start
    BaseDatabaseCreation.destroy_test_db = own_drop
"""


def test_patches_of_other_tools_stay(run_tests):
    """Only what the plugin itself has put there is taken back."""
    code, output = run_tests(PATCHED, OPTION)
    assert code == 0, output
    assert "at the end: own_start, own_drop" in output
    code, output = run_tests(PATCHED.partition("@db")[0] + THREAD, OPTION)
    assert "at the end: start, destroy_test_db" in output


def test_session_of_the_driver_fails_its_test(run_tests):
    """Nobody told of this session, but the server shows it."""
    code, output = run_tests(
        """
kept = []

@db
def test_leaks():
    ask()
    connection = connections["default"]
    kept.append(connection.get_new_connection(connection.get_connection_params()))
""",
        OPTION,
    )
    assert code == 1
    assert "not opened by Django in this process" in output


SHARED = """
class Server(object):
    def __init__(self):
        self.todo, self.ended = threading.Event(), threading.Event()
        self.thread = threading.Thread(target=self.run, name="server")
        self.thread.start()

    def run(self):
        self.todo.wait(30)
        thread = threading.Thread(target=self.answer, name="request")
        thread.start()
        thread.join()

    def answer(self):
        ask()
        self.todo.clear()
        self.ended.wait(30)
        connections["default"].close()

@pytest.fixture(scope="module")
def server():
    server = Server()
    yield server
    server.ended.set()
    server.thread.join()

@db
def test_asks(server):
    server.todo.set()
    while server.todo.is_set():
        time.sleep(0.01)

@db
def test_goes_on(server):
    pass

class TestCaseOfDjango(TestCase):
    @classmethod
    def setUpClass(cls):
        super(TestCaseOfDjango, cls).setUpClass()
        cls.server = Server()

    def test_asks(self):
        ask()
        self.server.todo.set()
        while self.server.todo.is_set():
            time.sleep(0.01)

    @classmethod
    def tearDownClass(cls):
        cls.server.ended.set()
        cls.server.thread.join()
        super(TestCaseOfDjango, cls).tearDownClass()
"""


def test_thread_of_several_tests_fails_none(run_tests):
    """A fixture of a module, or setUpClass, began it; its threads' threads, too."""
    code, output = run_tests(SHARED, OPTION)
    assert code == 0, output


HELD = """
done = threading.Event()

def hold():
    ask()
    done.wait(%d)
    connections["default"].close()

@db
def test_holds():
    thread = threading.Thread(target=hold, name="holder")
    thread.daemon = True
    thread.start()
    time.sleep(0.5)

@db
def test_other():
    ask()
"""


@pytest.mark.parametrize("xdist", [False, True])
def test_who_blocks_drop_database_is_told(run_tests, server_alias, xdist):
    """At the end of the run: the thread, the line and the test; also with xdist."""
    code, output = run_tests(HELD % 5, OPTION, xdist=xdist)
    assert code == 1
    verb = "may wait for" if server_alias == "mysql" else "is blocked by"
    summary = output.split("connections that were left open")[1]
    assert re.search("DROP DATABASE test_\\w+ %s:" % verb, summary)
    assert re.search(r"opened in thread 'holder' at test_it.py:\d+ \(ask\)", summary)
    assert "by test_it.py::test_holds" in summary
    assert "thread 'MainThread'" not in summary


def test_own_session_blocks_no_drop(run_tests):
    """Django closes the connection of the thread that drops the database."""
    code, output = run_tests(
        """
@pytest.fixture(scope="session")
def site(django_db_setup, django_db_blocker):
    yield
    with django_db_blocker.unblock():
        ask()

@db
def test_asks(site):
    ask()
""",
        OPTION,
    )
    assert code == 0, output
    assert "DROP DATABASE" not in output


def test_leaks_are_found_under_xdist(run_tests):
    """Each process looks at its own tests."""
    code, output = run_tests(THREAD, OPTION, xdist=True)
    assert code == 1
    assert "2 passed" in output and "1 error" in output
    assert "opened in thread 'asks' at test_it.py:" in output


WAITING = """
ready = threading.Event()

def hold():
    with closing(connections["default"].cursor()) as cursor:
        cursor.execute("CREATE TABLE held (number integer)")
        cursor.execute("BEGIN")
        cursor.execute("SELECT * FROM held")
        ready.set()
        time.sleep(6)
    connections["default"].close()

@db
def test_holds():
    thread = threading.Thread(target=hold, name="holder")
    thread.daemon = True
    thread.start()
    assert ready.wait(10)
"""


def test_drop_that_waits_says_for_whom(run_tests, server_alias):
    """While MySQL waits for a transaction, the terminal has the text already."""
    code, output = run_tests(WAITING, OPTION)
    assert code == 1
    count = 2 if server_alias == "mysql" else 1
    assert len(re.findall("DROP DATABASE test_", output)) >= count


MIXIN = """
class LeakTests(NoLeakedConnections, TestCase):
    def test_leaks(self):
        ask_in_thread()

    def test_closes(self):
        ask()
        ask_in_thread(closing_connections(ask))

    @unittest.skip("not now")
    def test_skipped(self):
        pass
"""


def test_mixin_fails_the_test_that_leaks(run_tests):
    """Without the plugin's option, and with a database of Django's."""
    code, output = run_tests(MIXIN)
    assert code == 1
    assert "1 failed, 1 passed, 1 skipped" in output
    assert "opened in thread 'asks' at test_it.py:" in output


def test_mixin_needs_no_settings(run_tests, tmpdir):
    """A test case of a library may run where Django has no settings."""
    tmpdir.join("test_it.py").write(
        "import unittest\n"
        "from django_compat.contrib.leaks import NoLeakedConnections\n"
        "class PlainTests(NoLeakedConnections, unittest.TestCase):\n"
        "    def test_nothing(self):\n"
        "        pass\n"
    )
    env = environment("default")
    env.pop("DJANGO_SETTINGS_MODULE")
    code, output, errors = run(["-m", "unittest", "test_it"], env, str(tmpdir))
    assert code == 0 and "Ran 1 test" in errors, errors


HOLDING = """
class HoldTests(NoLeakedConnections, TestCase):
    def test_holds(self):
        thread = threading.Thread(target=hold, name="holder")
        thread.daemon = True
        thread.start()
        time.sleep(0.5)
"""


def test_mixin_serves_djangos_own_runner(run_tests, server_alias, tmpdir):
    """``manage.py test`` fails, and stderr says who holds the test database."""
    hold = HELD.partition("@db")[0] % 20
    tmpdir.join("test_it.py").write(PREAMBLE + MIXIN + hold + HOLDING)
    env = environment(server_alias)
    env["PYTHONPATH"] += os.pathsep + str(tmpdir)
    code = "import django, sys; from django.core.management import *;"
    code += "django.setup(); call_command('test', 'test_it', interactive=False)"
    code, output, errors = run(["-c", code], env, str(tmpdir))
    print(output + errors)
    assert code != 0
    assert "FAILED (" in errors
    assert "the test left connections open:" in errors
    assert "DROP DATABASE test_" in errors
    assert "opened in thread 'holder' at test_it.py:" in errors
