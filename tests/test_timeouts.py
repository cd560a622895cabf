"""A server that ends idle sessions soon: it is told before, happens, and is cured."""

from __future__ import absolute_import

import contextlib
import json
import re

import django
import pytest
from databases import administration, run, sessions, wait_for
from processes import web_process
from projects import environment, manage

PERSISTS = django.VERSION >= (1, 6)
HAS_CHECKS = django.VERSION >= (1, 10)  # and a command that runs those of databases
LOST = "gone away|Lost connection|disconnected by the server|2006|2013|4031"


@contextlib.contextmanager
def timeout_of(server_alias, seconds):
    """Let the server end what idles for so long, for a while."""
    with administration(server_alias) as admin:
        (before,) = run(admin, "SELECT @@GLOBAL.wait_timeout")
        run(admin, "SET SESSION wait_timeout = 600")
        run(admin, "SET GLOBAL wait_timeout = %d" % seconds)
        try:
            yield
        finally:
            run(admin, "SET GLOBAL wait_timeout = %d" % before)


def ids(env):
    """Return the ids of what dbconnections finds, and see that the check agrees."""
    (facts,) = json.loads(manage(env, "dbconnections", "--json")[1])["databases"]
    found = [finding["id"] for finding in facts["findings"]]
    if HAS_CHECKS:
        flag = "--database=default" if django.VERSION >= (3, 1) else "--tag=database"
        output = manage(env, "check", flag)[2]
        told = re.findall(r"\((django_compat\.[A-Z]\d+)\)", output)
        assert sorted(set(told)) == sorted(found)
    return found


@pytest.mark.parametrize("server_alias", ["mysql"], indirect=True)
def test_session_that_idles_for_too_long(server_alias):
    """The warned one fails at its next query; with any of the cures none does."""
    ours = ["django_compat"]
    settings = {"ROOT_URLCONF": "pages", "DEBUG_PROPAGATE_EXCEPTIONS": True}
    warned = environment(server_alias, [], max_age=60, **settings)
    checked = environment(server_alias, ours, max_age=60, **settings)
    short = environment(server_alias, [], max_age=1, **settings)
    with timeout_of(server_alias, 2):
        assert ids(checked) == (["django_compat.W001"] if PERSISTS else [])
        with web_process(warned) as get_warned, web_process(checked) as get_covered:
            with web_process(short) as get_short:
                gets = [get_warned, get_covered, get_short]
                used = {get()["session"] for get in gets}
                wait_for(lambda: not used & sessions(server_alias))
                answers = [get() for get in gets]
    if PERSISTS:
        assert re.search(LOST, answers.pop(0)["error"])
    assert all("session" in answer for answer in answers)


@pytest.mark.parametrize("server_alias", ["mysql"], indirect=True)
def test_advice_silences_the_warning(server_alias):
    """A CONN_MAX_AGE below the time-out is no finding."""
    env = environment(server_alias, ["django_compat"], max_age=1)
    with timeout_of(server_alias, 2):
        assert ids(env) == []
