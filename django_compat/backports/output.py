"""A command's stdout that ends each line. Needless from Django 1.5 on."""

from __future__ import absolute_import

import six
from django.utils.encoding import smart_str

__all__ = ["OutputWrapper"]


class OutputWrapper(object):
    """A stream whose ``write`` ends with a line end, and may give the text a style.

    .. versionadded:: 1.0
    """

    def __init__(self, out, style_func=None, ending="\n"):
        self._out = out
        self.ending = ending
        self.style_func = six.text_type
        if style_func and hasattr(out, "isatty") and out.isatty():
            self.style_func = style_func

    def __getattr__(self, name):
        return getattr(self._out, name)

    def write(self, msg, style_func=None, ending=None):
        """Write a text; ``style_func`` and ``ending`` are for this one."""
        ending = self.ending if ending is None else ending
        if ending and not msg.endswith(ending):
            msg += ending
        self._out.write(smart_str((style_func or self.style_func)(msg)))
