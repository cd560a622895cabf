"""The guard of interactive processes, also in a real ``manage.py shell``."""

from __future__ import absolute_import

import logging
import os
import pty
import re
import select
import subprocess
import sys
import threading
import time
from importlib import import_module

import django
import pytest
from corners import IS_CORNER
from databases import (
    SESSION_ID,
    kill,
    open_connection,
    run,
    session_id,
    sessions,
    wait_for,
)
from django.db import connections, transaction
from django.db.utils import DatabaseError
from processes import output_of
from projects import FOLDER, environment

from django_compat import guard_connections
from django_compat._versions import monotonic
from django_compat.forks import origin
from django_compat.liveness import DEAD, liveness
from django_compat.staleness import HUNG_UP, IDLE

module = import_module("django_compat.guard")
prober = import_module("django_compat.liveness")

HAS_ATOMIC = hasattr(transaction, "atomic")  # Django 1.6+


@pytest.fixture
def guard():
    with guard_connections() as found:
        yield found


@pytest.fixture
def connection(server_alias):
    return open_connection(server_alias, None)


def hang_up(connection):
    """End its session, and wait until this side has heard of it; return its number."""
    number = session_id(connection)
    kill(connection)
    wait_for(lambda: liveness(connection) is DEAD)
    return number


def is_lost(connection):
    """Tell whether the next statement fails."""
    try:
        run(connection, "SELECT 1")
    except DatabaseError:
        return True
    return False


def warnings_in(caplog):
    return [
        record.getMessage()
        for record in caplog.records
        if (record.name, record.levelno) == ("django_compat.guard", logging.WARNING)
    ]


# Until Django 1.5 it pings MySQL for each cursor by itself, and reconnects.
def needs_guard(connection):
    return HAS_ATOMIC or connection.vendor != "mysql"


@pytest.mark.everywhere
def test_next_query_after_a_hang_up_works(connection, guard, caplog):
    """A new session answers, and a warning tells what went with the old one."""
    before = hang_up(connection)
    assert session_id(connection) != before
    (text,) = warnings_in(caplog)
    assert repr(connection.alias) in text and HUNG_UP in text
    for lost in ("temporary tables", "locks", "session variables"):
        assert lost in text


def test_without_the_guard_it_fails(connection):
    """The hang-up is real."""
    hang_up(connection)
    assert is_lost(connection) is needs_guard(connection)


def test_live_session_is_kept_in_silence(connection, guard, caplog):
    """Nothing is closed, and nothing is said, as long as nothing is wrong."""
    before = session_id(connection)
    run(connection, "CREATE TEMPORARY TABLE mine (id INTEGER)")
    assert run(connection, "SELECT count(*) FROM mine") == (0,)
    assert session_id(connection) == before
    assert warnings_in(caplog) == []


def test_connection_that_idled_too_long_is_replaced(connection, guard, caplog):
    """CONN_MAX_IDLE holds for a guarded process as for any other."""
    before = session_id(connection)
    connection.settings_dict["CONN_MAX_IDLE"] = 0.02
    wait_for(lambda: monotonic() - origin(connection).used > 0.02)
    assert session_id(connection) != before
    assert IDLE in warnings_in(caplog)[0]


def test_no_patience_at_all_leaves_one_being_opened_alone(connection, guard):
    """The cursors that opening takes are not looked at, or it would never end."""
    before = session_id(connection)
    connection.settings_dict["CONN_MAX_IDLE"] = 0
    cursor = connection.cursor()
    connection.settings_dict["CONN_MAX_IDLE"] = None
    cursor.execute(SESSION_ID[connection.vendor])
    assert cursor.fetchone()[0] != before


def test_first_connection_is_opened_as_ever(server_alias, guard, caplog):
    """There is nothing to look at before it."""
    assert run(connections[server_alias], "SELECT 1") == (1,)
    assert warnings_in(caplog) == []


def test_every_thread_is_guarded(server_alias, guard):
    """Also one that began before."""
    errors = []

    def work():
        connection = open_connection(server_alias, None)
        try:
            hang_up(connection)
            run(connection, "SELECT 1")
        except Exception as error:
            errors.append(error)
        finally:
            connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == []


def test_connection_of_another_thread_is_not_closed(connection, guard):
    """Django's own error comes out, and the connection stays as it was."""
    raw, errors = connection.connection, []

    def work():
        try:
            connection.cursor()
        except DatabaseError as error:
            errors.append(error)

    hang_up(connection)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(errors) == 1
    assert connection.connection is raw


