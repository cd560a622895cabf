"""How the admin shows a value. Needless from Django 1.9 on."""

from __future__ import absolute_import

from django.db import models

try:
    from django.contrib.admin import utils
except ImportError:  # before Django 1.7
    from django.contrib.admin import util as utils

__all__ = ["display_for_field"]


def display_for_field(value, field, empty_value_display):
    """Return what the admin shows for a field's value; the last is for None.

    .. versionadded:: 1.0
    """
    if getattr(field, "flatchoices", None):
        return dict(field.flatchoices).get(value, empty_value_display)
    is_boolean = isinstance(field, (models.BooleanField, models.NullBooleanField))
    if value is None and not is_boolean:
        return empty_value_display
    return utils.display_for_field(value, field)
