"""Commands with ``add_arguments``, ``style.SUCCESS``. Needless from Django 1.9 on."""

from __future__ import absolute_import

from django.core.management import base

if not hasattr(base.BaseCommand, "add_arguments"):  # before Django 1.8
    from django_compat.backports import argparsing as base

__all__ = [
    "CompatibilityAppCommand",
    "CompatibilityBaseCommand",
    "CompatibilityLabelCommand",
]


class CompatibilityBaseCommand(base.BaseCommand):
    """Django's BaseCommand, as it is from Django 1.9 on.

    ``call_command`` and the command line give ``handle`` the same options, with the
    types that the arguments say; ``verbosity`` is a number; CommandError leaves
    ``call_command``; ``self.stdout.write`` ends its lines. Until Django 1.7 a subclass
    that sets ``option_list`` is served by optparse, as it was.

    .. versionadded:: 1.0
    """

    def __init__(self, *args, **kwargs):
        super(CompatibilityBaseCommand, self).__init__(*args, **kwargs)
        if not hasattr(self.style, "SUCCESS"):
            self.style.SUCCESS = self.style.SQL_FIELD  # bold and green, too


class CompatibilityAppCommand(CompatibilityBaseCommand, base.AppCommand):
    """Django's AppCommand: ``handle_app_config`` for each label of an application.

    Before Django 1.7 it gets a name, a label, a module, a ``models_module`` and
    ``get_models()``; a ``handle_app`` of the subclass gets what it always did.

    .. versionadded:: 1.0
    """


class CompatibilityLabelCommand(CompatibilityBaseCommand, base.LabelCommand):
    """Django's LabelCommand: ``handle_label`` for each of the arguments.

    .. versionadded:: 1.0
    """
