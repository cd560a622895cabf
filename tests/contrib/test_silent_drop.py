"""A network that drops silently: docs/recipes/silent-drop.rst."""

from __future__ import absolute_import

import time

from support import recipes
from support.databases import wait_for
from support.proxy import Proxy

PAGE = recipes.page("silent-drop")


def test_jobs_after_silent_drops(server_alias, mysql_server, postgresql_server, tmpdir):
    """The page's table: a proxy for each project swallows the data of what idled."""
    server = {"mysql": mysql_server, "postgresql": postgresql_server}[server_alias]
    proxies = {}

    def prepare(project, number):
        proxies[project] = Proxy(server.host, int(server.port))
        project.change(PORT=str(proxies[project].port))

    def drop(project):
        due = time.time() + 1.1
        wait_for(lambda: time.time() > due)
        proxies[project].stall(new=False)

    senders = {"job hangs": recipes.DO_JOB.replace("get()", "get(2)")}
    try:
        found = recipes.measure(
            PAGE, tmpdir, server_alias, senders, prepare, spell=drop, timeout=None
        )
    finally:
        for proxy in proxies.values():
            proxy.close()
    assert found == recipes.figures(PAGE, server_alias, senders)
