"""Channels: INSTALLED_APPS is enough; docs/recipes/channels.rst, behind Daphne."""

from __future__ import absolute_import

from support import recipes
from support.brokers import is_listening
from support.databases import sessions, wait_for
from support.required import needs_package
from support.servers import free_port

needs_package("channels")
PAGE = recipes.page("channels")
SEND = """
import os
from websockets.sync.client import connect

opened = []

def send():
    if not opened:
        opened.append(connect("ws://127.0.0.1:%%s/%s" %% os.environ["PORT"]))
    try:
        opened[0].send("count")
        return opened[0].recv(20)
    except Exception:
        opened.pop()
        raise
"""
ROWS = ["WebsocketConsumer", "database_sync_to_async", "sync_to_async"]


def test_messages_after_idle_spells(server_alias, tmpdir):
    """The page's table, each kind of consumer with a server of its own."""

    def prepare(project, number):
        project.env["PORT"] = str(free_port())

    def wait_for_server(project):
        wait_for(lambda: is_listening(project.env["PORT"]), 30)

    senders = dict(("``%s`` fails" % row, SEND % row) for row in ROWS)
    found = recipes.measure(
        PAGE, tmpdir, server_alias, senders, prepare, ready=wait_for_server
    )
    assert found == recipes.figures(PAGE, server_alias, senders)
    wait_for(lambda: not sessions(server_alias))
