"""Middleware with both methods."""

from __future__ import absolute_import

from django_compat import MiddlewareMixin


class CountMiddleware(MiddlewareMixin):
    """Say in a header how many notes there are."""

    def process_request(self, request):
        """Note what is asked for."""
        request.asked_for = request.path

    def process_response(self, request, response):
        """Add the header."""
        response["X-Asked-For"] = request.asked_for
        return response
