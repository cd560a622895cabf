"""Django's system checks (1.7 and later): findings as check messages.

Checks that ask a server are tagged "database". From Django 1.10 on they run when Django
runs checks of databases: in ``migrate``, and with ``check --database ALIAS`` (3.1+) or
``check --tag database`` (1.10 to 3.0). Django 1.7 to 1.9 runs every check in every
command, so there these checks do nothing outside of ``check --tag database``.
"""

from __future__ import absolute_import

import sys

from django.conf import settings
from django.core import checks
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from django_compat._capacity import rules
from django_compat._capacity.collect import own_connection
from django_compat._capacity.demand import (
    COUNTS,
    Count,
    Demand,
    Servers,
    read_count_setting,
    read_demand,
    read_policy,
    read_pool,
)
from django_compat._capacity.server_limits import Unknown, is_number, read_limits
from django_compat._db.closing import close
from django_compat._db.escapes import escape, printable
from django_compat._db.guard import guarded_commands
from django_compat._db.stale import keeps_session, read_max_idle
from django_compat._db.values import find_wrong_setting, is_a
from django_compat._db.versions import ASGI_THREAD_A_REQUEST

__all__ = ["register"]

_DATABASE = "database"  # checks.Tags.database of Django 1.10+
_OURS = "django_compat"
_KINDS_HINT = "For example 'ENGINE': 'django.db.backends.sqlite3', 'OPTIONS': {}."
_TAG_OPTIONS = ("--tag", "-t")


def register():
    """Register the checks; open nothing. A second call changes nothing."""
    for check in _SETTINGS_CHECKS:
        checks.register(_OURS)(check)
    for check in _SERVER_CHECKS:
        checks.register(_DATABASE, _OURS)(check)


def check_settings(app_configs=None, **kwargs):
    """E001: each setting DJANGO_COMPAT_... is of its kind."""
    calls = [(read_count_setting, name) for name in COUNTS] + [(guarded_commands,)]
    return _errors("E001", calls, "Leave the setting out for its default.")


def check_max_idle(app_configs=None, **kwargs):
    """E002: CONN_MAX_IDLE is a number of seconds, or None."""
    calls = [(read_max_idle,) + entry for entry in _entries() if is_a(entry[1], dict)]
    return _errors("E002", calls, "For example 'CONN_MAX_IDLE': 60.")


def check_keep_session(app_configs=None, **kwargs):
    """E003: CONN_KEEP_SESSION is True or False."""
    calls = [(keeps_session,) + entry for entry in _entries() if is_a(entry[1], dict)]
    return _errors("E003", calls, "For example 'CONN_KEEP_SESSION': True.")


def check_databases(app_configs=None, **kwargs):
    """E004: each alias, ENGINE, OPTIONS and CONN_MAX_AGE is of its kind."""
    problems = [find_wrong_setting(*entry) for entry in _entries()]
    return [
        checks.Error(problem, hint=_KINDS_HINT, obj=None, id="django_compat.E004")
        for problem in filter(None, problems)
    ]


def check_runserver(app_configs=None, **kwargs):
    """W003: connections are not persistent under ``runserver``."""
    if not rules.is_runserver() or "daphne" in settings.INSTALLED_APPS:
        return []
    return _check_policies(rules.find_runserver)


def check_asgi(app_configs=None, **kwargs):
    """W004: connections are not persistent under ASGI."""
    if not rules.is_asgi() or not ASGI_THREAD_A_REQUEST:
        return []
    return _check_policies(rules.find_asgi)


def check_age_above_timeout(app_configs=None, **kwargs):
    """W001: a connection is not kept for longer than the server keeps its session."""
    return _check_servers(
        kwargs,
        rules.find_age_above_timeout,
        lambda policy, demand: (
            policy.pool is not None
            or (policy.is_persistent and not policy.health_checks)
        ),
    )


def check_demand(app_configs=None, **kwargs):
    """W002: the server allows as many connections as there are threads."""
    return _check_servers(kwargs, rules.find_demand_above_limit, _is_counted)


def check_pools(app_configs=None, **kwargs):
    """W005: the server allows as many connections as the pools may hold."""
    return _check_servers(kwargs, rules.find_pool_above_limit, _is_counted)


def check_idle_above_timeout(app_configs=None, **kwargs):
    """W006: CONN_MAX_IDLE, or a pool's max_idle, is below the server's time-out."""
    return _check_servers(
        kwargs,
        rules.find_idle_above_timeout,
        lambda policy, demand: policy.max_idle is not None or policy.pool is not None,
    )


