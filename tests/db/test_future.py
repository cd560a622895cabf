"""A future Django, pretended: another version, and each private name gone in turn."""

from __future__ import absolute_import

import os

import django
import pytest

from django_compat._db.versions import PRIVATE_NAMES
from support.processes import output_of
from support.repository import ROOT, TESTS

pytestmark = pytest.mark.skipif(
    django.VERSION < (4, 1), reason="no future Django has less than Django 4.1"
)
# Names that this package asks for first, or sets, and that nothing is lost without.
OTHERS = """
    close_if_health_check_failed close_old_connections closed_in_transaction
    ensure_connection force_debug_cursor health_check_done health_check_enabled
    is_usable run_on_commit validate_thread_sharing _thread_sharing_lock
""".split()


def use_everything_without(name):
    """Return what a process says that uses every function."""
    script = os.path.join(TESTS, "project", "future.py")
    return output_of([script, name], dict(os.environ, PYTHONPATH=ROOT))


def test_version_of_a_year():
    """From 2028 on django.VERSION may be a year: nothing is taken for older."""
    assert use_everything_without("VERSION").split() == ["done", "sqlite"]


@pytest.mark.parametrize("name", sorted(PRIVATE_NAMES) + OTHERS)
def test_private_name_that_is_gone(name):
    """A warning says once what is gone, and every function works without it."""
    hidden = "inc_thread_sharing" if name == "allow_thread_sharing" else name
    output = use_everything_without(hidden)
    assert "AttributeError" not in output and "ERROR" not in output, output
    assert "done sqlite" in output
    warning = "no %s in django.db any more: %s" % (name, PRIVATE_NAMES.get(name))
    assert output.count(warning) == (name in PRIVATE_NAMES)
