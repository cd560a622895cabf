"""Tools for functions.

``classproperty`` is needless from Django 1.9 on, ``keep_lazy`` from 1.10; Django has
``allow_lazy`` until 1.11 and ``curry`` until 2.2.
"""

from __future__ import absolute_import

from functools import wraps

import six
from django.utils.functional import Promise, lazy

__all__ = ["allow_lazy", "classproperty", "curry", "keep_lazy", "keep_lazy_text"]


class classproperty(object):
    """A property of a class, and of its instances; a decorator.

    .. versionadded:: 1.0
    """

    def __init__(self, method=None):
        self.fget = method

    def __get__(self, instance, cls=None):
        return self.fget(cls)

    def getter(self, method):
        """Set what is called to read it."""
        self.fget = method
        return self


def keep_lazy(*resultclasses):
    """Return a decorator: called with a lazy argument, a function's result is lazy.

    The classes are those that the function may return; without one, TypeError.

    .. versionadded:: 1.0
    """
    if not resultclasses:
        raise TypeError("keep_lazy(): it needs the class that the function returns")

    def decorate(function):
        lazy_function = lazy(function, *resultclasses)

        @wraps(function)
        def wrapper(*args, **kwargs):
            given = list(args) + list(kwargs.values())
            is_lazy = any(isinstance(each, Promise) for each in given)
            return (lazy_function if is_lazy else function)(*args, **kwargs)

        return wrapper

    return decorate


def keep_lazy_text(function):
    """Decorate a function that returns a text.

    .. versionadded:: 1.0
    """
    return keep_lazy(six.text_type)(function)


def allow_lazy(func, *resultclasses):
    """Return ``keep_lazy(*resultclasses)(func)``.

    .. versionadded:: 1.0
    """
    return keep_lazy(*resultclasses)(func)


def curry(_curried_func, *args, **kwargs):
    """Return a function with some arguments given; as a method it gets its instance.

    .. versionadded:: 1.0
    """

    def curried(*more, **others):
        return _curried_func(*(args + more), **dict(kwargs, **others))

    return curried
