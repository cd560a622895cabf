"""A response whose content is produced while it is sent. Needed before Django 1.5."""

from __future__ import absolute_import

from django.http import HttpResponse

__all__ = ["StreamingHttpResponse"]


class StreamingHttpResponse(HttpResponse):
    """A response that sends the texts of an iterable one by one.

    In Django 1.4 a middleware that reads ``content`` collects the texts first.

    .. versionadded:: 1.0
    """

    streaming = True

    def __init__(self, streaming_content=(), *args, **kwargs):
        super(StreamingHttpResponse, self).__init__("", *args, **kwargs)
        self.streaming_content = streaming_content

    @property
    def streaming_content(self):
        """The iterator over the texts."""
        return self._container

    @streaming_content.setter
    def streaming_content(self, texts):
        self._container, self._is_string = iter(texts), False
