"""What names are worth that need models, templates or users."""

from __future__ import absolute_import

import warnings


def collect():
    """Return what each of them says of this app."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # old names say so
        return dict(_models(), **dict(_users(), **_templates()))


def _models():
    from reusable import models
    from reusable.models import Note

    from django_compat import (
        ValuesListQuerySet,
        ValuesQuerySet,
        display_for_field,
        get_app,
        get_apps,
        get_model,
        get_model_name,
        get_models,
    )

    notes = Note.objects.all()
    sets = notes, notes.values(), notes.values_list("pk"), notes.filter(pk=1).values()
    found = {
        "get_app": get_app("reusable") is models and models in get_apps(),
        "get_model": get_model("reusable", "note") is Note,
        "get_model of one": get_model("reusable.Note") is Note,
        "get_model_name": get_model_name(Note),
        "get_models": Note in get_models() and get_models(models) == [Note],
        "values": [isinstance(each, ValuesQuerySet) for each in sets],
        "values_list": [isinstance(each, ValuesListQuerySet) for each in sets],
        "values_list of one": isinstance(
            notes.values_list("pk", flat=True), (ValuesListQuerySet,)
        ),
        "display_for_field": [
            display_for_field(None, Note._meta.get_field("title"), "-none-"),
            display_for_field("x", Note._meta.get_field("title"), "-none-"),
        ],
    }
    try:
        get_model("reusable", "absent")
    except LookupError:
        found["get_model of none"] = "LookupError"
    return found


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
    from reusable import models

    from django_compat import create_permissions

    try:
        from django.apps import apps
    except ImportError:  # before Django 1.7
        app = models
    else:
        app = apps.get_app_config("reusable")
    found = Permission.objects.filter(content_type__app_label="reusable")
    found.delete()
    create_permissions(app, verbosity=0)
    first = found.count()
    found.delete()
    create_permissions(app, [], 0)
    return first > 0 and first == found.count()


def _templates():
    from django.template import Context, Template

    from django_compat import (
        add_to_builtins,
        get_template_loaders,
        render_to_response,
        render_to_string,
    )

    loaders = [type(loader).__name__ for loader in get_template_loaders()]
    add_to_builtins("django_compat.templatetags.django_compat")
    text = "{% verbatim %}{{ a }}{% if b %}{# c #}{% endverbatim %}{{ d }}"
    context = {"heading": "<h>", "type": 5}
    response = render_to_response("reusable/detail.html", context)
    found = {
        "loaders": "Loader" in loaders,
        "builtins": Template("{% url 'reusable:index' %}").render(Context({})),
        "verbatim": Template(text).render(Context({"d": 1})),
        "response": [response.status_code, response.content.decode("ascii").strip()],
        "string": render_to_string("reusable/detail.html", context).strip(),
        "string of several": render_to_string(["no.html", "404.html"]).strip(),
    }
    try:
        render_to_string("404.html", using="absent")
    except Exception as error:
        found["no engine"] = type(error).__name__ in (
            "ValueError",
            "InvalidTemplateEngineError",
        )
    return found
