"""What ``functools.wraps`` copies. Django has ``available_attrs`` until 2.2."""

from __future__ import absolute_import

from functools import WRAPPER_ASSIGNMENTS

__all__ = ["available_attrs"]


def available_attrs(fn):
    """Return the names of the attributes that ``functools.wraps`` is to copy.

    On Python 3, which needs it no more, all of them.

    .. versionadded:: 1.0
    """
    return WRAPPER_ASSIGNMENTS
