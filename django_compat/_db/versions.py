"""Every conditional on a release of Django or Python that the connection code has."""

from __future__ import absolute_import

import sys
import threading
import time
from itertools import chain
from logging import getLogger

import django
from django.conf import settings
from django.db import connections
from django.db.backends.signals import connection_created
from six.moves import _thread

try:
    from django.db.backends.base.base import BaseDatabaseWrapper
except ImportError:  # before Django 1.8
    from django.db.backends import BaseDatabaseWrapper

if django.VERSION >= (3, 0):  # Django 3.0+ depends on asgiref
    from asgiref.local import Local

    _LOCKS_LOCALS = hasattr(Local, "_get_context_id")  # asgiref before 3.8
else:
    Local, _LOCKS_LOCALS = threading.local, False

# Python 2.7 cannot wait for a lock with a time-out; a future Django may have no lock.
_LOCKS_SIGNAL = sys.version_info >= (3,) and hasattr(connection_created, "lock")

__all__ = [
    "ASGI_THREAD_A_REQUEST",
    "BaseDatabaseWrapper",
    "HAS_LEGACY_TRANSACTIONS",
    "adopt",
    "allow_thread_sharing",
    "clock",
    "close_old",
    "drop_raw",
    "forget_block",
    "free_lock_of_threads",
    "is_borrowed",
    "is_in_block",
    "is_in_transaction",
    "is_judged_by_django",
    "lack_names_of",
    "load_settings",
    "monotonic",
    "reset_queries",
    "suspect",
    "task_frames",
    "thread_connections",
    "used_connections",
]

logger = getLogger("django_compat.connections")  # a public name, not __name__

monotonic = getattr(time, "monotonic", time.time)  # Python 3.3+

# In the thread of an event loop asgiref keeps its locals elsewhere. Where asgiref is
# in use it has imported asyncio.
_running_loop = getattr(sys.modules.get("asyncio"), "_get_running_loop", lambda: None)

# ASGIHandler runs each request in a ThreadSensitiveContext: Django 4.0+
ASGI_THREAD_A_REQUEST = django.VERSION >= (4, 0)


class _FramesInLocal(object):
    """The two methods of a ContextVar, for Python before 3.7."""

    def __init__(self):
        self._local = Local()

    def _unlocked(self):
        if _LOCKS_LOCALS:
            _free_lock(self._local)
        return self._local

    def get(self):
        return getattr(self._unlocked(), "frames", ())

    def set(self, frames):
        self._unlocked().frames = frames


# The frames that the running task is in, outermost first. Not in a local of asgiref's:
# each read locks the local, and an exception may leave it locked for all threads.
if sys.version_info >= (3, 7):
    from contextvars import ContextVar

    task_frames = ContextVar("django_compat.task_frames", default=())
else:
    task_frames = _FramesInLocal()

HAS_ATOMIC = django.VERSION >= (1, 6)

# Until Django 1.7 there are legacy transactions to look after, and no queries_log.
HAS_LEGACY_TRANSACTIONS = django.VERSION < (1, 8)


# Django's private names that this package uses, and what it does not do without them.
PRIVATE_NAMES = {
    "_connections": "connections of aliases that DATABASES lacks are not looked at",
    "_thread_ident": "a connection of another thread is taken for one of this thread",
    "allow_thread_sharing": "connections of a pool's ended threads are left to Python",
    "autocommit": "each scope takes longer, and does not see that autocommit is off",
    "close_at": "each scope takes longer",
    "close_if_unusable_or_obsolete": "the age of connections is not looked at",
    "errors_occurred": "no connection is asked after an error, before it is used again",
    "in_atomic_block": "each scope takes longer, and asks Django for autocommit",
    "queries_log": "the query log is not emptied",
}
_lacking = set()


def lack(name):
    """Warn once that this Django has a private name no longer."""
    if name not in _lacking:
        _lacking.add(name)
        text = "Django %s has no %s in django.db any more: %s"
        logger.warning(text, django.get_version(), name, PRIVATE_NAMES[name])


