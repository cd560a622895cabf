"""JSON responses.

``DjangoJSONEncoder`` is needed before Django 1.11, and ``JsonResponse``, which has the
encoder as its default, too.
"""

from __future__ import absolute_import

import datetime
import json
import uuid

import six
from django import http
from django.core.serializers.json import DjangoJSONEncoder as _DjangoJSONEncoder
from django.utils.functional import Promise

__all__ = ["DjangoJSONEncoder", "JsonResponse"]


class DjangoJSONEncoder(_DjangoJSONEncoder):
    """Django's encoder, which here also takes timedelta, UUID and lazy texts.

    .. versionadded:: 1.0
    """

    def default(self, o):
        """Return the JSON value of an object; TypeError if JSON has none."""
        if isinstance(o, datetime.timedelta):
            sign, o = ("-", -o) if o < datetime.timedelta(0) else ("", o)
            minutes, seconds = divmod(o.seconds, 60)
            fraction = ".%06d" % o.microseconds if o.microseconds else ""
            time = (sign, o.days) + divmod(minutes, 60) + (seconds, fraction)
            return "%sP%dDT%02dH%02dM%02d%sS" % time
        if isinstance(o, (uuid.UUID, Promise)):
            return six.text_type(o)
        return super(DjangoJSONEncoder, self).default(o)


# Django's own class since 1.7: code may ask isinstance().
class JsonResponse(getattr(http, "JsonResponse", http.HttpResponse)):
    """A response with JSON content; the content type defaults to ``application/json``.

    ``data`` must be a dict, or ``safe`` must be False, else TypeError: scripts of other
    sites could read a list in old browsers. ``json_dumps_params`` are arguments of
    ``json.dumps``. The other arguments go to HttpResponse.

    .. versionadded:: 1.0
    """

    def __init__(
        self,
        data,
        encoder=DjangoJSONEncoder,
        safe=True,
        json_dumps_params=None,
        **kwargs
    ):
        if safe and not isinstance(data, dict):
            text = "JsonResponse(data=<%s>): it must be a dict, or safe must be False"
            raise TypeError(text % type(data).__name__)
        kwargs.setdefault("content_type", "application/json")
        content = json.dumps(data, cls=encoder, **(json_dumps_params or {}))
        http.HttpResponse.__init__(self, content=content, **kwargs)
