"""MySQL Router: docs/recipes/mysql-router.rst, with real ones before a real MySQL."""

from __future__ import absolute_import

import os
import time

import pytest

from support import recipes
from support.databases import sessions, wait_for
from support.mysql_router import running
from support.servers import ROOT

PAGE = recipes.page("mysql-router")
MODES = {
    "passthrough": {"client_ssl_mode": "PASSTHROUGH", "server_ssl_mode": "AS_CLIENT"},
    "connection_sharing": {
        "client_ssl_mode": "DISABLED",
        "server_ssl_mode": "DISABLED",
        "connection_sharing": 1,
    },
}
pytestmark = [
    pytest.mark.skipif(not ROOT.endswith("newest"), reason="no MySQL Router"),
    pytest.mark.parametrize("server_alias", ["mysql"], indirect=True),
]


@pytest.fixture
def start(mysql_server, tmpdir):
    """A function that starts a Router for a project, and tells the project."""
    contexts, routers = [], {}

    def start(project, **options):
        folder = tmpdir.mkdir("router-" + os.path.basename(project.folder))
        contexts.append(running(mysql_server, str(folder), **options))
        routers[project] = contexts[-1].__enter__()
        project.change(PORT=str(routers[project].port))

    start.routers = routers
    yield start
    for context in contexts:
        context.__exit__(None, None, None)


@pytest.mark.parametrize(
    "mode, restarts",
    [("passthrough", False), ("passthrough", True), ("connection_sharing", True)],
)
def test_jobs_after_losses(server_alias, tmpdir, start, mode, restarts):
    """The page's table, each project with a Router of its own."""
    others = sessions(server_alias)  # MySQL's own event_scheduler

    def spell(project):
        if restarts:
            start.routers[project].stop()
            start.routers[project].start()
        else:
            recipes.idle_spell(server_alias, lambda alias: sessions(alias) - others)
            due = time.time() + 0.5  # Router passes the end on
            wait_for(lambda: time.time() > due)

    loss = "Router is restarted" if restarts else "wait_timeout"
    senders = {"``%s``: %s" % (mode, loss): recipes.DO_JOB}
    found = recipes.measure(
        PAGE,
        tmpdir,
        server_alias,
        senders,
        lambda project, number: start(project, **MODES[mode]),
        spell=spell,
        timeout=None if restarts else recipes.TIMEOUT,
    )
    assert found == recipes.figures(PAGE, server_alias, senders)