def lack_names_of(connection):
    """Warn of each name that a connection lacks, and return the names."""
    names = [name for name in PRIVATE_NAMES if name != "_connections"]
    lacking = [name for name in names if not hasattr(connection, name)]
    for name in lacking:
        lack(name)
    return lacking


def _free_lock(local):
    """Replace the lock of an asgiref local, if an exception left the lock locked.

    As in free_lock_of_threads(): else every other thread would wait for ever.
    """
    lock = local._thread_lock
    # This thread is not inside of asgiref's code now; another thread is for an instant.
    if lock._is_owned() or not lock.acquire(timeout=0.1):
        local._thread_lock = threading.RLock()
    else:
        lock.release()


def thread_connections():
    """Return Django's own ``{alias: connection}`` of this thread, not a copy.

    None where Django keeps the connections in another way: use ``used_connections``.
    """
    _free_lock_of_signal()
    # asgiref's from Django 3.0, else threading's
    local = getattr(connections, "_connections", None)
    if _LOCKS_LOCALS and local is not None:
        _free_lock(local)
    storage = getattr(local, "_storage", local)  # asgiref 3.8+
    if isinstance(storage, threading.local) and _running_loop() is None:
        attributes = storage.__dict__
        if "cvar" not in attributes:  # asgiref keeps one where an event loop ran
            return attributes
    return None


def used_connections():
    """Return ``{alias: connection}`` of this thread as a copy; create no connection.

    The copy has aliases that DATABASES lacks, too: those set by
    ``connections[alias] = ...``, and those taken out of the settings while open.
    """
    attributes = thread_connections()
    if attributes is not None:
        return dict(attributes)
    local = getattr(connections, "_connections", None)
    if local is None:
        lack("_connections")
        known = connections.all(initialized_only=True)  # Django 4.1+
        return dict((connection.alias, connection) for connection in known)
    storage = getattr(local, "_storage", local)
    if storage is local or _running_loop() is not None:
        if hasattr(local, "_get_storage"):  # asgiref before 3.8 (a dict), and 3.13+
            storage = local._get_storage()
        elif storage is not local:
            storage = {}
    if not isinstance(storage, dict):
        storage = getattr(storage, "__dict__", {})
    used = {}
    for alias in chain(connections, list(storage)):
        connection = getattr(local, alias, None)
        if hasattr(connection, "settings_dict"):  # asgiref keeps other things, too
            used[alias] = connection
    return used


def load_settings():
    """Let Django read its settings in this thread, before others race for them.

    Reading the settings sets up logging, which imports. Two threads of Python 2.7 can
    then wait for each other: one holds the import lock, the other the lock of logging.
    """
    # Older releases read them when django.db is imported, newer ones in django.setup().
    if django.VERSION[:2] == (1, 6):  # Django 1.6
        getattr(settings, "DATABASES")


def is_in_block(connection):
    """Tell whether a connection is inside atomic(), or managed by legacy blocks."""
    if getattr(connection, "in_atomic_block", False):  # Django 1.6+
        return True
    if HAS_ATOMIC and not hasattr(connection, "in_atomic_block"):
        lack("in_atomic_block")
        # Public, but opens a connection.
        return connection.connection is not None and not connection.get_autocommit()
    return bool(getattr(connection, "transaction_state", None))  # until Django 1.7


def is_in_transaction(connection):
    """Tell whether a connection is inside a block, or has autocommit off."""
    return is_in_block(connection) or not getattr(connection, "autocommit", True)


def close_old(connection, begins=False):
    """Do to one connection what Django does when a request begins or ends."""
    if django.VERSION < (1, 6):  # Django 1.4, 1.5
        # A request begins with nothing, and ends with every connection closed.
        if not begins:
            connection.abort()
            connection.close()
        return
    if django.VERSION < (1, 8):  # Django 1.6, 1.7
        connection.abort()
    try:
        close = connection.close_if_unusable_or_obsolete
    except AttributeError:
        lack("close_if_unusable_or_obsolete")
    else:
        close()


