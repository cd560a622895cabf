"""How the admin shows a value. Needed before Django 1.9."""

from __future__ import absolute_import

from django.db import models

try:
    from django.contrib.admin import utils
except ImportError:  # before Django 1.7
    from django.contrib.admin import util as utils

__all__ = ["display_for_field"]


def display_for_field(value, field, empty_value_display):
    """Return the admin's text for a field's value; ``empty_value_display`` for None.

    .. versionadded:: 1.0
    """
    if getattr(field, "flatchoices", None):
        return dict(field.flatchoices).get(value, empty_value_display)
    is_boolean = isinstance(field, (models.BooleanField, models.NullBooleanField))
    if value is None and not is_boolean:
        return empty_value_display
    return utils.display_for_field(value, field)
