"""Settings as an error report shows them. Django has the functions until 3.0."""

from __future__ import absolute_import

from django.views.debug import get_default_exception_reporter_filter

__all__ = ["cleanse_setting", "get_safe_settings"]


def cleanse_setting(key, value):
    """Return the value of a setting, with stars in the place of what is secret.

    .. versionadded:: 1.0
    """
    return get_default_exception_reporter_filter().cleanse_setting(key, value)


def get_safe_settings():
    """Return the settings by name, with stars in the place of what is secret.

    .. versionadded:: 1.0
    """
    return get_default_exception_reporter_filter().get_safe_settings()
