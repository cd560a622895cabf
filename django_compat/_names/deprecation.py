"""Warning classes for every Django, and the function that warns."""

from __future__ import absolute_import

import re
import warnings

import django

__all__ = ["removed_in_warning", "warn"]

# Our classes, by name. If two threads create the same class, setdefault() keeps the
# first for both.
_classes = {}


def _release(name):
    """Return the release in the name of a class: 110 is (1, 10), 2028 is (2028, 0)."""
    digits = re.match(r"RemovedInDjango(\d+)Warning$", name).group(1)
    if len(digits) == 4:  # Django 6.0 began to name releases by year
        return int(digits), 0
    return int(digits[0]), int(digits[1:])


def removed_in_warning(name):
    """Return Django's warning class of this name; if Django has none, return ours.

    Our class is a PendingDeprecationWarning if the release in its name comes after the
    next release, as in Django, and else a DeprecationWarning.
    """
    try:
        from django.utils import deprecation  # Django 1.7+
    except ImportError:
        deprecation = None
    if hasattr(deprecation, name):
        return getattr(deprecation, name)
    is_near = _release(name) <= _next_release(django.VERSION)
    base = DeprecationWarning if is_near else PendingDeprecationWarning
    ours = type(name, (base,), {"__module__": "django_compat", "__doc__": None})
    return _classes.setdefault(name, ours)


def _next_release(version):
    """Return the feature release after ``version``."""
    # The last release of a series is 1.11, and x.2 from Django 2 on.
    major, minor = version[:2]
    if (major, minor) == (1, 11) or (major > 1 and minor == 2):
        return major + 1, 0
    return major, minor + 1


def warn(message, category):
    """Warn; the warning points at the line that called the caller of this function."""
    warnings.warn(message, category, stacklevel=3)
