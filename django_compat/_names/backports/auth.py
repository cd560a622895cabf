"""Users, passwords and permissions.

``get_user_model`` is needed before Django 1.5, ``update_session_auth_hash`` before 1.7,
``validate_password`` before 1.9. No Django has the other functions.
"""

from __future__ import absolute_import

import django
from django.conf import settings
from django.core.exceptions import ValidationError

from django_compat._names.backports.utils import import_string

__all__ = [
    "create_permissions",
    "get_user_model",
    "get_user_model_path",
    "get_user_permission_codename",
    "get_user_permission_full_codename",
    "get_username_field",
    "update_session_auth_hash",
    "user_model_label",
    "validate_password",
]

# The user model as "app.Model", for a ForeignKey.
user_model_label = getattr(settings, "AUTH_USER_MODEL", "auth.User")


def get_user_model():
    """Return the user model.

    .. versionadded:: 1.0
    """
    from django.contrib import auth

    if hasattr(auth, "get_user_model"):
        return auth.get_user_model()
    from django.contrib.auth.models import User  # before Django 1.5

    return User


def get_user_model_path():
    """Return ``"app.Model"`` of the user model, without importing the model.

    .. versionadded:: 1.0
    """
    return getattr(settings, "AUTH_USER_MODEL", "auth.User")


def get_username_field():
    """Return the name of the field that identifies a user at login.

    .. versionadded:: 1.0
    """
    return getattr(get_user_model(), "USERNAME_FIELD", "username")


def get_user_permission_full_codename(perm):
    """Return ``"app.perm_model"`` for the user model, such as ``auth.add_user``.

    .. versionadded:: 1.0
    """
    label = get_user_model()._meta.app_label
    return "%s.%s" % (label, get_user_permission_codename(perm))


def get_user_permission_codename(perm):
    """Return ``"perm_model"`` for the user model, such as ``add_user``.

    .. versionadded:: 1.0
    """
    options = get_user_model()._meta
    model = getattr(options, "model_name", None)
    return "%s_%s" % (perm, model or options.module_name)  # Django 1.4, 1.5


def create_permissions(*args, **kwargs):
    """Create the permissions of an application's models, as Django's function does.

    Before Django 1.7 the second argument is ``created_models``. This function takes
    calls with and without that argument, on every Django.

    .. versionadded:: 1.0
    """
    from django.contrib.auth import management

    wants_models = not hasattr(django, "setup")  # before Django 1.7
    has_models = len(args) > 1 and isinstance(args[1], (list, tuple))
    if has_models and not wants_models:
        args = args[:1] + args[2:]
    elif wants_models and not has_models and "created_models" not in kwargs:
        args = args[:1] + ([],) + args[1:]
    return management.create_permissions(*args, **kwargs)


def update_session_auth_hash(request, user):
    """Give the session a new key after a change of the password.

    Before Django 1.7 a change of the password ends no session.

    .. versionadded:: 1.0
    """
    request.session.cycle_key()


def validate_password(password, user=None, password_validators=None):
    """Raise ValidationError with the errors of each validator that refuses a password.

    By default the validators are those of the setting AUTH_PASSWORD_VALIDATORS, which
    has the form of Django 1.9: ``{"NAME": dotted path, "OPTIONS": arguments}``. Django
    before 1.9 has no validators of its own.

    .. versionadded:: 1.0
    """
    if password_validators is None:
        password_validators = [
            import_string(entry["NAME"])(**entry.get("OPTIONS", {}))
            for entry in getattr(settings, "AUTH_PASSWORD_VALIDATORS", ())
        ]
    messages = []
    for validator in password_validators:
        try:
            validator.validate(password, user)
        except ValidationError as error:
            messages.extend(error.messages)
    if messages:
        raise ValidationError(messages)
