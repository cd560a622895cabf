"""What a row of the table of moved names means on the Django at hand."""

from __future__ import absolute_import

import os
import sys
from importlib import import_module

import django

HERE = django.VERSION[:2]
OLDEST = (1, 4)  # that is supported
PLAIN = set("since added old instead loads".split())
FACTS = PLAIN.union("gone needs python2".split())


class Move(object):
    """A name, and the places where Django has had it, newest first.

    A place is ``module:attribute``, or ``module`` where the module itself moved. One
    in ``django_compat.backports`` is ours, for the releases that have none. ``since``
    is the first release that has the name at the newest place; where there are more
    than two places, a list with the first release of each but the last. ``added`` is
    the first release that has the name at all, ``gone`` the first whose Django has it
    no more: from there on to use it warns, and only a place outside Django gives it.

    ``old`` are the rows of the names that it had before, ``instead`` says what to do
    where there is none. ``python2`` is the place on Python 2. ``needs`` is a package
    that a place in ``django.contrib.postgres`` imports, or several of which one is
    enough; for ``mock`` it is the place. ``loads`` is what is read when the name is
    resolved: "settings", or the app whose models are loaded.
    """

    new = None  # the row of the thing that this one is an old name of
    since = old = ()
    added = OLDEST
    gone = instead = loads = needs = python2 = None
    is_plain = True  # the newest place is all that there is to know, from ``since`` on

    def __init__(self, name, *places, **facts):
        if not PLAIN.issuperset(facts):
            if not FACTS.issuperset(facts):
                raise TypeError("unknown facts: %s" % ", ".join(set(facts) - FACTS))
            self.is_plain = False
        self.__dict__.update(facts, name=name, places=places)
        if self.since and not isinstance(self.since[0], tuple):
            self.since = (self.since,)
        self.starts = tuple(self.since) + (self.added,)
        for row in self.old:
            row.new = self
            row.loads = row.loads or self.loads
            row.needs = row.needs or self.needs
            row.is_plain = row.is_plain and self.is_plain

    def place(self, release=None):
        """Return where a Django, by default this one, has the name; or None."""
        if self.python2 and not release and sys.version_info < (3,):  # Python 2.7
            return self.python2
        release = release or HERE
        for place, start in zip(self.places, self.starts):
            if release >= start:
                if self.gone and start < self.gone <= release:
                    return None if place.startswith("django.") else place
                return place
        return None

    def is_gone(self, release=None):
        """Tell whether a Django has dropped the name, so that to use it warns."""
        return self.gone is not None and (release or HERE) >= self.gone

    def is_available(self):
        """Tell whether the name can be had here, importing nothing to know it."""
        place = self.place()
        if place is None:
            return self.new is not None and self.new.is_available()
        return self._lack(place) is None

    def is_listed(self):
        """Tell the same, and that what the name loads is there to be loaded."""
        return self.is_available() and _is_loaded(self.loads)

    def resolve(self, module, name):
        """Return the object, or raise the ImportError that helps."""
        if self.is_plain and HERE >= self.starts[0]:
            return find(self.places[0])
        place = self.place()
        if place is None and self.new is not None:
            return self.new.resolve(module, self.new.name)
        lack = self._lack(place)
        if lack:
            raise ImportError("%s.%s %s" % (module, name, lack))
        return find(place)

    def _lack(self, place):
        """Say what is missing here, and what to do; or return None."""
        if place is None:
            facts = (django.get_version(), self.instead)
            if self.is_gone():
                text = "is gone since Django %d.%d, this is Django %s: %s"
                return text % (self.gone + facts)
            text = "needs Django %d.%d or newer, this is Django %s: %s"
            return text % (self.added + facts)
        if self.needs is None:
            return None
        packages = self.needs.split()
        if place.startswith(("django.contrib.postgres", "mock")):
            if not any(map(_is_there, packages)):
                text = "needs the package %s: pip install %s"
                return text % (" or ".join(packages), packages[-1])
        return None

    def warning(self):
        """Return the text and the category of the warning for an old name."""
        from django_compat.deprecation import removed_in_warning

        text = "%s is gone since Django %d.%d. Use %s." % (
            (self.name,) + self.gone + (self.new.name if self.new else self.instead,)
        )
        if self.new:
            text = text[:-1] + ", which django_compat has too."
        name = "RemovedInDjango%d%dWarning" % self.gone
        if self.gone not in NAMED:
            return text, DeprecationWarning
        return text, removed_in_warning(name)


# The releases that Django has a warning class for.
NAMED = {(1, 8), (1, 9), (1, 10), (2, 0), (2, 1), (3, 0), (3, 1), (4, 0), (4, 1)}
NAMED |= {(5, 0), (5, 1), (6, 0), (6, 1), (7, 0)}


def find(place):
    """Return what is at a place."""
    name, _, attributes = place.partition(":")
    # What is loaded already costs a look. It may be half loaded, by another thread.
    found = getattr(sys.modules.get(name), attributes or "?", None)
    if found is not None:
        return found
    found = import_module(name)
    for attribute in attributes.split(".") if attributes else ():
        found = getattr(found, attribute)
    return found


def _is_there(package):
    """Tell whether a package is installed, without importing it."""
    try:
        from importlib.util import find_spec
    except ImportError:  # Python 2
        from imp import find_module as find_spec
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # the latter if it is in sys.modules as None
        return False


def _is_loaded(what):
    """Tell whether a project is there to be read: settings, and an app's models."""
    if what is None:
        return True
    settings = getattr(sys.modules.get("django.conf"), "settings", None)
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        if not getattr(settings, "configured", False):
            return False
    if what == "settings":
        return True
    registry = sys.modules.get("django.apps")
    if registry is None:  # until Django 1.6
        return not hasattr(django, "setup") and what in settings.INSTALLED_APPS
    return registry.apps.models_ready and registry.apps.is_installed(what)


def by_name(table):
    """Return ``{name: row}`` of a table, with the old names."""
    rows = {}
    for row in table:
        for each in (row,) + tuple(row.old):
            if each.name in rows:
                raise ValueError("two rows for " + each.name)
            rows[each.name] = each
    return rows
