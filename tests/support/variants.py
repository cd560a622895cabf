"""The same tests for a backport and for Django's own object."""

from __future__ import absolute_import

import warnings
from importlib import import_module

import django
import pytest


def find(place):
    """Return the object at ``module:name``, or None."""
    module, name = place.split(":")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # deprecated places warn
        try:
            return getattr(import_module(module), name, None)
        except (AttributeError, ImportError):  # a backport for another Django
            return None


def variants(backport, *places, **releases):
    """Return parameters of a test: the backport and Django's object, if they exist.

    Django's object is tested from the release ``since`` on, by default on each Django.
    The backport is tested before the release ``until``, by default on each Django that
    can import the backport.
    """
    since, until = releases.get("since", (0,)), releases.get("until", (9999,))
    objects = {}
    if django.VERSION < until:
        objects["ours"] = find("django_compat._names.backports." + backport)
    for place in reversed(places):
        if django.VERSION >= since:
            objects["django"] = find(place) or objects.get("django")
    params = [
        pytest.param(objects[owner], id=owner)
        for owner in sorted(objects)
        if objects[owner] is not None
    ]
    assert params, "neither %s nor %s" % (backport, ", ".join(places))
    return params
