"""The only page: the process that answers, its sessions, and its parent's sessions."""

from __future__ import absolute_import

import json
import os

from django.conf import settings
from django.http import HttpResponse

from queries import session

try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

inherited = None  # wsgi.py sets it before the server forks


def sessions():
    """Return the session of each database, by its alias."""
    return dict((alias, session(alias)) for alias in settings.DATABASES)


def page(request):
    answer = {"pid": os.getpid(), "sessions": sessions(), "inherited": inherited}
    answer["session"] = answer["sessions"]["default"]
    return HttpResponse(json.dumps(answer))


urlpatterns = [re_path(r"^$", page)]
