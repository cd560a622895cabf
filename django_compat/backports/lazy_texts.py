"""Lazy texts, one after the other. Django has ``string_concat`` until 2.0."""

from __future__ import absolute_import

import six
from django.utils.functional import lazy

__all__ = ["string_concat"]


def _join(*texts):
    return u"".join(six.text_type(text) for text in texts)


string_concat = lazy(_join, six.text_type)
