"""Exceptions to be caught that this Django never raises.

``AppRegistryNotReady`` is needless from Django 1.7 on, ``FullResultSet`` from 4.2.
"""

from __future__ import absolute_import

__all__ = ["AppRegistryNotReady", "FullResultSet"]


class AppRegistryNotReady(Exception):
    """The applications are not loaded yet.

    .. versionadded:: 1.0
    """


class FullResultSet(Exception):
    """A condition that every row fulfils.

    .. versionadded:: 1.0
    """
