"""Fixtures that several tests of checks and limits share."""

from __future__ import absolute_import

import pytest
from django.conf import settings

from support.pgbouncer import running


@pytest.fixture
def set_setting(monkeypatch):
    """Return a function that sets a setting of the project during the test."""
    return lambda name, value: monkeypatch.setattr(settings, name, value, raising=False)


@pytest.fixture
def pgbouncer(postgresql_server, tmpdir):
    """The port of a PgBouncer in front of the PostgreSQL of this run."""
    with running(postgresql_server, tmpdir) as port:
        yield port
