"""stats(): what happens to connections is counted, once somebody reads."""

from __future__ import absolute_import

import gc
import threading

import django
import pytest
from django.db import DatabaseError, connections

from django_compat import (
    FORKED,
    HUNG_UP,
    IDLE,
    UNUSABLE,
    close_all_connections,
    close_old_connections,
    close_stale_connections,
    discard_connections,
    fresh_connections,
    retry_on_disconnect,
    stats as read_stats,
)
from django_compat._db import scopes, stats
from django_compat._db.forks import sessions
from django_compat._db.versions import BaseDatabaseWrapper
from support.databases import kill, open_connection, run
from support.losses import LosingJob, hang_up, reconnects, since_django_16
from support.processes import forked

CLOSED, OLD = "closed by the program", "past CONN_MAX_AGE"


@pytest.fixture
def counting():
    """Count from here on, and for this test only."""
    assert read_stats() == {}
    yield
    stats.undo()


def numbers(alias):
    """Return the numbers of an alias: opened, reused, closed, replaced."""
    values = read_stats()[alias]
    return tuple(values[key] for key in ("opened", "reused", "closed", "replaced"))


@since_django_16
def test_reason_is_that_of_one_close(server_alias, counting):
    """The close after a loss has a reason of its own."""
    connection = open_connection(server_alias, None)
    hang_up(connection)
    close_stale_connections()
    run(connection, "SELECT 1")
    close_all_connections()
    assert numbers(server_alias)[2] == {HUNG_UP: 1, CLOSED: 1}


@since_django_16
def test_retry_closes_for_a_public_reason(server_alias, counting):
    """The server is asked after the error, and does not answer."""
    assert retry_on_disconnect(LosingJob(server_alias))() == "done"
    assert numbers(server_alias)[2] == {UNUSABLE: 1}


@pytest.mark.contract
@since_django_16
def test_scopes_that_share_a_connection_are_counted(server_alias, counting):
    """The first scope opens, the others use what is open; one without a query not."""
    for _ in range(4):
        with fresh_connections():
            open_connection(server_alias, None)
            run(connections[server_alias], "SELECT 1")
    with fresh_connections():
        pass
    assert numbers(server_alias) == (1, 3, {}, 0)
    close_all_connections()
    assert numbers(server_alias) == (1, 3, {CLOSED: 1}, 0)


@pytest.mark.contract
@since_django_16
def test_units_around_which_django_looks_are_counted(server_alias, counting):
    """close_old_connections() stands at the begin and the end of a request."""
    for _ in range(3):
        close_old_connections()
        open_connection(server_alias, None)
        close_old_connections()
    assert numbers(server_alias) == (1, 2, {}, 0)
    connections[server_alias].close_at = 1
    close_old_connections()
    assert numbers(server_alias) == (1, 2, {OLD: 1}, 0)


@pytest.mark.contract
def test_lost_session_is_counted_as_replaced(server_alias, counting):
    """A reason of close_stale_connections has its own number."""
    hang_up(open_connection(server_alias, None))
    close_stale_connections()
    open_connection(server_alias, None)
    assert numbers(server_alias) == (2, 0, {HUNG_UP: 1}, 1)
    close_all_connections()
    assert numbers(server_alias) == (2, 0, {HUNG_UP: 1, CLOSED: 1}, 1)


@pytest.mark.contract
def test_idle_connection_is_counted_as_closed_only(server_alias, counting):
    """CONN_MAX_IDLE loses nothing."""
    connection = open_connection(server_alias, None)
    connection.settings_dict["CONN_MAX_IDLE"] = 0
    close_stale_connections()
    assert numbers(server_alias) == (1, 0, {IDLE: 1}, 0)


@pytest.mark.contract
@since_django_16
def test_failed_connection_is_counted_as_unusable(server_alias, counting):
    """Django alone finds it, after the error of a query, if no ping() reconnects."""
    connection = open_connection(server_alias, None)
    is_kept = reconnects(connection.connection)
    cursor = connection.cursor()
    kill(connection)
    with pytest.raises(DatabaseError):
        cursor.execute("SELECT 1")
    close_old_connections()
    assert read_stats()[server_alias]["closed"] == ({} if is_kept else {UNUSABLE: 1})


@pytest.mark.skipif(django.VERSION < (4, 1), reason="no health checks before 4.1")
def test_health_check_is_counted_as_unusable(server_alias, counting):
    """CONN_HEALTH_CHECKS closes before the first query."""
    connection = open_connection(server_alias, None)
    if reconnects(connection.connection):
        pytest.skip("the ping() of an old PyMySQL reconnects")
    connection.settings_dict["CONN_HEALTH_CHECKS"] = True
    connection.health_check_enabled = True
    kill(connection)
    connection.health_check_done = False
    run(connection, "SELECT 1")
    assert numbers(server_alias) == (2, 0, {UNUSABLE: 1}, 0)


@since_django_16
def test_close_inside_a_block_counts_once(server_alias, counting):
    """Django drops the raw connection at the end of the block."""
    from django.db import transaction

    connection = open_connection(server_alias, None)
    with transaction.atomic(using=server_alias):
        run(connection, "SELECT 1")
        connection.close()
    assert numbers(server_alias)[2] == {CLOSED: 1}


@pytest.mark.contract
def test_child_begins_at_zero(server_alias, counting):
    """A forked child counts what it gives up, and what it opens."""
    open_connection(server_alias, None)
    gc.collect()
    wrappers = [session.connection() for session in sessions.values()]
    inherited = [one.alias for one in wrappers if one is not None and one.connection]
    number = inherited.count(server_alias)  # tests before may have left another one

    def in_child():
        before = read_stats()
        discard_connections()
        open_connection(server_alias, None)
        return before, read_stats()[server_alias]

    before, after = forked(in_child)
    assert before == {}
    closed = after.pop("closed")
    assert closed == {FORKED: number}
    assert after == {"opened": 1, "reused": 0, "replaced": 0}
    assert numbers(server_alias) == (1, 0, {}, 0)


@since_django_16
def test_threads_lose_no_count(counting):
    """Eight threads at once; no lock is taken."""

    def work():
        for _ in range(200):
            stats.count("default", "opened")

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert numbers("default")[0] == 1600


@pytest.mark.contract
def test_nothing_is_changed_before_the_first_call():
    """Each method is what it was, and is that again after the end of counting."""

    def methods():
        names = ("close", "ensure_connection", "close_if_unusable_or_obsolete")
        found = [vars(BaseDatabaseWrapper).get(name) for name in names]
        return found + [vars(scopes.Scope)["__enter__"], scopes.enter]

    before = methods()
    assert before[-2:] == [scopes.begin, scopes.enter]
    read_stats()
    assert methods() != before
    stats.undo()
    assert methods() == before
    stats.count("default", "opened")
    assert not stats._numbers