def test_undo_ends_it_and_the_last_one_takes_the_patch_away(connection):
    """Of two guards one is enough; an undo too many does nothing."""
    original = vars(module.BaseDatabaseWrapper)[module._NAME]
    first, second = guard_connections(), guard_connections()
    first.undo()
    first.undo()
    hang_up(connection)
    assert not is_lost(connection)
    second.undo()
    assert vars(module.BaseDatabaseWrapper)[module._NAME] is original
    hang_up(connection)
    assert is_lost(connection) is needs_guard(connection)


def test_with_statement_ends_it(connection):
    """After the block, and after an error in it, nothing is patched."""
    original = vars(module.BaseDatabaseWrapper)[module._NAME]
    with pytest.raises(KeyError):
        with guard_connections():
            hang_up(connection)
            assert not is_lost(connection)
            raise KeyError
    assert vars(module.BaseDatabaseWrapper)[module._NAME] is original


def test_patch_of_somebody_else_is_kept(connection, monkeypatch):
    """Who patches before us is called, who does after us is not thrown out."""
    calls = []

    def patch(name):
        patched = vars(module.BaseDatabaseWrapper)[module._NAME]

        def wrapper(connection, *args, **kwargs):
            calls.append(name)
            return patched(connection, *args, **kwargs)

        monkeypatch.setattr(module.BaseDatabaseWrapper, module._NAME, wrapper)

    patch("before")
    guard = guard_connections()
    hang_up(connection)
    patch("after")
    del calls[:]
    connection.cursor().close()
    assert calls[:2] == ["after", "before"]
    guard.undo()
    with guard_connections():
        hang_up(connection)
        assert not is_lost(connection)
    del calls[:]
    connection.cursor().close()
    assert calls[:2] == ["after", "before"]
    hang_up(connection)
    assert is_lost(connection) is needs_guard(connection)


def test_cursor_costs_one_look_and_no_byte(server_alias, proxy, guard, monkeypatch):
    """With the guard as much goes over the wire as without it."""
    looks = []
    connection = open_connection(server_alias, None)
    look = prober._look

    def counted(fd):
        looks.append(fd)
        return look(fd)

    def bytes_of(jobs):
        before = sum(len(b"".join(chunks)) for chunks in proxy.sent)
        for _ in range(jobs):
            run(connection, "SELECT 1")
        return sum(len(b"".join(chunks)) for chunks in proxy.sent) - before

    monkeypatch.setattr(prober, "_look", counted)
    guarded = bytes_of(10)
    # There execute() asks for the autocommit mode, which wants a connection.
    times = 2 if (1, 6) <= django.VERSION < (1, 8) else 1
    assert len(looks) == 10 * times
    guard.undo()
    assert bytes_of(10) == guarded
    assert len(looks) == 10 * times


if HAS_ATOMIC:

    def test_atomic_after_a_hang_up_works(connection, guard, caplog):
        """The block begins on a new session, and its data are there."""
        hang_up(connection)
        with transaction.atomic(using=connection.alias):
            run(connection, "CREATE TEMPORARY TABLE mine (id INTEGER)")
            with transaction.atomic(using=connection.alias):
                run(connection, "INSERT INTO mine VALUES (1)")
        assert run(connection, "SELECT count(*) FROM mine") == (1,)
        assert len(warnings_in(caplog)) == 1

    @pytest.mark.everywhere
    def test_hang_up_inside_a_transaction_is_an_error(connection, guard, caplog):
        """A half-done block must not go on as if nothing were."""
        with pytest.raises(DatabaseError):
            with transaction.atomic(using=connection.alias):
                hang_up(connection)
                run(connection, "SELECT 1")
        assert warnings_in(caplog) == []
        assert not is_lost(connection)

    def test_hang_up_with_autocommit_off_is_an_error(connection, guard, caplog):
        """There the transaction is the user's own."""
        transaction.set_autocommit(False, using=connection.alias)
        run(connection, "SELECT 1")
        hang_up(connection)
        assert is_lost(connection)
        assert warnings_in(caplog) == []

else:

    def test_hang_up_inside_a_managed_block_is_left_to_django(
        connection, guard, caplog
    ):
        """The guard keeps out of what commit_on_success holds together."""
        # MySQL's backend reconnects by itself there.
        try:
            with transaction.commit_on_success(using=connection.alias):
                hang_up(connection)
                run(connection, "SELECT 1")
        except Exception as error:  # Django's, or the driver's own
            assert "Error" in type(error).__name__
        assert warnings_in(caplog) == []


