"""Functions and classes of ``django.utils``.

``import_string`` and ``lru_cache`` are needed before Django 1.7, ``classproperty``
before 1.9, ``get_random_secret_key``, ``keep_lazy`` and ``keep_lazy_text`` before 1.10.
Django has the whole ``SortedDict`` until 1.6, ``import_by_path`` from 1.5 to 1.8,
``allow_lazy`` until 1.11, ``curry`` until 2.2, ``FixedOffset`` until 3.0 and
``is_iterable`` until 5.2.
"""

from __future__ import absolute_import

import sys
from collections import OrderedDict, namedtuple
from datetime import timedelta, tzinfo
from functools import update_wrapper, wraps
from importlib import import_module
from threading import RLock

import six
from django.core.exceptions import ImproperlyConfigured
from django.utils.crypto import get_random_string
from django.utils.functional import Promise, lazy

try:
    from collections.abc import MutableMapping
except ImportError:  # Python 2
    from collections import MutableMapping

__all__ = [
    "FixedOffset",
    "SortedDict",
    "allow_lazy",
    "classproperty",
    "curry",
    "get_random_secret_key",
    "import_by_path",
    "import_string",
    "is_iterable",
    "keep_lazy",
    "keep_lazy_text",
    "lru_cache",
]


class FixedOffset(tzinfo):
    """A time zone ``offset`` minutes east of UTC, without daylight saving time.

    .. versionadded:: 1.0
    """

    def __init__(self, offset=0, name=None):
        self._offset = timedelta(minutes=offset)
        self._name = name

    def utcoffset(self, dt):
        return self._offset

    def tzname(self, dt):
        return self._name

    def dst(self, dt):
        return timedelta(0)


class SortedDict(MutableMapping, dict):
    """A dictionary in the order of insertion; ``keyOrder`` is the list of its keys.

    Django 1.7 and 1.8 have the class without ``insert`` and ``value_for_index``.

    .. versionadded:: 1.0
    """

    def __new__(cls, *args, **kwargs):
        instance = super(SortedDict, cls).__new__(cls)
        instance.keyOrder = []
        return instance

    def __init__(self, data=None):
        super(SortedDict, self).__init__()
        self.update(data or ())

    __contains__, __getitem__ = dict.__contains__, dict.__getitem__
    __len__ = dict.__len__

    def __setitem__(self, key, value):
        if key not in self:
            self.keyOrder.append(key)
        dict.__setitem__(self, key, value)

    def __delitem__(self, key):
        dict.__delitem__(self, key)
        self.keyOrder.remove(key)

    def __iter__(self):
        return iter(self.keyOrder)

    def __reversed__(self):
        return reversed(self.keyOrder)

    def __repr__(self):
        return "{%s}" % ", ".join("%r: %r" % item for item in self.items())

    def __reduce__(self):
        return type(self), (list(self.items()),)

    def copy(self):
        """Return a copy with the same values."""
        return type(self)(self)

    def insert(self, index, key, value):
        """Set a key, and put it before the key that has this index now."""
        if key in self:
            index -= self.keyOrder.index(key) < index
            del self[key]
        self.keyOrder.insert(index, key)
        dict.__setitem__(self, key, value)

    def value_for_index(self, index):
        """Return the value of the key that has this index."""
        return self[self.keyOrder[index]]


class classproperty(object):
    """A decorator: a property of a class and of its instances.

    .. versionadded:: 1.0
    """

    def __init__(self, method=None):
        self.fget = method

    def __get__(self, instance, cls=None):
        return self.fget(cls)

    def getter(self, method):
        """Set the function that reads the property."""
        self.fget = method
        return self


def keep_lazy(*resultclasses):
    """Return a decorator: if an argument is lazy, the function's result is lazy too.

    ``resultclasses`` are the classes that the function may return. Without any, the
    call raises TypeError.

    .. versionadded:: 1.0
    """
    if not resultclasses:
        raise TypeError("keep_lazy(): pass the classes that the function returns")

    def decorate(function):
        lazy_function = lazy(function, *resultclasses)

        @wraps(function)
        def wrapper(*args, **kwargs):
            values = list(args) + list(kwargs.values())
            is_lazy = any(isinstance(value, Promise) for value in values)
            return (lazy_function if is_lazy else function)(*args, **kwargs)

        return wrapper

    return decorate


