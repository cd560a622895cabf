"""What template engines are made of, on every Django."""

from __future__ import absolute_import

from importlib import import_module

from django.core.exceptions import ImproperlyConfigured

__all__ = ["add_to_builtins", "get_template_loaders"]


def get_template_loaders():
    """Return the loaders of the default template engine; without one, an empty list.

    .. versionadded:: 1.0
    """
    try:
        from django.template.engine import Engine
    except ImportError:  # before Django 1.8
        from django.conf import settings
        from django.template.loader import find_template_loader

        found = [find_template_loader(each) for each in settings.TEMPLATE_LOADERS]
        return [loader for loader in found if loader is not None]
    try:
        return Engine.get_default().template_loaders
    except ImproperlyConfigured:
        return []


def add_to_builtins(module):
    """Make the tags of a module known to all templates, without ``{% load %}``.

    Django has it until 1.8, and ``OPTIONS["builtins"]`` in TEMPLATES since 1.9. This
    adds to every engine of Django templates that TEMPLATES has, for this process.

    .. versionadded:: 1.0
    """
    from django.template import engines

    library = import_module(module).register
    for backend in engines.all():
        engine = getattr(backend, "engine", None)
        if hasattr(engine, "template_builtins") and module not in engine.builtins:
            engine.builtins.append(module)
            engine.template_builtins.append(library)
