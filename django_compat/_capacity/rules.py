"""Rules on settings, demand and limits; each rule makes a Finding or returns None."""

from __future__ import absolute_import

import sys
from collections import namedtuple

from django.conf import settings

from django_compat._capacity.server_limits import Unknown, is_number

__all__ = [
    "Finding",
    "apply_server_rules",
    "find_age_above_timeout",
    "find_asgi",
    "find_demand_above_limit",
    "find_health_checks",
    "find_idle_above_timeout",
    "find_pool_above_limit",
    "find_proxy",
    "find_runserver",
    "is_asgi",
    "is_checked",
    "is_runserver",
    "needs_server",
]

INFO = "INFO"
WARNING = "WARNING"

_ADVICE = (
    "Requests are safe, and so are task runners that call close_old_connections(): "
    "with django_compat in INSTALLED_APPS it closes connections whose session the "
    "server has ended. Use fresh_connections() in the loop of another worker, "
    "closing_connections() or django_compat.ThreadPoolExecutor for threads, and "
    "guard_connections() in a script that idles; the shell is guarded."
)
_SCOPES = {
    "server": "the server",
    "account": "this account",
    "database": "this database",
}
# The proxies' own settings for idle time-outs and limits.
_PROXY_SETTINGS = {
    "PgBouncer": "client_idle_timeout and max_client_conn",
    "ProxySQL": "mysql-wait_timeout (milliseconds) and mysql-max_connections",
}

# ``level`` is INFO or WARNING. ``message`` leaves out the alias; ``figures`` has the
# figures of the message by name.
Finding = namedtuple("Finding", "alias id level figures message hint")


def apply_server_rules(policy, limits, demand):
    """Return each Finding about one alias and the server that it leads to.

    A figure that is Unknown leads to no Finding. The rules ask no server and raise
    nothing.
    """
    rules = (
        find_age_above_timeout,
        find_demand_above_limit,
        find_pool_above_limit,
        find_idle_above_timeout,
        find_proxy,
        find_health_checks,
    )
    findings = [rule(policy, limits, demand) for rule in rules]
    return [finding for finding in findings if finding is not None]


def needs_server(policy, demand):
    """Tell whether an answer of the server could lead to a Finding of a limit."""
    is_kept = policy.is_persistent and not policy.health_checks
    has_limit = policy.max_idle is not None or policy.pool is not None
    return is_kept or has_limit or is_number(demand.total)


def find_age_above_timeout(policy, limits, demand):
    """W001: a connection is kept for longer than the server keeps its session."""
    timeout = limits.idle_timeout
    if policy.pool is not None:
        return _find_pool_above_timeout(policy, limits)
    if not is_number(timeout) or not policy.is_persistent or policy.health_checks:
        return None
    if policy.max_age is not None and policy.max_age < timeout:
        return None
    if policy.max_idle is not None and policy.max_idle < timeout:
        return None
    return _finding(
        "W001",
        policy.alias,
        "CONN_MAX_AGE is %s, but %s ends a session that is idle for %g s (%s): the "
        "next query on that connection fails."
        % (_age(policy.max_age), limits.server, timeout, limits.idle_timeout_name),
        "Set CONN_MAX_AGE or CONN_MAX_IDLE below %g, or CONN_HEALTH_CHECKS to True "
        "(Django 4.1+). %s" % (timeout, _ADVICE),
        max_age=policy.max_age,
        idle_timeout=timeout,
    )


def _find_pool_above_timeout(policy, limits):
    pool, timeout = policy.pool, limits.idle_timeout
    if not is_number(timeout) or pool.is_checked:
        return None
    idle = pool.longest_idle
    if idle is not None and idle < timeout:
        return None
    kept = "%d idle sessions for ever (min_size)" % pool.min_size
    if idle is not None:
        kept = "an idle session for up to %g s (max_idle %g, once for each of max_size "
        kept = (kept + "%d)") % (idle, pool.max_idle, pool.max_size)
    return _finding(
        "W001",
        policy.alias,
        "the pool keeps %s, but %s ends a session that is idle for %g s (%s): the pool "
        "gives out sessions that have ended."
        % (kept, limits.server, timeout, limits.idle_timeout_name),
        "Processes with these INSTALLED_APPS are safe: django_compat takes ended "
        "sessions out of the pool before a session is used. To keep none that ended, "
        "set min_size to 0 and max_idle below %.3g in OPTIONS['pool'], or turn %s off "
        "for this account."
        % (timeout / (pool.max_size + 1.0), limits.idle_timeout_name),
        longest_idle=idle,
        idle_timeout=timeout,
    )


def find_demand_above_limit(policy, limits, demand):
    """W002: there may be more threads than the server allows connections."""
    if policy.pool_size is not None:
        return None
    return _find_excess(
        "W002",
        limits,
        demand,
        "Start fewer processes or threads, raise the limit, or use a pooler.",
    )


def find_pool_above_limit(policy, limits, demand):
    """W005: psycopg pools may hold more connections than the server allows."""
    if policy.pool_size is None:
        return None
    return _find_excess(
        "W005",
        limits,
        demand,
        "Each process has a pool of its own. Lower max_size in OPTIONS['pool'], start "
        "fewer processes, or raise the limit.",
    )


