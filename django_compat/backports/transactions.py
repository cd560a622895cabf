"""``commit()`` and ``rollback()`` that may stand in a block. No Django has them."""

from __future__ import absolute_import

from django.db import transaction
from django.db.transaction import TransactionManagementError

__all__ = ["commit", "rollback"]


def commit(using=None):
    """Commit the open transaction; inside ``atomic()`` leave that to the block.

    .. versionadded:: 1.0
    """
    try:
        transaction.commit(using=using)
    except TransactionManagementError:
        pass  # from 1.6 on a block is open; before, none is, and it is done


def rollback(using=None, sid=None):
    """Roll back the open transaction, or to the savepoint ``sid``.

    Inside ``atomic()``, without ``sid``, the block is marked: it rolls back at its end.

    .. versionadded:: 1.0
    """
    if sid:
        transaction.savepoint_rollback(sid, using=using)
        return
    try:
        transaction.rollback(using=using)
    except TransactionManagementError:
        if hasattr(transaction, "set_rollback"):  # Django 1.6+; else it is done already
            transaction.set_rollback(True, using=using)
