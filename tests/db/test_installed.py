"""INSTALLED_APPS += ["django_compat"]: requests, and the setup of a process."""

from __future__ import absolute_import

import json

import django
import pytest

import django_compat
from django_compat.apps import GUARDED_COMMANDS
from support import processes
from support.databases import end_session, wait_for
from support.losses import PERSISTS, since_django_16
from support.projects import environment, site

since_app_config = pytest.mark.skipif(
    django.VERSION < (1, 7), reason="no AppConfig before Django 1.7"
)
HEALTH_CHECKS = [False]
if django.VERSION >= (4, 1):
    HEALTH_CHECKS.append(True)


def chunks_sent(get, proxy):
    """Return how many chunks a request sends: the second request of a new process.

    Until Django 1.5 each request has a connection of its own; there the result has the
    chunks of both requests, with the goodbyes.
    """
    get()
    before = [len(chunks) for chunks in proxy.sent]
    get()
    if PERSISTS:
        return len(proxy.sent[0]) - before[0]
    wait_for(lambda: not proxy.connections)
    return [len(chunks) for chunks in proxy.sent]


_without_app = {}


def without_app(alias, proxy, checks=False):
    """Return the chunks of a request without the app, and the answer after a kill."""
    if (alias, checks) not in _without_app:
        with processes.web_process(site(alias, [], CONN_HEALTH_CHECKS=checks)) as get:
            sent = chunks_sent(get, proxy)
            if PERSISTS:
                end_session(alias, get()["session"])
                wait_for(lambda: not proxy.connections)  # the client has the FIN
            _without_app[alias, checks] = sent, get()
        del proxy.sent[:]
    return _without_app[alias, checks]


@since_django_16
def test_without_the_app_the_first_request_fails(server_alias, proxy):
    """The negative: Django looks at a connection after an error, not before a query."""
    assert "Error" in without_app(server_alias, proxy)[1]["error"]


@pytest.mark.contract
@pytest.mark.parametrize("checks", HEALTH_CHECKS)
def test_first_request_after_an_idle_spell_succeeds(server_alias, proxy, checks):
    """The request opens a new session; each request sends what Django alone sends."""
    sent_without_app = without_app(server_alias, proxy, checks)[0]
    env = site(server_alias, ["django_compat"], CONN_HEALTH_CHECKS=checks)
    with processes.web_process(env) as get:
        assert chunks_sent(get, proxy) == sent_without_app
        check_idle_spell(server_alias, proxy, get)


def check_idle_spell(alias, proxy, get):
    """Check that each unit of work after the loss of a session gets a new session."""
    first = get()["session"]
    for _ in range(2):
        if PERSISTS:
            assert get()["session"] == first
            end_session(alias, first)
            wait_for(lambda: not proxy.connections)
        second = get()["session"]
        assert second != first
        first = second


@pytest.mark.contract
def test_task_after_an_idle_spell_succeeds(server_alias, proxy):
    """A runner that calls close_old_connections() around each task is mended."""
    env = site(server_alias, ["django_compat"])
    with processes.web_process(env, "runner") as run_task:
        check_idle_spell(server_alias, proxy, run_task)


@since_django_16
def test_without_the_app_the_first_task_fails(server_alias, proxy):
    """The negative: a runner without the application."""
    with processes.web_process(site(server_alias, []), "runner") as run_task:
        end_session(server_alias, run_task()["session"])
        wait_for(lambda: not proxy.connections)
        assert "Error" in run_task()["error"]


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
from django_compat._db.versions import used_connections
install()
receivers = [len(signals.request_started.receivers)]
install()
receivers.append(len(signals.request_started.receivers))
ours = [
    receiver for receiver in signals.request_started.receivers
    if "(_begin_request)" in repr(receiver)
]
is_open = any(each.connection for each in used_connections().values())
call_command("check" if hasattr(django, "setup") else "validate", stdout=sys.stderr)
try:
    from django.apps import apps
    config = type(apps.get_app_config("django_compat")).__name__
except ImportError:
    config = None
hooks = len([each for each in forks if "_begin_child" in repr(each)])
if not hasattr(os, "register_at_fork"):
    from multiprocessing import util
    hooks = repr(list(util._afterfork_registry)).count("<function _begin_child")
