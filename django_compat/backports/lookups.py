"""The names of lookups. Django has QUERY_TERMS until 2.0."""

from __future__ import absolute_import

from django.db.models import Field

__all__ = ["QUERY_TERMS"]

# Those of every field, and of dates; a project may register more with a field.
QUERY_TERMS = set(Field.get_lookups()) | set(
    "year month day week_day hour minute second".split()
)
