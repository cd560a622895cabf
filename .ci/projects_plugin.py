"""The pytest plugin of ``projects.py``: the settings of a project, with a few changed.

A project may name a module of settings, or call ``settings.configure()``. Both end in
``apps.populate()``, before which the databases and INSTALLED_APPS are changed here.
"""

from __future__ import absolute_import

import json
import os
import sys

from django.apps import apps
from django.conf import settings

DATABASES = json.loads(os.environ["PROJECT_DATABASES"])
IS_WITH = bool(os.environ["PROJECT_PACKAGE"])


def change_and_populate(installed_apps):
    del apps.populate  # override_settings() calls Django's own
    for alias, values in DATABASES.items():
        changed = dict(settings.DATABASES.get(alias, {}), **values)
        # Two aliases on one server are two databases.
        changed["TEST"] = dict(changed.get("TEST") or {}, NAME="test_" + alias)
        settings.DATABASES = dict(settings.DATABASES, **{alias: changed})
    if IS_WITH:
        kind = type(settings.INSTALLED_APPS)  # a suite may add more of the same kind
        settings.INSTALLED_APPS = kind(["django_compat"]) + settings.INSTALLED_APPS
    apps.populate(settings.INSTALLED_APPS)
    if IS_WITH:
        from django_compat import guard_connections

        guard_connections()


apps.populate = change_and_populate


def pytest_sessionfinish(session):
    """Fail the run unless it was the one that was asked for."""
    assert apps.ready
    assert apps.is_installed("django_compat") == IS_WITH
    assert ("django_compat" in sys.modules) == IS_WITH
    assert session.config.pluginmanager.has_plugin("django_compat_leaks") == IS_WITH
