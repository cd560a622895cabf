"""Django's system checks (1.7 and later): findings as its messages.

Those that ask the server are tagged "database". From Django 1.10 they run when Django
runs such checks: in ``migrate``, and with ``check --database ALIAS`` (3.1+) or ``check
--tag database`` (1.10 to 3.0). Django 1.7 to 1.9 runs every check in every command, so
there they do nothing, but in ``manage.py check --tag database``.
"""

from __future__ import absolute_import

import sys

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from django_compat import findings, hosting
from django_compat._versions import ASGI_THREAD_A_REQUEST
from django_compat.answers import Unknown, is_number
from django_compat.closing import close
from django_compat.demand import Demand, Figure, demand, setting
from django_compat.limits import read_limits
from django_compat.policies import policy
from django_compat.staleness import read_max_idle

__all__ = ["register"]

_DATABASE = "database"  # checks.Tags.database, where there is one
_TAG = ("--tag", "-t")
_OURS = "django_compat"


def register():
    """Register the checks; nothing is opened. Called twice it registers them once."""
    for check in _STATIC:
        checks.register(_OURS)(check)
    for check in _ON_SERVERS:
        checks.register(_DATABASE, _OURS)(check)


def _message(found):
    text = "DATABASES[%r]: %s" % (str(found.alias), found.message)
    kind = getattr(checks, found.level.title())  # Info, Warning, Error
    return kind(text, hint=found.hint, obj=None, id=found.id)


def check_settings(app_configs=None, **kwargs):
    """E001: DJANGO_COMPAT_PROCESSES, _THREADS and _HOSTS are numbers from 1 on."""
    calls = [(setting, name) for name in ("processes", "threads", "hosts")]
    return _errors("E001", calls, "Leave it out if you do not know.")


def check_max_idle(app_configs=None, **kwargs):
    """E002: CONN_MAX_IDLE is a number of seconds, or None."""
    databases = sorted(connections.databases.items())
    calls = [(read_max_idle, alias, settings) for alias, settings in databases]
    return _errors("E002", calls, "For instance 'CONN_MAX_IDLE': 60.")


def _errors(short_id, calls, hint):
    found = []
    for call in calls:
        try:
            call[0](*call[1:])
        except ImproperlyConfigured as error:
            full_id = "django_compat." + short_id
            found.append(checks.Error(str(error), hint=hint, obj=None, id=full_id))
    return found


def check_runserver(app_configs=None, **kwargs):
    """W003: connections are not persistent under ``runserver``."""
    if not hosting.is_runserver() or "daphne" in settings.INSTALLED_APPS:
        return []
    return _for_each_policy(hosting.find_runserver)


def check_asgi(app_configs=None, **kwargs):
    """W004: connections are not persistent under ASGI."""
    if not hosting.is_asgi() or not ASGI_THREAD_A_REQUEST:
        return []
    return _for_each_policy(hosting.find_asgi)


def _for_each_policy(find):
    policies = [_policy(alias) for alias in sorted(connections)]
    found = [find(each) for each in policies if each is not None]
    return [_message(each) for each in found if each is not None]


def _policy(alias):
    """Return the Policy of an alias, None if the settings do not give one."""
    try:
        return policy(connections[alias])
    except Exception:
        # A backend or a driver that cannot be loaded, which Django tells, or E002.
        return None


def _demand(alias):
    """Return the Demand of an alias, or one that is unknown."""
    try:
        return demand(alias)
    except ImproperlyConfigured as error:  # E001
        unknown = Figure(Unknown(str(error)), "wrong")
        return Demand(alias, unknown, unknown, unknown, ())


def check_age_above_timeout(app_configs=None, **kwargs):
    """W001: a connection is not kept for longer than the server keeps it."""
    return _ask(
        kwargs,
        findings.find_age_above_timeout,
        lambda policy, demand: policy.is_persistent and not policy.health_checks,
    )


def _is_counted(policy, demand):
    return is_number(demand.total)


def check_demand(app_configs=None, **kwargs):
    """W002: the server allows as many connections as there are threads."""
    return _ask(kwargs, findings.find_demand_above_limit, _is_counted)


def check_pools(app_configs=None, **kwargs):
    """W005: the server allows as many connections as the pools hold."""
    return _ask(kwargs, findings.find_pool_above_limit, _is_counted)


def check_idle_above_timeout(app_configs=None, **kwargs):
    """W006: CONN_MAX_IDLE comes before the server's time-out."""
    return _ask(
        kwargs,
        findings.find_idle_above_timeout,
        lambda policy, demand: policy.max_idle is not None,
    )


def check_proxy(app_configs=None, **kwargs):
    """I001: nothing in between keeps us from what the server enforces."""
    return _ask(kwargs, findings.find_proxy, findings.is_worth_asking)


_STATIC = (check_settings, check_max_idle, check_runserver, check_asgi)
_ON_SERVERS = (
    check_age_above_timeout,
    check_demand,
    check_pools,
    check_idle_above_timeout,
    check_proxy,
)


def _ask(kwargs, find, is_worth_asking):
    """Return the messages about each alias whose server is to be asked."""
    found = []
    for alias in _aliases(kwargs):
        its_policy, its_demand = _policy(alias), _demand(alias)
        if its_policy is None or not is_worth_asking(its_policy, its_demand):
            continue
        limits = _limits(alias)
        each = find(its_policy, limits, its_demand) if limits else None
        # Of the aliases whose connections are counted together one is enough.
        told = [other.figures for other in found if "aliases" in other.figures]
        if each is not None and each.figures not in told:
            found.append(each)
    return [_message(each) for each in found]


def _aliases(kwargs):
    """Return the aliases to look at: those that Django names, from 3.1 on."""
    if not hasattr(getattr(checks, "Tags", None), "database"):  # Django 1.7 to 1.9
        if not _asks_for_databases(sys.argv):
            return []
    return sorted(kwargs.get("databases", connections) or ())


def _asks_for_databases(argv):
    words = " ".join(argv[2:]).replace("=", " ").split()
    asked = [words[i + 1 : i + 2] for i in range(len(words)) if words[i] in _TAG]
    return argv[1:2] == ["check"] and [_DATABASE] in asked


def _limits(alias):
    """Return what the server enforces, None when it cannot be asked.

    The connection is left open or closed, as it was.
    """
    connection = connections[alias]
    was_open = connection.connection is not None
    try:
        return read_limits(connection)
    except Exception:
        return None  # a server that is down is Django's to tell
    finally:
        if not was_open:
            close(connection)
