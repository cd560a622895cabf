"""uWSGI and gunicorn under load: the sessions that they open, against their demand."""

from __future__ import absolute_import

import json
import sys

import django
import django.db
import pytest

from support.databases import administration, global_variable, run, sessions, wait_for
from support.projects import environment, load, manage, serving
from support.required import find_command
from support.servers import free_port

UWSGI = """[uwsgi]
processes = 10
threads = 5
master = true
http-socket = {address}
module = busy
need-app = true
die-on-term = true
worker-reload-mercy = 5
home = {home}
"""
GUNICORN = """
workers = 2 * 2
threads = 8
worker_class = "gthread"
# Else one worker accepts the clients that another one has threads for.
worker_connections = 8
graceful_timeout = 1
preload_app = True
bind = "{address}"
"""
SERVERS = {
    # Name and text of the configuration file, command line, processes x threads.
    "uwsgi": ("uwsgi.ini", UWSGI, "uwsgi --ini {path}", 50),
    "gunicorn": ("gunicorn.py", GUNICORN, "gunicorn -c {path} busy", 32),
}
TOO_MANY = "(1040, "  # the code: PyMySQL 1.0 cuts the text to "ny connections"
LIMIT = 20  # max_connections below the demand of each server
# Django 1.4 and 1.5 close the connection at the end of each request. The server may
# list a closed session for a moment, so the test counts sessions at work instead.
CLOSES_ALL = not hasattr(django.db, "close_old_connections")
AT_WORK = {
    "mysql": "SELECT COUNT(*) FROM information_schema.processlist"
    " WHERE info LIKE 'SELECT SLEEP%'",
    "postgresql": "SELECT COUNT(*) FROM pg_stat_activity"
    " WHERE query LIKE 'SELECT pg_sleep%' AND state = 'active'",
}
HAS_CHECKS = django.VERSION >= (1, 10)  # and manage.py check runs those of databases


def report(env, path):
    """Return the exit code of dbconnections, and its facts about the only database."""
    arguments = ["--json", "--fail-level=WARNING", "--server-config", path]
    code, document, _ = manage(env, "dbconnections", *arguments)
    (facts,) = json.loads(document)["databases"]
    return code, facts


@pytest.mark.parametrize("name", sorted(SERVERS))
def test_sessions_reach_the_demand_and_do_not_exceed_it(server_alias, name, tmpdir):
    """With too low a limit W002 comes first, and "Too many connections" under load."""
    file_name, text, command, total = SERVERS[name]
    address = "127.0.0.1:%d" % free_port()
    path = tmpdir.join(file_name)
    path.write(text.format(address=address, home=sys.prefix))
    words = command.format(path=path).split()
    words[0] = find_command(words[0])
    apps, urls = ["django_compat"], "busy"
    env = environment(server_alias, apps, max_age=60, ROOT_URLCONF=urls)
    env["HOME"] = str(tmpdir)  # gunicorn writes there
    code, facts = report(env, str(path))
    assert (code, facts["demand"]["total"], facts["findings"]) == (0, total, [])

    before = sessions(server_alias)
    with serving(words, address, env):
        if server_alias == "mysql":
            fail_for_a_limit(env, str(path), address, server_alias)
        counts = []

        def count():
            counts.append(count_sessions(server_alias, before))
            return counts[-1]

        with load(address, 2 * total) as answers:
            wait_for(lambda: count() == total, 60)
            enough = len(answers) + total
            wait_for(lambda: count() and len(answers) > enough, 60)
        assert max(counts) == total
        assert {status for status, _ in answers} == {200}
        assert len(sessions(server_alias) - before) <= total


def count_sessions(alias, before):
    """Return how many sessions the server has beyond those before, or has at work."""
    if not CLOSES_ALL:
        return len(sessions(alias) - before)
    with administration(alias) as admin:
        return run(admin, AT_WORK[alias])[0]


def fail_for_a_limit(env, path, address, server_alias):
    """Assert that W002 tells of a limit, and that load leads to its error."""
    with global_variable(server_alias, "max_connections", LIMIT):
        code, facts = report(env, path)
        assert code == 1
        assert "django_compat.W002" in [finding["id"] for finding in facts["findings"]]
        if HAS_CHECKS:
            counted = dict(env, DJANGO_COMPAT_TEST_SETTINGS=with_counts(env, facts))
            flags = ["--database=default"] if django.VERSION >= (3, 1) else []
            flags = flags or ["--tag=database"]
            output = manage(counted, "check", *flags)[2]
            assert "django_compat.W002" in output
        with load(address, 2 * LIMIT) as answers:
            wait_for(lambda: any(TOO_MANY in text for _, text in answers), 30)


def with_counts(env, facts):
    """Return the settings with the processes and threads of the report."""
    settings = json.loads(env["DJANGO_COMPAT_TEST_SETTINGS"])
    for name in ("processes", "threads"):
        settings["DJANGO_COMPAT_" + name.upper()] = facts["demand"][name]["value"]
    return json.dumps(settings)
