"""Warning classes for every Django, and the one way to warn."""

from __future__ import absolute_import

import re
import warnings

import django

__all__ = ["removed_in_warning", "warn"]

_classes = {}  # by name; whoever comes second finds the first one's (setdefault)


def _release(name):
    """Return the release in the name of a class: 110 is (1, 10), 2028 is (2028, 0)."""
    digits = re.match(r"RemovedInDjango(\d+)Warning$", name).group(1)
    if len(digits) == 4:  # Django 6.0 began to name releases by year
        return int(digits), 0
    return int(digits[0]), int(digits[1:])


def removed_in_warning(name):
    """Return Django's own warning class of this name, or one of ours that fits.

    Ours is a PendingDeprecationWarning as long as the release is more than one away,
    like Django's, and a DeprecationWarning from then on.
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
    # A series ends at 1.11, then at x.2.
    major, minor = version[:2]
    if (major, minor) == (1, 11) or (major > 1 and minor == 2):
        return major + 1, 0
    return major, minor + 1


def warn(message, category):
    """Warn at the line that called our caller."""
    warnings.warn(message, category, stacklevel=3)