print(json.dumps([receivers, len(ours), is_open, config, hooks]))
"""


@pytest.mark.contract
def test_installed_app_is_found_and_sets_itself_up_once():
    """Django finds the AppConfig without a warning; a second install() does nothing."""
    env = site("default", ["django_compat"])
    output = processes.output_of(["-c", INSTALL], env)
    receivers, ours, is_open, config, hooks = json.loads(output)
    assert receivers[0] == receivers[1]
    assert (ours, hooks) == (0 if PERSISTS else 1, 1)
    assert is_open is False
    assert config == ("DjangoCompatConfig" if hasattr(django, "setup") else None)


@pytest.mark.contract
def test_default_app_config_is_where_django_asks_for_it():
    """Django 1.7 to 3.1 reads the name, later ones warn of it; nothing lists it."""
    assert hasattr(django_compat, "default_app_config") is (django.VERSION < (3, 2))
    assert "default_app_config" not in dir(django_compat)
    assert "default_app_config" not in django_compat.__all__


GUARDED = """
import json, sys, types
cases = json.loads(sys.argv[1])
import django
from django.conf import settings
django.setup()
from django.apps import apps
from django_compat._db import guard
ipython = sys.modules["IPython"] = types.ModuleType("IPython")
found = []
for argv, shell, commands in cases:
    sys.argv = argv
    ipython.get_ipython = lambda: shell
    if commands != "unset":
        settings.DJANGO_COMPAT_GUARDED_COMMANDS = commands
    before = len(guard._cursors.guards)
    try:
        apps.get_app_config("django_compat").ready()
        found.append(len(guard._cursors.guards) - before)
    except Exception as error:
        found.append("%s: %s" % (type(error).__name__, error))
print(json.dumps(found))
"""
DRAMATIQ = ["dramatiq", "--path", ".", "django_dramatiq.setup", "blog.tasks"]


def guards(*cases):
    """Return how many guards ready() begins in each case, or its error.

    A case is a command line, what IPython calls its shell, and the setting.
    """
    env = environment("default", ["django_compat"])
    return json.loads(processes.output_of(["-c", GUARDED, json.dumps(cases)], env))


@pytest.mark.contract
@since_app_config
def test_guard_is_on_in_some_commands():
    """Interactive commands, and workers, whose own queries meet lost sessions."""
    lines = [["manage.py", command] for command in GUARDED_COMMANDS] + [DRAMATIQ]
    assert guards(*[(argv, None, "unset") for argv in lines]) == [1] * len(lines)
    lines = [["manage.py", "migrate"], ["manage.py"], ["wsgi.py", "-v", "shell"]]
    assert guards(*[(argv, None, "unset") for argv in lines]) == [0, 0, 0]


@pytest.mark.contract
@since_app_config
def test_setting_changes_the_guarded_commands():
    """DJANGO_COMPAT_GUARDED_COMMANDS takes the place of the list."""
    load, shell = ["manage.py", "load_all"], ["manage.py", "shell"]
    cases = [(load, None, ["load_all"]), (shell, None, ["load_all"]), (shell, None, [])]
    assert guards(*cases) == [1, 0, 0]


@pytest.mark.contract
@since_app_config
def test_wrong_guarded_commands_are_refused():
    """The error names the setting and what is allowed; two commands report it."""
    cases = [(["wsgi.py"], None, value) for value in ("shell", None, 1, ["shell", 1])]
    for text in guards(*cases):
        assert text.startswith("ImproperlyConfigured: DJANGO_COMPAT_GUARDED_COMMANDS")
        assert "must be a list of the names of management commands" in text
    lines = [["manage.py", command] for command in ("check", "dbconnections")]
    assert guards(*[(argv, None, "shell") for argv in lines]) == [0, 0]


@pytest.mark.contract
@since_app_config
def test_guard_is_on_in_a_notebook():
    """IPython tells whether it runs this process, or is only imported."""
    kernel = ["ipykernel_launcher.py", "-f", "kernel.json"]
    assert guards((kernel, "a shell", "unset"), (kernel, None, "unset")) == [1, 0]
