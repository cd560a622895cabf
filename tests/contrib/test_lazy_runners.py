"""The application, and each module of contrib, loads only the runner that is asked."""

from __future__ import absolute_import

import json

from support import processes
from support.projects import environment

LOADED = """
import json, sys
import django
django.setup()
import django_compat
django_compat.close_old_connections
runners = "apscheduler arq celery dramatiq huey IPython kombu procrastinate pytest rq"
print(json.dumps(sorted(set(runners.split()) & set(sys.modules))))
"""


def test_application_loads_no_runner():
    """INSTALLED_APPS and the names of django_compat import nothing of a runner."""
    env = environment("default", ["django_compat"])
    assert json.loads(processes.output_of(["-c", LOADED], env)) == []
