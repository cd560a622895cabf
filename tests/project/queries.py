"""Queries of the project's pages and programs; loads no more of Django than that."""

from __future__ import absolute_import

from django.db import connections

from support.sql import SESSION_ID


def session(alias="default"):
    """Return the server's number for the session of this thread's connection."""
    connection = connections[alias]
    cursor = connection.cursor()
    cursor.execute(SESSION_ID[connection.vendor])
    return cursor.fetchone()[0]
