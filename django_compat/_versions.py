"""Every conditional on a release of Django or Python that the connection code has."""

from __future__ import absolute_import

import time
from itertools import chain

import django
from django.db import connections


def used_connections():
    """Return ``{alias: connection}`` of this thread, and create none.

    It has the aliases that are missing from DATABASES too: set with
    ``connections[alias] = ...``, or taken out of the settings while open.
    """
    local = connections._connections  # asgiref's from Django 3.0, else threading's
    if hasattr(local, "_get_storage"):  # asgiref before 3.7 (a dict), and 3.13+
        storage = local._get_storage()
    else:
        storage = getattr(local, "_storage", local)
    if not isinstance(storage, dict):
        storage = getattr(storage, "__dict__", {})
    found = {}
    for alias in chain(connections, list(storage)):
        connection = getattr(local, alias, None)
        if hasattr(connection, "settings_dict"):  # asgiref keeps its own things there
            found[alias] = connection
    return found


def drop_raw(connection):
    """Forget the raw connection, and what legacy transactions knew of it."""
    if getattr(connection, "in_atomic_block", False):
        # Django drops it at the end of the block; a new one inside it would run in
        # autocommit mode (Django 1.6+).
        return
    connection.connection = None
    if django.VERSION < (1, 6):  # Django 1.4, 1.5
        connection.abort()  # without a raw connection it touches nothing but state
    elif django.VERSION < (1, 8):  # Django 1.6, 1.7
        # Not abort(): there it opens a connection to ask for autocommit.
        del connection.transaction_state[:]
        connection.set_clean()


def clock():
    """Return the time by the clock that ``connection.close_at`` is set from."""
    # Django 3.0+
    return time.monotonic() if django.VERSION >= (3, 0) else time.time()
