"""``manage.py dbconnections``: what each database allows, and what is wanted of it."""

from __future__ import absolute_import

import json
import os
from time import sleep

import six
from django.core.exceptions import ImproperlyConfigured
from django.core.management.base import BaseCommand, CommandError
from django.core.management.color import no_style
from django.db import connections

from django_compat.capacity import collect, render
from django_compat.demand import Figure
from django_compat.deployments import BadDeployment, read_deployment
from django_compat.management.options import LEVELS, add_options, option_list
from django_compat.tables import table

CLEAR = "\x1b[H\x1b[2J"


class Command(BaseCommand):
    help = (
        "Shows, for each database, what its server allows, what the processes and "
        "threads of this project want of it, and what goes wrong with that."
    )
    if hasattr(BaseCommand, "check"):  # Django 1.7+
        requires_system_checks = []
    else:
        requires_model_validation = False
    if not hasattr(BaseCommand, "add_arguments"):  # until Django 1.7
        option_list = BaseCommand.option_list + option_list()

    def add_arguments(self, parser):
        add_options(parser)

    def handle(self, *arguments, **options):
        if arguments:
            raise CommandError("unrecognized arguments: " + " ".join(arguments))
        if options.get("json") and options.get("watch"):
            raise CommandError("argument --watch: not allowed with argument --json")
        self.is_terminal = getattr(self.stdout, "isatty", bool)()
        if not options.get("force_color"):
            if os.environ.get("NO_COLOR") or not self.is_terminal:
                self.style = no_style()
        try:
            while True:
                facts = self.show(options)
                if not options.get("watch"):
                    break
                sleep(options["watch"])
        except KeyboardInterrupt:
            if not options.get("watch"):
                raise
            return
        self.fail(facts, LEVELS.index(options.get("fail_level") or "ERROR"))

    def show(self, options):
        """Write the report once, and return what was found."""
        counts, notes = self.counts(options)
        aliases = self.aliases(options.get("databases"))
        try:
            facts = collect(aliases, options.get("holders"), **counts)
        except (ImproperlyConfigured, ValueError) as error:
            raise CommandError(str(error))
        if options.get("json"):
            document = {"databases": facts, "notes": notes}
            text = json.dumps(document, indent=2, sort_keys=True)
        else:
            notes = table([("Note:", note) for note in notes], 0) if notes else []
            text = "\n".join(render(facts, self.style) + notes)
        if options.get("watch") and self.is_terminal:
            text = CLEAR + text
        self.stdout.write(six.ensure_str(text + "\n", "utf-8"))
        self.stdout.flush()
        return facts

    def aliases(self, chosen):
        for alias in chosen or ():
            if alias not in connections:
                allowed = ", ".join(sorted(connections))
                message = "argument --database: %r is not one of: %s"
                raise CommandError(message % (alias, allowed))
        # Django's documentation has the default one so when it is not used.
        used = [a for a in connections if connections.databases[a].get("ENGINE")]
        used = [a for a in used if "dummy" not in connections.databases[a]["ENGINE"]]
        return chosen or sorted(used, key=lambda alias: (alias != "default", alias))

    def counts(self, options):
        """Return the figures to count with, and what they leave out."""
        found, notes = {"processes": None, "threads": None}, []
        given = dict((name, options.get(name)) for name in found)
        path = options.get("server_config")
        if path is not None:
            try:
                deployment = read_deployment(path, **given)
            except BadDeployment as error:
                raise CommandError("argument --server-config: %s" % error)
            for name in found:
                found[name] = Figure(getattr(deployment, name), os.path.basename(path))
            notes = deployment.notes
        given["hosts"] = options.get("hosts")
        for name in given:
            if given[name] is not None:
                found[name] = Figure(given[name], "--" + name)
        return found, notes

    def fail(self, facts, worst):
        down = [each["alias"] for each in facts if each["error"]]
        failed = ["no answer from %s" % ", ".join(down)] if down else []
        for each in facts:
            for finding in each.get("findings", ()):
                if LEVELS.index(finding["level"]) <= worst:
                    failed.append("%s of %s" % (finding["id"], each["alias"]))
        if failed:
            raise CommandError("; ".join(failed))
