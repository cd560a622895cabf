"""install(): Django's own close_old_connections() finds what the server hung up."""

from __future__ import absolute_import

import logging
import threading
from importlib import import_module

import django
import pytest
from django import db
from django.core import signals
from django.db import connections, transaction
from django.db.utils import DatabaseError

from django_compat import close_old_connections, connection_replaced
from django_compat._db.stale import HUNG_UP
from django_compat._db.versions import BaseDatabaseWrapper
from django_compat.apps import install
from support.databases import open_connection, run, session_id, wait_for
from support.losses import PERSISTS, hang_up, is_hung_up, since_django_16
from support.processes import forked
from support.transactions import new_block

pytestmark = pytest.mark.contract
guards = import_module("django_compat._db.guard")
METHOD = "close_if_unusable_or_obsolete"


@pytest.fixture
def installed():
    installation = install()
    yield installation
    installation.undo()


def job(alias):
    """Do what a task runner does around each task; return the task's session."""
    close_old_connections()
    try:
        connections[alias].settings_dict["CONN_MAX_AGE"] = None
        return session_id(connections[alias])
    finally:
        close_old_connections()


def error_of_job(alias):
    try:
        job(alias)
    except DatabaseError as error:
        return error
    return None


def warnings_in(caplog):
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING
        and record.name.startswith("django_compat")
    ]


def test_job_after_a_hang_up_succeeds(server_alias, installed, caplog):
    """Each job after a lost session runs in a new session; a living one is kept."""
    first = job(server_alias)
    for _ in range(2):
        if PERSISTS:
            hang_up(connections[server_alias])
        second = job(server_alias)
        assert second != first
        if PERSISTS:
            assert job(server_alias) == second
        first = second
    assert len(warnings_in(caplog)) == (2 if PERSISTS else 0)
    assert all(HUNG_UP in text for text in warnings_in(caplog))


@since_django_16
def test_job_after_a_hang_up_fails_without(server_alias):
    """The negative: the job fails, its second call closes, and the next one works."""
    job(server_alias)
    hang_up(connections[server_alias])
    assert error_of_job(server_alias)
    assert error_of_job(server_alias) is None


TIMEOUTS = {
    "mysql": "SET SESSION wait_timeout = 1",
    "postgresql": "SET idle_session_timeout = 100",
}


@since_django_16
def test_job_after_a_timeout_of_the_server_succeeds(server_alias, installed):
    """The server ends the idle session by itself."""
    first = job(server_alias)
    run(connections[server_alias], TIMEOUTS[server_alias])
    wait_for(lambda: is_hung_up(connections[server_alias]))
    assert job(server_alias) != first


def test_job_after_a_restart_succeeds(spare, server_alias, installed):
    """All sessions have ended, with the server."""
    job(server_alias)
    spare.restart()
    assert error_of_job(server_alias) is None


def test_every_alias_and_thread_is_looked_at(server_alias, installed):
    """Two aliases of a thread that began before install() are both mended."""
    aliases = [server_alias, server_alias + "_other"]
    errors = []

    def work():
        try:
            opened = [open_connection(alias, None) for alias in aliases]
            hang_up(*opened)
            close_old_connections()
            for connection in opened:
                run(connection, "SELECT 1")
                connection.close()
        except Exception as error:
            errors.append(error)

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert errors == []


def backend(alias, calls, calls_super):
    """Return a connection of a third party's backend, with a method of its own."""
    base = type(connections[alias])

    class DatabaseWrapper(base):
        def close_if_unusable_or_obsolete(self):
            calls.append(self.alias)
            if calls_super:
                base.close_if_unusable_or_obsolete(self)

    settings_dict = dict(connections[alias].settings_dict, CONN_MAX_AGE=None)
    return DatabaseWrapper(settings_dict, alias)


@since_django_16
@pytest.mark.parametrize("calls_super", [True, False])
@pytest.mark.parametrize("is_open_before", [True, False])
def test_backend_with_a_method_of_its_own(server_alias, calls_super, is_open_before):
    """It is looked at, too, also where the connection is older than install()."""
    calls = []
    connections[server_alias] = connection = backend(server_alias, calls, calls_super)
    before = vars(type(connection))[METHOD]
    if is_open_before:
        run(connection, "SELECT 1")
    installation = install()
    try:
        run(connection, "SELECT 1")
        hang_up(connection)
        close_old_connections()
        assert calls == [server_alias]
        assert connection.connection is None
        run(connection, "SELECT 1")
    finally:
        installation.undo()
        connection.close()
    assert vars(type(connection))[METHOD] is before


@since_django_16
def test_backend_that_is_loaded_later(server_alias, installed):
    """A class that is made after install() is changed when its first one opens."""
    connections[server_alias] = connection = backend(server_alias, [], False)
    run(connection, "SELECT 1")
    hang_up(connection)
    close_old_connections()
    assert connection.connection is None


def test_function_and_receivers_stay_djangos(installed):
    """A runner that detaches the function by its identity still can."""
    name = "close_old_connections" if PERSISTS else "close_connection"
    function = getattr(db, name)
    assert close_old_connections is function
    assert function.__module__ == "django.db"
    assert signals.request_finished.disconnect(function) in (True, None)
    signals.request_finished.connect(function)


def state_in_block(alias):
    """Return what a call inside atomic() leaves of a connection that hung up."""
    connection, found = open_connection(alias, None), []
    try:
        with new_block(alias):
            hang_up(connection)
            raw = connection.connection
            close_old_connections()
            found.append(connection.connection is raw)
            for name in "in_atomic_block closed_in_transaction needs_rollback".split():
                found.append(getattr(connection, name))
    except Exception:
        pass  # how the block ends is Django's business
    connection.close()
    return found


