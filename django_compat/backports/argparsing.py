"""Django's commands, reading their arguments with argparse. For ``commands.py``, and
needless from Django 1.8 on.
"""

from __future__ import absolute_import

import argparse
import os
import sys

import six
from django.core.management import base
from django.utils import translation

from django_compat.backports.output import OutputWrapper

__all__ = ["AppCommand", "BaseCommand", "LabelCommand"]

_PARSED = "_django_compat_parsed"
_IS_OLDEST = not hasattr(base, "OutputWrapper")  # Django 1.4


class _Parser(argparse.ArgumentParser):
    """argparse in the shape of optparse: Django unpacks options and arguments."""

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
    """A CommandError on its way through Django 1.4, which would exit."""


class BaseCommand(base.BaseCommand):
    """Django's BaseCommand with ``add_arguments``; see ``commands.py``."""

    option_list = ()

    def __init__(self, *args, **kwargs):
        super(BaseCommand, self).__init__(*args, **kwargs)
        if self.option_list:
            given = tuple(self.option_list)
            defaults = base.BaseCommand.option_list
            self.option_list = tuple(o for o in defaults if o not in given) + given

    def add_arguments(self, parser):
        """Add a command's own arguments; for subclasses."""

    def create_parser(self, prog_name, subcommand):
        """Return the parser, with the options of every command and this one's."""
        if self.option_list:
            parent = super(BaseCommand, self)
            return parent.create_parser(prog_name, subcommand)
        prog = "%s %s" % (os.path.basename(prog_name), subcommand)
        parser = _Parser(prog=prog, description=self.help or None)
        add = parser.add_argument
        add("--version", action="version", version=self.get_version())
        levels = {"type": int, "default": 1, "choices": [0, 1, 2, 3]}
        add("-v", "--verbosity", help="how much to tell, 1 by default", **levels)
        add("--settings", help="the dotted path of the settings module")
        add("--pythonpath", help="a folder to add to sys.path")
        add("--traceback", action="store_true", help="raise a CommandError")
        add("--no-color", action="store_true", help="do not colour the output")
        if self.args:
            add("args", nargs="*")
        self.add_arguments(parser)
        return parser

    def _parse_call(self, args, options):
        """Return the arguments and options of ``call_command``, as if parsed."""
        parser = self.create_parser("", self.__class__.__module__.split(".")[-1])
        parser.is_for_call = True
        names = {}
        for action in parser._actions:
            if action.option_strings:
                longest = min(action.option_strings).lstrip("-").replace("-", "_")
                names[longest] = action.dest
        options = dict((names.get(name, name), options[name]) for name in options)
        for action in parser._actions:
            if action.option_strings and action.dest in options:
                action.required = False
        parsed, rest = parser.parse_args([six.text_type(each) for each in args])
        return rest, dict(vars(parsed), **options)

    def execute(self, *args, **options):
        """Run the command with options that are parsed, or those of a call."""
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
        """Let a CommandError out; Django 1.4 would print it and end the process."""
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
    """What a command can ask of an application, where Django has no AppConfig."""

    def __init__(self, models_module):
        self.models_module = models_module
        self.name = models_module.__name__.rpartition(".")[0]
        self.label = self.name.rpartition(".")[2]
        self.module = sys.modules[self.name]

    def get_models(self):
        from django.db.models import get_models

        return get_models(self.models_module)


class AppCommand(BaseCommand, base.AppCommand):
    """Django's AppCommand with ``handle_app_config``; see ``commands.py``."""

    args = ""

    def add_arguments(self, parser):
        """Add the labels."""
        parser.add_argument("args", metavar="app_label", nargs="+")

    if not hasattr(base.AppCommand, "handle_app_config"):  # before Django 1.7

        def handle_app(self, app, **options):
            """Do the work for the models module of one application."""
            return self.handle_app_config(_AppConfig(app), **options)

        def handle_app_config(self, app_config, **options):
            """Do the work for one application; for subclasses."""
            raise NotImplementedError("%s.handle_app_config" % type(self).__name__)


class LabelCommand(BaseCommand, base.LabelCommand):
    """Django's LabelCommand with ``add_arguments``; see ``commands.py``."""

    args = ""

    def add_arguments(self, parser):
        """Add the labels."""
        parser.add_argument("args", metavar=self.label, nargs="+")

