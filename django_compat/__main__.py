"""``python -m django_compat``: run the command line."""

from __future__ import absolute_import

import sys

if __name__ == "__main__":
    try:
        from django_compat._cli.main import main

        sys.exit(main())
    except KeyboardInterrupt:
        sys.stderr.write("Interrupted\n")
        sys.exit(130)  # as a shell tells of SIGINT
