"""Is a URL safe to redirect to? By the newest Django's rules, on every Django.

``url_has_allowed_host_and_scheme`` is needless from Django 5.0 on; ``is_safe_url``, its
old name, is gone in 4.0.
"""

from __future__ import absolute_import

import re
import unicodedata

import six

__all__ = ["is_safe_url", "url_has_allowed_host_and_scheme"]

_MAX_LENGTH = 2048  # of a URL, since Django 5.0
# RFC 3986. Not Python's urlsplit: until 3.6 it took "http:999" for a path, until 3.9
# it kept the line ends that browsers drop.
_PARTS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(//)?([^/?#]*)")


def _is_allowed(url, hosts, schemes):
    url = re.sub("[\t\r\n]", "", url) or "\n"
    # Browsers take three slashes for two.
    if url.startswith("///") or len(url) > _MAX_LENGTH:
        return False
    # And ignore control characters at the start.
    if unicodedata.category(url[0])[0] == "C":
        return False
    scheme, slashes, host = _PARTS.match(url).groups()
    if not (slashes and host):
        return not scheme  # "http:///host" and "http:host" have one for browsers
    return host in hosts and (scheme or "http").lower() in schemes


def url_has_allowed_host_and_scheme(url, allowed_hosts, require_https=False):
    """Tell whether a URL has no host or an allowed one, and no scheme or a safe one.

    ``allowed_hosts`` is one host, several, or None for none; a port is a part of it.
    Safe are ``http`` and ``https``, with ``require_https`` only the latter. An empty
    URL is not allowed. True does not mean that it is quoted: use ``iri_to_uri`` too.

    .. versionadded:: 1.0
    """
    if isinstance(url, six.binary_type):
        url = url.decode("utf-8", "replace")
    if url is not None:
        url = six.text_type(url).strip()
    if not url:
        return False
    if allowed_hosts is None:
        allowed_hosts = ()
    elif isinstance(allowed_hosts, six.string_types):
        allowed_hosts = (allowed_hosts,)
    schemes = ("https",) if require_https else ("http", "https")
    # Browsers take a backslash for a slash, but it may be part of a password.
    return all(
        _is_allowed(each, allowed_hosts, schemes)
        for each in (url, url.replace("\\", "/"))
    )


def is_safe_url(url, allowed_hosts=None, require_https=False, host=None):
    """Tell the same; ``host`` is one more allowed host, as until Django 2.0.

    .. versionadded:: 1.0
    """
    if isinstance(allowed_hosts, six.string_types):
        allowed_hosts = (allowed_hosts,)
    hosts = tuple(allowed_hosts or ()) + ((host,) if host else ())
    return url_has_allowed_host_and_scheme(url, hosts, require_https)