def check_proxy(app_configs=None, **kwargs):
    """I001: no proxy hides what the server enforces."""
    return _check_servers(kwargs, rules.find_proxy, rules.needs_server)


def check_health_checks(app_configs=None, **kwargs):
    """I002: Django asks no server by a round trip what its socket tells."""
    return _check_servers(
        kwargs,
        rules.find_health_checks,
        lambda policy, demand: rules.is_checked(policy),
    )


_SETTINGS_CHECKS = (
    check_settings,
    check_max_idle,
    check_keep_session,
    check_databases,
    check_runserver,
    check_asgi,
)
_SERVER_CHECKS = (
    check_age_above_timeout,
    check_demand,
    check_pools,
    check_idle_above_timeout,
    check_proxy,
    check_health_checks,
)


def _errors(short_id, calls, hint):
    """Return an Error for each ``(function, *arguments)`` that refuses a setting."""
    errors = []
    for call in calls:
        try:
            call[0](*call[1:])
        except ImproperlyConfigured as error:
            full_id = "django_compat." + short_id
            errors.append(checks.Error(escape(error), hint=hint, obj=None, id=full_id))
    return errors


def _check_policies(rule):
    """Return the messages of a rule that needs no server, about every alias."""
    policies = [_policy(alias) for alias, _ in _entries()]
    findings = [rule(policy) for policy in policies if policy is not None]
    return [_message(finding) for finding in findings if finding is not None]


def _check_servers(kwargs, rule, needs_server):
    """Return the messages of a rule about every alias whose server has to be asked."""
    findings, groups, servers = [], [], None
    for alias in _aliases(kwargs):
        policy = _policy(alias)
        if policy is None:
            continue
        servers = servers or Servers(connections.databases)
        demand = _demand(alias, servers)
        if not needs_server(policy, demand):
            continue
        limits = _limits(alias)
        finding = limits and rule(policy, limits, demand)
        if not finding:
            continue
        # Aliases whose connections count together get one message.
        if "aliases" in finding.figures:
            if finding.figures in groups:
                continue
            groups.append(finding.figures)
        findings.append(finding)
    return [_message(finding) for finding in findings]


def _is_counted(policy, demand):
    return is_number(demand.total)


def _message(finding):
    text = "DATABASES['%s']: %s" % (escape(finding.alias), escape(finding.message))
    kind = getattr(checks, finding.level.title())  # Info, Warning, Error
    return kind(text, hint=finding.hint, obj=None, id=finding.id)


def _policy(alias):
    """Return the Policy of an alias, or None if the settings are wrong."""
    try:
        if find_wrong_setting(alias, connections.databases[alias]) is not None:
            return None
        return read_policy(connections[alias])
    except Exception:
        # Django reports a backend or driver that cannot be loaded, E002 the rest.
        return None


def _demand(alias, servers):
    """Return the Demand of an alias, an unknown one if the settings are wrong."""
    try:
        return read_demand(alias, servers)
    except ImproperlyConfigured as error:  # E001 reports it
        unknown = Count(Unknown(escape(error)), "wrong")
        return Demand(alias, unknown, unknown, unknown, servers.groups_of(alias))


def _limits(alias):
    """Return the Limits of an alias's server, None if the server does not answer.

    The connection is left open or closed, as it was. No pool is opened.
    """
    connection = connections[alias]
    was_open = connection.connection is not None
    try:
        if read_pool(connection.settings_dict) and not was_open:
            with own_connection(connection) as own:
                return read_limits(own)
        return read_limits(connection)
    except Exception:
        return None  # Django reports a server that is down
    finally:
        if not was_open:
            close(connection)


def _aliases(kwargs):
    """Return the aliases to check: the ones that Django names, from 3.1 on."""
    if not hasattr(getattr(checks, "Tags", None), "database"):  # Django 1.7 to 1.9
        if not _has_database_tag(sys.argv):
            return []
    return sorted(kwargs.get("databases", connections) or (), key=printable)


def _entries():
    """Return ``(alias, entry)`` of each entry of DATABASES."""
    try:
        databases = connections.databases
    except Exception:  # Django 3.2+ cannot read an entry that is no dict
        databases = settings.DATABASES
    return [(alias, databases[alias]) for alias in sorted(databases, key=printable)]


def _has_database_tag(argv):
    """Tell whether a command line is ``check --tag database``."""
    words = " ".join(argv[2:]).replace("=", " ").split()
    tags = [tag for option, tag in zip(words, words[1:]) if option in _TAG_OPTIONS]
    return argv[1:2] == ["check"] and _DATABASE in tags
