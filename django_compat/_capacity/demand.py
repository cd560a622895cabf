"""Count the connections that a deployment may open at once, from its settings."""

from __future__ import absolute_import

import sys
from collections import Counter, namedtuple

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from django_compat._capacity.server_limits import Unknown
from django_compat._db.escapes import printable
from django_compat._db.stale import keeps_session, read_max_idle
from django_compat._db.values import (
    COUNT,
    SECONDS,
    SIZE,
    find_wrong_setting,
    is_a,
    shown,
)

__all__ = [
    "COUNTS",
    "Count",
    "Demand",
    "Policy",
    "Pool",
    "Servers",
    "read_count_setting",
    "read_demand",
    "read_policy",
    "read_pool",
]

# The factors of a demand. A host runs so many processes, a process so many threads.
COUNTS = ("processes", "threads", "hosts")

# psycopg_pool's own defaults; its max_size is its min_size by default.
_MIN_SIZE = 4
_POOL_MAX_IDLE = 600.0  # seconds
_PORTS = {"mysql": "3306", "postgresql": "5432"}
_LOOPBACK = ("", "localhost", "127.0.0.1", "::1")
# The options of uWSGI that set a count; the largest option counts. A greenlet has a
# connection of its own, as a thread has.
_UWSGI_OPTIONS = {
    "processes": ("processes", "workers"),
    "threads": ("threads", "async", "gevent", "asyncio"),
}
_PLURALS = {"alias": "aliases", "process": "processes"}

# ``source`` names where a count comes from: an option of the command, a setting,
# "uwsgi.opt", a file's name, or "assumed".
Count = namedtuple("Count", "value source")

# The aliases that count together, and the sizes of their pools: None without a pool.
# ``pooled`` is the sum of the sizes, ``unpooled`` is the number of None.
Group = namedtuple("Group", "aliases sizes pooled unpooled")


class Pool(namedtuple("Pool", "min_size max_size max_idle is_checked")):
    """The options of a psycopg pool; ``is_checked``: asks each session it gives out."""

    __slots__ = ()

    @property
    def longest_idle(self):
        """For how many seconds a session may idle in the pool, None for ever.

        The pool keeps ``min_size`` sessions for ever. Every ``max_idle`` seconds it
        closes one of the others, and after a burst it lets one turn pass before.
        ``max_lifetime`` is no limit: the pool looks at it when a session is returned.
        """
        return None if self.min_size else (self.max_size + 1) * self.max_idle


class Policy(namedtuple("Policy", "alias vendor max_age max_idle health_checks pool")):
    """How long an alias keeps connections: its settings as this Django takes them.

    ``max_age`` (CONN_MAX_AGE) and ``max_idle`` (CONN_MAX_IDLE) are seconds or None for
    no limit; ``pool`` is a Pool, None without a psycopg pool.
    """

    __slots__ = ()

    @property
    def pool_size(self):
        """How many connections the pool has at most, None without a pool."""
        return self.pool and self.pool.max_size

    @property
    def is_persistent(self):
        """Whether a connection outlives the request that opened it."""
        return self.max_age is None or self.max_age > 0


