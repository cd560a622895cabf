"""Tasks for pools of threads: each returns the number of its thread's session."""

from __future__ import absolute_import

import threading

from django.db import connections

from support.databases import open_connection, session_id


def ask(alias):
    """Open the alias in this thread with CONN_MAX_AGE None; return the session."""
    return session_id(open_connection(alias, None))


def ask_again(alias):
    """Return the session of the alias in this thread, where it may be open."""
    return session_id(connections[alias])


def meeting(number):
    """Return a task for so many threads at once: none ends before all have begun."""
    begun, all_begun = [], threading.Event()

    def ask_together(alias):
        session = ask(alias)
        begun.append(session)
        if len(begun) == number:
            all_begun.set()
        assert all_begun.wait(10)
        return session

    return ask_together
