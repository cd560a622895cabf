"""Middleware of both styles. Needless from Django 1.10 on."""

from __future__ import absolute_import

__all__ = ["MiddlewareMixin"]


class MiddlewareMixin(object):
    """What makes ``process_request`` and its like callable with ``get_response``.

    Here Django calls the ``process_...`` methods themselves, and makes the middleware
    without an argument: list it in MIDDLEWARE_CLASSES. Called with a request, it does
    what the one of later Djangos does.

    .. versionadded:: 1.0
    """

    def __init__(self, get_response=None):
        self.get_response = get_response
        super(MiddlewareMixin, self).__init__()

    def __call__(self, request):
        response = None
        if hasattr(self, "process_request"):
            response = self.process_request(request)
        response = response or self.get_response(request)
        if hasattr(self, "process_response"):
            response = self.process_response(request, response)
        return response
