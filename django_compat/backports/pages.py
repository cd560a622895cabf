"""A response made of a template alone. Django has ``render_to_response`` until 2.2."""

from __future__ import absolute_import

from django.shortcuts import render

__all__ = ["render_to_response"]


def render_to_response(
    template_name, context=None, content_type=None, status=None, using=None
):
    """Return a response with a rendered template; there is no request in its context.

    .. versionadded:: 1.0
    """
    return render(None, template_name, context, content_type, status, using)
