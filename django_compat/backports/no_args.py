"""The command without arguments. Django has it until 1.9."""

from __future__ import absolute_import

from django.core.management.base import BaseCommand

__all__ = ["NoArgsCommand"]


class NoArgsCommand(BaseCommand):
    """A command whose subclasses have ``handle_noargs(**options)``.

    .. versionadded:: 1.0
    """

    def handle(self, *args, **options):
        """Call ``handle_noargs``."""
        return self.handle_noargs(**options)

    def handle_noargs(self, **options):
        """Do the work; for subclasses."""
        raise NotImplementedError("%s.handle_noargs" % type(self).__name__)
