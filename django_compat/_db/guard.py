"""Look at a session where Django itself does not: changes of Django's own methods.

Nothing is changed until ``guard_connections()`` or ``apps.install()`` asks for it, and
``undo()`` takes the change back.
"""

from __future__ import absolute_import

from logging import getLogger

import six
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.db.backends.signals import connection_created

from django_compat._db import pools
from django_compat._db.closing import close_if_stale, free_locks
from django_compat._db.stale import is_quiet
from django_compat._db.values import is_a, shown
from django_compat._db.versions import BaseDatabaseWrapper, is_borrowed

__all__ = [
    "FIRST_STEP",
    "GUARDED_COMMANDS",
    "Guard",
    "Patch",
    "guard_connections",
    "guarded_commands",
    "look_at_old_connections",
]

# Commands that are interactive, or live long and query between two units of work.
GUARDED_COMMANDS = (
    "db_worker",
    "procrastinate",
    "qcluster",
    "rqworker",
    "run_huey",
    "rundramatiq",
    "shell",
    "shell_plus",
)
# A public name, not __name__: users configure this logger.
logger = getLogger("django_compat.guard")


class Patch(object):
    """A method of Django's connections, changed while at least one guard is on.

    ``wrap`` makes the new function of the old one. A backend that overrides the method
    in a class of its own is changed, too: now, or when its first connection opens. The
    GIL guards all attributes: each change is a single operation.
    """

    def __init__(self, name, wrap):
        self.name = name
        self.wrap = wrap
        self.guards = []
        self.originals = {}  # {class: (our function, the function that it calls)}

    def add(self, guard):
        self.guards.append(guard)
        if len(self.guards) == 1:
            for cls in _with_subclasses(BaseDatabaseWrapper):
                self.change(cls)
            connection_created.connect(self.see)

    def see(self, connection, **kwargs):
        """Receive connection_created."""
        for cls in type(connection).__mro__:
            if self.guards and cls not in self.originals:
                self.change(cls)

    def change(self, cls):
        original = vars(cls).get(self.name)
        if original is None:  # inherited, or a Django without the method
            return
        ours = six.wraps(original)(self.wrap(original, self.guards))
        self.originals[cls] = ours, original
        setattr(cls, self.name, ours)

    def remove(self, guard):
        if guard in self.guards:
            self.guards.remove(guard)
        if self.guards:
            return
        connection_created.disconnect(self.see)
        for cls, (ours, original) in list(self.originals.items()):
            if vars(cls).get(self.name) is ours:  # else somebody patched over ours
                setattr(cls, self.name, original)
                del self.originals[cls]


def _with_subclasses(cls):
    return {cls}.union(*map(_with_subclasses, cls.__subclasses__()))


# The ids of connections being opened, which takes cursors, too, or being left alone.
_opening = set()


def _look_at_cursors(original, guards):
    """Return a function that drops a stale connection, then calls the original."""

    def look_first(connection, *args, **kwargs):
        # Django raises its own error for a connection of another thread.
        looks = guards and not is_borrowed(connection)
        if looks:
            free_locks(connection)
        if connection.connection is not None:
            if (
                looks
                and not getattr(connection, "in_atomic_block", False)  # Django 1.6+
                and not is_quiet(connection)
                and id(connection) not in _opening
            ):
                close_if_stale(connection, log=logger)
            if connection.connection is not None:
                return original(connection, *args, **kwargs)
        key = id(connection)
        if guards and key not in _opening:
            pools.drop_dead_sessions([connection.alias])
        try:
            _opening.add(key)
            return original(connection, *args, **kwargs)
        finally:
            _opening.discard(key)

    return look_first


def _leave_alone(original, guards):
    """Return a function during which the guard does not look at the connection."""

    def unguarded(connection):
        is_outermost = id(connection) not in _opening
        try:
            _opening.add(id(connection))
            return original(connection)
        finally:
            if is_outermost:
                _opening.discard(id(connection))

    return unguarded


def _look_when_old(original, guards):
    """Return a function that drops a stale connection, then does Django's look."""

    def look_first(connection, *args, **kwargs):
        if (
            connection.connection is None
            or not guards
            or getattr(connection, "in_atomic_block", False)
            or is_quiet(connection)
            or is_borrowed(connection)
        ):
            return original(connection, *args, **kwargs)
        failed = getattr(connection, "errors_occurred", False)
        close_if_stale(connection)
        result = original(connection, *args, **kwargs)
        if failed and connection.connection is not None:
            connection.health_check_done = True  # Django 4.1+: so says Django, too
        return result

    return look_first


def _look_at_pools(original, guards):
    """Return a function that connects when the pool's dead sessions are gone."""

    def look_first(connection, *args, **kwargs):
        if guards:
            pools.drop_dead_sessions([connection.alias])
        return original(connection, *args, **kwargs)

    return look_first


# Every cursor and every atomic() calls ensure_connection() first. Until Django 1.5
# there is no such method, and no atomic().
_HAS_ENSURE = hasattr(BaseDatabaseWrapper, "ensure_connection")
FIRST_STEP = "ensure_connection" if _HAS_ENSURE else "cursor"
_cursors = Patch(FIRST_STEP, _look_at_cursors)
# Django 1.6 and 1.7: execute() calls it, and it calls ensure_connection().
_executions = Patch("set_dirty", _leave_alone)
# close_old_connections() calls it for each connection: Django 1.6+
_old = Patch("close_if_unusable_or_obsolete", _look_when_old)
_connects = Patch("connect", _look_at_pools)  # Django 1.6+


class Guard(object):
    """A change that is on: ``undo()`` ends it, and so does ``with``."""

    def __init__(self, *patches):
        self.patches = patches
        for patch in patches:
            patch.add(self)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.undo()

    def undo(self):
        """End this change; the last one gives Django its method back."""
        for patch in self.patches:
            patch.remove(self)


def guard_connections():
    """Drop stale connections before each new cursor, in every thread, from now on.

    For interactive processes (``manage.py shell``, a notebook), which idle between two
    statements and have no units of work. Outside of a transaction each cursor, and
    each ``atomic()``, first does for its connection the work of
    ``close_stale_connections``, at the cost of one ``poll()``. Temporary tables, locks,
    LISTEN and session variables are gone with the old session: a warning is logged.
    Inside a transaction nothing is done. The guard stays on in a forked child. With
    ``INSTALLED_APPS`` it is on by itself in the commands that the setting
    DJANGO_COMPAT_GUARDED_COMMANDS names, and in a kernel of Jupyter's.

    Returns a Guard; its ``undo()`` ends the guard.

    .. versionadded:: 1.0
    """
    return Guard(_cursors, _executions)


def look_at_old_connections():
    """Let Django's own ``close_old_connections`` find what the server hung up."""
    return Guard(_old, _connects)


def guarded_commands():
    """Return DJANGO_COMPAT_GUARDED_COMMANDS, or the default."""
    commands = getattr(settings, "DJANGO_COMPAT_GUARDED_COMMANDS", GUARDED_COMMANDS)
    is_right = is_a(commands, (list, tuple, set, frozenset)) and all(
        is_a(command, six.string_types) for command in commands
    )
    if not is_right:
        raise ImproperlyConfigured(
            "DJANGO_COMPAT_GUARDED_COMMANDS is %s; it must be a list of the names of "
            "management commands, such as ['shell', 'db_worker']." % shown(commands)
        )
    return commands