class Demand(namedtuple("Demand", "alias processes threads hosts groups")):
    """How many connections an alias, and others at its server, may need: a value.

    ``processes`` run on one host, ``threads`` in one process. ``processes``,
    ``threads`` and ``hosts`` are Counts. If nothing tells how many processes there are,
    their value is Unknown, and so is each total. ``groups`` has a Group for each scope.

    The ``scope`` of a method tells which aliases count together: "account" for those
    that lead to the same host and port as the same user, "database" for those that lead
    to the same database, "server" for all that lead to the same server.
    """

    __slots__ = ()

    @property
    def aliases(self):
        """The aliases that lead to the same host and port as the same user."""
        return self.aliases_of("account")

    @property
    def total(self):
        """How many connections ``aliases`` may have at once."""
        return self.total_of("account")

    @property
    def arithmetic(self):
        """How ``total`` is computed, as text."""
        return self.arithmetic_of("account")

    def aliases_of(self, scope):
        """Return the aliases that count in a scope."""
        return self.groups[scope].aliases

    def total_of(self, scope):
        """Return how many connections the aliases of a scope may have at once."""
        if isinstance(self.processes.value, Unknown):
            return self.processes.value
        group = self.groups[scope]
        per_process = group.pooled + group.unpooled * self.threads.value
        return self.processes.value * per_process * self.hosts.value

    def arithmetic_of(self, scope):
        """Return as text how ``total_of(scope)`` is computed."""
        if isinstance(self.processes.value, Unknown):
            return "unknown: " + self.processes.value.reason
        group = self.groups[scope]
        if not group.pooled:
            factors = [(self.threads.value, "thread"), (len(group.aliases), "alias")]
        elif not group.unpooled and len(set(group.sizes)) == 1:
            aliases = len(group.aliases), "alias"
            factors = [(group.sizes[0], "pooled connection"), aliases]
        else:
            sizes = [size or self.threads.value for size in group.sizes]
            if len(sizes) > 20:
                counts = sorted(Counter(sizes).items())
                sizes = ["%s x %s" % (count, size) for size, count in counts]
            factors = [("(%s)" % " + ".join(map(str, sizes)), "connection")]
        factors = [(self.processes.value, "process")] + factors
        factors.append((self.hosts.value, "host"))
        words = [
            "%s %s" % (value, noun if value == 1 else _PLURALS.get(noun, noun + "s"))
            for value, noun in factors
            if value != 1 or noun not in ("alias", "host")
        ]
        return "%s = %d" % (" x ".join(words), self.total_of(scope))


class Servers(object):
    """The aliases of DATABASES, grouped by what they lead to, in linear time.

    An alias whose settings are wrong leads nowhere.
    """

    def __init__(self, databases):
        self._targets, members = {}, {}
        for alias in sorted(databases, key=printable):
            if find_wrong_setting(alias, databases[alias]) is not None:
                continue
            server, account, database = _target(databases[alias])
            targets = self._targets[alias] = {
                "server": (server,),
                "account": (server, "account", account),
                "database": (server, "database", database),
            }
            member = alias, _pool_size(databases[alias])
            for target in targets.values():
                members.setdefault(target, []).append(member)
        self._groups = {}
        for target in members:
            aliases, sizes = zip(*members[target])
            pooled = sum(size or 0 for size in sizes)
            unpooled = sum(not size for size in sizes)
            self._groups[target] = Group(aliases, sizes, pooled, unpooled)

    def groups_of(self, alias):
        """Return the Group of an alias for each scope."""
        targets = self._targets[alias]
        return {scope: self._groups[targets[scope]] for scope in targets}


def read_policy(connection):
    """Return the Policy of a connection; open nothing.

    ImproperlyConfigured for a CONN_MAX_IDLE or CONN_KEEP_SESSION of the wrong kind.
    ``find_wrong_setting`` has accepted the other settings.
    """
    settings_dict = connection.settings_dict
    keeps_session(connection.alias, settings_dict)
    max_age = settings_dict.get("CONN_MAX_AGE", 0)
    if not hasattr(connection, "close_at"):  # until Django 1.5 none is persistent
        max_age = 0
    has_checks = hasattr(connection, "health_check_enabled")  # Django 4.1+
    is_postgresql = connection.vendor == "postgresql"
    return Policy(
        alias=connection.alias,
        vendor=connection.vendor,
        max_age=max_age,
        max_idle=read_max_idle(connection.alias, settings_dict),
        health_checks=has_checks and bool(settings_dict.get("CONN_HEALTH_CHECKS")),
        pool=read_pool(settings_dict) if is_postgresql else None,
    )


def read_demand(alias, databases=None, processes=None, threads=None, hosts=None):
    """Return the Demand of the deployment that an alias is part of; open nothing.

    :param databases: the DATABASES that may have other aliases at the same server, or
        their Servers; Django's by default.
    :param processes: how many processes there are on one host, as a number or a Count.
        By default the setting DJANGO_COMPAT_PROCESSES, or in a process of uWSGI the
        option in ``uwsgi.opt``; else Unknown.
    :param threads: how many threads of a process use the database at once. By default
        the setting DJANGO_COMPAT_THREADS or ``uwsgi.opt``, else 1.
    :param hosts: by default the setting DJANGO_COMPAT_HOSTS, else 1.

    Where an alias has a psycopg pool, the size of the pool counts instead of the
    threads: the pool holds the connections of a process. ImproperlyConfigured for a
    setting, ValueError for an argument that is no whole number from 1 on.
    """
    databases = connections.databases if databases is None else databases
    servers = databases if isinstance(databases, Servers) else Servers(databases)
    unknown = Unknown("DJANGO_COMPAT_PROCESSES is not set")
    return Demand(
        alias,
        _read_count("processes", processes) or Count(unknown, "not set"),
        _read_count("threads", threads) or Count(1, "assumed"),
        _read_count("hosts", hosts) or Count(1, "assumed"),
        servers.groups_of(alias),
    )


