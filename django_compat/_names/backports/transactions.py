"""Transactions: ``atomic()``, and ``commit()`` and ``rollback()`` inside a block.

``atomic`` is needed before Django 1.6. No Django has this ``commit`` and ``rollback``.
"""

from __future__ import absolute_import

from functools import wraps

from django.db import DEFAULT_DB_ALIAS, connections, transaction
from django.db.transaction import TransactionManagementError

__all__ = ["atomic", "commit", "rollback"]


class _Atomic(object):
    """One block, made of commits, roll-backs and savepoints.

    Two attributes of the connection, which belongs to one thread, hold the state:
    ``_django_compat_depth`` is the number of open blocks, and ``_django_compat_broken``
    means that the innermost of them must roll back.
    """

    def __init__(self, using, savepoint):
        self.using = using
        self.savepoint = savepoint
        # For each entry of this block, the innermost last: the connection, the depth
        # before, whether the block began the transaction, and its savepoint.
        self._entered = []

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
        elif self.savepoint or depth == 0:  # depth 0: inside Django's commit_on_success
            # uses_savepoints of a new connection is known after its first cursor.
            connection.cursor()
            sid = connection.savepoint()
        connection._django_compat_depth = depth + 1
        self._entered.append((connection, depth, is_outermost, sid))

    def __exit__(self, error_class, error, traceback):
        connection, depth, is_outermost, sid = self._entered.pop()
        connection._django_compat_depth = depth
        succeeded = error_class is None and not connection._django_compat_broken
        if is_outermost:
            try:
                self._end_transaction(connection, succeeded)
            finally:
                connection.leave_transaction_management()
        elif sid is None:
            # The outer block rolls back, even if it catches the error.
            connection._django_compat_broken = not succeeded
        elif succeeded:
            connection.savepoint_commit(sid)
        else:
            connection.savepoint_rollback(sid)
            has_savepoints = connection.features.uses_savepoints
            connection._django_compat_broken = not has_savepoints

    def _end_transaction(self, connection, succeeded):
        connection._django_compat_broken = False
        if not succeeded:
            connection.rollback()
            return
        try:
            connection.commit()
        except BaseException:
            connection.rollback()
            raise


def atomic(using=None, savepoint=True, durable=False):
    """Commit the changes of a block or a decorated function; roll back if it raises.

    A block inside another block is a savepoint. With ``savepoint=False`` there is no
    savepoint, and an error in the inner block rolls back the outer block. The same
    happens where this Django uses no savepoints: on SQLite. With ``durable`` the block
    must be the outermost, else it raises RuntimeError.

    Differences from Django 1.6: ``connection.in_atomic_block`` and ``on_commit`` do not
    exist, an explicit ``commit()`` in the block commits, and a query after a database
    error is not refused. Inside ``commit_on_success`` the block is a savepoint.

    .. versionadded:: 1.0
    """
    if callable(using):
        return _Atomic(DEFAULT_DB_ALIAS, savepoint)(using)
    if durable:
        return _Durable(using, savepoint)
    return _Atomic(using, savepoint)


class _Durable(_Atomic):
    """A block that refuses to be inside another block."""

    def __enter__(self):
        if connections[self.using or DEFAULT_DB_ALIAS].is_managed():
            text = "atomic(using=%r, durable=True): a transaction is already open"
            raise RuntimeError(text % (self.using,))
        super(_Durable, self).__enter__()


def commit(using=None):
    """Commit the open transaction; inside ``atomic()`` the block commits at its end.

    .. versionadded:: 1.0
    """
    try:
        transaction.commit(using=using)
    except TransactionManagementError:
        # Django 1.6+: inside atomic(), which commits at its end. Before 1.6: no
        # transaction is open, and each statement was committed.
        pass


def rollback(using=None, sid=None):
    """Roll back the open transaction, or to the savepoint ``sid``.

    Inside ``atomic()`` and without ``sid``, mark the block: it rolls back at its end.

    .. versionadded:: 1.0
    """
    if sid:
        transaction.savepoint_rollback(sid, using=using)
        return
    try:
        transaction.rollback(using=using)
    except TransactionManagementError:
        if hasattr(transaction, "set_rollback"):  # Django 1.6+; before, none is open
            transaction.set_rollback(True, using=using)
