"""``manage.py add_notes title... --times N``."""

from __future__ import absolute_import

from django.core.management.base import CommandError

from django_compat import CompatibilityBaseCommand
from reusable.models import Note


class Command(CompatibilityBaseCommand):
    """Write notes from the command line."""

    help = "Add notes."

    def add_arguments(self, parser):
        parser.add_argument("titles", nargs="+")
        parser.add_argument("--times", type=int, default=1)

    def handle(self, *args, **options):
        if options["times"] < 1:
            raise CommandError("--times must be at least 1")
        for title in options["titles"] * options["times"]:
            note = Note.objects.create(title=title)
            if options["verbosity"] > 1:
                self.stdout.write(note.slug)
        self.stdout.write(self.style.SUCCESS("added"))
