"""``manage.py dbconnections``: what servers allow, and what this project wants."""

from __future__ import absolute_import

import os
import sys
from collections import OrderedDict
from time import sleep

import six
from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import connections

from django_compat._capacity.collect import collect
from django_compat._capacity.demand import Count
from django_compat._capacity.deployments import BadDeployment, read_deployment
from django_compat._capacity.text import render, table
from django_compat._cli.output import Output, to_json
from django_compat._db.escapes import describe, escape, printable
from django_compat._db.guard import guarded_commands
from django_compat._db.values import COUNT, WATCH, find_wrong_setting, is_a, shown
from django_compat.management.options import LEVELS, add_options, option_list

KINDS = {"processes": COUNT, "threads": COUNT, "hosts": COUNT, "watch": WATCH}
CLEAR_SCREEN = "\x1b[H\x1b[2J"


class Command(BaseCommand):
    help = (
        "Shows for each database what its server allows, how many connections this "
        "project may open, and what goes wrong with these figures."
    )
    if hasattr(BaseCommand, "check"):  # Django 1.7+
        requires_system_checks = []
    else:
        requires_model_validation = False
    if not hasattr(BaseCommand, "add_arguments"):  # until Django 1.7
        option_list = BaseCommand.option_list + option_list()

    def add_arguments(self, parser):
        add_options(parser)

    def run_from_argv(self, argv):
        try:
            super(Command, self).run_from_argv(argv)
        except (AttributeError, TypeError):
            # Django 1.8+ ends with close_all(), which cannot stand such a DATABASES.
            databases = settings.DATABASES
            is_right = is_a(databases, dict) and all(
                is_a(alias, six.string_types) and is_a(databases[alias], dict)
                for alias in databases
            )
            if is_right:
                raise
            sys.exit(1)

    def handle(self, *arguments, **options):
        if arguments:
            refuse("unrecognized arguments: " + " ".join(arguments))
        for name, kind in KINDS.items():  # a call of call_command() is not parsed
            value = options.get(name)
            if value is not None and not kind.accepts(value):
                message = "argument --%s: %s is not %s"
                refuse(message % (name, shown(value), kind.allowed))
        level = options.get("fail_level") or "ERROR"
        if level not in LEVELS:
            message = "argument --fail-level: %s is not one of: %s"
            refuse(message % (shown(level), ", ".join(LEVELS)))
        if options.get("json") and options.get("watch"):
            refuse("argument --watch: not allowed with argument --json")
        self.is_terminal = getattr(self.stdout, "isatty", bool)()
        if not options.get("force_color"):
            if os.environ.get("NO_COLOR") or not self.is_terminal:
                self.style = no_style()
        self.output = Output(self.stdout)
        try:
            while True:
                databases = self.show(options)
                if not options.get("watch") or not self.output.is_heard:
                    break
                sleep(options["watch"])
        except KeyboardInterrupt:
            if not options.get("watch"):
                raise
            return
        except EnvironmentError as error:
            refuse("cannot write the report: %s" % escape(describe(error)))
        self.fail(databases, LEVELS.index(level))

    def show(self, options):
        """Write the report once, and return the facts of each database."""
        counts, notes = self.counts(options)
        try:
            databases = read_databases()
        except CommandError as error:
            if options.get("json"):
                document = {"databases": [], "notes": notes + [str(error)]}
                self.output.write(to_json(document) + "\n")
            raise
        aliases = choose_aliases(databases, options.get("databases"))
        if options.get("watch") and self.is_terminal:
            self.output.write(CLEAR_SCREEN)
        databases = []
        for facts in collect(aliases, options.get("holders"), **counts):
            databases.append(facts)
            # Where nothing else is to be shown, the error of the command says it.
            is_all = facts["settings"] is None and len(aliases) == 1
            is_all = is_all and not options.get("watch")
            if not options.get("json") and not is_all:
                lines = [""] * (len(databases) > 1) + render([facts], self.style)
                self.output.write("\n".join(lines + [""]))
        if options.get("json"):
            document = {"databases": databases, "notes": notes}
            self.output.write(to_json(document) + "\n")
        elif notes:
            lines = table([("Note:", note) for note in notes], 0)
            self.output.write("\n".join(lines + [""]))
        return databases

    def counts(self, options):
        """Return the arguments of ``read_demand``, and notes on what they leave out."""
        counts, notes = {"processes": None, "threads": None}, []
        try:
            guarded_commands()
        except ImproperlyConfigured as error:
            notes = [str(error)]
        given = dict((name, options.get(name)) for name in counts)
        path = options.get("server_config")
        if path is not None:
            try:
                deployment = read_deployment(path, **given)
            except BadDeployment as error:
                refuse("argument --server-config: %s" % escape(error))
            source = os.path.basename(path)
            for name in counts:
                counts[name] = Count(getattr(deployment, name), source)
            notes += deployment.notes
        given["hosts"] = options.get("hosts")
        for name in given:
            if given[name] is not None:
                counts[name] = Count(given[name], "--" + name)
        return counts, notes

    def fail(self, databases, lowest_level):
        """Raise CommandError for a server that is down, and for serious findings."""
        failed = [facts for facts in databases if facts["error"]]
        failures = [facts["error"] for facts in failed if facts["settings"] is None]
        failures = list(OrderedDict.fromkeys(failures))
        down = [facts["alias"] for facts in failed if facts["settings"] is not None]
        failures += ["no answer from %s" % ", ".join(down)] if down else []
        for facts in databases:
            for finding in facts.get("findings", ()):
                if LEVELS.index(finding["level"]) <= lowest_level:
                    failures.append("%s of %s" % (finding["id"], facts["alias"]))
        if failures:
            refuse("; ".join(failures))


def read_databases():
    """Return DATABASES as Django has it, or refuse what Django cannot read."""
    try:
        return connections.databases
    except Exception as error:  # AttributeError for an entry that is no dict
        databases = settings.DATABASES
        entries = databases.items() if is_a(databases, dict) else ()
        wrong = [find_wrong_setting(alias, entry) for alias, entry in entries]
        refuse("; ".join(filter(None, wrong)) or describe(error))


def choose_aliases(databases, chosen):
    """Return the chosen aliases; without a choice all that are in use."""
    for alias in chosen or ():
        if alias not in databases:
            allowed = ", ".join(sorted(map(printable, databases)))
            message = "argument --database: %s is not one of: %s"
            refuse(message % (shown(alias), allowed))
    return chosen or sorted(
        [alias for alias in databases if is_used(databases[alias])],
        key=lambda alias: (alias != "default", printable(alias)),
    )


def is_used(entry):
    """Tell whether an entry of DATABASES has a backend, be it a wrong one.

    A project that does not use "default" leaves the settings of it empty.
    """
    engine = entry.get("ENGINE") if is_a(entry, dict) else entry
    if is_a(engine, six.string_types):
        return engine != "" and "dummy" not in engine
    return engine is not None


def refuse(message):
    """Raise CommandError."""
    raise CommandError(escape(message))
