"""``path()``, converters and ``include()``, on URL resolvers of regular expressions.

``include`` is needed before Django 1.9, ``path`` and ``register_converter`` before 2.0.
"""

from __future__ import absolute_import

import re
import uuid
from importlib import import_module

import six
from django.conf import urls
from django.core.exceptions import ImproperlyConfigured

try:
    from django.urls import NoReverseMatch, RegexURLPattern, RegexURLResolver
except ImportError:  # before Django 1.10
    from django.core.urlresolvers import (
        NoReverseMatch,
        RegexURLPattern,
        RegexURLResolver,
    )

__all__ = [
    "IntConverter",
    "PathConverter",
    "SlugConverter",
    "StringConverter",
    "UUIDConverter",
    "get_converters",
    "include",
    "path",
    "register_converter",
]


class StringConverter(object):
    """Any text without a slash."""

    regex = "[^/]+"

    def to_python(self, value):
        """Return the value for the view; a ValueError means that the URL differs."""
        return value


class IntConverter(StringConverter):
    """Zero or a positive integer."""

    regex = "[0-9]+"
    to_python = staticmethod(int)


class SlugConverter(StringConverter):
    """ASCII letters and digits, hyphens and underscores."""

    regex = "[-a-zA-Z0-9_]+"


class PathConverter(StringConverter):
    """Any text, slashes included."""

    regex = ".+"


class UUIDConverter(StringConverter):
    """A UUID in lower case, with its dashes."""

    regex = "-".join("[0-9a-f]{%d}" % length for length in (8, 4, 4, 4, 12))
    to_python = staticmethod(uuid.UUID)


_DEFAULT = {
    "int": IntConverter(),
    "path": PathConverter(),
    "slug": SlugConverter(),
    "str": StringConverter(),
    "uuid": UUIDConverter(),
}
_registered = {}  # the converters that users register while their URLconf is imported

# A group of the pattern names its registered converter in a comment: to reverse a
# route, Django has only the pattern, joined with the patterns of including routes.
_MARKED = re.compile(r"\(\?P<(\w+)>\(\?#django_compat:([^)]+)\)")


def get_converters():
    """Return ``{name: converter}``: the five default and the registered converters."""
    return dict(_DEFAULT, **_registered)


def _group(name, converter):
    """Return the group of the pattern for one parameter of a route."""
    mark = "(?#django_compat:%s)" % converter if converter in _registered else ""
    return "(?P<%s>%s%s)" % (name, mark, get_converters()[converter].regex)


def register_converter(converter, type_name):
    """Make ``<type_name:...>`` in a route use a converter, which is given as a class.

    A second converter of the same name raises ValueError. The first call patches the
    URL resolver of this Django, so that ``reverse()`` calls ``to_url``.

    .. versionadded:: 1.0
    """
    if type_name in get_converters():
        raise ValueError(
            "register_converter(..., %r): this name is taken, as are %s"
            % (type_name, ", ".join(sorted(get_converters())))
        )
    _registered[str(type_name)] = converter()
    if not hasattr(RegexURLResolver, "_django_compat_reverse"):
        original = RegexURLResolver.__dict__["_reverse_with_prefix"]
        RegexURLResolver._django_compat_reverse = original
        RegexURLResolver._reverse_with_prefix = _reverse_with_prefix


def _candidates(resolver, view, prefix):
    """For each way to reverse a view, yield its parameter names and converters."""
    for possibility, pattern, _ in resolver.reverse_dict.getlist(view):
        marks = _MARKED.findall(prefix + pattern)
        converters = dict(
            (name, _registered[mark]) for name, mark in marks if mark in _registered
        )
        # Django 1.4 has the parameters of including routes in the prefix.
        before = re.findall(r"\(\?P<(\w+)>", prefix)
        for _, names in possibility:
            yield before + list(names), converters


def _reverse_with_prefix(self, lookup_view, _prefix, *args, **kwargs):
    """Reverse as Django does, after ``to_url`` of the registered converters."""
    reverse = self._django_compat_reverse
    if not (args or kwargs):
        return reverse(lookup_view, _prefix)
    if not self._populated:
        self._populate()
    candidates = list(_candidates(self, lookup_view, _prefix))
    for names, converters in candidates:
        values = dict(zip(names, args)) if args else kwargs
        if not converters or set(converters) - set(values):
            continue
        if args and len(names) != len(args):
            continue
        texts = dict(values)
        try:
            for name in converters:
                texts[name] = converters[name].to_url(values[name])
            if args:
                return reverse(lookup_view, _prefix, *[texts[name] for name in names])
            return reverse(lookup_view, _prefix, **texts)
        except (NoReverseMatch, ValueError):
            continue
    if candidates and all(converters for _, converters in candidates):
        # No converter takes the values: let Django raise its NoReverseMatch.
        args, kwargs = (), {"no converter takes": dict(kwargs, args=args)}
    return reverse(lookup_view, _prefix, *args, **kwargs)


