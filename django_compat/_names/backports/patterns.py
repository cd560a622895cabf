"""Lists of routes whose views may be dotted names. Django has them until 1.9."""

from __future__ import absolute_import

import six
from django.core.exceptions import ImproperlyConfigured
from django.urls import get_callable

try:
    from django.urls import re_path

    from django_compat._names.backports.resolvers import RegexURLPattern
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path
    from django.urls import RegexURLPattern

__all__ = ["patterns", "url"]


class _ByName(RegexURLPattern):
    """A route whose view is a dotted name, imported at its first use."""

    @property
    def callback(self):
        """The view; ViewDoesNotExist or ImportError if the name is wrong."""
        return get_callable(self._view_name)

    @callback.setter
    def callback(self, view_name):
        self._view_name = view_name

    def add_prefix(self, prefix):
        """Put a module before the name of the view."""
        if prefix:
            self._view_name = prefix + "." + self._view_name


def url(regex, view, kwargs=None, name=None, prefix=""):
    """Return a route; its view is a function, ``include()``, or a dotted name.

    ``prefix`` is the module of a view that is a name.

    .. versionadded:: 1.0
    """
    if not isinstance(view, six.string_types):
        return re_path(regex, view, kwargs, name)
    if not view:
        raise ImproperlyConfigured("url(%r, view=''): the view has no name" % (regex,))
    route = _ByName(regex, view, kwargs, name)
    route.add_prefix(prefix)
    return route


def patterns(prefix, *routes):
    """Return the routes as a list, after ``url()`` of each tuple.

    ``prefix`` is the module of the views that are names; it may be empty.

    .. versionadded:: 1.0
    """
    routes = [
        url(*route) if isinstance(route, (list, tuple)) else route for route in routes
    ]
    for route in routes:
        if isinstance(route, _ByName):
            route.add_prefix(prefix)
    return routes
