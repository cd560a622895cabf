"""What ``<int:pk>`` in a route means. Needless from Django 2.0 on (django.urls)."""

from __future__ import absolute_import

import re
import uuid

import six

try:
    from django.urls import NoReverseMatch, RegexURLResolver
except ImportError:  # before Django 1.10
    from django.core.urlresolvers import NoReverseMatch, RegexURLResolver

__all__ = [
    "IntConverter",
    "PathConverter",
    "SlugConverter",
    "StringConverter",
    "UUIDConverter",
    "get_converters",
    "register_converter",
]


class StringConverter(object):
    """Any text without a slash."""

    regex = "[^/]+"

    def to_python(self, value):
        """Return the value as the view gets it; a ValueError means: no match."""
        return value

    def to_url(self, value):
        """Return the value as it stands in the path; a ValueError means: no match."""
        return value


class IntConverter(StringConverter):
    """Zero or a positive integer."""

    regex = "[0-9]+"
    to_python = staticmethod(int)
    to_url = staticmethod(six.text_type)


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
    to_url = staticmethod(six.text_type)


_DEFAULT = {
    "int": IntConverter(),
    "path": PathConverter(),
    "slug": SlugConverter(),
    "str": StringConverter(),
    "uuid": UUIDConverter(),
}
_registered = {}  # those that users add, while their URLconf is imported

# A comment in a group names its converter: a pattern is all that Django keeps of a
# route when it reverses one, and it joins the patterns of included ones.
_MARKED = re.compile(r"\(\?P<(\w+)>\(\?#django_compat:([^)]+)\)")


def get_converters():
    """Return ``{name: converter}``: the five that are there, and the registered."""
    return dict(_DEFAULT, **_registered)


def group(name, converter):
    """Return the part of a pattern for one parameter of a route."""
    mark = "(?#django_compat:%s)" % converter if converter in _registered else ""
    return "(?P<%s>%s%s)" % (name, mark, get_converters()[converter].regex)


def register_converter(converter, type_name):
    """Make ``<type_name:...>`` in routes mean a converter, which is given as a class.

    Raises ValueError if there is one of this name. The first call makes the resolver of
    this Django, which knows none, call ``to_url`` when it reverses such a route.

    .. versionadded:: 1.0
    """
    if type_name in get_converters():
        raise ValueError(
            "register_converter(..., %r): there is one of this name already, "
            "use another than %s" % (type_name, ", ".join(sorted(get_converters())))
        )
    _registered[str(type_name)] = converter()
    if not hasattr(RegexURLResolver, "_django_compat_reverse"):
        original = RegexURLResolver.__dict__["_reverse_with_prefix"]
        RegexURLResolver._django_compat_reverse = original
        RegexURLResolver._reverse_with_prefix = _reverse_with_prefix


def _candidates(resolver, view, prefix):
    """Yield the parameters' names and their converters, for each way to reverse."""
    known = _registered
    for possibility, pattern, _ in resolver.reverse_dict.getlist(view):
        marks = _MARKED.findall(prefix + pattern)
        converters = dict((name, known[mark]) for name, mark in marks if mark in known)
        before = re.findall(r"\(\?P<(\w+)>", prefix)  # Django 1.4 has them there
        for _, names in possibility:
            yield before + list(names), converters


def _reverse_with_prefix(self, lookup_view, _prefix, *args, **kwargs):
    """Reverse as Django does, after ``to_url`` of the registered converters."""
    reverse = self._django_compat_reverse
    if not (args or kwargs):
        return reverse(lookup_view, _prefix)
    if not self._populated:
        self._populate()
    found = list(_candidates(self, lookup_view, _prefix))
    for names, converters in found:
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
    if found and all(converters for _, converters in found):
        args, kwargs = (), {"no converter takes": dict(kwargs, args=args)}
    return reverse(lookup_view, _prefix, *args, **kwargs)
