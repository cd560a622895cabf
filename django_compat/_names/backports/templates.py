"""Templates: texts and responses made from them, loaders, built-in tags.

``render`` and ``render_to_string`` are needed before Django 1.8. Django has
``add_to_builtins`` and ``get_library`` until 1.8 and ``render_to_response`` until 2.2;
no Django has ``get_template_loaders``.
"""

from __future__ import absolute_import

from importlib import import_module

from django.core.exceptions import ImproperlyConfigured
from django.http import HttpResponse
from django.template import Context, RequestContext, loader

__all__ = [
    "add_to_builtins",
    "get_library",
    "get_template_loaders",
    "render",
    "render_to_response",
    "render_to_string",
]


def render_to_string(
    template_name,
    context=None,
    request=None,
    using=None,
    dictionary=None,
    context_instance=None,
):
    """Return the text of a template, or of the first of several that exists.

    With ``request``, context processors add to the context. The arguments of this
    Django work too: ``dictionary``, ``context_instance``, and a Context as the third
    argument. ``using`` must be None or ``"django"``, the only engine.

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
    """Return the response of a template, a context and a request.

    The other arguments of this Django go to ``render_to_string``; ``current_app`` goes
    to the context of the request.

    .. versionadded:: 1.0
    """
    if "current_app" in legacy:
        app = legacy.pop("current_app")
        legacy["context_instance"] = RequestContext(request, current_app=app)
    content = render_to_string(template_name, context, request, using, **legacy)
    return HttpResponse(content, content_type=content_type, status=status)


def render_to_response(
    template_name, context=None, content_type=None, status=None, using=None
):
    """Return the response of a template whose context has no request.

    .. versionadded:: 1.0
    """
    from django.shortcuts import render

    return render(None, template_name, context, content_type, status, using)


def get_template_loaders():
    """Return the loaders of the default template engine; without one, an empty list.

    .. versionadded:: 1.0
    """
    try:
        from django.template.engine import Engine
    except ImportError:  # before Django 1.8
        from django.conf import settings
        from django.template.loader import find_template_loader

        loaders = [find_template_loader(path) for path in settings.TEMPLATE_LOADERS]
        return [loader for loader in loaders if loader is not None]
    try:
        return Engine.get_default().template_loaders
    except ImproperlyConfigured:
        return []


def add_to_builtins(module):
    """Make the tags of a module known to all templates, without ``{% load %}``.

    Since 1.9 Django has ``OPTIONS["builtins"]`` in TEMPLATES instead. This function
    adds the module to each engine of Django templates in TEMPLATES, in this process.

    .. versionadded:: 1.0
    """
    from django.template import engines

    library = import_module(module).register
    for backend in engines.all():
        engine = getattr(backend, "engine", None)
        if hasattr(engine, "template_builtins") and module not in engine.builtins:
            engine.builtins.append(module)
            engine.template_builtins.append(library)


def get_library(library_name):
    """Return the library that ``{% load library_name %}`` loads.

    Raises InvalidTemplateLibrary if the default engine has no such library.

    .. versionadded:: 1.0
    """
    from django.template.engine import Engine
    from django.template.library import InvalidTemplateLibrary

    libraries = Engine.get_default().template_libraries
    if library_name not in libraries:
        text = "get_library(%r): there are only %s"
        names = ", ".join(sorted(libraries))
        raise InvalidTemplateLibrary(text % (library_name, names))
    return libraries[library_name]
