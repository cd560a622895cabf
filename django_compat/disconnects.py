"""Tell a lost connection from other errors, and run again what lost one."""

from __future__ import absolute_import

import inspect
import time
from logging import getLogger

import six
from django.db import utils

from django_compat import attempts as between
from django_compat.disconnect_codes import judge_of, of_mysql, of_postgresql

__all__ = ["is_disconnect", "retry_on_disconnect"]

logger = getLogger(__name__)

# Django 1.6+ has a base for them all.
_DJANGOS = getattr(utils, "Error", utils.DatabaseError)


def is_disconnect(exception):
    """Tell whether an exception says that a connection was lost.

    Of a driver (mysqlclient, PyMySQL, psycopg2, psycopg) or of Django, whose errors
    have the driver's as their ``__cause__``; Django 1.4 and 1.5 hand on no more than
    its arguments. By its code where it has one, else by its text: libpq's own texts are
    known in English. The tables are in ``django_compat.disconnect_codes``.

    False for whatever else: a server that refuses (too many connections, starting up,
    read-only), locks, constraints, a statement that took too long or was cancelled, an
    unknown driver, your own exceptions, also those raised from a disconnect.

    .. versionadded:: 1.0
    """
    seen = set()
    while exception is not None and id(exception) not in seen:
        seen.add(id(exception))
        judge = judge_of(exception)
        if judge is not None:
            return judge(exception)
        if not isinstance(exception, _DJANGOS):
            return False
        cause = getattr(exception, "__cause__", None)
        if cause is None:
            args = exception.args
            is_code = bool(args) and isinstance(args[0], six.integer_types)
            return (of_mysql if is_code else of_postgresql)(exception)
        exception = cause
    return False


class Retry(object):
    """What ``retry_on_disconnect`` returns; it may serve many functions and threads."""

    def __init__(self, attempts, delay, backoff, using):
        is_count = isinstance(attempts, six.integer_types) and attempts >= 1
        _check("attempts", attempts, is_count, "a whole number, 1 or more")
        is_time = _is_number(delay) and delay >= 0
        _check("delay", delay, is_time, "a number of seconds, 0 or more")
        is_factor = _is_number(backoff) and backoff >= 1
        _check("backoff", backoff, is_factor, "a number, 1 or more")
        self.attempts, self.delay, self.backoff = attempts, delay, backoff
        self.using = using
        if using is not None and not isinstance(using, six.string_types):
            aliases = list(using) if hasattr(using, "__iter__") else [None]
            is_right = all(isinstance(each, six.string_types) for each in aliases)
            _check("using", using, is_right, "an alias, several, or None for all")
            self.using = frozenset(aliases)

    def __call__(self, function):
        name = "retry_on_disconnect"
        if not callable(function):
            raise TypeError("%s cannot decorate %r" % (name, function))
        if inspect.isgeneratorfunction(function) or getattr(
            inspect, "isasyncgenfunction", lambda _: False
        )(function):
            raise TypeError(
                "%s cannot decorate the generator function %r: its body runs when the "
                "call has returned. Decorate what calls it." % (name, function)
            )
        if getattr(inspect, "iscoroutinefunction", lambda _: False)(function):
            from django_compat import _async

            return _async.decorate_retry(self, function)

        @six.wraps(function)
        def retried(*args, **kwargs):
            before, delay = self.begin(), self.delay
            for attempt in range(1, self.attempts + 1):
                try:
                    return function(*args, **kwargs)
                except Exception as error:
                    if not self.is_retried(error, attempt, before):
                        raise
                    if not self.prepare(function, error, attempt, before, delay):
                        raise
                # Out of the block: the next error has no __context__ of this one.
                time.sleep(delay)
                delay *= self.backoff

        return retried

    def begin(self):
        """Note the state in which a call begins; in the thread of the connections."""
        return between.begin(self.using)

    def is_retried(self, error, attempt, before):
        """Tell whether there is another attempt, and this error is one for it."""
        return attempt < self.attempts and before is not None and is_disconnect(error)

    def prepare(self, function, error, attempt, before, delay):
        """Close what is dead, in its thread; False when a transaction is in the way."""
        aliases = between.close_lost(self.using, before)
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
    if not is_right or isinstance(value, bool):
        text = "retry_on_disconnect(%s=%r): it must be %s"
        raise ValueError(text % (name, value, allowed))


def _is_number(value):
    return isinstance(value, six.integer_types + (float,)) and value < float("inf")


def retry_on_disconnect(attempts=2, delay=0, backoff=2, using=None):
    """Run a function again when it lost its database connection.

    A decorator for ``def`` and ``async def``, with and without parentheses. **You vouch
    that the function may run twice**: a statement that was sent may have had its
    effect, though its answer never came.

    :param attempts: how often it runs at most, the first time included.
    :param delay: seconds before the second attempt; the event loop is not blocked.
    :param backoff: what each further delay is multiplied by.
    :param using: an alias or several, whose dead connections are closed before the next
        attempt; None means all that this thread used.

    Only after what ``is_disconnect`` says is one. Never when the call began inside
    ``atomic()``, a legacy transaction or with autocommit off, of any alias: what the
    block did before cannot be done again here, so the error comes out at once, and so
    it is in a ``TestCase``. An ``atomic()`` inside the function is part of it, and runs
    again as a whole. After the last attempt its error comes out as it is. Each retry is
    logged as a warning on ``django_compat.disconnects``.

    It looks at the connections of the calling thread; for ``async def``, of the one
    that holds the ORM's. One that another thread shares is left alone, one that came
    through a fork is discarded. The idle ones of a psycopg pool are checked.

    ValueError for arguments of the wrong kind, TypeError for a generator function,
    ``ConnectionDoesNotExist``, at the call, for an unknown alias.

    .. versionadded:: 1.0
    """
    if callable(attempts):
        return Retry(2, delay, backoff, using)(attempts)
    return Retry(attempts, delay, backoff, using)