def keep_lazy_text(function):
    """Apply ``keep_lazy`` to a function that returns a text.

    .. versionadded:: 1.0
    """
    return keep_lazy(six.text_type)(function)


def allow_lazy(func, *resultclasses):
    """Return ``keep_lazy(*resultclasses)(func)``.

    .. versionadded:: 1.0
    """
    return keep_lazy(*resultclasses)(func)


def curry(_curried_func, *args, **kwargs):
    """Return the function with its first arguments set; it works as a method, too.

    As a method, the function gets ``self`` after the arguments that ``curry`` set.

    .. versionadded:: 1.0
    """

    def curried(*more_args, **more_kwargs):
        return _curried_func(*(args + more_args), **dict(kwargs, **more_kwargs))

    return curried


_CacheInfo = namedtuple("CacheInfo", "hits misses maxsize currsize")


def lru_cache(maxsize=100, typed=False):
    """Return a decorator that keeps the last ``maxsize`` results; None keeps all.

    It works like ``functools.lru_cache`` of Python 3, with ``cache_info()`` and
    ``cache_clear()``. Arguments must be hashable. With ``typed``, 1 and 1.0 are
    different arguments.

    .. versionadded:: 1.0
    """

    def decorate(function):
        results, lock = OrderedDict(), RLock()  # the lock guards results and counts
        counts = {"hits": 0, "misses": 0}

        def wrapper(*args, **kwargs):
            named = tuple(sorted(kwargs.items()))
            values = args + tuple(value for _, value in named)
            call = (args, named) + (tuple(map(type, values)) if typed else ())
            with lock:
                if call in results:
                    counts["hits"] += 1
                    results[call] = results.pop(call)  # moves it to the newest end
                    return results[call]
                counts["misses"] += 1
            result = function(*args, **kwargs)
            with lock:
                results[call] = result
                while maxsize is not None and len(results) > maxsize:
                    results.popitem(last=False)
            return result

        def cache_info():
            with lock:
                return _CacheInfo(
                    counts["hits"], counts["misses"], maxsize, len(results)
                )

        def cache_clear():
            with lock:
                results.clear()
                counts.update(hits=0, misses=0)

        update_wrapper(wrapper, function)
        wrapper.__wrapped__ = function
        wrapper.cache_info, wrapper.cache_clear = cache_info, cache_clear
        return wrapper

    return decorate


def get_random_secret_key():
    """Return 50 random characters, for the setting SECRET_KEY.

    .. versionadded:: 1.0
    """
    characters = "abcdefghijklmnopqrstuvwxyz0123456789!@#$%^&*(-_=+)"
    return get_random_string(50, characters)


def import_string(dotted_path):
    """Return the object at ``"package.module.attribute"``.

    Raises ImportError if the module or its attribute does not exist.

    .. versionadded:: 1.0
    """
    module, dot, name = dotted_path.rpartition(".")
    if not dot:
        text = "import_string(%r): pass a dotted path, such as 'module.name'"
        raise ImportError(text % (dotted_path,))
    try:
        return getattr(import_module(module), name)
    except AttributeError:
        text = "import_string(%r): the module %s has no attribute %r"
        raise ImportError(text % (dotted_path, module, name))


def import_by_path(dotted_path, error_prefix=""):
    """Call ``import_string``, and raise ImproperlyConfigured in place of ImportError.

    ``error_prefix`` starts the text of the exception.

    .. versionadded:: 1.0
    """
    try:
        return import_string(dotted_path)
    except ImportError as error:
        improper = ImproperlyConfigured("%s%s" % (error_prefix, error))
        six.reraise(ImproperlyConfigured, improper, sys.exc_info()[2])


def is_iterable(x):
    """Return True if ``iter(x)`` works.

    .. versionadded:: 1.0
    """
    try:
        iter(x)
    except TypeError:
        return False
    return True