def is_judged_by_django(connection):
    """Tell whether nothing but Django's own code decides when a connection is old."""
    name = "close_if_unusable_or_obsolete"  # Django 1.6+
    module = getattr(getattr(connection, name, None), "__module__", None) or ""
    is_djangos = module.startswith(("django.db.backends.", "django_compat."))
    return is_djangos and not HAS_LEGACY_TRANSACTIONS


def suspect(connection):
    """Make Django ask the server, when it looks next, whether a connection works."""
    connection.errors_occurred = True  # Django 1.6+; before, it closes them all anyway


def reset_queries(connection):
    """Empty a connection's query log, unless somebody counts queries."""
    if django.VERSION < (1, 8):  # Django 1.4 to 1.7
        if not connection.use_debug_cursor:
            connection.queries = []
    elif not hasattr(connection, "queries_log"):
        lack("queries_log")
    elif not getattr(connection, "force_debug_cursor", False):
        connection.queries_log.clear()


def drop_raw(connection):
    """Forget the raw connection, and what legacy transactions knew of it."""
    if getattr(connection, "in_atomic_block", False):
        # Django drops the raw connection at the end of the block. A new one inside the
        # block would run in autocommit mode (Django 1.6+).
        return
    connection.connection = None
    if django.VERSION < (1, 6):  # Django 1.4, 1.5
        connection.abort()  # without a raw connection it touches nothing but state
    elif django.VERSION < (1, 8):  # Django 1.6, 1.7
        # Not abort(), which would open a connection to ask for autocommit.
        del connection.transaction_state[:]
        connection.set_clean()


def forget_block(connection):
    """Forget that a connection is inside atomic(): its session belongs elsewhere."""
    connection.in_atomic_block = False  # Django 1.6+
    connection.closed_in_transaction = False
    connection.run_on_commit = []  # Django 1.9+


def is_borrowed(connection):
    """Tell whether another thread made a connection, and may share it with this one."""
    thread = _thread.get_ident()
    return getattr(connection, "_thread_ident", thread) != thread


def free_lock_of_threads(connection):
    """Give a connection of this thread a new lock, if the old one was left locked.

    Django 2.2+ asks whose a connection is in a ``with lock``, whose begin an exception
    may interrupt (on Python 3.14 at times, as tests/db/test_storm.py shows): then every
    later call would wait for ever. Another thread holds the lock for an instant only.
    """
    if django.VERSION >= (2, 2):
        _replace_if_abandoned(connection, "_thread_sharing_lock")
    _free_lock_of_signal()


def _free_lock_of_signal():
    """Do the same for the lock of the signal that Django sends when it has connected.

    Else no thread of the process could connect. A fork may leave it locked, too.
    """
    if _LOCKS_SIGNAL and connection_created.lock.locked():
        _replace_if_abandoned(connection_created, "lock")


def _replace_if_abandoned(owner, name):
    lock = getattr(owner, name, None)
    if lock is not None and lock.locked():
        if lock.acquire(timeout=0.1):
            lock.release()
        else:
            setattr(owner, name, threading.Lock())


def adopt(connection):
    """Make a connection that an ended thread or greenlet has left this one's own."""
    connection._thread_ident = _thread.get_ident()
    return connection


def allow_thread_sharing(connection):
    """Let this thread close a connection that an ended thread has left."""
    if hasattr(connection, "inc_thread_sharing"):  # Django 2.2+
        connection.inc_thread_sharing()
    else:
        try:
            connection.allow_thread_sharing = True
        except AttributeError:
            lack("allow_thread_sharing")


def clock():
    """Return the time by the clock that ``connection.close_at`` is set from."""
    # Django 3.0+
    return time.monotonic() if django.VERSION >= (3, 0) else time.time()
