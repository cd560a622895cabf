"""What is looked at before the first attempt, and done before the next one."""

from __future__ import absolute_import

from django_compat._versions import (
    connection_pools,
    is_borrowed,
    is_in_block,
    is_in_transaction,
    used_connections,
)
from django_compat.closing import close, is_own, select
from django_compat.drivers import is_embedded, is_interrupted, is_usable
from django_compat.forks import discard_pools

__all__ = ["begin", "close_lost"]

LOST = "its connection was lost"


def begin(using):
    """Return the aliases that are closed after an error; None inside a transaction.

    Inside one of any alias: what was done in it is part of what would be repeated.
    """
    select(using)  # for an unknown alias
    found = used_connections()
    for connection in found.values():
        is_open = connection.connection is not None
        # One that is closed has autocommit off until it is opened (Django 1.6+).
        if is_in_block(connection) or (is_open and is_in_transaction(connection)):
            return None
    return {alias for alias in found if _was_lost(found[alias])}


def close_lost(using, before):
    """Close what does not work; return the aliases, where known, that lost theirs.

    None, and nothing is done, when a transaction is in the way: a block that was left
    open, or AUTOCOMMIT False, where a part may have been committed. ``before`` is what
    ``begin`` returned.
    """
    for connection in used_connections().values():
        is_manual = not connection.settings_dict.get("AUTOCOMMIT", True)
        was_used = connection.connection is not None or _was_lost(connection)
        if is_in_block(connection) or (is_manual and was_used):
            return None
    discard_pools(using)
    selected = select(using)
    found = [each for each in selected if _close(each) or _was_lost(each)]
    aliases = {connection.alias for connection in found} - before
    if not aliases:
        # atomic() may have closed it, and opened another to end with.
        found = [each.alias for each in selected if _has_server(each)]
        aliases = found if len(found) == 1 else []
    pools = connection_pools()
    for pool in {pools[each.alias] for each in selected if each.alias in pools}:
        # What idles in it was most likely lost too, and is handed out without a look
        # unless CONN_HEALTH_CHECKS is on (Django 5.1+).
        pool.check()
    return sorted(aliases)


def _was_lost(connection):
    """Tell whether it is closed since an error, as atomic() does when it ends."""
    failed = getattr(connection, "errors_occurred", False)  # Django 1.6+
    return failed and connection.connection is None


def _has_server(connection):
    raw = connection.connection
    return raw is not None and not is_embedded(raw)


def _close(connection):
    """Close it when it does not work; tell whether it did."""
    if connection.connection is None or is_borrowed(connection):
        return False
    if not is_own(connection):
        return False
    # With autocommit off what was left undone would be part of the next attempt.
    works = not is_in_transaction(connection)
    works = works and not is_interrupted(connection.connection)
    if works and is_usable(connection):
        return False
    return close(connection, LOST)
