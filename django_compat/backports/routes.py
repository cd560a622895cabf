"""``path()`` on a URL machinery of regular expressions: needless from Django 2.0 on."""

from __future__ import absolute_import

import re

import six
from django.core.exceptions import ImproperlyConfigured
from django.views.generic import View

from django_compat.backports.converters import get_converters, group

try:
    from django.urls import RegexURLPattern, RegexURLResolver
except ImportError:  # before Django 1.10
    from django.core.urlresolvers import RegexURLPattern, RegexURLResolver

__all__ = ["path"]

_PARAMETER = re.compile(r"<(?:([^>:]+):)?([^>]+)>")
_compiled = {}  # (route, is_endpoint): _Regex; both are as many as the project's routes


class _Match(object):
    """A match whose groups are what the converters make of the text."""

    def __init__(self, match, values):
        self.end = match.end
        self._values = values

    def groups(self):
        return ()

    def groupdict(self):
        return dict(self._values)


class _Regex(object):
    """What Django's resolver asks of a compiled pattern: ``pattern`` and ``search``."""

    def __init__(self, route, is_endpoint):
        self._converters = {}
        known = get_converters()
        pattern, end = "^", 0
        for found in _PARAMETER.finditer(route):
            converter, name = found.group(1) or "str", found.group(2)
            text = "URL route %r: the parameter %s " % (route, found.group())
            if re.search(r"\s", found.group()):
                raise ImproperlyConfigured(text + "has white space in its brackets")
            if not re.match("[^\\W\\d]\\w*$", name):
                raise ImproperlyConfigured(text + "has a name that is no identifier")
            if converter not in known:
                names = ", ".join(sorted(known))
                raise ImproperlyConfigured(text + "has none of the types " + names)
            if name in self._converters:
                raise ImproperlyConfigured(text + "has a name that is used twice")
            self._converters[str(name)] = known[converter]
            pattern += re.escape(route[end : found.start()]) + group(name, converter)
            end = found.end()
        pattern += re.escape(route[end:]) + (r"\Z" if is_endpoint else "")
        self.pattern = pattern
        self._search = re.compile(pattern, re.UNICODE).search

    def search(self, text):
        match = self._search(text)
        if match is None:
            return None
        values = {}
        for name, value in match.groupdict().items():
            try:
                values[str(name)] = self._converters[name].to_python(value)
            except ValueError:  # the converter's way to say that this is none of its
                return None
        return _Match(match, values)


class _Route(object):
    """A route where Django has a regular expression; a lazy one is read anew."""

    @property
    def regex(self):
        key = six.text_type(self._route), isinstance(self, RegexURLPattern)
        if key not in _compiled:
            _compiled[key] = _Regex(*key)
        return _compiled[key]


class _Pattern(_Route, RegexURLPattern):
    """A route that ends at a view."""


class _Resolver(_Route, RegexURLResolver):
    """A route with others below."""


def path(route, view, kwargs=None, name=None):
    """Return what stands in ``urlpatterns`` for a route such as ``"<int:pk>/"``.

    ``view`` is a function, or what ``include()`` returns; ``kwargs`` are further
    arguments for it, ``name`` is what ``reverse()`` knows it by. The types are str,
    int, slug, uuid, path, and those given to ``register_converter``. What the view gets
    is converted. A wrong route raises ImproperlyConfigured, a wrong view TypeError.

    .. versionadded:: 1.0
    """
    if kwargs is not None and not isinstance(kwargs, dict):
        raise TypeError("path(kwargs=%r): it must be a dict" % (kwargs,))
    if isinstance(view, (list, tuple)):
        urlconf, app_name, namespace = view
        found = _Resolver("", urlconf, kwargs, app_name=app_name, namespace=namespace)
    elif isinstance(view, View):
        text = "path(view=%r): it must be a function, such as %s.as_view()"
        raise TypeError(text % (view, type(view).__name__))
    elif callable(view):
        found = _Pattern("", view, kwargs, name)
    else:
        text = "path(view=%r): it must be a function, or what include() returns"
        raise TypeError(text % (view,))
    found._route = route
    found.regex  # a wrong route is told where it stands
    return found
