"""Ask a database for what tests need to know; loads no more of Django than that."""

from __future__ import absolute_import

from django.db import connections

SESSION_ID = {
    "mysql": "SELECT CONNECTION_ID()",
    "postgresql": "SELECT pg_backend_pid()",
}


def session(alias="default"):
    """Return the server's number for the session of this thread's connection."""
    connection = connections[alias]
    cursor = connection.cursor()
    cursor.execute(SESSION_ID[connection.vendor])
    return cursor.fetchone()[0]
