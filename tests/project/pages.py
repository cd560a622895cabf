"""The only page: which process answers, in which session, and which it inherited."""

from __future__ import absolute_import

import json
import os

from django.db import connections
from django.http import HttpResponse

try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

SESSION_ID = {
    "mysql": "SELECT CONNECTION_ID()",
    "postgresql": "SELECT pg_backend_pid()",
}
inherited = None


def session(alias="default"):
    """Return the server's number for the session of this thread's connection."""
    connection = connections[alias]
    cursor = connection.cursor()
    cursor.execute(SESSION_ID[connection.vendor])
    return cursor.fetchone()[0]


def page(request):
    found = {"pid": os.getpid(), "session": session(), "inherited": inherited}
    return HttpResponse(json.dumps(found))


urlpatterns = [re_path(r"^$", page)]
