"""HTML fragments with escaped values. Needless from Django 1.5 on."""

from __future__ import absolute_import

import six
from django.utils.html import conditional_escape
from django.utils.safestring import mark_safe

__all__ = ["format_html", "format_html_join"]


def format_html(format_string, *args, **kwargs):
    """Return ``format_string.format(...)`` as safe HTML, with each value escaped.

    Values that are safe already are taken as they are. Without values, TypeError, as
    from Django 6.0 on: the string was formatted before, and nothing is escaped.

    .. versionadded:: 1.0
    """
    if not (args or kwargs):
        raise TypeError("format_html(%r): it needs values to format" % format_string)
    args = [conditional_escape(each) for each in args]
    kwargs = dict((name, conditional_escape(kwargs[name])) for name in kwargs)
    return mark_safe(six.text_type(format_string).format(*args, **kwargs))


def format_html_join(sep, format_string, args_generator):
    """Return one ``format_html`` for each tuple of values, with ``sep`` between them.

    ``sep`` is escaped too, unless it is safe.

    .. versionadded:: 1.0
    """
    parts = (format_html(format_string, *args) for args in args_generator)
    return mark_safe(conditional_escape(sep).join(parts))
