"""Storages by alias. ``storages`` is needless from Django 4.2 on; Django has
``get_storage_class`` until 5.0.
"""

from __future__ import absolute_import

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from django_compat.backports.importing import import_string

__all__ = ["InvalidStorageError", "get_storage_class", "storages"]


class InvalidStorageError(ImproperlyConfigured):
    """An alias that no storage has.

    .. versionadded:: 1.0
    """


class _Storages(object):
    """The default storage, and the one of static files."""

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
    """Return the class of a storage by its dotted path, or that of the default one.

    .. versionadded:: 1.0
    """
    if import_path is None:
        import_path = getattr(settings, "STORAGES", {}).get("default", {})
        import_path = import_path.get("BACKEND") or settings.DEFAULT_FILE_STORAGE
    return import_string(import_path)
