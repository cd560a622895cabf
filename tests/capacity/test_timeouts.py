"""A server that ends idle sessions soon: the warning, the failure and its cures."""

from __future__ import absolute_import

import json
import re

import django
import pytest

from support.databases import global_variable, sessions, wait_for
from support.processes import web_process
from support.projects import environment, manage

PERSISTS = django.VERSION >= (1, 6)
HAS_CHECKS = django.VERSION >= (1, 10)  # and a command that runs checks of databases
LOST = "gone away|Lost connection|disconnected by the server|2006|2013|4031"


def ids(env):
    """Return the ids that dbconnections finds; assert that the checks find the same."""
    (facts,) = json.loads(manage(env, "dbconnections", "--json")[1])["databases"]
    found_ids = [finding["id"] for finding in facts["findings"]]
    if HAS_CHECKS:
        flag = "--database=default" if django.VERSION >= (3, 1) else "--tag=database"
        output = manage(env, "check", flag)[2]
        ids_of_check = re.findall(r"\((django_compat\.[A-Z]\d+)\)", output)
        assert sorted(set(ids_of_check)) == sorted(found_ids)
    return found_ids


@pytest.mark.parametrize("server_alias", ["mysql"], indirect=True)
def test_session_that_is_idle_for_too_long(server_alias):
    """Without a cure the next query fails, with one of two cures it does not."""
    apps = ["django_compat"]
    settings = {"ROOT_URLCONF": "pages", "DEBUG_PROPAGATE_EXCEPTIONS": True}
    plain = environment(server_alias, [], max_age=60, **settings)
    with_app = environment(server_alias, apps, max_age=60, **settings)
    low_age = environment(server_alias, [], max_age=1, **settings)
    with global_variable(server_alias, "wait_timeout", 2):
        assert ids(with_app) == (["django_compat.W001"] if PERSISTS else [])
        with web_process(plain) as get_plain, web_process(with_app) as get_with_app:
            with web_process(low_age) as get_low_age:
                gets = [get_plain, get_with_app, get_low_age]
                used = {get()["session"] for get in gets}
                wait_for(lambda: not used & sessions(server_alias))
                answers = [get() for get in gets]
    if PERSISTS:
        assert re.search(LOST, answers.pop(0)["error"])
    assert all("session" in answer for answer in answers)


@pytest.mark.parametrize("server_alias", ["mysql"], indirect=True)
def test_advice_silences_the_warning(server_alias):
    """A CONN_MAX_AGE below the time-out leads to no finding."""
    env = environment(server_alias, ["django_compat"], max_age=1)
    with global_variable(server_alias, "wait_timeout", 2):
        assert ids(env) == []
