"""What every project has."""

from __future__ import absolute_import

import sys

from django.core.management import execute_from_command_line

execute_from_command_line(sys.argv)
