"""Slugs, lazy texts and HTML fragments.

``format_html`` and ``format_html_join`` are needed before Django 1.5, ``slugify``
before 1.9, ``format_lazy`` before 1.11. Django has ``javascript_quote`` until 1.8 and
``string_concat`` until 2.0.
"""

from __future__ import absolute_import

import re
import unicodedata

import six
from django.utils.functional import lazy
from django.utils.html import conditional_escape, escapejs
from django.utils.safestring import mark_safe

from django_compat._names.backports.utils import keep_lazy

__all__ = [
    "format_html",
    "format_html_join",
    "format_lazy",
    "javascript_quote",
    "slugify",
    "string_concat",
]


@keep_lazy(six.text_type)
def slugify(value, allow_unicode=False):
    """Return a lower-case text of letters, digits, ``_`` and hyphens.

    White space becomes a hyphen, other characters are dropped. Letters outside ASCII
    lose their accents or are dropped; with ``allow_unicode`` they stay.

    .. versionadded:: 1.0
    """
    value = six.text_type(value)
    if allow_unicode:
        value = unicodedata.normalize("NFKC", value)
    else:
        value = unicodedata.normalize("NFKD", value)
        value = value.encode("ascii", "ignore").decode("ascii")
    value = re.sub(r"[^\w\s-]", "", value, flags=re.UNICODE).strip().lower()
    return mark_safe(re.sub(r"[-\s]+", "-", value, flags=re.UNICODE))


def _join(*texts):
    return u"".join(six.text_type(text) for text in texts)


string_concat = lazy(_join, six.text_type)


def _format(format_string, *args, **kwargs):
    return six.text_type(format_string).format(*args, **kwargs)


format_lazy = lazy(_format, six.text_type)


def format_html(format_string, *args, **kwargs):
    """Return ``format_string.format(...)`` as safe HTML, with each value escaped.

    Values that are safe already are not escaped again. A call without values raises
    TypeError, as from Django 6.0 on: its string was probably formatted before, and then
    nothing would be escaped.

    .. versionadded:: 1.0
    """
    if not (args or kwargs):
        raise TypeError("format_html(%r): pass the values to format" % format_string)
    args = [conditional_escape(value) for value in args]
    kwargs = dict((name, conditional_escape(kwargs[name])) for name in kwargs)
    return mark_safe(six.text_type(format_string).format(*args, **kwargs))


def format_html_join(sep, format_string, args_generator):
    """Join the ``format_html`` of each tuple of values with ``sep``.

    ``sep`` is escaped too, unless it is safe.

    .. versionadded:: 1.0
    """
    parts = (format_html(format_string, *args) for args in args_generator)
    return mark_safe(conditional_escape(sep).join(parts))


def javascript_quote(s, quote_double_quotes=False):
    """Return ``escapejs(s)``, which escapes double quotes in each case.

    .. versionadded:: 1.0
    """
    return escapejs(s)