def read_count_setting(name):
    """Return DJANGO_COMPAT_PROCESSES, _THREADS or _HOSTS, None where it is not set.

    ImproperlyConfigured for a value that is no whole number from 1 on.
    """
    name = "DJANGO_COMPAT_" + name.upper()
    value = getattr(settings, name, None)
    if value is not None and not COUNT.accepts(value):
        message = "%s is %s; it must be %s."
        raise ImproperlyConfigured(message % (name, shown(value), COUNT.allowed))
    return value


def _read_count(name, argument):
    """Return a Count from an argument, a setting or uWSGI, else None."""
    if argument is not None:
        is_count = is_a(argument, Count)
        count = argument if is_count else Count(argument, "--" + name)
        if not COUNT.accepts(count.value):
            message = "%s is %s: it must be %s"
            values = count.source, shown(count.value), COUNT.allowed
            raise ValueError(message % values)
        return count
    value = read_count_setting(name)
    if value is not None:
        return Count(value, "DJANGO_COMPAT_" + name.upper())
    # Only a process of uWSGI has a module "uwsgi", and has it loaded from the start.
    options = getattr(sys.modules.get("uwsgi"), "opt", None)
    if not isinstance(options, dict) or name not in _UWSGI_OPTIONS:
        return None
    numbers = [_uwsgi_number(options, option) for option in _UWSGI_OPTIONS[name]]
    return Count(max(numbers) or 1, "uwsgi.opt")


def _uwsgi_number(options, name):
    """Return the number that ``uwsgi.opt`` has for an option, 0 if it has none."""
    # On Python 3 names and values are bytes. An option that is given twice is a list.
    value = options.get(name, options.get(name.encode("ascii"), 0))
    value = value[-1] if isinstance(value, list) and value else value
    return COUNT.parse(printable(value)) or 0


def _target(settings_dict):
    """Return where an entry of DATABASES leads to: server, account and database.

    All names of this machine count as one host; an empty HOST, which means a local
    socket, is one of them.
    """
    options = settings_dict.get("OPTIONS") or {}
    names = ("ENGINE", "HOST", "PORT", "USER", "NAME")
    values = [settings_dict.get(name) for name in names]
    texts = ["" if value is None else printable(value) for value in values]
    engine, host, port, account, database = texts
    vendor = "mysql" if "mysql" in engine else engine
    if "postg" in engine:  # postgresql and postgis
        vendor = "postgresql"
    host = "localhost" if host.lower() in _LOOPBACK else host.lower()
    port = port or _PORTS.get(vendor)
    # Nobody reads these files here: aliases that name different files may differ.
    files = [printable(options.get(n)) for n in ("read_default_file", "service")]
    return (vendor, host, port) + tuple(files), account, database


def read_pool(settings_dict):
    """Return the Pool that an entry of DATABASES asks for, None without a pool.

    psycopg validates the options of its pool: a wrong one counts as its default.
    """
    options = (settings_dict.get("OPTIONS") or {}).get("pool")
    if not options:
        return None
    options = options if isinstance(options, dict) else {}

    def number(name, kind, default):
        value = options.get(name)
        return value if kind.accepts(value) else default

    min_size = number("min_size", SIZE, _MIN_SIZE)
    # Django itself sets the option ``check`` where CONN_HEALTH_CHECKS is on.
    is_checked = options.get("check", settings_dict.get("CONN_HEALTH_CHECKS"))
    return Pool(
        min_size,
        number("max_size", SIZE, min_size),
        number("max_idle", SECONDS, _POOL_MAX_IDLE),
        bool(is_checked),
    )


def _pool_size(settings_dict):
    pool = read_pool(settings_dict)
    return pool and pool.max_size
