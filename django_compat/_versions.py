"""Every conditional on a release of Django or Python that the connection code has."""

from __future__ import absolute_import

import mmap
import os
import sys
import threading
import time
from functools import partial
from itertools import chain

import django
from django.conf import settings
from django.db import connections
from six.moves import _thread

try:
    from django.db.backends.base.base import BaseDatabaseWrapper
except ImportError:  # before Django 1.8
    from django.db.backends import BaseDatabaseWrapper

monotonic = getattr(time, "monotonic", time.time)  # Python 3.3+

# A page that the kernel empties in a forked child, also where nobody tells Python of
# the fork, as under uWSGI. To read it is no system call, and os.getpid() is one.
try:
    _page = mmap.mmap(-1, mmap.PAGESIZE, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    _page.madvise(18)  # MADV_WIPEONFORK, since Linux 4.14; madvise() since Python 3.8
    # Old QEMUs accept it and do nothing (BoringSSL's fork_detect.c).
    os.register_at_fork(after_in_child=partial(_page.__setitem__, 0, 0))
except (AttributeError, EnvironmentError):
    _page = None

# Where an event loop runs asgiref's locals differ; asgiref has imported asyncio.
_running_loop = getattr(sys.modules.get("asyncio"), "_get_running_loop", lambda: None)

# ASGIHandler has a ThreadSensitiveContext for each request: Django 4.0+
ASGI_THREAD_A_REQUEST = django.VERSION >= (4, 0)


def process_id():
    """Return this process's id, which is looked up anew after a fork."""
    global _pid
    if not _page[0]:
        _pid = os.getpid()
        _page[0] = 1
    return _pid


if _page is None:
    process_id = os.getpid


def members():
    """Return what ``used_connections`` does, not copied; None where that takes long."""
    local = connections._connections  # asgiref's from Django 3.0, else threading's
    storage = getattr(local, "_storage", local)  # asgiref 3.7+
    if isinstance(storage, threading.local) and _running_loop() is None:
        found = storage.__dict__
        if "cvar" not in found:  # asgiref's, where an event loop ran before
            return found
    return None


def used_connections():
    """Return ``{alias: connection}`` of this thread, and create none.

    It has the aliases that are missing from DATABASES too: set with
    ``connections[alias] = ...``, or taken out of the settings while open.
    """
    found = members()
    if found is not None:
        return dict(found)
    local = connections._connections
    storage = getattr(local, "_storage", local)
    if storage is local or _running_loop() is not None:
        if hasattr(local, "_get_storage"):  # asgiref before 3.7 (a dict), and 3.13+
            storage = local._get_storage()
        elif storage is not local:
            storage = {}
    if not isinstance(storage, dict):
        storage = getattr(storage, "__dict__", {})
    found = {}
    for alias in chain(connections, list(storage)):
        connection = getattr(local, alias, None)
        if is_connection(connection):
            found[alias] = connection
    return found


def is_connection(member):
    """Tell a connection from what asgiref keeps beside it."""
    return hasattr(member, "settings_dict")


def load_settings():
    """Let Django read its settings in this thread, before others race for them.

    It sets up logging on the way, which imports: two threads of Python 2.7 can each
    hold what the other waits for, one the import lock and one that of logging.
    """
    # Older ones have done it when django.db was imported, newer ones in django.setup().
    if django.VERSION[:2] == (1, 6):  # Django 1.6
        getattr(settings, "DATABASES")


def is_in_block(connection):
    """Tell whether a connection is inside atomic(), or managed by legacy blocks."""
    if getattr(connection, "in_atomic_block", False):  # Django 1.6+
        return True
    return bool(getattr(connection, "transaction_state", None))  # until Django 1.7


def is_in_transaction(connection):
    """Tell the same, or that autocommit is off."""
    return is_in_block(connection) or not getattr(connection, "autocommit", True)


def close_old(connection, begins=False):
    """Do to one connection what Django does when a request begins or ends."""
    if django.VERSION < (1, 6):  # Django 1.4, 1.5
        # There a request begins with nothing, and ends with everything closed.
        if not begins:
            connection.abort()
            connection.close()
        return
    if django.VERSION < (1, 8):  # Django 1.6, 1.7
        connection.abort()
    connection.close_if_unusable_or_obsolete()


def goes_by_django(connection):
    """Tell whether nothing but Django's own code says when a connection is old."""
    name = "close_if_unusable_or_obsolete"  # Django 1.6+
    module = getattr(getattr(connection, name, None), "__module__", None) or ""
    # Until Django 1.7 there are the legacy transactions to be looked after.
    return django.VERSION >= (1, 8) and module.startswith("django.db.backends.")


def suspect(connection):
    """Make Django ask, the next time it looks, whether a connection still works."""
    connection.errors_occurred = True  # Django 1.6+; before, it closes them all anyway


def reset_queries(connection):
    """Empty a connection's log of queries, unless somebody is counting them."""
    if django.VERSION < (1, 8):  # Django 1.4 to 1.7
        if not connection.use_debug_cursor:
            connection.queries = []
    elif not connection.force_debug_cursor:
        connection.queries_log.clear()


def drop_raw(connection):
    """Forget the raw connection, and what legacy transactions knew of it."""
    if getattr(connection, "in_atomic_block", False):
        # Django drops it at the end of the block; a new one inside it would run in
        # autocommit mode (Django 1.6+).
        return
    connection.connection = None
    if django.VERSION < (1, 6):  # Django 1.4, 1.5
        connection.abort()  # without a raw connection it touches nothing but state
    elif django.VERSION < (1, 8):  # Django 1.6, 1.7
        # Not abort(): there it opens a connection to ask for autocommit.
        del connection.transaction_state[:]
        connection.set_clean()


def forget_block(connection):
    """Forget that a connection is inside atomic(): its raw one is another process's."""
    connection.in_atomic_block = False  # Django 1.6+
    connection.closed_in_transaction = False
    connection.run_on_commit = []  # Django 1.9+


def is_borrowed(connection):
    """Tell whether another thread made a connection; it may share it with this one."""
    return connection._thread_ident != _thread.get_ident()


def allow_thread_sharing(connection):
    """Let this thread close what an ended one has left."""
    if hasattr(connection, "inc_thread_sharing"):  # Django 2.2+
        connection.inc_thread_sharing()
    else:
        connection.allow_thread_sharing = True


def connection_pools():
    """Return Django's ``{alias: psycopg pool}`` of this process (Django 5.1+)."""
    backend = sys.modules.get("django.db.backends.postgresql.base")
    wrapper = getattr(backend, "DatabaseWrapper", None)
    return getattr(wrapper, "_connection_pools", {})


def clock():
    """Return the time by the clock that ``connection.close_at`` is set from."""
    # Django 3.0+
    return time.monotonic() if django.VERSION >= (3, 0) else time.time()
