"""Slugs of more than ASCII. Needless from Django 1.9 on."""

from __future__ import absolute_import

import re
import unicodedata

import six
from django.utils.safestring import mark_safe

from django_compat.backports.functional import keep_lazy

__all__ = ["slugify"]


@keep_lazy(six.text_type)
def slugify(value, allow_unicode=False):
    """Return a text in lower case, without what is no letter, digit, ``_`` or hyphen.

    White space becomes a hyphen. Letters beyond ASCII lose their accents, or are
    dropped; with ``allow_unicode`` they stay.

    .. versionadded:: 1.0
    """
    value = six.text_type(value)
    if allow_unicode:
        value = unicodedata.normalize("NFKC", value)
    else:
        value = unicodedata.normalize("NFKD", value)
        value = value.encode("ascii", "ignore").decode("ascii")
    value = re.sub(r"[^\w\s-]", "", value, flags=re.UNICODE).strip().lower()
    return mark_safe(re.sub(r"[-\s]+", "-", value, flags=re.UNICODE))