@since_django_16
def test_inside_atomic_django_alone_acts(server_alias, caplog):
    """The call leaves the same state as without install(), and we log nothing."""
    expected = state_in_block(server_alias)
    installation = install()
    try:
        assert state_in_block(server_alias) == expected
    finally:
        installation.undo()
    assert len(expected) == 4
    assert not [text for text in warnings_in(caplog) if HUNG_UP in text]


@pytest.mark.skipif(
    django.VERSION < (1, 8), reason="Django itself rolls back, and closes, before 1.8"
)
def test_with_autocommit_off_django_alone_acts(server_alias, installed, caplog):
    """The caller's transaction is open: the error comes out, as without install()."""
    connection = open_connection(server_alias, None)
    connection.settings_dict["AUTOCOMMIT"] = False
    try:
        transaction.set_autocommit(False, using=server_alias)
        run(connection, "SELECT 1")
        hang_up(connection)
        close_old_connections()
        with pytest.raises(DatabaseError):
            run(connection, "SELECT 1")
        assert warnings_in(caplog) == []
    finally:
        connection.settings_dict["AUTOCOMMIT"] = True
        connection.close()


def test_connection_of_another_thread_is_left_alone(server_alias, installed):
    """A test lends its connection to a thread, whose job must not close it."""
    connection = open_connection(server_alias, None)
    hang_up(connection)
    raw, seen = connection.connection, []

    def work():
        connections[server_alias] = connection
        try:
            connection.close_if_unusable_or_obsolete()
        finally:
            seen.append(connection.connection)
            delattr(connections._connections, server_alias)

    if PERSISTS:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        assert seen == [raw]


@since_django_16  # before, the function closes what the child inherited
def test_inherited_connection_is_discarded(server_alias, installed):
    """A forked child's first job has a session of its own; the parent keeps its own."""
    connection = open_connection(server_alias, None)
    parents = session_id(connection)

    def child():
        own = job(server_alias)
        connections[server_alias].close()
        return own

    assert forked(child) != parents
    assert session_id(connection) == parents


@since_django_16
def test_idle_limit_and_signal(server_alias, installed):
    """CONN_MAX_IDLE counts, too; connection_replaced tells of a loss, not of age."""
    replaced = []

    def receive(sender, alias, reason, **kwargs):
        replaced.append((alias, reason))

    connection_replaced.connect(receive)
    try:
        first = job(server_alias)
        connections[server_alias].settings_dict["CONN_MAX_IDLE"] = 0
        assert job(server_alias) != first
        connections[server_alias].settings_dict["CONN_MAX_IDLE"] = None
        job(server_alias)
        assert replaced == []
        hang_up(connections[server_alias])
        job(server_alias)
        assert replaced == [(server_alias, HUNG_UP)]
    finally:
        connection_replaced.disconnect(receive)


def patched():
    """Return what install() changes, as it is now."""
    names = [name for name in (METHOD, "connect") if hasattr(BaseDatabaseWrapper, name)]
    return [vars(BaseDatabaseWrapper)[name] for name in names]


def test_last_undo_gives_everything_back(server_alias):
    """Installations are counted; a second undo() of the same one does nothing."""
    before = patched(), len(signals.request_started.receivers)
    first, second = install(), install()
    assert patched() != before[0] or not PERSISTS
    first.undo()
    first.undo()
    if PERSISTS:
        job(server_alias)
        hang_up(connections[server_alias])
        assert error_of_job(server_alias) is None
    second.undo()
    assert (patched(), len(signals.request_started.receivers)) == before
    if PERSISTS:
        hang_up(connections[server_alias])
        assert error_of_job(server_alias)


@since_django_16
def test_undo_leaves_a_later_patch_in_place(server_alias, monkeypatch):
    """The other's patch still works, ours does nothing any more, and may come again."""
    calls = []

    def patch(name):
        function = vars(BaseDatabaseWrapper)[METHOD]

        def wrapper(connection):
            calls.append(name)
            return function(connection)

        monkeypatch.setattr(BaseDatabaseWrapper, METHOD, wrapper)
        return wrapper

    patch("before")
    installation = install()
    later = patch("after")
    installation.undo()
    assert vars(BaseDatabaseWrapper)[METHOD] is later
    job(server_alias)
    hang_up(connections[server_alias])
    del calls[:]
    assert error_of_job(server_alias)
    assert calls[:2] == ["after", "before"]
    installation = install()
    hang_up(connections[server_alias])
    assert error_of_job(server_alias) is None
    installation.undo()
    assert vars(BaseDatabaseWrapper)[METHOD] is later


def test_nothing_is_patched_without_install():
    """The import of this package changes no method of Django's."""
    for function in patched():
        assert function.__code__.co_filename.startswith(django.__path__[0])


@since_django_16
def test_call_costs_one_poll_a_connection(server_alias, installed, looks):
    """Outside of a transaction one poll(), inside none."""
    aliases = [server_alias, server_alias + "_other"]
    opened = [open_connection(alias, None) for alias in aliases]
    del looks[:]
    close_old_connections()
    assert len(looks) == 2
    del looks[:]
    opened[0].in_atomic_block = True
    close_old_connections()
    opened[0].in_atomic_block = False
    assert len(looks) == 1  # the other alias
    for connection in opened:
        connection.close()
