"""Quoting of URLs, for lazy texts too. Django has these until 3.2."""

from __future__ import absolute_import

from django.utils.functional import keep_lazy_text
from six.moves.urllib import parse

__all__ = ["urlquote", "urlquote_plus", "urlunquote", "urlunquote_plus"]


@keep_lazy_text
def urlquote(url, safe="/"):
    """Return ``urllib.parse.quote()`` of a text.

    .. versionadded:: 1.0
    """
    return parse.quote(str(url), safe)


@keep_lazy_text
def urlquote_plus(url, safe=""):
    """Return ``urllib.parse.quote_plus()`` of a text.

    .. versionadded:: 1.0
    """
    return parse.quote_plus(str(url), safe)


@keep_lazy_text
def urlunquote(quoted_url):
    """Return ``urllib.parse.unquote()`` of a text.

    .. versionadded:: 1.0
    """
    return parse.unquote(str(quoted_url))


@keep_lazy_text
def urlunquote_plus(quoted_url):
    """Return ``urllib.parse.unquote_plus()`` of a text.

    .. versionadded:: 1.0
    """
    return parse.unquote_plus(str(quoted_url))
