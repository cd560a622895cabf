"""psycopg's connection pools, which Django 5.1+ keeps for each alias of a process.

A pool hands out an idle session without looking at it. Its option ``check`` looks, by a
round trip, and waits seconds when several sessions are dead. Here the sockets of all
idle sessions are looked at with one ``poll()``, and dead sessions are returned to the
pool as broken, so that its own threads open others.

The pool has no public way to do that, so private attributes are used: ``_pool`` (a
deque of the idle sessions), ``_lock``, ``_workers`` and ``_closed`` of psycopg_pool 3.1
to 3.3. Where one of them is gone, a warning says so once, and pools are left alone.
"""

from __future__ import absolute_import

import atexit
import os
import select
import sys
import weakref
from logging import getLogger

import six

from django_compat._db import engines
from django_compat._db.drivers import descriptor, is_of_database
from django_compat._db.forks import file_of, silence
from django_compat._db.probe import EVENTS
from django_compat._db.stats import count

__all__ = [
    "connection_pools",
    "discard_pools",
    "drop_dead_sessions",
    "return_interrupted",
]

logger = getLogger("django_compat.connections")

# {alias: (weak reference to its pool, process in which the pool's threads run)}, for
# pools that were looked at.
_own = {}
_warned = []
# A server's last message to a session: its severity, or crash_shutdown, a WARNING.
_LAST_WORDS = {"FATAL", "PANIC", "57P02"}


def connection_pools():
    """Return Django's ``{alias: psycopg pool}`` of this process (Django 5.1+)."""
    backend = sys.modules.get("django.db.backends.postgresql.base")
    if backend is None:
        return {}
    wrapper = getattr(backend, "DatabaseWrapper", None)
    return getattr(wrapper, "_connection_pools", {})


def _each_pool(using):
    """Return ``(alias, pool)`` for an alias, several, or None for all."""
    pools = connection_pools()
    if not pools:
        return ()
    if isinstance(using, six.string_types):
        using = [using]
    return [
        (alias, pools[alias])
        for alias in list(pools)
        if using is None or alias in using
    ]


def _warn_once(error):
    if not _warned:
        _warned.append(error)
        logger.warning(
            "psycopg_pool is not as this release of django_compat knows it (%r): dead "
            "and inherited sessions stay in the pools",
            error,
        )


def discard_pools(using):
    """Forget the pools that came through a fork, and their idle sessions.

    ``using`` is an alias or several, None for all. Nothing is sent. The pools of third
    parties are forgotten for all aliases.
    """
    if engines.opened:
        engines.discard_foreign_pools()
    for alias, pool in _each_pool(using):
        try:
            if not _is_inherited(alias, pool):
                continue
            # Not pool.close(): the pool's threads stayed in the parent, and its locks
            # may be held. Marked closed, its __del__ does nothing.
            pool._closed = True
            idle = list(pool._pool)
        except AttributeError as error:
            _warn_once(error)
            continue
        connection_pools().pop(alias, None)
        for raw in idle:
            silence(raw, file_of(descriptor(raw)))


def _is_inherited(alias, pool):
    """Tell whether a pool is open, and its threads run in another process.

    So it is known also of a pool that was opened before this package was imported, and
    of a fork that Python was not told of.
    """
    known, pid = _own.get(alias, (lambda: None, None))
    if known() is pool and pid == os.getpid():
        return False
    workers = list(pool._workers)
    if not workers:
        return False  # not open yet
    if any(map(_runs_here, workers)):
        _own[alias] = weakref.ref(pool), os.getpid()
        return False
    return True


def _runs_here(thread):
    if os.path.isdir("/proc/self/task"):  # Linux, also where Python missed the fork
        return os.path.isdir("/proc/self/task/%s" % thread.native_id)
    return thread.is_alive()  # pragma: no cover: another system


def drop_dead_sessions(using):
    """Replace the idle sessions of pools that the server hung up.

    ``using`` is an alias or several, None for all. Costs one ``poll()`` a pool, and no
    round trip. Pools that came through a fork are discarded.
    """
    if engines.opened or connection_pools():
        discard_pools(using)
    for alias, pool in _each_pool(using):
        try:
            dead = _take_dead(pool)
        except AttributeError as error:
            _warn_once(error)
            continue
        if not dead:
            continue
        logger.warning(
            "the server hung up %d idle session(s) in the pool of %r", len(dead), alias
        )
        _return_broken(pool, dead)
        for _ in dead:
            count(alias, "replaced")


def return_interrupted(alias, raw):
    """Return a session, closed, to its pool, as its own return was interrupted.

    Else the pool would count the session as in use for ever. Tells whether the alias
    has a pool.
    """
    pool = connection_pools().get(alias)
    # Without _pool it is in the pool, or in the hands of another thread already.
    if pool is not None and getattr(raw, "_pool", None) is pool:
        _return_broken(pool, [raw])
    return pool is not None


def _return_broken(pool, dead):
    """Return sessions to their pool, closed: the pool's threads open others.

    All are returned even when an exception arrives, or the pool would count too many.
    """
    first = None
    for raw in dead:
        try:
            raw.close()
        except BaseException as error:  # pragma: no cover: a signal
            if not is_of_database(error, raw):
                first = first or sys.exc_info()
        raw._pool = pool  # as the pool itself has it while a session is in use
        pool.putconn(raw)
    if first is not None:  # pragma: no cover: a signal
        six.reraise(*first)


def _take_dead(pool):
    """Take the idle sessions that hung up out of a pool.

    An interruption might leave the pool's lock locked, so it is taken only when there
    may be a dead session.
    """
    lock = pool._lock  # where it is gone, all is left alone
    if pool._closed or not any(_suspects(pool)):
        return []
    with lock:
        dead, eventful = _suspects(pool)
        dead += [raw for raw in eventful if not _reads_well(raw)]
        for raw in dead:
            pool._pool.remove(raw)
    return dead


def _suspects(pool):
    """Return the idle sessions that are closed, and those that have data or an end."""
    by_descriptor = {}
    for raw in pool._pool.copy():
        by_descriptor.setdefault(descriptor(raw), []).append(raw)
    closed = by_descriptor.pop(-1, [])  # on this side
    by_descriptor.pop(None, None)
    return closed, [raw for fd in _eventful(by_descriptor) for raw in by_descriptor[fd]]


def _eventful(descriptors):
    """Return the descriptors that have data to read, or whose far end hung up."""
    if not hasattr(select, "poll"):
        return select.select(list(descriptors), [], [], 0)[0]
    poll = select.poll()
    for fd in descriptors:
        poll.register(fd, EVENTS)
    return [fd for fd, _ in poll.poll(0)]


def _reads_well(raw):
    """Read what came in, without waiting; tell whether the session goes on.

    TLS session tickets and notices are data, too. libpq reads them, and notices an end.
    The server's last message may arrive before the end does.
    """
    words = set()

    def listen(notice):
        words.update([notice.severity_nonlocalized, notice.sqlstate])

    raw.add_notice_handler(listen)
    try:
        for _ in range(2):  # the end may come behind the last message
            raw.pgconn.consume_input()
            raw.pgconn.is_busy()  # libpq looks at what it has read
    except Exception as error:
        if not is_of_database(error, raw):  # pragma: no cover: a signal
            raise
        return False
    finally:
        raw.remove_notice_handler(listen)
    return raw.pgconn.status == 0 and not words & _LAST_WORDS  # 0 is OK


def _discard_all():
    discard_pools(None)


atexit.register(_discard_all)