if hasattr(module.BaseDatabaseWrapper, "chunked_cursor"):  # Django 1.11+

    def test_chunked_cursor_after_a_hang_up_works(connection, guard):
        """What .iterator() opens is guarded like any cursor."""
        hang_up(connection)
        with connection.chunked_cursor() as cursor:
            cursor.execute("SELECT 1")
            assert cursor.fetchone()[0] == 1

    def test_iterator_is_not_disturbed_by_other_cursors(connection, guard):
        """A live session stays, and with it the cursor that is being read."""
        with connection.chunked_cursor() as cursor:
            cursor.execute("SELECT 1 UNION ALL SELECT 2 ORDER BY 1")
            assert cursor.fetchone()[0] == 1
            run(connection, "SELECT 1")
            assert cursor.fetchone()[0] == 2


# A real shell.

TIMEOUT = {
    "mysql": {"init_command": "SET SESSION wait_timeout = 1"},
    "postgresql": {"options": "-c idle_session_timeout=500"},
}
QUERY = (
    "cursor = connection.cursor();"
    " _ = cursor.execute(%r); print('got %%d.' %% cursor.fetchone()[0])"
)


class Shell(object):
    """``manage.py shell`` at a terminal."""

    def __init__(self, alias, apps):
        ours, theirs = pty.openpty()
        arguments = ["--plain"] if django.VERSION < (1, 10) else ["-i", "python"]
        env = environment(alias, apps=apps, options=TIMEOUT[alias])
        # No files of the user's, to begin with or for the history.
        env.update(HOME=os.devnull, PYTHON_COLORS="0", TERM="dumb")
        env.pop("PYTHONSTARTUP", None)
        self.process = subprocess.Popen(
            [sys.executable, "manage.py", "shell"] + arguments,
            cwd=FOLDER,
            env=env,
            stdin=theirs,
            stdout=theirs,
            stderr=theirs,
            close_fds=True,
        )
        os.close(theirs)
        self.terminal, self.output, self.seen = ours, "", ""

    def read(self, pattern):
        """Read on to what matches a pattern; return its group that matched."""
        deadline = time.time() + 20
        while True:
            found = re.search(pattern, self.output)
            if found:
                self.output = self.output[found.end() :]
                return found.group(found.lastindex or 0)
            left = max(deadline - time.time(), 0)
            assert select.select([self.terminal], [], [], left)[0], self.seen
            data = os.read(self.terminal, 65536).decode("utf-8", "replace")
            self.output += data
            self.seen += data

    def type(self, line):
        """Type a line when the prompt is there."""
        self.read(">>> ")
        os.write(self.terminal, line.encode("ascii") + b"\n")

    def query(self, sql):
        """Return the number that a query gives, or "Error"."""
        self.type(QUERY % sql)
        return self.read(r"got (\d+)\.|\w(Error): ")

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.terminal)


if IS_CORNER and django.VERSION >= (1, 7):  # which has AppConfig

    @pytest.fixture
    def shell(server_alias):
        started = []

        def start(apps):
            started.append(Shell(server_alias, apps))
            started[0].type("from django.db import connection")
            return started[0]

        yield start
        started[0].end()

    def check_shell(shell, alias):
        """Idle past the time-out between two queries; return the second's result."""
        first = shell.query(SESSION_ID[alias])
        wait_for(lambda: int(first) not in sessions(alias))
        second = shell.query(SESSION_ID[alias])
        assert second != first
        return second

    @pytest.mark.everywhere
    def test_shell_outlives_its_session(server_alias, shell):
        """With INSTALLED_APPS the next query works, and the user is told."""
        started = shell(["django_compat"])
        assert check_shell(started, server_alias).isdigit()
        if sys.version_info >= (3,):  # 2.7 has no handler of last resort
            assert "A new session begins" in started.seen

    def test_shell_without_us_does_not(server_alias, shell):
        """The time-out is real."""
        assert check_shell(shell([]), server_alias) == "Error"

    @pytest.mark.everywhere
    def test_guard_is_off_in_other_commands(server_alias):
        """Only a shell is interactive."""
        env = environment(server_alias, apps=["django_compat", "told"])
        output = output_of(["manage.py", "guards"], env, FOLDER)
        assert output.split() == ["guards:", "0"]
