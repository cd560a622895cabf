"""Caches and storages by their alias in the settings.

``DEFAULT_TIMEOUT`` is needed before Django 1.6, ``caches`` before 1.7, ``storages`` and
``InvalidStorageError`` before 4.2. Django has ``get_cache`` until 1.8 and
``get_storage_class`` until 5.0.
"""

from __future__ import absolute_import

from threading import local

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from django_compat._names.backports.utils import import_string

__all__ = [
    "DEFAULT_TIMEOUT",
    "InvalidStorageError",
    "caches",
    "get_cache",
    "get_storage_class",
    "storages",
]

DEFAULT_TIMEOUT = None  # before Django 1.6, None is the cache's own timeout


class _Caches(object):
    """The caches that each thread has used, by alias; for Django before 1.7."""

    def __init__(self):
        self._local = local()

    def __getitem__(self, alias):
        from django.core import cache

        opened = self._local.__dict__.setdefault("caches", {})
        if alias not in opened:
            if alias not in settings.CACHES:
                raise cache.InvalidCacheBackendError(
                    "CACHES has no %r, only %s"
                    % (alias, ", ".join(sorted(map(repr, settings.CACHES))))
                )
            opened[alias] = cache.get_cache(alias)
        return opened[alias]

    def all(self):
        """Return the caches that this thread has used."""
        return list(self._local.__dict__.get("caches", {}).values())


caches = _Caches()


def get_cache(backend, **kwargs):
    """Return the cache of an alias; with ``kwargs``, a new cache with these settings.

    ``backend`` is an alias or, with ``kwargs``, the dotted path of a backend.

    .. versionadded:: 1.0
    """
    if not kwargs:
        from django.core.cache import caches  # Django 1.7+

        return caches[backend]
    values = dict(settings.CACHES.get(backend, {"BACKEND": backend}), **kwargs)
    path, location = values.pop("BACKEND"), values.pop("LOCATION", "")
    return import_string(path)(location, values)


class InvalidStorageError(ImproperlyConfigured):
    """No storage has this alias.

    .. versionadded:: 1.0
    """


class _Storages(object):
    """The default storage and the storage of static files, by alias."""

    def __getitem__(self, alias):
        if alias == "default":
            from django.core.files.storage import default_storage

            return default_storage
        if alias == "staticfiles":
            from django.contrib.staticfiles.storage import staticfiles_storage

            return staticfiles_storage
        text = "storages[%r]: this Django has 'default' and 'staticfiles'"
        raise InvalidStorageError(text % (alias,))


storages = _Storages()


def get_storage_class(import_path=None):
    """Return the storage class at a dotted path, or the class of the default storage.

    .. versionadded:: 1.0
    """
    if import_path is None:
        import_path = getattr(settings, "STORAGES", {}).get("default", {})
        import_path = import_path.get("BACKEND") or settings.DEFAULT_FILE_STORAGE
    return import_string(import_path)
