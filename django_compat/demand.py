"""How many connections a deployment may open at once."""

from __future__ import absolute_import

import sys
from collections import namedtuple

import six
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db import connections

from django_compat.answers import Unknown
from django_compat.policies import pool_size

__all__ = ["Demand", "Figure", "Share", "demand", "setting"]

# ``source``: a flag, a setting, "uwsgi.opt", the name of a file, or "assumed".
Figure = namedtuple("Figure", "value source")

# An alias that leads to the same server, and what else it has in common.
Share = namedtuple("Share", "alias same_account same_database pool_size")

_ALLOWED = "a whole number, 1 or more"
_PLURALS = {"alias": "aliases", "process": "processes"}
_PORTS = {"mysql": "3306", "postgresql": "5432"}
_LOOPBACK = ("", "localhost", "127.0.0.1", "::1")
# The options of uWSGI that say it; of those for threads the largest counts: a greenlet
# has a connection of its own.
_OPTIONS = {
    "processes": ("processes", "workers"),
    "threads": ("threads", "async", "gevent", "asyncio"),
}


class Demand(namedtuple("Demand", "alias processes threads hosts shares")):
    """How many connections to its server an alias may need: a value.

    ``processes`` are those of one host, ``threads`` those of one process. Each of them,
    and ``hosts``, is a Figure with its source; without any source ``processes`` is
    Unknown, and then so is what follows from it.

    .. versionadded:: 1.0
    """

    __slots__ = ()

    @property
    def aliases(self):
        """The aliases that lead to the same host and port as the same user."""
        return self.sharing("account")

    @property
    def total(self):
        """How many connections all of ``aliases`` may have at once."""
        return self.of("account")

    def of(self, scope):
        """Return the same for every alias at the server, or in its database."""
        if isinstance(self.processes.value, Unknown):
            return self.processes.value
        sizes = [share.pool_size or self.threads.value for share in self._in(scope)]
        return self.processes.value * sum(sizes) * self.hosts.value

    def sharing(self, scope):
        """Return the aliases that ``of(scope)`` counts."""
        return tuple(share.alias for share in self._in(scope))

    def _in(self, scope):
        names = {"account": "same_account", "database": "same_database"}
        return [s for s in self.shares if scope == "server" or getattr(s, names[scope])]

    @property
    def arithmetic(self):
        """How ``total`` comes about, as text."""
        return self.explain("account")

    def explain(self, scope):
        """Return as text how ``of(scope)`` comes about."""
        if isinstance(self.processes.value, Unknown):
            return "unknown: " + self.processes.value.reason
        shares = self._in(scope)
        sizes = [share.pool_size for share in shares]
        if not any(sizes):
            factors = [(self.threads.value, "thread"), (len(shares), "alias")]
        elif len(set(sizes)) == 1:
            factors = [(sizes[0], "pooled connection"), (len(shares), "alias")]
        else:
            each = " + ".join(str(size or self.threads.value) for size in sizes)
            factors = [("(%s)" % each, "connection")]
        factors = [(self.processes.value, "process")] + factors
        factors.append((self.hosts.value, "host"))
        words = [
            "%s %s" % (value, noun if value == 1 else _PLURALS.get(noun, noun + "s"))
            for value, noun in factors
            if value != 1 or noun not in ("alias", "host")
        ]
        return "%s = %d" % (" x ".join(words), self.of(scope))


def demand(alias, databases=None, processes=None, threads=None, hosts=None):
    """Return the Demand of the deployment that an alias is part of.

    :param databases: the DATABASES to look for other aliases in; Django's by default.
    :param processes: how many there are on one host: a number or a Figure. By default
        the setting DJANGO_COMPAT_PROCESSES says it, or in a process of uWSGI's its
        ``uwsgi.opt``; else it is Unknown.
    :param threads: how many of a process use the database at once. By default the
        setting DJANGO_COMPAT_THREADS or ``uwsgi.opt``, else 1.
    :param hosts: by default the setting DJANGO_COMPAT_HOSTS, else 1.

    A psycopg pool takes the place of the threads: it holds the connections of a
    process. Opens nothing. ImproperlyConfigured for a setting, ValueError for an
    argument that is no whole number from 1 on.

    .. versionadded:: 1.0
    """
    databases = connections.databases if databases is None else databases
    unknown = Unknown("DJANGO_COMPAT_PROCESSES is not set")
    return Demand(
        alias,
        _figure("processes", processes) or Figure(unknown, "not set"),
        _figure("threads", threads) or Figure(1, "assumed"),
        _figure("hosts", hosts) or Figure(1, "assumed"),
        tuple(_shares(alias, databases)),
    )


def _figure(name, value):
    if value is not None:
        figure = value if isinstance(value, Figure) else Figure(value, "--" + name)
        if not _is_allowed(figure.value):
            raise ValueError("%s is %r: it must be %s" % (figure[::-1] + (_ALLOWED,)))
        return figure
    value = setting(name)
    if value is not None:
        return Figure(value, "DJANGO_COMPAT_" + name.upper())
    # Only in uWSGI there is such a module, and there it is loaded from the beginning.
    options = getattr(sys.modules.get("uwsgi"), "opt", None)
    if not isinstance(options, dict) or name not in _OPTIONS:
        return None
    found = [_number(options, option) for option in _OPTIONS[name]]
    return Figure(max(found) or 1, "uwsgi.opt")


def setting(name):
    """Return DJANGO_COMPAT_PROCESSES, _THREADS or _HOSTS; None if it is not set.

    ImproperlyConfigured when it is no whole number from 1 on.
    """
    name = "DJANGO_COMPAT_" + name.upper()
    value = getattr(settings, name, None)
    if value is not None and not _is_allowed(value):
        raise ImproperlyConfigured("%s is %r; it must be %s." % (name, value, _ALLOWED))
    return value


def _is_allowed(value):
    is_number = isinstance(value, six.integer_types) and not isinstance(value, bool)
    return is_number and value >= 1


def _number(options, name):
    """Return the number that ``uwsgi.opt`` has for an option, 0 if it has none."""
    # On Python 3 the names and the values are bytes; given twice, it is a list.
    value = options.get(name, options.get(name.encode("ascii"), 0))
    value = value[-1] if isinstance(value, list) and value else value
    try:
        return int(value)
    except (TypeError, ValueError):
        return 0


def _shares(alias, databases):
    """Yield the Share of each alias that leads to the same server, the first one's."""
    server, account, database = _target(databases[alias])
    for other in [alias] + sorted(set(databases) - {alias}):
        target = _target(databases[other])
        if target[0] == server:
            size = pool_size(databases[other])
            yield Share(other, target[1] == account, target[2] == database, size)


def _target(settings_dict):
    """Return where a DATABASES entry leads to: the server, the account, the database.

    The names of this machine are one, and so is the socket that no HOST means.
    """
    options = settings_dict.get("OPTIONS") or {}
    engine = "%s" % settings_dict.get("ENGINE")
    vendor = "mysql" if "mysql" in engine else engine
    if "postg" in engine:  # and postgis
        vendor = "postgresql"
    host = ("%s" % (settings_dict.get("HOST") or "")).lower()
    host = "localhost" if host in _LOOPBACK else host
    port = "%s" % (settings_dict.get("PORT") or _PORTS.get(vendor))
    # What these files say is not known here.
    files = options.get("read_default_file"), options.get("service")
    server = vendor, host, port, files
    return server, "%s" % settings_dict.get("USER"), "%s" % settings_dict.get("NAME")
