"""What the settings and the server's limits lead to: pure functions on values."""

from __future__ import absolute_import

from collections import namedtuple

from django_compat.answers import is_number

__all__ = [
    "ABOUT_SERVERS",
    "ERROR",
    "Finding",
    "INFO",
    "WARNING",
    "find_age_above_timeout",
    "find_demand_above_limit",
    "find_idle_above_timeout",
    "find_pool_above_limit",
    "find_proxy",
    "finding",
    "findings",
    "is_worth_asking",
    "seconds",
]

INFO = "INFO"
WARNING = "WARNING"
ERROR = "ERROR"

# ``figures`` are those that the message tells; the message does not tell the alias.
Finding = namedtuple("Finding", "alias id level figures message hint")

_ADVICE = (
    "Requests are covered: django_compat closes what the server hung up when one "
    "begins. The loop of a worker is to use fresh_connections(), a thread "
    "closing_connections() or django_compat.ThreadPoolExecutor, a shell or a notebook "
    "guard_connections()."
)
_WHOSE = {
    "server": "the server",
    "account": "this account",
    "database": "this database",
}


def findings(policy, limits, demand):
    """Return each Finding about one alias and the server that it leads to.

    What is Unknown leads to none. Asks nobody, raises nothing.

    .. versionadded:: 1.0
    """
    found = [find(policy, limits, demand) for find in ABOUT_SERVERS]
    return [each for each in found if each is not None]


def is_worth_asking(policy, demand):
    """Tell whether any answer of the server's could lead to a finding."""
    is_kept = policy.is_persistent and not policy.health_checks
    return is_kept or policy.max_idle is not None or is_number(demand.total)


def finding(number, alias, message, hint, level=WARNING, **figures):
    """Return a Finding with the id of a number and a level."""
    number = "django_compat.%s%03d" % (level[0], number)
    return Finding(alias, number, level, figures, message, hint)


def seconds(value):
    """Return seconds as text."""
    return "None (for ever)" if value is None else "%g s" % value


def find_age_above_timeout(policy, limits, demand):
    """Find a connection that is kept for longer than the server keeps it."""
    timeout = limits.idle_timeout
    if not is_number(timeout) or not policy.is_persistent or policy.health_checks:
        return None
    if policy.max_age is not None and policy.max_age < timeout:
        return None
    if policy.max_idle is not None and policy.max_idle < timeout:
        return None
    return finding(
        1,
        policy.alias,
        "CONN_MAX_AGE is %s, but %s ends a session that idles for %g s (%s): what "
        "comes next on it fails."
        % (seconds(policy.max_age), limits.server, timeout, limits.idle_timeout_name),
        "Set CONN_MAX_AGE or CONN_MAX_IDLE below %g, or CONN_HEALTH_CHECKS to True "
        "(Django 4.1+). %s" % (timeout, _ADVICE),
        max_age=policy.max_age,
        idle_timeout=timeout,
    )


def find_idle_above_timeout(policy, limits, demand):
    """Find a CONN_MAX_IDLE that comes later than the server's time-out."""
    timeout, idle = limits.idle_timeout, policy.max_idle
    if idle is None or not is_number(timeout) or idle < timeout:
        return None
    return finding(
        6,
        policy.alias,
        "CONN_MAX_IDLE is %g s, but %s ends a session that idles for %g s (%s) before."
        % (idle, limits.server, timeout, limits.idle_timeout_name),
        "Set CONN_MAX_IDLE below %g, or raise %s on the server."
        % (timeout, limits.idle_timeout_name),
        max_idle=idle,
        idle_timeout=timeout,
    )


def find_demand_above_limit(policy, limits, demand):
    """Find more threads than there are connections."""
    if policy.pool_size is not None:
        return None
    return _exceeds(
        2,
        limits,
        demand,
        "Start fewer processes or threads, raise the limit, or use a pooler.",
    )


def find_pool_above_limit(policy, limits, demand):
    """Find psycopg pools that hold more connections than there are."""
    if policy.pool_size is None:
        return None
    return _exceeds(
        5,
        limits,
        demand,
        "Each process has a pool of its own. Lower its max_size in OPTIONS['pool'], "
        "start fewer processes, or raise the limit.",
    )


def _exceeds(number, limits, demand, hint):
    for limit in limits.limits:
        needed = demand.of(limit.scope)
        if not (is_number(needed) and is_number(limit.value) and needed > limit.value):
            continue
        whose = _WHOSE[limit.scope]
        allowed = "%s allows %d (%s" % (whose, limit.value, limit.name)
        if limit.scope == "server" and limits.reserved:
            allowed += " %s, %s reserved" % (limits.max_connections, limits.reserved)
        return finding(
            number,
            demand.alias,
            "%s connections, but %s)." % (demand.explain(limit.scope), allowed),
            hint,
            aliases=tuple(sorted(demand.sharing(limit.scope))),
            demand=needed,
            allowed=limit.value,
            limit=limit.name,
        )
    return None


def find_proxy(policy, limits, demand):
    """Tell that a proxy keeps us from what the server enforces."""
    if limits.proxy is None or not is_worth_asking(policy, demand):
        return None
    settings = _PROXIES[limits.proxy]
    return finding(
        1,
        policy.alias,
        "%s, or a pooler like it, is in between: its time-out and its limits count "
        "here, and they cannot be read through it." % limits.proxy,
        "Compare CONN_MAX_AGE, CONN_MAX_IDLE and the number of connections with its "
        "settings %s yourself." % settings,
        level=INFO,
    )


_PROXIES = {
    "PgBouncer": "client_idle_timeout and max_client_conn",
    "ProxySQL": "mysql-wait_timeout (milliseconds) and mysql-max_connections",
}


ABOUT_SERVERS = (
    find_age_above_timeout,
    find_demand_above_limit,
    find_pool_above_limit,
    find_idle_above_timeout,
    find_proxy,
)