def _find_excess(check_id, limits, demand, hint):
    """Return a Finding about the first limit that the demand exceeds, or None."""
    for limit in limits.connection_limits:
        needed = demand.total_of(limit.scope)
        if not (is_number(needed) and is_number(limit.value) and needed > limit.value):
            continue
        allowed = "%s allows %d (%s" % (_SCOPES[limit.scope], limit.value, limit.name)
        if limit.scope == "server" and limits.reserved:
            allowed += " %s, %s reserved" % (limits.max_connections, limits.reserved)
        return _finding(
            check_id,
            demand.alias,
            "%s connections, but %s)." % (demand.arithmetic_of(limit.scope), allowed),
            hint,
            aliases=demand.aliases_of(limit.scope),
            demand=needed,
            allowed=limit.value,
            limit=limit.name,
        )
    return None


def find_idle_above_timeout(policy, limits, demand):
    """W006: the server ends an idle session before a limit of the settings does."""
    timeout, pool = limits.idle_timeout, policy.pool
    names = [("CONN_MAX_IDLE", policy.max_idle)]
    if pool is not None and pool.min_size < pool.max_size:
        names.append(("max_idle in OPTIONS['pool']", pool.max_idle))
    for name, idle in names:
        if idle is None or not is_number(timeout) or idle < timeout:
            continue
        return _finding(
            "W006",
            policy.alias,
            "%s is %g s, but %s ends a session that is idle for %g s (%s): the server "
            "always comes first."
            % (name, idle, limits.server, timeout, limits.idle_timeout_name),
            "Set %s below %g, or raise %s on the server."
            % (name, timeout, limits.idle_timeout_name),
            max_idle=idle,
            idle_timeout=timeout,
        )
    return None


def find_proxy(policy, limits, demand):
    """I001: a proxy hides what the server enforces, and has limits of its own."""
    if limits.proxy is None or not needs_server(policy, demand):
        return None
    return _finding(
        "I001",
        policy.alias,
        "%s, or a proxy like it, is between Django and the server. The proxy has a "
        "time-out and limits of its own, and django_compat cannot read them."
        % limits.proxy,
        "Compare CONN_MAX_AGE, CONN_MAX_IDLE and the number of connections with the "
        "proxy's settings %s yourself." % _PROXY_SETTINGS[limits.proxy],
        level=INFO,
    )


def is_checked(policy):
    """Tell whether Django asks the server before it uses a kept connection again."""
    is_kept = policy.is_persistent or (policy.pool and policy.pool.is_checked)
    return policy.health_checks and bool(is_kept) and policy.vendor != "sqlite"


def find_health_checks(policy, limits, demand):
    """I002: Django asks by a round trip what a socket tells."""
    if not is_checked(policy) or limits.proxy is not None:
        return None
    if isinstance(limits.idle_timeout, Unknown):  # no server that we know
        return None
    return _finding(
        "I002",
        policy.alias,
        "CONN_HEALTH_CHECKS asks %s by a round trip, before the first query of each "
        "request and scope, whether the session lives. Where the server is reached "
        "directly, as here, django_compat tells without a round trip." % limits.server,
        "You may set CONN_HEALTH_CHECKS to False. Lost then: a connection that a "
        "network dropped without a word (CONN_MAX_IDLE finds most of these), or whose "
        "server hangs, fails at the first query. Keep it on behind a pooler that this "
        "check does not recognise (MaxScale, RDS Proxy), and where code runs without "
        "django_compat.",
        level=INFO,
    )


def is_runserver(argv=None):
    """Tell whether this process is ``runserver`` with threads, as it is by default."""
    argv = sys.argv if argv is None else argv
    return argv[1:2] == ["runserver"] and "--nothreading" not in argv


def find_runserver(policy):
    """W003: connections are persistent under runserver.

    runserver has a thread for each client connection. No other thread can use that
    thread's database connections, and nobody closes them, on any Django. (The
    ThreadedWSGIServer of Django 4.0+ closes them, but only LiveServerTestCase uses it.)
    """
    if not policy.is_persistent or policy.vendor == "sqlite":
        return None
    return _finding(
        "W003",
        policy.alias,
        "CONN_MAX_AGE is %s under runserver, which starts a thread for each client "
        "connection and never closes the database connections of that thread."
        % _age(policy.max_age),
        "Set CONN_MAX_AGE to 0 in the settings for development, or start runserver "
        "with --nothreading.",
        max_age=policy.max_age,
    )


def is_asgi():
    """Tell whether the settings say that ASGI serves this project.

    ASGI_APPLICATION says so, and so does the application "daphne", which needs that
    setting and turns ``runserver`` into an ASGI server. An ``asgi.py`` is no sign, for
    every project has one; and no ASGI server runs checks, so the process is no sign.
    """
    is_set = getattr(settings, "ASGI_APPLICATION", None)
    return bool(is_set) or "daphne" in settings.INSTALLED_APPS


def find_asgi(policy):
    """W004: connections are persistent under ASGI."""
    if not policy.is_persistent or policy.vendor == "sqlite":
        return None
    return _finding(
        "W004",
        policy.alias,
        "CONN_MAX_AGE is %s under ASGI, where no request can reuse the connection of "
        "another request: connections stay open, unused." % _age(policy.max_age),
        "Set CONN_MAX_AGE to 0. To connect less often use a pool: OPTIONS['pool'] with "
        "psycopg (Django 5.1+), or PgBouncer or ProxySQL.",
        max_age=policy.max_age,
    )


def _finding(check_id, alias, message, hint, level=WARNING, **figures):
    return Finding(alias, "django_compat." + check_id, level, figures, message, hint)


def _age(seconds):
    return "None (no limit)" if seconds is None else "%g s" % seconds
