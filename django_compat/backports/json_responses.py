"""JSON answers. The response is needless from Django 1.7 on, the encoder from 1.11."""

from __future__ import absolute_import

import datetime
import json
import uuid

import six
from django.core.serializers.json import DjangoJSONEncoder as _DjangoJSONEncoder
from django.http import HttpResponse
from django.utils.functional import Promise

__all__ = ["DjangoJSONEncoder", "JsonResponse"]


class DjangoJSONEncoder(_DjangoJSONEncoder):
    """Django's encoder, for timedelta, UUID and lazy texts too.

    .. versionadded:: 1.0
    """

    def default(self, o):
        """Return what JSON has for an object; TypeError if there is nothing."""
        if isinstance(o, datetime.timedelta):
            sign, o = ("-", -o) if o < datetime.timedelta(0) else ("", o)
            minutes, seconds = divmod(o.seconds, 60)
            fraction = ".%06d" % o.microseconds if o.microseconds else ""
            time = (sign, o.days) + divmod(minutes, 60) + (seconds, fraction)
            return "%sP%dDT%02dH%02dM%02d%sS" % time
        if isinstance(o, (uuid.UUID, Promise)):
            return six.text_type(o)
        return super(DjangoJSONEncoder, self).default(o)


class JsonResponse(HttpResponse):
    """A response with JSON as its content, ``application/json`` unless told otherwise.

    ``data`` must be a dict unless ``safe`` is false, else TypeError: a list at the top
    could be read by other sites' scripts in old browsers. ``json_dumps_params`` are
    arguments for ``json.dumps``; the others are those of HttpResponse.

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
        super(JsonResponse, self).__init__(content=content, **kwargs)
