"""Names that this Django never looks at, so that code which mentions them runs.

``ALL_FIELDS`` and ``add_preserved_filters`` are needed before Django 1.6,
``AppConfig``, ``AppRegistryNotReady`` and ``setup`` before 1.7,
``get_complete_version`` before 1.8, ``async_unsafe`` before 3.0, ``FullResultSet``
before 4.2, ``login_not_required`` before 5.1. Django has ``available_attrs``, ``npath``
and ``upath`` until 2.2.
"""

from __future__ import absolute_import

from functools import WRAPPER_ASSIGNMENTS

import django

__all__ = [
    "ALL_FIELDS",
    "AppConfig",
    "AppRegistryNotReady",
    "FullResultSet",
    "add_preserved_filters",
    "async_unsafe",
    "available_attrs",
    "get_complete_version",
    "login_not_required",
    "npath",
    "setup",
    "upath",
]

ALL_FIELDS = None  # the form takes every field of the model


class AppConfig(object):
    """The base of a class in ``apps.py``; Django before 1.7 does not read the file.

    .. versionadded:: 1.0
    """

    name = None
    label = None
    verbose_name = None

    def ready(self):
        """Initialise the application; Django before 1.7 never calls this method."""


class AppRegistryNotReady(Exception):
    """The applications are not loaded yet. Django before 1.7 never raises this.

    .. versionadded:: 1.0
    """


class FullResultSet(Exception):
    """A query condition is true for every row. Django before 4.2 never raises this.

    .. versionadded:: 1.0
    """


def async_unsafe(message):
    """Return the decorated function unchanged: Django before 3.0 has no async code.

    The decorator may have a message: ``@async_unsafe("...")``.

    .. versionadded:: 1.0
    """
    if callable(message):
        return message
    return lambda function: function


def available_attrs(fn):
    """Return the names of the attributes that ``functools.wraps`` copies.

    Django needed the function on Python 2, where ``wraps`` fails for a callable that
    lacks one of the attributes. Python 3 skips a missing attribute.

    .. versionadded:: 1.0
    """
    return WRAPPER_ASSIGNMENTS


def login_not_required(view_func):
    """Mark a view for LoginRequiredMiddleware as open to everybody.

    .. versionadded:: 1.0
    """
    view_func.login_required = False
    return view_func


def add_preserved_filters(context, url, popup=False, to_field=None):
    """Return the URL: the admin before Django 1.6 forgets the filters of a list.

    .. versionadded:: 1.0
    """
    return url


def get_complete_version(version=None):
    """Return a version as the tuple of five that ``django.VERSION`` is, the default.

    .. versionadded:: 1.0
    """
    return django.VERSION if version is None else version


def upath(path):
    """Return the path: on Python 3 each path is a text.

    .. versionadded:: 1.0
    """
    return path


npath = upath


def setup():
    """Do nothing: Django before 1.7 has no registry of applications to fill.

    .. versionadded:: 1.0
    """
