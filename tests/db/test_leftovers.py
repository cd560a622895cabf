"""What is given up without a free descriptor, and what nothing keeps alive."""

from __future__ import absolute_import

import gc
import os
import sys
import weakref

import pytest

from django_compat import close_stale_connections, guard_connections
from django_compat._db.forks import discard_inherited
from support.calls import CALLS, fresh_scope
from support.databases import open_connection, run, session_id
from support.processes import count_descriptors, forked

pytestmark = pytest.mark.contract


def without_descriptors(function):
    """Call a function while this process can open no file."""
    import resource

    taken = []
    resource.setrlimit(resource.RLIMIT_NOFILE, (count_descriptors() + 20,) * 2)
    try:
        while True:
            taken.append(os.dup(0))
    except OSError:
        return function()


@pytest.mark.parametrize("give_up", CALLS)
def test_child_without_a_free_descriptor_gives_up(server_alias, give_up):
    """Each public call works there, and the parent keeps its sessions."""
    aliases = [server_alias, server_alias + "_other"]
    opened = [open_connection(alias, None) for alias in aliases]
    before = [session_id(connection) for connection in opened]

    def child():
        without_descriptors(give_up)
        return [connection.connection is None for connection in opened]

    assert forked(child) == [True, True]
    gc.collect()
    assert [session_id(connection) for connection in opened] == before


def test_child_without_a_free_descriptor_ends(server_alias):
    """The exit hook raises nothing, and the parent keeps its session."""
    connection = open_connection(server_alias, None)
    before = session_id(connection)
    assert forked(lambda: without_descriptors(discard_inherited)) is None
    assert session_id(connection) == before


looks = pytest.mark.parametrize(
    "look", [fresh_scope, close_stale_connections, "guard", lambda: None]
)


@pytest.mark.skipif(sys.version_info < (3, 7), reason="until 3.6 all are held: no hook")
@looks
def test_nothing_keeps_a_closed_connection_alive(server_alias, look):
    """The raw connection is gone with its close(), without garbage collection."""
    connection = open_connection(server_alias, None)
    gone = []
    gc.disable()
    try:
        if look == "guard":
            with guard_connections():
                run(connection, "SELECT 1")
        else:
            look()
        weakref.finalize(connection.connection, gone.append, True)
        connection.close()
        assert gone == [True]
    finally:
        gc.enable()
