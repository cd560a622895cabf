"""The facts of an application, where Django has no registry. Needless from 1.7 on."""

from __future__ import absolute_import

__all__ = ["AppConfig"]


class AppConfig(object):
    """A base for an app's class in ``apps.py``, which Django before 1.7 never reads.

    .. versionadded:: 1.0
    """

    name = None
    label = None
    verbose_name = None

    def ready(self):
        """Do what is to be done at the start; nobody calls it here."""
