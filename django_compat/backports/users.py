"""The user model and its names. ``get_user_model`` is needless from Django 1.5 on."""

from __future__ import absolute_import

from django.conf import settings

__all__ = [
    "get_user_model",
    "get_user_model_path",
    "get_user_permission_codename",
    "get_user_permission_full_codename",
    "get_username_field",
    "user_model_label",
]

# As "app.Model", for a ForeignKey; read when it is first asked for.
user_model_label = getattr(settings, "AUTH_USER_MODEL", "auth.User")


def get_user_model():
    """Return the model of users.

    .. versionadded:: 1.0
    """
    from django.contrib import auth

    if hasattr(auth, "get_user_model"):
        return auth.get_user_model()
    from django.contrib.auth.models import User  # before Django 1.5

    return User


def get_user_model_path():
    """Return the model of users as ``"app.Model"``, importing none.

    .. versionadded:: 1.0
    """
    return getattr(settings, "AUTH_USER_MODEL", "auth.User")


def get_username_field():
    """Return the name of the field that users log in by.

    .. versionadded:: 1.0
    """
    return getattr(get_user_model(), "USERNAME_FIELD", "username")


def get_user_permission_full_codename(perm):
    """Return ``"app.perm_model"`` for the model of users, such as ``auth.add_user``.

    .. versionadded:: 1.0
    """
    label = get_user_model()._meta.app_label
    return "%s.%s" % (label, get_user_permission_codename(perm))


def get_user_permission_codename(perm):
    """Return ``"perm_model"`` for the model of users, such as ``add_user``.

    .. versionadded:: 1.0
    """
    options = get_user_model()._meta
    model = getattr(options, "model_name", None)
    return "%s_%s" % (perm, model or options.module_name)  # Django 1.4, 1.5
