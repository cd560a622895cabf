"""The classes of ``values()`` and ``values_list()``. Django has them until 1.8."""

from __future__ import absolute_import

import six
from django.db.models import query

__all__ = [
    "Support_ValuesListQuerySet",
    "Support_ValuesQuerySet",
    "ValuesListQuerySet",
    "ValuesQuerySet",
]

# Whether Django has the classes themselves.
Support_ValuesQuerySet = hasattr(query, "ValuesQuerySet")
Support_ValuesListQuerySet = hasattr(query, "ValuesListQuerySet")

_LISTS = "ValuesListIterable", "FlatValuesListIterable", "NamedValuesListIterable"


class _ByIterable(type):
    """Answer ``isinstance`` by what a QuerySet gives: rows of models or values."""

    def __instancecheck__(cls, instance):
        found = getattr(instance, "_iterable_class", None)
        return getattr(found, "__name__", None) in cls._iterables

    def __subclasscheck__(cls, subclass):
        return subclass in (cls, ValuesQuerySet, ValuesListQuerySet)[: cls._depth]


class ValuesQuerySet(six.with_metaclass(_ByIterable, object)):
    """What ``isinstance`` asks to know the result of ``values()`` or ``values_list()``.

    .. versionadded:: 1.0
    """

    _depth = 3
    _iterables = ("ValuesIterable",) + _LISTS


class ValuesListQuerySet(six.with_metaclass(_ByIterable, object)):
    """What ``isinstance`` asks to know the result of ``values_list()``.

    .. versionadded:: 1.0
    """

    _depth = 1
    _iterables = _LISTS
