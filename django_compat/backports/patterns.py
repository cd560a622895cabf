"""``patterns()``. Django has it until 1.9."""

from __future__ import absolute_import

__all__ = ["patterns"]


def patterns(prefix, *routes):
    """Return the routes as a list; a tuple becomes a route of ``re_path`` or ``url``.

    ``prefix`` must be empty: dotted names of views went with it.

    .. versionadded:: 1.0
    """
    if prefix:
        text = "patterns(%r, ...): it must be '', and the views functions, not names"
        raise ValueError(text % (prefix,))
    try:
        from django.urls import re_path
    except ImportError:  # before Django 2.0
        from django.conf.urls import url as re_path
    return [
        re_path(*each) if isinstance(each, (list, tuple)) else each for each in routes
    ]
