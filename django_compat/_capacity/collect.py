"""Collect what ``manage.py dbconnections`` reports of each alias, as plain data."""

from __future__ import absolute_import

import threading
from contextlib import contextmanager

import six
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from django_compat._capacity.demand import COUNTS, Servers, read_demand, read_policy
from django_compat._capacity.rules import apply_server_rules
from django_compat._capacity.server_limits import Unknown, read_limits
from django_compat._capacity.sessions import read_holders
from django_compat._db.closing import close
from django_compat._db.drivers import connect_options, hang_up
from django_compat._db.escapes import clip, describe, text_of
from django_compat._db.values import WAIT, find_wrong_setting

__all__ = ["collect", "own_connection"]

CONNECT_TIMEOUT = 10  # seconds, where OPTIONS has no time-out of its own
ANSWER_TIMEOUT = 10  # seconds, for all answers of a server

# A list of as many aliases as count together for each of them would grow quadratically.
_LISTED = 100
# Settings of an entry of DATABASES that no server can tell apart.
_OUR_SIDE = (
    "ATOMIC_REQUESTS",
    "AUTOCOMMIT",
    "CONN_HEALTH_CHECKS",
    "CONN_KEEP_SESSION",
    "CONN_MAX_AGE",
    "CONN_MAX_IDLE",
    "TEST",
)

# The fields of Limits that the report has under the same names.
_REPORTED = (
    "allowed",
    "highest",
    "idle_timeout",
    "idle_timeout_name",
    "in_use",
    "max_connections",
    "proxy",
    "reserved",
    "server",
    "version",
)


def collect(aliases, with_holders=False, **counts):
    """Yield for each alias a dict that JSON can hold, when it is known.

    ``counts`` are the ``processes``, ``threads`` and ``hosts`` of ``read_demand``. A
    connection of its own is opened, reads and is closed, one for all aliases with the
    same settings: the connections and pools of this process are left alone. The dict of
    an alias whose server does not answer in time has an ``error``, and no figures of
    the server. Where the settings of an alias are wrong, the ``error`` tells of it, and
    ``settings`` and ``demand`` are None.
    """
    servers, answers = Servers(connections.databases), {}
    for alias in aliases:
        yield _facts(alias, servers, answers, with_holders, counts)


def _facts(alias, servers, answers, with_holders, counts):
    facts = dict.fromkeys(("vendor", "settings", "demand"), None)
    facts.update(
        alias=text_of(alias),
        error=find_wrong_setting(alias, connections.databases[alias]),
    )
    if facts["error"]:
        return facts
    try:
        connection = connections[alias]
        policy = read_policy(connection)
        demand = read_demand(alias, servers, **counts)
    except ImproperlyConfigured as error:
        facts["error"] = clip(error, 2000)
        return facts
    except Exception as error:  # a backend, or an object in the settings, may raise
        facts["error"] = describe(error)
        return facts
    facts["vendor"] = connection.vendor
    facts["settings"] = {
        "CONN_HEALTH_CHECKS": policy.health_checks,
        "CONN_MAX_AGE": policy.max_age,
        "CONN_MAX_IDLE": policy.max_idle,
        "pool": policy.pool_size,
    }
    facts["demand"] = _demand_facts(demand)
    settings = connection.settings_dict
    names = [name for name in sorted(settings, key=text_of) if name not in _OUR_SIDE]
    target = tuple((name, text_of(settings[name])) for name in names)
    if target not in answers:
        answers[target] = _ask(connection, with_holders)
    limits, holders, facts["error"] = answers[target]
    if limits is not None:
        try:
            facts.update(_server_facts(policy, demand, limits, holders))
        except Exception as error:  # a figure of the server is no number
            facts["error"] = describe(error)
    return facts


def _ask(connection, with_holders):
    """Return the limits, the holders and the error of a server: what there is."""
    asked = []

    def ask():
        with own_connection(connection) as own:
            asked.append(own)
            own.cursor().close()  # connects; a server that is down raises here
            limits = read_limits(own)
            return limits, read_holders(own) if with_holders else None, None

    try:
        return _within(_patience(connection), ask)
    except Exception as error:  # until Django 1.5 it may be the driver's own
        if isinstance(error, NoAnswer):
            for own in asked:
                hang_up(own)
        password = connection.settings_dict.get("PASSWORD")
        return None, None, describe(error, password)


def _server_facts(policy, demand, limits, holders):
    facts = dict((name, _plain(getattr(limits, name))) for name in _REPORTED)
    facts["holders"] = holders and [dict(holder._asdict()) for holder in holders]
    facts["limits"] = [
        {
            "scope": limit.scope,
            "name": limit.name,
            "value": _plain(limit.value),
            "demand": _plain(demand.total_of(limit.scope)),
            "arithmetic": demand.arithmetic_of(limit.scope),
        }
        for limit in limits.connection_limits
    ]
    facts["findings"] = [
        {
            "id": finding.id,
            "level": finding.level,
            "message": finding.message,
            "hint": finding.hint,
        }
        for finding in apply_server_rules(policy, limits, demand)
    ]
    return facts


class NoAnswer(Exception):
    """Say that a server accepted a connection and did not answer in time."""


def _patience(connection):
    """Return for how many seconds to wait for all answers of a server."""
    own = (connection.settings_dict.get("OPTIONS") or {}).get("connect_timeout")
    return ANSWER_TIMEOUT + (own if WAIT.accepts(own) else CONNECT_TIMEOUT)


def _within(seconds, function):
    """Return what a function returns in a thread of its own, or raise NoAnswer.

    No driver has a time-out for a server that answers a byte now and then. A thread
    that waits for such a server does not keep the process alive.
    """
    outcomes = []

    def work():
        try:
            outcomes.append((function(), None))
        except Exception as error:
            outcomes.append((None, error))

    thread = threading.Thread(target=work)
    thread.daemon = True
    thread.start()
    thread.join(seconds)
    if not outcomes:
        raise NoAnswer("the server did not answer within %d s" % seconds)
    value, error = outcomes[0]
    if error is not None:
        raise error
    return value


def _demand_facts(demand):
    facts = {
        "alias_count": len(demand.aliases),
        "aliases": list(map(text_of, demand.aliases[:_LISTED])),
        "arithmetic": demand.arithmetic,
        "total": _plain(demand.total),
    }
    for name in COUNTS:
        value, source = getattr(demand, name)
        facts[name] = {"value": _plain(value), "source": text_of(source)}
    return facts


@contextmanager
def own_connection(connection):
    """Give another connection with the same settings, past the pool; close it."""
    options = connect_options(connection, CONNECT_TIMEOUT)
    options.pop("pool", None)
    settings_dict = dict(connection.settings_dict, OPTIONS=options)
    own = type(connection)(settings_dict, connection.alias)
    try:
        yield own
    finally:
        close(own)


def _plain(figure):
    """Return a figure, or a text, of a server as JSON can hold it."""
    if isinstance(figure, bytes):
        return text_of(figure)
    is_number = isinstance(figure, six.integer_types + (float,))
    if is_number and not abs(figure) < 1e100:  # nor is NaN
        figure = Unknown("the server tells a number that cannot be right")
    return {"unknown": figure.reason} if isinstance(figure, Unknown) else figure
