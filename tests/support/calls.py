"""The public calls that look after connections, each as a function of ``using``."""

from __future__ import absolute_import

import pytest

from django_compat import (
    close_all_connections,
    close_stale_connections,
    closing_connections,
    discard_connections,
    fresh_connections,
)


def fresh_scope(using=None):
    """Enter and leave a scope of fresh_connections."""
    with fresh_connections(using):
        pass


def closing_scope(using=None):
    """Enter and leave a scope of closing_connections."""
    with closing_connections(using):
        pass


SCOPES = [fresh_connections, closing_connections]
in_both_scopes = pytest.mark.parametrize("scope", SCOPES)

CALLS = [
    close_all_connections,
    close_stale_connections,
    closing_scope,
    discard_connections,
    fresh_scope,
]
