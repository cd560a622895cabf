"""The results of moved names that need models, templates or users."""

from __future__ import absolute_import

import warnings


def collect():
    """Return the results by a label."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old names warn
        return dict(_models(), **dict(_users(), **_templates()))


def _models():
    from django.db.models import CharField

    from django_compat import (
        ImproperlyConfigured,
        ValuesListQuerySet,
        ValuesQuerySet,
        add_lazy_relation,
        display_for_field,
        get_app,
        get_apps,
        get_model,
        get_model_name,
        get_models,
    )
    from reusable import models
    from reusable.models import Note

    notes = Note.objects.all()
    querysets = [notes, notes.values(), notes.values_list("pk")]
    querysets.append(notes.filter(pk=1).values())
    calls = []
    for relation in (Note, "reusable.Note"):
        add_lazy_relation(Note, "field", relation, lambda *args: calls.append(args))
    results = {
        "add_lazy_relation": calls == [("field", Note, Note)] * 2,
        "get_app": get_app("reusable") is models and models in get_apps(),
        "get_model": get_model("reusable", "note") is Note,
        "get_model of one": get_model("reusable.Note") is Note,
        "get_model_name": get_model_name(Note),
        "get_models": Note in get_models() and get_models(models) == [Note],
        "values": [isinstance(each, ValuesQuerySet) for each in querysets],
        "values_list": [isinstance(each, ValuesListQuerySet) for each in querysets],
        "values_list of one": isinstance(
            notes.values_list("pk", flat=True), (ValuesListQuerySet,)
        ),
        "values_list is values": issubclass(ValuesListQuerySet, ValuesQuerySet)
        and not issubclass(ValuesQuerySet, ValuesListQuerySet),
        "display_for_field": [
            display_for_field(None, Note._meta.get_field("title"), "-none-"),
            display_for_field("x", Note._meta.get_field("title"), "-none-"),
            display_for_field("x", CharField(choices=[("x", "X")]), "-none-"),
            display_for_field("y", CharField(choices=[("x", "X")]), "-none-"),
        ],
    }
    # No application has the label; the application has no models.
    for label in "absent", "django_compat":
        try:
            get_app(label)
        except ImproperlyConfigured as error:
            results["get_app of " + label] = label in str(error)
    try:
        get_model("reusable", "absent")
    except LookupError:
        results["get_model of none"] = "LookupError"
    return results


def _users():
    from django_compat import (
        get_user_model,
        get_user_model_path,
        get_user_permission_codename,
        get_user_permission_full_codename,
        get_username_field,
        user_model_label,
    )

    codenames = get_user_permission_codename, get_user_permission_full_codename
    return {
        "permissions": _permissions(),
        "user": get_user_model().__name__,
        "user label": [get_user_model_path(), user_model_label],
        "user permission": [codename("add") for codename in codenames],
        "username": get_username_field(),
    }


def _permissions():
    from django.contrib.auth.models import Permission

    from django_compat import create_permissions
    from reusable import models

    try:
        from django.apps import apps
    except ImportError:  # before Django 1.7
        app = models
    else:
        app = apps.get_app_config("reusable")
    permissions = Permission.objects.filter(content_type__app_label="reusable")
    permissions.delete()
    create_permissions(app, verbosity=0)
    first = permissions.count()
    permissions.delete()
    create_permissions(app, [], 0)
    return first > 0 and first == permissions.count()


def _templates():
    from django.template import Context, Template, TemplateSyntaxError

    from django_compat import (
        InvalidTemplateLibrary,
        add_to_builtins,
        get_library,
        get_template_from_string,
        get_template_loaders,
        render_to_response,
        render_to_string,
    )

    loaders = [type(loader).__name__ for loader in get_template_loaders()]
    add_to_builtins("django_compat.templatetags.django_compat")
    text = "{% verbatim %}{{ a }}{% if b %}{# c #}{% endverbatim %}{{ d }}"
    context = {"heading": "<h>", "type": 5}
    response = render_to_response("reusable/detail.html", context)
    results = {
        "get_library": "localtime" in get_library("tz").filters,
        "get_template_from_string": get_template_from_string("{{ d }}").render(
            Context({"d": 1})
        ),
        "loaders": "Loader" in loaders,
        "builtins": Template("{% url 'reusable:index' %}").render(Context({})),
        "verbatim": Template(text).render(Context({"d": 1})),
        "response": [response.status_code, response.content.decode("ascii").strip()],
        "string": render_to_string("reusable/detail.html", context).strip(),
        "string of several": render_to_string(["no.html", "404.html"]).strip(),
    }
    try:
        Template("{% load django_compat %}{% verbatim %}{{ a }}").render(Context({}))
    except TemplateSyntaxError as error:
        results["verbatim without end"] = "verbatim" in str(error)
    try:
        get_library("absent")
    except InvalidTemplateLibrary as error:
        results["get_library of none"] = "absent" in str(error)
    try:
        render_to_string("404.html", using="absent")
    except Exception as error:
        results["no engine"] = type(error).__name__ in (
            "ValueError",
            "InvalidTemplateEngineError",
        )
    return results
