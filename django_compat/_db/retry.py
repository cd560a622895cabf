"""Run a function again when it lost its database connection."""

from __future__ import absolute_import

import time
from itertools import count
from logging import getLogger

import six

from django_compat._db.callables import (
    check_callable,
    is_coroutine_function,
    is_decorated,
)
from django_compat._db.closing import close, free_locks, select
from django_compat._db.disconnects import is_disconnect
from django_compat._db.drivers import is_embedded, is_interrupted, is_usable
from django_compat._db.pools import drop_dead_sessions
from django_compat._db.stale import UNUSABLE
from django_compat._db.values import COUNT, FACTOR, LONGEST_WAIT, WAIT, is_a, shown
from django_compat._db.versions import (
    is_borrowed,
    is_in_block,
    is_in_transaction,
    used_connections,
)

__all__ = ["retry_on_disconnect"]

# A public name, not __name__: users configure this logger.
logger = getLogger("django_compat.disconnects")


def _closed_by_failures(using):
    """Check before a retryable call: return the aliases already closed by an error.

    None inside a transaction of any alias: a retry could not repeat what the
    transaction did before the call.
    """
    select(using)  # raises for an unknown alias
    used = used_connections()
    for connection in used.values():
        is_open = connection.connection is not None
        # A closed connection has autocommit off until it is opened (Django 1.6+).
        if is_in_block(connection) or (is_open and is_in_transaction(connection)):
            return None
    return {alias for alias in used if _was_lost(used[alias])}


def _close_lost(using, lost_before):
    """Clean up between two attempts: close each connection that does not work.

    Return the aliases, where known, whose connections were lost in the attempt;
    ``lost_before`` are the aliases that were lost before. Return None and do nothing
    when a transaction is in the way: a block that was left open, or AUTOCOMMIT False,
    where a part may have been committed.
    """
    for connection in used_connections().values():
        is_manual = not connection.settings_dict.get("AUTOCOMMIT", True)
        was_used = connection.connection is not None or _was_lost(connection)
        if is_in_block(connection) or (is_manual and was_used):
            return None
    selected = select(using)
    lost = [one for one in selected if _close_unusable(one) or _was_lost(one)]
    aliases = {connection.alias for connection in lost} - lost_before
    if not aliases:
        # atomic() may have closed the lost connection, and opened another to end with.
        aliases = [one.alias for one in selected if _has_server(one)]
        aliases = aliases if len(aliases) == 1 else []
    # Most likely the idle sessions of the pools were lost, too.
    drop_dead_sessions(using)
    return sorted(aliases)


def _was_lost(connection):
    """Tell whether an error closed the connection, as atomic() does when it ends."""
    failed = getattr(connection, "errors_occurred", False)  # Django 1.6+
    return failed and connection.connection is None


def _has_server(connection):
    raw = connection.connection
    return raw is not None and not is_embedded(raw)


def _close_unusable(connection):
    """Close a connection that does not work; tell whether it is closed now."""
    if connection.connection is None or is_borrowed(connection):
        return False
    free_locks(connection)
    # With autocommit off the unfinished work would become part of the next attempt.
    works = not is_in_transaction(connection)
    works = works and not is_interrupted(connection.connection)
    if works and is_usable(connection):
        return False
    close(connection, UNUSABLE)
    return True


