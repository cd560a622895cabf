"""The project's manage.py, as every project has it."""

from __future__ import absolute_import

import sys

from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
