"""Print the number of guards in a command that is not a shell."""

from __future__ import absolute_import

import sys

from django.core.management.base import BaseCommand


class Command(BaseCommand):
    def handle(self, *args, **options):
        guard = sys.modules.get("django_compat._db.guard")
        self.stdout.write("guards: %d" % (len(guard._cursors.guards) if guard else 0))
