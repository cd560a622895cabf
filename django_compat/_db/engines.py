"""Engines of third parties that keep a pool of sessions in this process.

After a fork parent and child share the idle sessions of such a pool. Where the pool is
known, the child forgets it, and sends nothing; where not, a warning names the ENGINE.
Private attributes are used: of django-db-connection-pool 1.0 to 1.2 with SQLAlchemy 1.4
to 2.1, and of django-db-geventpool 4.0.
"""

from __future__ import absolute_import

import os
import sys
import threading
from logging import getLogger

from django.db.backends.signals import connection_created

from django_compat._db.drivers import descriptor
from django_compat._db.forks import file_of, silence
from django_compat._db.versions import used_connections

__all__ = ["discard_foreign_pools", "opened"]

logger = getLogger("django_compat.connections")

# {package: (process in which its first session was opened, ENGINE)}
opened = {}


def _silence(raws):
    for raw in raws:
        if raw is not None:
            silence(raw, file_of(descriptor(raw)))


def _forget_sqlalchemy():
    container = sys.modules["dj_db_conn_pool.core"].pool_container
    container.lock = threading.Lock()  # a thread of the parent may hold the old one
    for alias in list(container):
        pool = container.pop(alias)
        # A session that is in use is not to be rolled back when it is given up.
        pool._reset_on_return = None
        _silence(record.dbapi_connection for record in list(pool._pool.queue))


def _forget_geventpool():
    pools = sys.modules["django_db_geventpool.backends.base"].DatabaseWrapperMixin
    pools = pools._connection_pools
    for alias in list(pools):
        _silence(list(pools.pop(alias)._conns))
    for connection in used_connections().values():
        if hasattr(connection, "_pool"):
            connection._pool = None


def _give_up():
    raise AttributeError("no pool that this release of django_compat knows")


# By the package of a connection's class, or of one of its base classes.
_FORGET = {
    "dj_db_conn_pool": _forget_sqlalchemy,
    "django_db_geventpool": _forget_geventpool,
    "django_mysql_geventpool": _give_up,
    "django_postgrespool": _give_up,
    "django_postgrespool2": _give_up,
}


def _note(connection, **kwargs):
    """Receive connection_created."""
    for base in type(connection).__mro__:
        package = base.__module__.partition(".")[0]
        if package in _FORGET:
            engine = connection.settings_dict["ENGINE"]
            opened.setdefault(package, (os.getpid(), engine))


def discard_foreign_pools():
    """Forget the pools that came through a fork; nothing is sent."""
    for package, (pid, engine) in list(opened.items()):
        if pid == os.getpid():
            continue
        del opened[package]
        try:
            _FORGET[package]()
        except (AttributeError, KeyError) as error:
            logger.warning(
                "the pool of the ENGINE %r came through a fork, and its idle sessions "
                "are shared with the parent process (%r). Fork before the first query.",
                engine,
                error,
            )


connection_created.connect(_note, weak=False)
