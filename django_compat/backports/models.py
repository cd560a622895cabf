"""Models and applications by label, and what a model is called.

``get_model`` is needless from Django 1.7 on; Django has ``get_models``, ``get_app`` and
``get_apps`` until 1.8.
"""

from __future__ import absolute_import

import six
from django.db import models

try:
    from django.apps import apps
except ImportError:  # before Django 1.7
    apps = None

__all__ = [
    "clean_manytomany_helptext",
    "create_permissions",
    "get_app",
    "get_apps",
    "get_model",
    "get_model_name",
    "get_models",
]

# What Django until 1.5 appends to the help text of a ManyToManyField.
_MULTIPLE = ' Hold down "Control", or "Command" on a Mac, to select more than one.'


def get_model(app_label, model_name=None):
    """Return a model; the label may be ``"app.Model"``. LookupError if there is none.

    .. versionadded:: 1.0
    """
    if model_name is None:
        app_label, model_name = app_label.split(".")
    if apps is not None:
        return apps.get_model(app_label, model_name)
    found = models.get_model(app_label, model_name)
    if found is None:
        text = "get_model(%r, %r): no app in INSTALLED_APPS has such a model"
        raise LookupError(text % (app_label, model_name))
    return found


def get_app(app_label):
    """Return the models module of an application.

    Raises ImproperlyConfigured if there is none.

    .. versionadded:: 1.0
    """
    from django.core.exceptions import ImproperlyConfigured

    try:
        found = apps.get_app_config(app_label).models_module
    except LookupError as error:
        raise ImproperlyConfigured(str(error))
    if found is None:
        raise ImproperlyConfigured("get_app(%r): it has no models module" % app_label)
    return found


def get_apps():
    """Return the models modules of all applications that have one.

    .. versionadded:: 1.0
    """
    modules = (config.models_module for config in apps.get_app_configs())
    return [module for module in modules if module is not None]


def get_models(app_mod=None, include_auto_created=False, include_swapped=False):
    """Return the models of all applications, or of one by its models module.

    .. versionadded:: 1.0
    """
    options = {
        "include_auto_created": include_auto_created,
        "include_swapped": include_swapped,
    }
    if app_mod is None:
        return list(apps.get_models(**options))
    return [
        model
        for config in apps.get_app_configs()
        if config.models_module is app_mod
        for model in config.get_models(**options)
    ]


def get_model_name(model_cls):
    """Return the name of a model in lower case.

    .. versionadded:: 1.0
    """
    name = getattr(model_cls._meta, "model_name", None)
    return name or model_cls._meta.module_name  # until Django 1.5


def clean_manytomany_helptext(text):
    """Return a help text without what Django until 1.5 appends to it.

    .. versionadded:: 1.0
    """
    text = six.text_type(text)
    return text[: -len(_MULTIPLE)] if text.endswith(_MULTIPLE) else text


def create_permissions(*args, **kwargs):
    """Create the permissions of an application's models, as Django's function does.

    ``create_models``, the second of three before Django 1.7, may be given to all.

    .. versionadded:: 1.0
    """
    from django.contrib.auth import management

    has_models = len(args) > 1 and isinstance(args[1], (list, tuple))
    if apps is not None and has_models:
        args = args[:1] + args[2:]
    elif apps is None and not has_models and "created_models" not in kwargs:
        args = args[:1] + ([],) + args[1:]
    return management.create_permissions(*args, **kwargs)
