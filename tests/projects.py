"""Run the project in tests/project in processes of its own."""

from __future__ import absolute_import

import json
import os

import conftest
import django_compat
from django.db import connections

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "project")
KEYS = ("ENGINE", "HOST", "NAME", "PASSWORD", "PORT", "USER")


def environment(alias, apps=(), options=(), **settings):
    """Return the environment in which the project's default database is the alias's.

    ``options`` are the OPTIONS of its database, ``settings`` the project's.
    """
    settings_dict = connections[alias].settings_dict
    database = dict((key, settings_dict[key]) for key in KEYS)
    database.update(OPTIONS=dict(options), CONN_MAX_AGE=None)
    values = dict(settings, DATABASES={"default": database}, INSTALLED_APPS=list(apps))
    package = os.path.dirname(os.path.dirname(os.path.abspath(django_compat.__file__)))
    return dict(
        os.environ,
        DJANGO_COMPAT_TEST_DRIVERS=" ".join(conftest.DRIVERS),
        DJANGO_COMPAT_TEST_SETTINGS=json.dumps(values),
        DJANGO_SETTINGS_MODULE="settings",
        PYTHONPATH=os.pathsep.join([FOLDER, package]),
        PYTHONUNBUFFERED="1",
    )