_PARAMETER = re.compile(r"<(?:([^>:]+):)?([^>]+)>")
_compiled = {}  # {(route, is_endpoint): _Regex}, as many as the project has routes


class _Match(object):
    """The match of a route: its groups hold the converted values."""

    def __init__(self, match, values):
        self.end = match.end
        self._values = values

    def groups(self):
        return ()

    def groupdict(self):
        return dict(self._values)


class _Regex(object):
    """The part of a compiled pattern that Django uses: ``pattern`` and ``search``."""

    def __init__(self, route, is_endpoint):
        self._converters = {}
        converters = get_converters()
        pattern, end = "^", 0
        for parameter in _PARAMETER.finditer(route):
            converter, name = parameter.group(1) or "str", parameter.group(2)
            text = "URL route %r: the parameter %s " % (route, parameter.group())
            if re.search(r"\s", parameter.group()):
                raise ImproperlyConfigured(text + "has white space in its brackets")
            if not re.match("[^\\W\\d]\\w*$", name):
                raise ImproperlyConfigured(text + "has a name that is no identifier")
            if converter not in converters:
                names = ", ".join(sorted(converters))
                problem = "has an unknown type, use one of " + names
                raise ImproperlyConfigured(text + problem)
            if name in self._converters:
                raise ImproperlyConfigured(text + "has a name that is used twice")
            self._converters[str(name)] = converters[converter]
            pattern += re.escape(route[end : parameter.start()])
            pattern += _group(name, converter)
            end = parameter.end()
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
            except ValueError:  # the converter refuses the text: no match
                return None
        return _Match(match, values)


class _Route(object):
    """Replace the regular expression of Django's class by a route.

    A lazy route is evaluated at each use, in the active language.
    """

    @property
    def regex(self):
        route = six.text_type(self._route), isinstance(self, RegexURLPattern)
        if route not in _compiled:
            _compiled[route] = _Regex(*route)
        return _compiled[route]


class _Pattern(_Route, RegexURLPattern):
    """A route that ends at a view."""


class _Resolver(_Route, RegexURLResolver):
    """A route that includes other routes."""


def path(route, view, kwargs=None, name=None):
    """Return an entry of ``urlpatterns`` for a route such as ``"<int:pk>/"``.

    ``view`` is a function or the result of ``include()``; ``kwargs`` are further
    arguments of the view, ``name`` is its name for ``reverse()``. The types are str,
    int, slug, uuid, path, and the names given to ``register_converter``. The view gets
    converted values. A wrong route raises ImproperlyConfigured, a wrong view TypeError.

    .. versionadded:: 1.0
    """
    from django.views.generic import View

    if kwargs is not None and not isinstance(kwargs, dict):
        raise TypeError("path(kwargs=%r): it must be a dict" % (kwargs,))
    if isinstance(view, (list, tuple)):
        urlconf, app_name, namespace = view
        entry = _Resolver("", urlconf, kwargs, app_name=app_name, namespace=namespace)
    elif isinstance(view, View):
        text = "path(view=%r): it must be a function, such as %s.as_view()"
        raise TypeError(text % (view, type(view).__name__))
    elif callable(view):
        entry = _Pattern("", view, kwargs, name)
    else:
        text = "path(view=%r): it must be a function, or the result of include()"
        raise TypeError(text % (view,))
    entry._route = route
    entry.regex  # raises here, where the traceback shows the wrong route
    return entry


def include(arg, namespace=None, app_name=None):
    """Return the argument of ``path``, ``re_path`` or ``url`` that includes routes.

    ``arg`` is a module or its dotted name, a list of routes, or ``(routes, app_name)``.
    A module may set its application namespace as ``app_name``. The instance namespace
    is the application namespace, unless ``namespace`` is given. The arguments of this
    Django work too: ``(routes, app_name, namespace)``, ``app_name``, and a namespace
    without an ``app_name``.

    .. versionadded:: 1.0
    """
    if isinstance(arg, tuple) and len(arg) != 2:
        return urls.include(arg, namespace, app_name)
    if isinstance(arg, tuple):
        arg, app_name = arg
    if isinstance(arg, six.string_types):
        arg = import_module(arg)
    app_name = getattr(arg, "app_name", app_name)
    if app_name and not namespace:
        namespace = app_name
    return urls.include(arg, namespace, app_name)
