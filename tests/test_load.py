"""uWSGI and gunicorn under load: sessions on the server, and what was said of them."""

from __future__ import absolute_import

import contextlib
import json
import os
import sys

import django
import django.db
import pytest
from conftest import give_up
from databases import administration, run, sessions, wait_for
from projects import environment, load, manage, serving
from servers import free_port

UWSGI = """[uwsgi]
processes = 10
threads = 5
master = true
http-socket = {address}
module = busy
need-app = true
die-on-term = true
home = {home}
"""
GUNICORN = """
workers = 2 * 2
threads = 8
worker_class = "gthread"
graceful_timeout = 1
preload_app = True
bind = "{address}"
"""
SERVERS = {
    # Its file, the program with its arguments, processes x threads.
    "uwsgi": ("uwsgi.ini", UWSGI, "uwsgi --ini {path}", 50),
    "gunicorn": ("gunicorn.py", GUNICORN, "gunicorn -c {path} busy", 32),
}
LIMIT = 20  # below both
# Django 1.4 and 1.5 close with each request; what has been closed may be listed for a
# moment, so there what counts is at work.
CLOSES_ALL = not hasattr(django.db, "close_old_connections")
AT_WORK = {
    "mysql": "SELECT COUNT(*) FROM information_schema.processlist"
    " WHERE info LIKE 'SELECT SLEEP%'",
    "postgresql": "SELECT COUNT(*) FROM pg_stat_activity"
    " WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'",
}
HAS_CHECKS = django.VERSION >= (1, 10)  # tagged ones, and manage.py check runs them


@contextlib.contextmanager
def limited(server_alias, limit):
    """Lower the server's max_connections for a while."""
    with administration(server_alias) as admin:
        (before,) = run(admin, "SELECT @@GLOBAL.max_connections")
        run(admin, "SET GLOBAL max_connections = %d" % limit)
        try:
            yield
        finally:  # a new connection would be one too many
            run(admin, "SET GLOBAL max_connections = %d" % before)


def report(env, path):
    """Return what dbconnections tells of the only database, and its exit code."""
    arguments = ["--json", "--fail-level=WARNING", "--server-config", path]
    code, document, _ = manage(env, "dbconnections", *arguments)
    (facts,) = json.loads(document)["databases"]
    return code, facts


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_sessions_reach_the_demand_and_do_not_exceed_it(server_alias, name, tmpdir):
    """With too low a limit it is said before, and "Too many connections" follows."""
    file_name, text, command, total = SERVERS[name]
    address = "127.0.0.1:%d" % free_port()
    path = tmpdir.join(file_name)
    path.write(text.format(address=address, home=sys.prefix))
    words = command.format(path=path).split()
    words[0] = os.path.join(os.path.dirname(sys.executable), words[0])
    if not os.path.exists(words[0]):
        give_up("%s is not installed" % name)
    apps, urls = ["django_compat"], "busy"
    env = environment(server_alias, apps, max_age=60, ROOT_URLCONF=urls)
    env["HOME"] = str(tmpdir)  # gunicorn writes there
    code, facts = report(env, str(path))
    assert (code, facts["demand"]["total"], facts["findings"]) == (0, total, [])

    before = sessions(server_alias)
    with serving(words, address, env):
        if server_alias == "mysql":
            fail_for_a_limit(env, str(path), address, server_alias)
        highest = [0]

        def look():
            highest.append(count_sessions(server_alias, before))
            return highest[-1] == total

        # A worker of gunicorn's accepts more than it has threads for.
        with load(address, 2 * total) as answers:
            wait_for(look, 60)
            count = len(answers)
            wait_for(lambda: look() is None or len(answers) > count + total, 60)
        assert max(highest) == total
        assert {status for status, _ in answers} == {200}
        assert len(sessions(server_alias) - before) <= total


def count_sessions(alias, before):
    """Return how many sessions the server has got since, or how many of all work."""
    if not CLOSES_ALL:
        return len(sessions(alias) - before)
    with administration(alias) as admin:
        return run(admin, AT_WORK[alias])[0]


def fail_for_a_limit(env, path, address, server_alias):
    """See that the limit is told of beforehand, and what follows under load."""
    with limited(server_alias, LIMIT):
        code, facts = report(env, path)
        assert code == 1
        assert "django_compat.W002" in [each["id"] for each in facts["findings"]]
        if HAS_CHECKS:
            found = dict(env, DJANGO_COMPAT_TEST_SETTINGS=with_counts(env, facts))
            flags = ["--database=default"] if django.VERSION >= (3, 1) else []
            flags = flags or ["--tag=database"]
            output = manage(found, "check", *flags)[2]
            assert "django_compat.W002" in output
        with load(address, 2 * LIMIT) as answers:
            wait_for(lambda: any("Too many connections" in a[1] for a in answers), 30)


def with_counts(env, facts):
    """Return the settings with the processes and threads that the report counts."""
    settings = json.loads(env["DJANGO_COMPAT_TEST_SETTINGS"])
    for name in ("processes", "threads"):
        settings["DJANGO_COMPAT_" + name.upper()] = facts["demand"][name]["value"]
    return json.dumps(settings)
