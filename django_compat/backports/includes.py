"""``include()`` as Django 1.9 and later know it; needless from Django 1.9 on."""

from __future__ import absolute_import

from importlib import import_module

import six
from django.conf import urls

__all__ = ["include"]


def include(arg, namespace=None, app_name=None):
    """Return what ``path``, ``re_path`` or ``url`` take to include other routes.

    ``arg`` is a module or its dotted name, a list of routes, or ``(routes, app_name)``.
    The application namespace may stand in the module as ``app_name``; the instance
    namespace is the same unless given. What this Django takes besides, it takes still:
    ``(routes, app_name, namespace)``, ``app_name`` as an argument, and a namespace
    without one.

    .. versionadded:: 1.0
    """
    if isinstance(arg, tuple) and len(arg) != 2:
        return urls.include(arg, namespace, app_name)
    if isinstance(arg, tuple):
        arg, app_name = arg
    if isinstance(arg, six.string_types):
        arg = import_module(arg)
    app_name = getattr(arg, "app_name", app_name)
    if app_name and not namespace:
        namespace = app_name
    return urls.include(arg, namespace, app_name)
