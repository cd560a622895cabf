"""Marks for functions. ``login_not_required`` is needless from Django 5.1 on,
``async_unsafe`` from 3.0.
"""

from __future__ import absolute_import

__all__ = ["async_unsafe", "login_not_required"]


def login_not_required(view_func):
    """Mark a view as open to all, for a LoginRequiredMiddleware.

    .. versionadded:: 1.0
    """
    view_func.login_required = False
    return view_func


def async_unsafe(message):
    """Return a function as it is; until Django 2.2 nothing is asynchronous.

    May be used with a message: ``@async_unsafe("...")``.

    .. versionadded:: 1.0
    """
    if callable(message):
        return message
    return lambda function: function
