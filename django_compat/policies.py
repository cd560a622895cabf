"""How Django keeps the connections of an alias, as its settings say."""

from __future__ import absolute_import

from collections import namedtuple

import six

from django_compat.staleness import max_idle

__all__ = ["Policy", "policy", "pool_size"]

_POOL_SIZE = 4  # the min_size of a psycopg_pool; its max_size is min_size by default


class Policy(
    namedtuple("Policy", "alias vendor max_age max_idle health_checks pool_size")
):
    """An alias's CONN_MAX_AGE and what goes with it, as this Django takes them.

    ``max_age`` and ``max_idle`` are seconds or None; ``pool_size`` is how many
    connections a psycopg pool has at most, None where there is no pool.

    .. versionadded:: 1.0
    """

    __slots__ = ()

    @property
    def is_persistent(self):
        """Whether a connection outlives the request that opened it; a pool's does."""
        return self.max_age is None or self.max_age > 0


def policy(connection):
    """Return the Policy of a connection; opens nothing.

    ImproperlyConfigured for a CONN_MAX_IDLE that is no number of seconds. What is wrong
    with CONN_MAX_AGE is Django's to tell: it counts as 0.

    .. versionadded:: 1.0
    """
    settings = connection.settings_dict
    max_age = settings.get("CONN_MAX_AGE", 0)
    if not hasattr(connection, "close_at"):  # until Django 1.5 none is persistent
        max_age = 0
    if max_age is not None and not isinstance(max_age, six.integer_types + (float,)):
        max_age = 0
    is_checked = hasattr(connection, "health_check_enabled")  # Django 4.1+
    return Policy(
        alias=connection.alias,
        vendor=connection.vendor,
        max_age=max_age,
        max_idle=max_idle(connection),
        health_checks=is_checked and bool(settings.get("CONN_HEALTH_CHECKS")),
        pool_size=pool_size(settings) if connection.vendor == "postgresql" else None,
    )


def pool_size(settings):
    """Return how many connections the pool of a DATABASES entry has at most, or None.

    None: OPTIONS ask for no pool. What is wrong with it is psycopg's to tell.
    """
    pool = (settings.get("OPTIONS") or {}).get("pool")
    if not pool:
        return None
    options = pool if isinstance(pool, dict) else {}
    size = options.get("max_size") or options.get("min_size", _POOL_SIZE)
    return size if isinstance(size, six.integer_types) else _POOL_SIZE
