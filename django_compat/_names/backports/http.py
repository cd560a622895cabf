"""Requests and responses: redirects, URLs, middleware, error reports.

``url_has_allowed_host_and_scheme`` is needed before Django 5.0,
``urlsafe_base64_encode`` before 2.2, ``MiddlewareMixin`` before 1.10,
``urlsafe_base64_decode`` before 1.6, ``resolve_url`` before 1.5. Django has
``cc_delim_re`` until 6.0, ``is_safe_url`` and the functions that quote URLs until 3.2,
``cleanse_setting`` and ``get_safe_settings`` until 3.0, ``cookie_date`` until 2.2.
"""

from __future__ import absolute_import

import base64
import re
import unicodedata
from email.utils import formatdate

import six
from django.utils.functional import Promise
from six.moves.urllib import parse

from django_compat._names.backports.utils import keep_lazy_text

__all__ = [
    "MiddlewareMixin",
    "cc_delim_re",
    "cleanse_setting",
    "cookie_date",
    "get_safe_settings",
    "is_safe_url",
    "resolve_url",
    "url_has_allowed_host_and_scheme",
    "urlquote",
    "urlquote_plus",
    "urlsafe_base64_decode",
    "urlsafe_base64_encode",
    "urlunquote",
    "urlunquote_plus",
]

cc_delim_re = re.compile(r"\s*,\s*")  # between the parts of a header

_MAX_LENGTH = 2048  # of a URL, since Django 5.0
# The parts of a URL by RFC 3986. Python's urlsplit differs: until 3.6 "http:999" was a
# path to it, and until 3.9 it kept the line ends that browsers drop.
_PARTS = re.compile(r"(?:([A-Za-z][A-Za-z0-9+.-]*):)?(//)?([^/?#]*)")


def _is_allowed(url, hosts, schemes):
    url = re.sub("[\t\r\n]", "", url) or "\n"
    # Browsers read three slashes as two.
    if url.startswith("///") or len(url) > _MAX_LENGTH:
        return False
    # Browsers ignore control characters at the start.
    if unicodedata.category(url[0])[0] == "C":
        return False
    scheme, slashes, host = _PARTS.match(url).groups()
    if not (slashes and host):
        # Browsers find a host in "http:///host" and in "http:host".
        return not scheme
    return host in hosts and (scheme or "http").lower() in schemes


def url_has_allowed_host_and_scheme(url, allowed_hosts, require_https=False):
    """Return True for a URL that is safe to redirect to, by the newest Django's rules.

    The host must be absent or allowed, the scheme absent or ``http`` or ``https``; with
    ``require_https`` only ``https``. ``allowed_hosts`` is one host, a collection of
    hosts, or None for no host; a port is part of a host. An empty URL is not safe.
    True does not mean that the URL is quoted: call ``iri_to_uri`` too.

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
    # Browsers read a backslash as a slash, but in a password it is a backslash.
    return all(
        _is_allowed(spelling, allowed_hosts, schemes)
        for spelling in (url, url.replace("\\", "/"))
    )


def is_safe_url(url, allowed_hosts=None, require_https=False, host=None):
    """Call ``url_has_allowed_host_and_scheme``; ``host`` is one more allowed host.

    Django until 2.0 has the argument ``host``.

    .. versionadded:: 1.0
    """
    if isinstance(allowed_hosts, six.string_types):
        allowed_hosts = (allowed_hosts,)
    hosts = tuple(allowed_hosts or ()) + ((host,) if host else ())
    return url_has_allowed_host_and_scheme(url, hosts, require_https)


def resolve_url(to, *args, **kwargs):
    """Return the URL of a model, of a view or its name; return a URL unchanged.

    A model must have ``get_absolute_url()``. A view is reversed with the arguments. A
    text is a URL if it contains a slash or a dot. Anything else raises NoReverseMatch.

    .. versionadded:: 1.0
    """
    from django.core.urlresolvers import NoReverseMatch, reverse  # before Django 2.0

    if hasattr(to, "get_absolute_url"):
        return to.get_absolute_url()
    if isinstance(to, Promise):
        to = six.text_type(to)
    if isinstance(to, six.string_types) and to.startswith(("./", "../")):
        return to
    try:
        return reverse(to, args=args, kwargs=kwargs)
    except NoReverseMatch:
        if callable(to) or not ("/" in to or "." in to):
            raise
        return to


def cookie_date(epoch_seconds=None):
    """Return a time, now by default, as "Wdy, DD-Mon-YYYY HH:MM:SS GMT".

    .. versionadded:: 1.0
    """
    date = formatdate(epoch_seconds)
    return "%s-%s-%s GMT" % (date[:7], date[8:11], date[12:25])


@keep_lazy_text
def urlquote(url, safe="/"):
    """Return ``urllib.parse.quote()`` of a text, lazy if the text is lazy.

    .. versionadded:: 1.0
    """
    return parse.quote(str(url), safe)


@keep_lazy_text
def urlquote_plus(url, safe=""):
    """Return ``urllib.parse.quote_plus()`` of a text, lazy if the text is lazy.

    .. versionadded:: 1.0
    """
    return parse.quote_plus(str(url), safe)


@keep_lazy_text
def urlunquote(quoted_url):
    """Return ``urllib.parse.unquote()`` of a text, lazy if the text is lazy.

    .. versionadded:: 1.0
    """
    return parse.unquote(str(quoted_url))


@keep_lazy_text
def urlunquote_plus(quoted_url):
    """Return ``urllib.parse.unquote_plus()`` of a text, lazy if the text is lazy.

    .. versionadded:: 1.0
    """
    return parse.unquote_plus(str(quoted_url))


def urlsafe_base64_encode(s):
    """Return the text that encodes bytes for a URL, without "=" at its end.

    .. versionadded:: 1.0
    """
    return base64.urlsafe_b64encode(s).rstrip(b"\n=").decode("ascii")


def urlsafe_base64_decode(s):
    """Return the bytes that a text encodes; ValueError if it encodes none.

    .. versionadded:: 1.0
    """
    s = s.encode("ascii") if isinstance(s, six.text_type) else s
    try:
        return base64.urlsafe_b64decode(s.ljust(len(s) + len(s) % 4, b"="))
    except (TypeError, ValueError) as error:  # Python 2 raises TypeError
        raise ValueError(error)


class MiddlewareMixin(object):
    """The base of middleware that MIDDLEWARE and MIDDLEWARE_CLASSES may both list.

    Django before 1.10 creates the middleware without an argument and calls its
    ``process_...`` methods: list the class in MIDDLEWARE_CLASSES. If code calls the
    middleware with a request, it does the same as in later Djangos.

    .. versionadded:: 1.0
    """

    def __init__(self, get_response=None):
        self.get_response = get_response
        super(MiddlewareMixin, self).__init__()

    def __call__(self, request):
        response = None
        if hasattr(self, "process_request"):
            response = self.process_request(request)
        response = response or self.get_response(request)
        if hasattr(self, "process_response"):
            response = self.process_response(request, response)
        return response


def cleanse_setting(key, value):
    """Return the value of a setting, or stars if the setting is secret.

    .. versionadded:: 1.0
    """
    return _report_filter().cleanse_setting(key, value)


def get_safe_settings():
    """Return the settings by name, with stars in place of secret values.

    .. versionadded:: 1.0
    """
    return _report_filter().get_safe_settings()


def _report_filter():
    from django.views.debug import get_default_exception_reporter_filter

    return get_default_exception_reporter_filter()
