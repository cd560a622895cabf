"""The brokers of the task runners."""

from __future__ import absolute_import

import sys

import pytest

from support import brokers

if sys.version_info < (3,):
    # Of these runners no release is for Python 2.7.
    runners = ["arq", "channels", "django_q2", "django_tasks", "dramatiq", "jupyter"]
    collect_ignore = ["test_%s.py" % name for name in runners + ["procrastinate"]]


@pytest.fixture(scope="session")
def redis():
    """The URL of a private Redis."""
    with brokers.redis() as url:
        yield url