class Retry(object):
    """The result of ``retry_on_disconnect``; it serves many functions and threads."""

    def __init__(self, attempts, delay, backoff, using):
        _check("attempts", attempts, COUNT.accepts(attempts), COUNT.allowed)
        _check("delay", delay, WAIT.accepts(delay), WAIT.allowed)
        _check("backoff", backoff, FACTOR.accepts(backoff), FACTOR.allowed)
        self.attempts, self.delay, self.backoff = attempts, delay, backoff
        self.using = using
        if using is not None and not is_a(using, six.string_types):
            is_lazy = hasattr(type(using), "_setup")  # its value may raise
            aliases = [None]
            if hasattr(type(using), "__iter__") and not is_lazy:
                aliases = list(using)
            is_right = all(is_a(alias, six.string_types) for alias in aliases)
            _check("using", using, is_right, "an alias, several, or None for all")
            self.using = frozenset(aliases)

    def __call__(self, function):
        check_callable(
            "retry_on_disconnect", function, "Decorate the caller instead."
        )
        if is_coroutine_function(function):
            from django_compat._db import aio

            return aio.decorate_retry(self, function)

        @six.wraps(function)
        def retried(*args, **kwargs):
            lost_before, delay = self.begin(), self.delay
            for attempt in count(1):
                try:
                    return function(*args, **kwargs)
                except Exception as error:
                    if not self.is_retried(error, attempt, lost_before, delay):
                        raise
                    if not self.prepare(function, error, attempt, lost_before, delay):
                        raise
                # Outside of the except block: the next error gets no __context__.
                time.sleep(delay)
                delay *= self.backoff

        return retried

    def begin(self):
        """Check before a call, in the thread of its connections."""
        return _closed_by_failures(self.using)

    def is_retried(self, error, attempt, lost_before, delay):
        """Tell whether an attempt is left, and the error is a reason to use it.

        A delay that grew beyond what a process can sleep for leaves no attempt.
        """
        can_retry = attempt < self.attempts and lost_before is not None
        return can_retry and delay <= LONGEST_WAIT and is_disconnect(error)

    def prepare(self, function, error, attempt, lost_before, delay):
        """Clean up, in the same thread; False when a transaction is in the way."""
        aliases = _close_lost(self.using, lost_before)
        if aliases is None:
            return False
        logger.warning(
            "attempt %d of %d of %s lost its connection%s (%r), again in %s s",
            attempt,
            self.attempts,
            getattr(function, "__name__", function),
            " to " + ", ".join(map(repr, map(str, aliases))) if aliases else "",
            error,
            delay,
        )
        return True


def _check(name, value, is_right, allowed):
    if not is_right:
        text = "retry_on_disconnect(%s=%s): it must be %s"
        raise ValueError(text % (name, shown(value), allowed))


def retry_on_disconnect(attempts=2, delay=0, backoff=2, using=None):
    """Run a function again when it lost its database connection.

    A decorator for ``def`` and ``async def``, with and without parentheses. **You vouch
    that the function may run twice**: a statement that was sent may have had its
    effect, though its answer never came.

    :param attempts: how often it runs at most, the first time included.
    :param delay: seconds before the second attempt; the event loop is not blocked.
    :param backoff: the factor by which each further delay grows; once a delay is above
        10**9 seconds, the error comes out instead.
    :param using: an alias or several, whose dead connections are closed before the next
        attempt; None means all that this thread used.

    Only an error that ``is_disconnect`` recognises is retried. Nothing is retried when
    the call began inside ``atomic()``, a legacy transaction or with autocommit off, of
    any alias: the work that the block did before cannot be repeated here, so the error
    comes out at once. A ``TestCase`` is such a block. An ``atomic()`` inside the
    function is part of the function, and runs again as a whole. The error of the last
    attempt comes out as it is. Each retry is logged as a warning on
    ``django_compat.disconnects``.

    The decorator looks at the connections of the calling thread; for ``async def``, of
    the thread that holds the ORM's connections. A connection that another thread shares
    is left alone, and a connection that came through a fork is discarded. The dead
    idle sessions of a psycopg pool are replaced.

    ValueError for arguments of the wrong kind, TypeError for a generator function and
    for a task of a task runner, whose decorator comes first,
    ``ConnectionDoesNotExist``, at the call, for an unknown alias.

    .. versionadded:: 1.0
    """
    if is_decorated(attempts):
        return Retry(2, delay, backoff, using)(attempts)
    return Retry(attempts, delay, backoff, using)
