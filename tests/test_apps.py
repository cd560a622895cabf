"""What INSTALLED_APPS += ["django_compat"] does to a process."""

from __future__ import absolute_import

import json

import django
import django.db
import processes
import pytest
from databases import KILL, administration, run, sessions, wait_for
from projects import environment

import django_compat

PERSISTS = hasattr(django.db, "close_old_connections")  # CONN_MAX_AGE, Django 1.6+
HEALTH_CHECKS = [False]
if django.VERSION >= (4, 1):
    HEALTH_CHECKS.append(pytest.param(True, marks=pytest.mark.once))


def site(alias, apps, **settings):
    """Return the environment of a web process, with these settings of its database."""
    env = environment(
        alias,
        apps,
        DEBUG_PROPAGATE_EXCEPTIONS=True,
        MIDDLEWARE=[],
        ROOT_URLCONF="pages",
    )
    values = json.loads(env["DJANGO_COMPAT_TEST_SETTINGS"])
    values["DATABASES"]["default"].update(settings)
    return dict(env, DJANGO_COMPAT_TEST_SETTINGS=json.dumps(values))


def end(alias, number):
    """End a session on the server, as it ends one that idled for too long."""
    with administration(alias) as admin:
        run(admin, KILL[admin.vendor] % number)
    wait_for(lambda: number not in sessions(alias))


def what_is_sent(get, proxy):
    """Return what two requests of a new process send, or the second of them."""
    get()
    before = [len(chunks) for chunks in proxy.sent]
    get()
    if PERSISTS:
        return len(proxy.sent[0]) - before[0]
    proxy.wait(lambda: not proxy.connections)  # with the goodbyes
    return [len(chunks) for chunks in proxy.sent]


_without_us = {}  # alias: what a request sends, and the answer after an idle spell


def without_us(alias, proxy):
    if alias not in _without_us:
        with processes.web_process(site(alias, [])) as get:
            sent = what_is_sent(get, proxy)
            if PERSISTS:
                end(alias, get()["session"])
                proxy.wait(lambda: not proxy.connections)  # the client has heard of it
            _without_us[alias] = sent, get()
        del proxy.sent[:]
    return _without_us[alias]


if PERSISTS:

    def test_without_it_the_first_request_fails(server_alias, proxy):
        """What the receiver is for: Django looks after an error, not before."""
        assert "Error" in without_us(server_alias, proxy)[1]["error"]


@pytest.mark.everywhere
@pytest.mark.parametrize("checks", HEALTH_CHECKS)
def test_first_request_after_an_idle_spell_succeeds(server_alias, proxy, checks):
    """The next request opens another session; none of them sends more than without."""
    sent_without_us = without_us(server_alias, proxy)[0]
    env = site(server_alias, ["django_compat"], CONN_HEALTH_CHECKS=checks)
    with processes.web_process(env) as get:
        assert what_is_sent(get, proxy) == sent_without_us
        first = get()["session"]
        if PERSISTS:
            assert get()["session"] == first
            end(server_alias, first)
            proxy.wait(lambda: not proxy.connections)
        second = get()["session"]
        assert second != first
        if PERSISTS:
            assert get()["session"] == second


INSTALL = """
import json, os, sys, warnings
warnings.filterwarnings("error", "'django_compat' defines")
import django
forks = []
if hasattr(os, "register_at_fork"):
    register = os.register_at_fork
    os.register_at_fork = lambda **hooks: forks.append(hooks) or register(**hooks)
from django.conf import settings
settings.INSTALLED_APPS
if hasattr(django, "setup"):
    django.setup()
from django.core import signals
from django.core.management import call_command
from django_compat.apps import install
from django_compat._versions import used_connections
install()
counts = [len(signals.request_started.receivers)]
install()
counts.append(len(signals.request_started.receivers))
ours = [
    receiver for receiver in signals.request_started.receivers
    if "(_begin_request)" in repr(receiver)
]
is_open = any(each.connection for each in used_connections().values())
call_command("check" if hasattr(django, "setup") else "validate", stdout=sys.stderr)
try:
    from django.apps import apps
    kind = type(apps.get_app_config("django_compat")).__name__
except ImportError:
    kind = None
hooks = len([each for each in forks if "discard" in repr(each)])
if not hasattr(os, "register_at_fork"):
    from multiprocessing import util
    hooks = repr(list(util._afterfork_registry)).count("<function _begin_child")
print(json.dumps([counts, len(ours), is_open, kind, hooks]))
"""


def test_installed_app_is_found_and_sets_itself_up_once():
    """Django finds its configuration without a warning; it does things only once."""
    env = site("default", ["django_compat"])
    output = processes.output_of(["-c", INSTALL], env)
    counts, ours, is_open, kind, hooks = json.loads(output)
    assert counts[0] == counts[1]
    assert (ours, hooks) == (1, 1)
    assert is_open is False
    assert kind == ("DjangoCompatConfig" if hasattr(django, "setup") else None)


def test_default_app_config_is_where_django_asks_for_it():
    """Django 1.7 to 3.1 needs it, later ones warn of it; it is listed nowhere."""
    assert hasattr(django_compat, "default_app_config") is (django.VERSION < (3, 2))
    assert "default_app_config" not in dir(django_compat)
    assert "default_app_config" not in django_compat.__all__
