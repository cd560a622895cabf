"""Caches by alias. ``caches`` is needless from Django 1.7 on; Django has ``get_cache``
until 1.8.
"""

from __future__ import absolute_import

from threading import local

from django.conf import settings
from django.core import cache as _cache

__all__ = ["caches", "get_cache"]


class _Caches(object):
    """The caches of this thread, by alias."""

    def __init__(self):
        self._local = local()

    def __getitem__(self, alias):
        found = self._local.__dict__.setdefault("caches", {})
        if alias not in found:
            if alias not in settings.CACHES:
                raise _cache.InvalidCacheBackendError(
                    "CACHES has no %r, only %s"
                    % (alias, ", ".join(sorted(map(repr, settings.CACHES))))
                )
            found[alias] = _cache.get_cache(alias)
        return found[alias]

    def all(self):
        """Return those that this thread has used."""
        return list(self._local.__dict__.get("caches", {}).values())


caches = getattr(_cache, "caches", None) or _Caches()


def get_cache(backend, **kwargs):
    """Return the cache of an alias; with settings of its own, a new one.

    ``backend`` is an alias, or with ``kwargs`` the dotted path of a backend too.

    .. versionadded:: 1.0
    """
    if not kwargs:
        return caches[backend]
    values = dict(settings.CACHES.get(backend, {"BACKEND": backend}), **kwargs)
    path, location = values.pop("BACKEND"), values.pop("LOCATION", "")
    from django.utils.module_loading import import_string  # Django 1.7+

    return import_string(path)(location, values)
