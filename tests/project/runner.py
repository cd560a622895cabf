"""A task runner: for each line of stdin a task, between Django's two calls."""

from __future__ import absolute_import, print_function

import json
import sys

import django
from django import db
from django.conf import settings

from queries import session

if hasattr(django, "setup"):  # Django 1.7+
    django.setup()
elif "django_compat" in settings.INSTALLED_APPS:
    from django_compat.apps import install

    install()

# Django 1.6+ has the function; before, close_connection was called there.
close_old = getattr(db, "close_old_connections", None) or db.close_connection


def run_task():
    close_old()
    try:
        return {"session": session()}
    except Exception as error:
        return {"error": repr(error)}
    finally:
        close_old()


for _ in iter(sys.stdin.readline, ""):
    print(json.dumps(run_task()))
    sys.stdout.flush()
