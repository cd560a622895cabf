"""``atomic()`` by commits, roll-backs and savepoints. Needless from Django 1.6 on."""

from __future__ import absolute_import

from functools import wraps

from django.db import DEFAULT_DB_ALIAS, connections

__all__ = ["atomic"]


class _Atomic(object):
    """One block; the connection counts those around it, and belongs to one thread."""

    def __init__(self, using, savepoint):
        self.using = using
        self.savepoint = savepoint
        self._entered = []  # what each entry of this block was, the innermost last

    def __call__(self, function):
        @wraps(function)
        def inner(*args, **kwargs):
            with type(self)(self.using, self.savepoint):
                return function(*args, **kwargs)

        return inner

    def __enter__(self):
        connection = connections[self.using or DEFAULT_DB_ALIAS]
        depth = getattr(connection, "_django_compat_depth", 0)
        if depth == 0:
            connection._django_compat_broken = False
        is_outermost, sid = not connection.is_managed(), None
        if is_outermost:
            connection.enter_transaction_management()
            connection.managed(True)
        elif self.savepoint or depth == 0:  # or a block of this Django's own is around
            connection.cursor()  # makes it know whether there are savepoints
            sid = connection.savepoint()
        connection._django_compat_depth = depth + 1
        self._entered.append((connection, depth, is_outermost, sid))

    def __exit__(self, kind, error, traceback):
        connection, depth, is_outermost, sid = self._entered.pop()
        connection._django_compat_depth = depth
        is_well = kind is None and not connection._django_compat_broken
        if is_outermost:
            try:
                self._end(connection, is_well)
            finally:
                connection.leave_transaction_management()
        elif sid is None:
            # The block around it is to be rolled back, even if it goes on.
            connection._django_compat_broken = not is_well
        elif is_well:
            connection.savepoint_commit(sid)
        else:
            connection.savepoint_rollback(sid)
            has_savepoints = connection.features.uses_savepoints
            connection._django_compat_broken = not has_savepoints

    def _end(self, connection, is_well):
        connection._django_compat_broken = False
        if not is_well:
            connection.rollback()
            return
        try:
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def atomic(using=None, savepoint=True, durable=False):
    """Commit what a block, or a decorated function, does; roll it back if it raises.

    A block inside another is a savepoint, or with ``savepoint=False`` nothing: then an
    error in it rolls back the one around, as it does where this Django knows of no
    savepoints: on SQLite. ``durable`` asks for the outermost block, else
    RuntimeError.

    What it does not do: ``connection.in_atomic_block`` and ``on_commit`` are not there,
    an explicit ``commit()`` in the block commits, and a query after a database error
    is not refused. Inside this Django's ``commit_on_success`` it is a savepoint.

    .. versionadded:: 1.0
    """
    if callable(using):
        return _Atomic(DEFAULT_DB_ALIAS, savepoint)(using)
    if durable:
        return _Durable(using, savepoint)
    return _Atomic(using, savepoint)


class _Durable(_Atomic):
    """A block that refuses to be inside another."""

    def __enter__(self):
        if connections[self.using or DEFAULT_DB_ALIAS].is_managed():
            text = "atomic(using=%r, durable=True): a block around it is open"
            raise RuntimeError(text % (self.using,))
        super(_Durable, self).__enter__()
