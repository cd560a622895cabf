"""Middleware with both methods."""

from __future__ import absolute_import

from django_compat import MiddlewareMixin


class PathMiddleware(MiddlewareMixin):
    """Send the path of the request back in a header."""

    def process_request(self, request):
        request.asked_for = request.path

    def process_response(self, request, response):
        response["X-Asked-For"] = request.asked_for
        return response
