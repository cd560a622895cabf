"""What a test needs beside Django: without it the test is skipped, or fails."""

from __future__ import absolute_import

import os
import sys
from importlib import import_module

import pytest

from support import servers
from support.tiers import IS_FULL

IS_REQUIRED = os.environ.get("DJANGO_COMPAT_REQUIRE_SERVERS") == "1"
if servers.ROOT and "DJANGO_COMPAT_NEWER" not in os.environ:
    IS_REQUIRED = False  # tox.ini always names their folder, .ci/run alone fills it


def skip_or_fail(reason):
    """Skip the test; fail it where DJANGO_COMPAT_REQUIRE_SERVERS is 1."""
    if IS_REQUIRED:
        pytest.fail(reason)
    pytest.skip(reason)


def needs_package(name):
    """Skip the module where a package of the long tests is not installed.

    tox.ini installs these packages on the full pairs only.
    """
    try:
        import_module(name)
    except ImportError as error:
        if IS_REQUIRED and IS_FULL:
            raise
        pytest.skip(str(error), allow_module_level=True)


def find_command(name):
    """Return the path of a package's command; skip the test where there is none.

    tox.ini installs these packages on the full pairs only.
    """
    path = os.path.join(os.path.dirname(sys.executable), name)
    if not os.path.exists(path):
        if IS_REQUIRED and IS_FULL:
            pytest.fail("%s is not installed" % name)
        pytest.skip("%s is not installed" % name)
    return path
