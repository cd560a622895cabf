"""Scopes: what a request is for a web process, for every other kind of code."""

from __future__ import absolute_import

import inspect

import six

from django_compat import units

__all__ = ["closing_connections", "fresh_connections"]


class Scope(object):
    """What ``fresh_connections`` returns.

    One object may serve in many threads and tasks at once: it holds no state.
    """

    using = None  # for all aliases
    closes = False
    name = "fresh_connections"

    __enter__ = units.begin
    __exit__ = units.end

    def __aenter__(self):
        from django_compat import _async

        return _async.enter_scope(self)

    def __aexit__(self, kind, error, traceback):
        from django_compat import _async

        return _async.leave_scope(self, kind, traceback)

    def __call__(self, function):
        if not callable(function):
            raise TypeError("%s cannot decorate %r" % (self.name, function))
        if inspect.isgeneratorfunction(function) or getattr(
            inspect, "isasyncgenfunction", lambda _: False
        )(function):
            raise TypeError(
                "%s cannot decorate the generator function %r: its body runs when the "
                "call has returned. Use the scope inside of it." % (self.name, function)
            )
        if getattr(inspect, "iscoroutinefunction", lambda _: False)(function):
            from django_compat import _async

            return _async.decorate(self, function)

        @six.wraps(function)
        def scoped(*args, **kwargs):
            with self:
                return function(*args, **kwargs)

        return scoped


class ClosingScope(Scope):
    """What ``closing_connections`` returns."""

    closes = True
    name = "closing_connections"


def _choose(scope, using):
    if callable(using):
        return scope(using)
    is_one = isinstance(using, six.string_types)
    scope.using = frozenset([using] if is_one else using)
    return scope


def fresh_connections(using=None):
    """Begin and end a unit of work, as a request begins and ends one.

    ``with``, ``async with``, or a decorator for ``def`` and ``async def``, with and
    without parentheses. ``using`` is an alias or several of them; None means all.

    It begins with what Django does when a request starts: connections past CONN_MAX_AGE
    or broken are closed, the query log is emptied. And those that are stale are closed,
    at no round trip: hung up by the server, come through a fork, idle for longer than
    CONN_MAX_IDLE. So the first query of the unit finds a connection that works, or
    opens one. It ends as a request ends; CONN_MAX_AGE keeps its meaning. When the body
    raises, every connection is asked whether it still works, and one whose query may
    have been interrupted half way is closed.

    A connection that is inside ``atomic()`` when the scope begins is left alone, so
    tests run as before. Of nested scopes the outermost acts. What closing raises is
    logged, never raised, and the body's own exception comes out. It looks after the
    connections of the calling thread; ``async with`` after those of the thread that
    holds the ORM's. Tasks share these: only the last to leave closes them for their
    age. A child that was forked in the body gives up what it inherited.

    TypeError for a generator function, ``ConnectionDoesNotExist`` for an unknown alias.

    .. versionadded:: 1.0
    """
    return Scope() if using is None else _choose(Scope(), using)


def closing_connections(using=None):
    """Do what ``fresh_connections`` does, and close every connection at the end.

    For code that is the last to use its thread or process: the target of a Thread, a
    forked child, a script. A connection that was inside ``atomic()`` before stays open.

    .. versionadded:: 1.0
    """
    return ClosingScope() if using is None else _choose(ClosingScope(), using)
