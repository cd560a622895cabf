"""``manage.py list_models app_label... --end TEXT``."""

from __future__ import absolute_import

from django_compat import CompatibilityAppCommand


class Command(CompatibilityAppCommand):
    """List the models of apps."""

    help = "List the models of applications."

    def add_arguments(self, parser):
        super(Command, self).add_arguments(parser)
        parser.add_argument("--end", default="")

    def handle_app_config(self, app_config, **options):
        words = [app_config.label, app_config.name, app_config.models_module.__name__]
        words += [model.__name__ for model in app_config.get_models()]
        return " ".join(words) + options["end"]
