"""Models and applications by label, the classes of querysets, the names of lookups.

``get_model`` is needed before Django 1.7. Django has ``get_models``, ``get_app``,
``get_apps`` and the classes of ``values()`` and ``values_list()`` until 1.8,
``add_lazy_relation`` until 1.11, and ``QUERY_TERMS`` until 2.0.
"""

from __future__ import absolute_import

import six
from django.db import models
from django.db.models import query

try:
    from django.apps import apps
except ImportError:  # before Django 1.7
    apps = None

__all__ = [
    "QUERY_TERMS",
    "Support_ValuesListQuerySet",
    "Support_ValuesQuerySet",
    "ValuesListQuerySet",
    "ValuesQuerySet",
    "add_lazy_relation",
    "clean_manytomany_helptext",
    "get_app",
    "get_apps",
    "get_model",
    "get_model_name",
    "get_models",
]

# Django until 1.5 appends this to the help text of a ManyToManyField.
_MULTIPLE = ' Hold down "Control", or "Command" on a Mac, to select more than one.'

# The lookups of dates and of every field; a project may register more for a field.
QUERY_TERMS = set("year month day week_day hour minute second".split())
if hasattr(models.Field, "get_lookups"):  # Django 1.10+
    QUERY_TERMS.update(models.Field.get_lookups())

# True if Django has the class itself.
Support_ValuesQuerySet = hasattr(query, "ValuesQuerySet")
Support_ValuesListQuerySet = hasattr(query, "ValuesListQuerySet")

_LISTS = "ValuesListIterable", "FlatValuesListIterable", "NamedValuesListIterable"


class _ByIterable(type):
    """Decide ``isinstance`` by the class that iterates over the queryset's rows."""

    def __instancecheck__(cls, instance):
        iterable = getattr(instance, "_iterable_class", None)
        return getattr(iterable, "__name__", None) in cls._iterables

    def __subclasscheck__(cls, subclass):
        return subclass in (cls, ValuesQuerySet, ValuesListQuerySet)[: cls._depth]


class ValuesQuerySet(six.with_metaclass(_ByIterable, object)):
    """For ``isinstance``: the class of the result of ``values()`` or ``values_list()``.

    .. versionadded:: 1.0
    """

    _depth = 3
    _iterables = ("ValuesIterable",) + _LISTS


class ValuesListQuerySet(six.with_metaclass(_ByIterable, object)):
    """For ``isinstance``: the class of the result of ``values_list()``.

    .. versionadded:: 1.0
    """

    _depth = 1
    _iterables = _LISTS


def get_model(app_label, model_name=None):
    """Return a model by its labels, or by ``"app.Model"``.

    Raises LookupError if no application has the model.

    .. versionadded:: 1.0
    """
    if model_name is None:
        app_label, model_name = app_label.split(".")
    model = models.get_model(app_label, model_name)
    if model is None:
        text = "get_model(%r, %r): no app in INSTALLED_APPS has this model"
        raise LookupError(text % (app_label, model_name))
    return model


def get_app(app_label):
    """Return the models module of an application.

    Raises ImproperlyConfigured if the application or its models module is missing.

    .. versionadded:: 1.0
    """
    from django.core.exceptions import ImproperlyConfigured

    try:
        module = apps.get_app_config(app_label).models_module
    except LookupError as error:
        raise ImproperlyConfigured(str(error))
    if module is None:
        text = "get_app(%r): the application has no models module"
        raise ImproperlyConfigured(text % app_label)
    return module


def get_apps():
    """Return the models modules of all applications that have models.

    .. versionadded:: 1.0
    """
    modules = (config.models_module for config in apps.get_app_configs())
    return [module for module in modules if module is not None]


def get_models(app_mod=None, include_auto_created=False, include_swapped=False):
    """Return the models of all applications, or of the one with this models module.

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
    """Return a help text without the sentence that Django until 1.5 appends.

    .. versionadded:: 1.0
    """
    text = six.text_type(text)
    return text[: -len(_MULTIPLE)] if text.endswith(_MULTIPLE) else text


def add_lazy_relation(cls, field, relation, operation):
    """Call ``operation(field, related model, cls)`` when the related model is loaded.

    ``relation`` is the related model or its name, as in a ForeignKey of ``cls``.

    .. versionadded:: 1.0
    """
    from django.db.models.fields.related import lazy_related_operation

    def call(local, related, field):
        return operation(field, related, local)

    lazy_related_operation(call, cls, relation, field=field)
