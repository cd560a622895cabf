"""Django's commands, with arguments parsed by argparse. Needed before Django 1.8.

``commands.py`` builds on these classes. ``OutputWrapper`` is needed before Django 1.5.
"""

from __future__ import absolute_import

import argparse
import os
import sys

import six
from django.core.management import base
from django.utils import translation
from django.utils.encoding import smart_str

__all__ = ["AppCommand", "BaseCommand", "LabelCommand", "OutputWrapper"]

_PARSED = "_django_compat_parsed"
_IS_OLDEST = not hasattr(base, "OutputWrapper")  # Django 1.4


class OutputWrapper(object):
    """A stream whose ``write`` ends the line, and may style the text.

    .. versionadded:: 1.0
    """

    def __init__(self, out, style_func=None, ending="\n"):
        self._out = out
        self.ending = ending
        self.style_func = six.text_type
        if style_func and hasattr(out, "isatty") and out.isatty():
            self.style_func = style_func

    def __getattr__(self, name):
        return getattr(self._out, name)

    def write(self, msg, style_func=None, ending=None):
        """Write a text; ``style_func`` and ``ending`` apply to this call only."""
        ending = self.ending if ending is None else ending
        if ending and not msg.endswith(ending):
            msg += ending
        self._out.write(smart_str((style_func or self.style_func)(msg)))


class _Parser(argparse.ArgumentParser):
    """An argparse parser that returns a pair, as optparse does and Django expects.

    The pair is the options and the positional arguments named ``args``.
    """

    is_for_call = False

    def parse_args(self, args=None, namespace=None):
        options = super(_Parser, self).parse_args(args, namespace)
        rest = tuple(vars(options).pop("args", ()))
        setattr(options, _PARSED, True)
        return options, rest

    def error(self, message):
        if self.is_for_call:
            raise base.CommandError("Error: %s" % message)
        super(_Parser, self).error(message)


class _Escape(Exception):
    """Carries a CommandError through Django 1.4, which would exit on a CommandError."""


class BaseCommand(base.BaseCommand):
    """Django's BaseCommand with ``add_arguments``; see CompatibilityBaseCommand."""

    option_list = ()

    def __init__(self, *args, **kwargs):
        super(BaseCommand, self).__init__(*args, **kwargs)
        if self.option_list:
            own = tuple(self.option_list)
            defaults = base.BaseCommand.option_list
            self.option_list = tuple(o for o in defaults if o not in own) + own

    def add_arguments(self, parser):
        """Add the command's own arguments; subclasses override this method."""

    def create_parser(self, prog_name, subcommand):
        """Return the parser, with Django's options and the command's own."""
        if self.option_list:
            parent = super(BaseCommand, self)
            return parent.create_parser(prog_name, subcommand)
        prog = "%s %s" % (os.path.basename(prog_name), subcommand)
        parser = _Parser(prog=prog, description=self.help or None)
        add = parser.add_argument
        add("--version", action="version", version=self.get_version())
        levels = {"type": int, "default": 1, "choices": [0, 1, 2, 3]}
        add("-v", "--verbosity", help="how much to print, 1 by default", **levels)
        add("--settings", help="the dotted path of the settings module")
        add("--pythonpath", help="a folder to add to sys.path")
        add("--traceback", action="store_true", help="raise a CommandError")
        add("--no-color", action="store_true", help="do not colour the output")
        if self.args:
            add("args", nargs="*")
        self.add_arguments(parser)
        return parser

    def _parse_call(self, args, options):
        """Return the arguments and options of ``call_command`` as the parser does."""
        parser = self.create_parser("", self.__class__.__module__.split(".")[-1])
        parser.is_for_call = True
        dests = {}
        for action in parser._actions:
            if action.option_strings:
                # "--flag" sorts before "-f".
                long_name = min(action.option_strings).lstrip("-").replace("-", "_")
                dests[long_name] = action.dest
        options = dict((dests.get(name, name), options[name]) for name in options)
        for action in parser._actions:
            if action.option_strings and action.dest in options:
                action.required = False
        parsed, rest = parser.parse_args([six.text_type(arg) for arg in args])
        return rest, dict(vars(parsed), **options)

    def execute(self, *args, **options):
        """Run the command with parsed options, or with those of ``call_command``."""
        run = super(BaseCommand, self).execute
        if self.option_list:
            return run(*args, **options)
        is_call = _PARSED not in options
        if is_call:
            args, options = self._parse_call(args, options)
        del options[_PARSED]
        if not _IS_OLDEST:
            return run(*args, **options)
        options["stdout"] = OutputWrapper(options.get("stdout") or sys.stdout)
        stderr = options.get("stderr") or sys.stderr
        options["stderr"] = OutputWrapper(stderr, self.style.ERROR)
        run = self._call_oldest if is_call else run
        return run(*args, **options)

    def _call_oldest(self, *args, **options):
        """Run and raise CommandError, which Django 1.4 would print and then exit."""
        handle, language = self.handle, translation.get_language()

        def escaping(*args, **options):
            try:
                return handle(*args, **options)
            except base.CommandError as error:
                raise _Escape(error)

        self.handle = escaping
        try:
            run = super(BaseCommand, self).execute
            return run(*args, **options)
        except _Escape as escape:
            raise escape.args[0]
        finally:
            self.handle = handle
            translation.activate(language)


class _AppConfig(object):
    """The facts of an application that a command needs, before Django 1.7."""

    def __init__(self, models_module):
        self.models_module = models_module
        self.name = models_module.__name__.rpartition(".")[0]
        self.label = self.name.rpartition(".")[2]
        self.module = sys.modules[self.name]

    def get_models(self):
        from django.db.models import get_models

        return get_models(self.models_module)


class AppCommand(BaseCommand, base.AppCommand):
    """Django's AppCommand with ``handle_app_config``; see CompatibilityAppCommand."""

    args = ""

    def add_arguments(self, parser):
        """Add the argument for the labels."""
        parser.add_argument("args", metavar="app_label", nargs="+")

    if not hasattr(base.AppCommand, "handle_app_config"):  # before Django 1.7

        def handle_app(self, app, **options):
            """Call ``handle_app_config`` for a models module."""
            return self.handle_app_config(_AppConfig(app), **options)

        def handle_app_config(self, app_config, **options):
            """Do the work for one application; subclasses override this method."""
            raise NotImplementedError("%s.handle_app_config" % type(self).__name__)


class LabelCommand(BaseCommand, base.LabelCommand):
    """Django's LabelCommand with ``add_arguments``; see CompatibilityLabelCommand."""

    args = ""

    def add_arguments(self, parser):
        """Add the argument for the labels."""
        parser.add_argument("args", metavar=self.label, nargs="+")
