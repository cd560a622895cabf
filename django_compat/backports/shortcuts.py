"""The URL of a thing. Needless from Django 1.5 on."""

from __future__ import absolute_import

import six
from django.core.urlresolvers import NoReverseMatch, reverse
from django.utils.functional import Promise

__all__ = ["resolve_url"]


def resolve_url(to, *args, **kwargs):
    """Return the URL of a model, a view or its name, or a URL.

    A model is asked with ``get_absolute_url()``; a view is reversed with the arguments;
    what holds a slash or a dot, or starts with ``./`` or ``../``, is a URL already.
    Raises NoReverseMatch for anything else.

    .. versionadded:: 1.0
    """
    if hasattr(to, "get_absolute_url"):
        return to.get_absolute_url()
    if isinstance(to, Promise):
        to = six.text_type(to)
    if isinstance(to, six.string_types) and to.startswith(("./", "../")):
        return to
    try:
        return reverse(to, args=args, kwargs=kwargs)
    except NoReverseMatch:
        if callable(to) or not ("/" in to or "." in to):
            raise
        return to
