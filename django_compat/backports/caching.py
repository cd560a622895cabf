"""A cache of a function's results, on Python 2.7 before Django 1.7."""

from __future__ import absolute_import

from collections import OrderedDict, namedtuple
from functools import update_wrapper
from threading import RLock

__all__ = ["lru_cache"]

_CacheInfo = namedtuple("CacheInfo", "hits misses maxsize currsize")


def lru_cache(maxsize=100, typed=False):
    """Return a decorator that keeps the last ``maxsize`` results; None keeps all.

    As ``functools.lru_cache`` of Python 3, with ``cache_info()`` and ``cache_clear()``.
    Arguments must be hashable; with ``typed``, 1 and 1.0 are different ones.

    .. versionadded:: 1.0
    """

    def decorate(function):
        results, lock = OrderedDict(), RLock()  # the lock guards results and counts
        counts = {"hits": 0, "misses": 0}

        def wrapper(*args, **kwargs):
            named = tuple(sorted(kwargs.items()))
            values = args + tuple(value for _, value in named)
            key = (args, named) + (tuple(map(type, values)) if typed else ())
            with lock:
                if key in results:
                    counts["hits"] += 1
                    results[key] = results.pop(key)  # the youngest again
                    return results[key]
                counts["misses"] += 1
            result = function(*args, **kwargs)
            with lock:
                results[key] = result
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
