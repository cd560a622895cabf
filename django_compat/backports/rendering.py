"""Templates into texts and responses. Needless from Django 1.8 on."""

from __future__ import absolute_import

from django.http import HttpResponse
from django.template import Context, RequestContext, loader

__all__ = ["render", "render_to_string"]


def render_to_string(
    template_name,
    context=None,
    request=None,
    using=None,
    dictionary=None,
    context_instance=None,
):
    """Return the text that a template, or the first of several, makes of a context.

    With ``request``, context processors add to it. ``dictionary`` and
    ``context_instance``, and a Context as the third argument, are what this Django
    calls them. ``using`` must be None or ``"django"``: there is one engine.

    .. versionadded:: 1.0
    """
    if using not in (None, "django"):
        text = "render_to_string(using=%r): this Django has one engine, 'django'"
        raise ValueError(text % (using,))
    if isinstance(request, Context):
        request, context_instance = None, request
    if context_instance is None and request is not None:
        context_instance = RequestContext(request)
    values = dictionary if context is None else context
    return loader.render_to_string(template_name, values, context_instance)


def render(
    request,
    template_name,
    context=None,
    content_type=None,
    status=None,
    using=None,
    **legacy
):
    """Return the response with what a template makes of a context and a request.

    What else this Django takes by name is given to ``render_to_string``, and
    ``current_app`` to the request's context.

    .. versionadded:: 1.0
    """
    if "current_app" in legacy:
        app = legacy.pop("current_app")
        legacy["context_instance"] = RequestContext(request, current_app=app)
    content = render_to_string(template_name, context, request, using, **legacy)
    return HttpResponse(content, content_type=content_type, status=status)
