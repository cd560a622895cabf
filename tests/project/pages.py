"""The only page: which process answers, in which sessions, and which it inherited."""

from __future__ import absolute_import

import json
import os

from asked import session
from django.conf import settings
from django.http import HttpResponse

try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

inherited = None


def sessions():
    """Return the session of each database, by its alias."""
    return dict((alias, session(alias)) for alias in settings.DATABASES)


def page(request):
    found = {"pid": os.getpid(), "sessions": sessions(), "inherited": inherited}
    found["session"] = found["sessions"]["default"]
    return HttpResponse(json.dumps(found))


urlpatterns = [re_path(r"^$", page)]
