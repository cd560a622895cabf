"""Base classes of commands.

``CompatibilityBaseCommand`` and the two like it are needed before Django 1.9.
``NoArgsCommand`` is needed from Django 1.10 on. No Django has ``ProxyParser``.
"""

from __future__ import absolute_import

from optparse import make_option

from django.core.management import base as django_base

if hasattr(django_base.BaseCommand, "add_arguments"):  # Django 1.8+
    base = django_base
else:
    from django_compat._names.backports import argparsing as base

__all__ = [
    "CompatibilityAppCommand",
    "CompatibilityBaseCommand",
    "CompatibilityLabelCommand",
    "NoArgsCommand",
    "ProxyParser",
]


class CompatibilityBaseCommand(base.BaseCommand):
    """Django's BaseCommand as Django 1.9 and later have it.

    ``call_command`` and the command line give ``handle`` the same options, converted to
    the types that ``add_arguments`` names; ``verbosity`` is a number. ``call_command``
    raises CommandError. ``self.stdout.write`` ends each line. Until Django 1.7, a
    subclass that sets ``option_list`` is still served by optparse.

    .. versionadded:: 1.0
    """

    def __init__(self, *args, **kwargs):
        super(CompatibilityBaseCommand, self).__init__(*args, **kwargs)
        if not hasattr(self.style, "SUCCESS"):
            self.style.SUCCESS = self.style.SQL_FIELD  # also bold and green


class CompatibilityAppCommand(CompatibilityBaseCommand, base.AppCommand):
    """Django's AppCommand: calls ``handle_app_config`` for each application label.

    Before Django 1.7 the argument is an object with ``name``, ``label``, ``module``,
    ``models_module`` and ``get_models()``. A subclass that defines ``handle_app`` gets
    the models module, as before.

    .. versionadded:: 1.0
    """


class CompatibilityLabelCommand(CompatibilityBaseCommand, base.LabelCommand):
    """Django's LabelCommand: calls ``handle_label`` for each argument.

    .. versionadded:: 1.0
    """


class NoArgsCommand(django_base.BaseCommand):
    """A command without arguments; subclasses define ``handle_noargs(**options)``.

    .. versionadded:: 1.0
    """

    def handle(self, *args, **options):
        """Call ``handle_noargs``."""
        return self.handle_noargs(**options)

    def handle_noargs(self, **options):
        """Do the work; subclasses override this method."""
        raise NotImplementedError("%s.handle_noargs" % type(self).__name__)


class ProxyParser(object):
    """Append each ``add_argument`` to the ``option_list`` of a command, for optparse.

    django_six passes this parser to ``add_arguments``, for the commands that optparse
    serves until Django 1.9. optparse has no positional arguments: a name without a
    dash raises ValueError.

    .. versionadded:: 1.0
    """

    def __init__(self, command):
        self.command = command

    def add_argument(self, *names, **options):
        """Append an option; ``type`` may be a Python type, as for argparse."""
        if not all(name.startswith("-") for name in names):
            text = "add_argument(%s): optparse takes options only, such as '--name'"
            raise ValueError(text % ", ".join(map(repr, names)))
        python_type = options.get("type")
        if python_type is not None and not isinstance(python_type, str):
            optparse_types = {int: "int", float: "float"}
            options["type"] = optparse_types.get(python_type, "string")
        if options.get("choices"):
            options["type"] = "choice"
        option = make_option(*names, **options)
        self.command.option_list = tuple(self.command.option_list) + (option,)
