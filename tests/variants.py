"""The same tests for a backport and for the real thing, where Django has it."""

from __future__ import absolute_import

import warnings
from importlib import import_module

import django
import pytest


def find(place):
    """Return what stands at ``module:name``, or None."""
    module, name = place.split(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a place that is about to go
        try:
            return getattr(import_module(module), name, None)
        except (AttributeError, ImportError):  # ours is for other releases
            return None


def variants(backport, *places, **releases):
    """Return parameters: ours, as far as it works on this Django, and Django's own.

    ``since`` is the first Django whose own is right, ``until`` the first on which ours
    does not work, if there is one.
    """
    since, until = releases.get("since", (0,)), releases.get("until", (9999,))
    found = {}
    if django.VERSION < until:
        found["ours"] = find("django_compat.backports." + backport)
    for place in reversed(places):
        if django.VERSION >= since:
            found["django"] = find(place) or found.get("django")
    params = [
        pytest.param(found[owner], id=owner)
        for owner in sorted(found)
        if found[owner] is not None
    ]
    assert params, "neither %s nor %s" % (backport, ", ".join(places))
    return params
