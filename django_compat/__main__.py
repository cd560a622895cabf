"""``python -m django_compat``: run the command line."""

from __future__ import absolute_import

import sys

from django_compat._cli.main import main

if __name__ == "__main__":
    sys.exit(main())
