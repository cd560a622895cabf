"""Public names that are no functions: Django's connections, and the reasons."""

from __future__ import absolute_import

import django.db
import pytest

import django_compat
from django_compat import close_stale_connections
from django_compat._db import stale
from support.databases import open_connection
from support.losses import hang_up

REASONS = ["FORKED", "HUNG_UP", "IDLE", "INTERRUPTED", "UNUSABLE"]


@pytest.mark.contract
def test_connections_is_djangos_handler():
    """No module of ours hides the handler, under either way to import it."""
    from django_compat import connections

    assert connections is django_compat.connections is django.db.connections
    for name in ("connections", "FORKED"):
        assert name in dir(django_compat)
        assert name in django_compat.__all__


@pytest.mark.contract
def test_reasons_are_distinct_texts():
    """A program compares the reasons, and may print them."""
    reasons = [getattr(django_compat, name) for name in REASONS]
    assert reasons == [getattr(stale, name) for name in REASONS]
    assert len(set(reasons)) == len(REASONS)
    assert [reason for reason in reasons if not isinstance(reason, str)] == []


@pytest.mark.contract
def test_reason_is_what_close_stale_connections_returns(server_alias):
    """The constant of the package equals the reason in the returned list."""
    hang_up(open_connection(server_alias, max_age=None))
    assert close_stale_connections() == [(server_alias, django_compat.HUNG_UP)]
