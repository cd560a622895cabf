"""Look at a connection before each cursor, for processes with no units of work."""

from __future__ import absolute_import

from logging import getLogger

import six

from django_compat._versions import BaseDatabaseWrapper
from django_compat.closing import close_if_stale

__all__ = ["Guard", "guard_connections"]

logger = getLogger(__name__)

# What every cursor, and every atomic(), goes through first. Until Django 1.5 there is
# no ensure_connection(), and no atomic().
_NAME = "ensure_connection"
if not hasattr(BaseDatabaseWrapper, _NAME):
    _NAME = "cursor"

# All are changed under the GIL by single operations.
_guards = []  # those that are on
_patches = {}  # our functions: the ones that they call
_opening = set()  # by id(connection): to open one takes cursors, too


def _guarded(original):
    """Return what looks first, as long as there is a guard, and then does the same."""

    @six.wraps(original)
    def look_first(connection, *args, **kwargs):
        key = id(connection)
        if _guards and connection.connection is not None and key not in _opening:
            reason = close_if_stale(connection)
            if reason:
                logger.warning(
                    "%r: %s. A new session begins; temporary tables, locks and session "
                    "variables of the old one are gone.",
                    connection.alias,
                    reason,
                )
        if connection.connection is not None:
            return original(connection, *args, **kwargs)
        _opening.add(key)
        try:
            return original(connection, *args, **kwargs)
        finally:
            _opening.discard(key)

    return look_first


class Guard(object):
    """What ``guard_connections`` returns: ``undo()`` ends it, and so does ``with``."""

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.undo()

    def undo(self):
        """End this guard; the last one takes the patch away."""
        if self in _guards:
            _guards.remove(self)
        current = vars(BaseDatabaseWrapper)[_NAME]
        if not _guards and current in _patches:  # not what somebody else put over it
            setattr(BaseDatabaseWrapper, _NAME, _patches.pop(current))


def guard_connections():
    """Drop stale connections before each new cursor, in every thread, from now on.

    For interactive processes (``manage.py shell``, a notebook), which idle between two
    statements and have no units of work. Outside of a transaction each cursor, and each
    ``atomic()``, first does what ``close_stale_connections`` does; it costs one
    ``poll()``. With the old session its temporary tables, locks and session variables
    are gone: that is logged as a warning. Inside a transaction nothing is done. It
    stays on in a forked child. With ``INSTALLED_APPS`` it is on in ``shell`` and
    ``shell_plus`` by itself.

    Returns a Guard; its ``undo()`` ends it.

    .. versionadded:: 1.0
    """
    guard = Guard()
    if not _guards:
        original = vars(BaseDatabaseWrapper)[_NAME]
        patch = _guarded(original)
        _patches[patch] = original
        setattr(BaseDatabaseWrapper, _NAME, patch)
    _guards.append(guard)
    return guard
