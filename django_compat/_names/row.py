"""A row of the table of moved names, read for the Django that is installed."""

from __future__ import absolute_import

import os
import sys
from importlib import import_module

import django

THIS_DJANGO = django.VERSION[:2]
OLDEST = (1, 4)  # the oldest Django that django_compat supports
PLAIN_FACTS = set("since added old instead loads note".split())
FACTS = PLAIN_FACTS.union("gone needs python2".split())
# The releases that Django names a RemovedInDjangoNNWarning after.
WARNED_RELEASES = {(1, 8), (1, 9), (1, 10), (2, 0), (2, 1), (3, 0), (3, 1)}
WARNED_RELEASES |= {(4, 0), (4, 1), (5, 0), (5, 1), (6, 0), (6, 1), (7, 0)}


class Move(object):
    """A name, and its places in Django, the newest place first.

    A place is ``"module:attribute"``, or ``"module"`` if the name is a module. A place
    in ``django_compat._names.backports`` serves the releases that lack the name.

    ``since``
        The first release that has the name at the newest place. If there are more than
        two places: a list of the first release of each place but the last.
    ``added``
        The first release that has the name, at the last place. 1.4 by default.
    ``gone``
        The first release without the name. From this release on, using the name warns;
        only a place outside Django can still give its object.
    ``old``
        The rows of older names of the same object.
    ``instead``
        What to use in place of the name; the error and the warning end with this text.
        With ``gone`` a noun, because the text follows "use"; else an instruction.
    ``note``
        What to know of the object, for the documents only.
    ``python2``
        The place on Python 2.
    ``needs``
        The package that a place in ``django.contrib.postgres`` imports, or several
        packages of which one suffices. For ``mock``: the package itself.
    ``loads``
        What the module of the name reads when Python imports the module: "settings", or
        the application whose models it loads.
    """

    new = None  # the row of the name that replaces an old name
    since = old = ()
    added = OLDEST
    gone = instead = loads = needs = note = python2 = None
    is_plain = True  # from ``starts[0]`` on, the first place is right in every case

    def __init__(self, name, *places, **facts):
        if not PLAIN_FACTS.issuperset(facts):
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
        """Return the place of the name in a release of Django, or None.

        The release of the installed Django is the default.
        """
        if self.python2 and not release and sys.version_info < (3,):  # Python 2.7
            return self.python2
        release = release or THIS_DJANGO
        for place, start in zip(self.places, self.starts):
            if release >= start:
                if self.gone and start < self.gone <= release:
                    return None if place.startswith("django.") else place
                return place
        return None

    def is_gone(self, release=None):
        """Return True if the release has dropped the name, so that using it warns."""
        return self.gone is not None and (release or THIS_DJANGO) >= self.gone

    def is_available(self):
        """Return True if the name can be imported here; this check imports nothing."""
        place = self.place()
        if place is None:
            return self.new is not None and self.new.is_available()
        return self._why_missing(place) is None

    def is_listed(self):
        """Return True if the name is available and can be imported right now.

        Some names need settings, or an application whose models are loaded.
        """
        return self.is_available() and _is_loaded(self.loads)

    def resolve(self, module, name):
        """Return the object, or raise an ImportError that says what to use instead."""
        if self.is_plain and THIS_DJANGO >= self.starts[0]:
            return load(self.places[0])
        place = self.place()
        if place is None and self.new is not None:
            return self.new.resolve(module, self.new.name)
        reason = self._why_missing(place)
        if reason:
            raise ImportError("%s.%s %s" % (module, name, reason))
        return load(place)

    def _why_missing(self, place):
        """Return the text of the ImportError, or None if the name is available."""
        if place is None:
            facts = (django.get_version(), self.instead)
            if self.is_gone():
                text = "is gone since Django %d.%d, this is Django %s: use %s"
                return text % (self.gone + facts)
            text = "needs Django %d.%d or newer, this is Django %s: %s"
            return text % (self.added + facts)
        if self.needs is None:
            return None
        packages = self.needs.split()
        if place.startswith(("django.contrib.postgres", "mock")):
            if not any(map(_is_installed, packages)):
                text = "needs the package %s: pip install %s"
                return text % (" or ".join(packages), packages[-1])
        return None

    def warning(self):
        """Return the text and the category of the warning for an old name."""
        from django_compat._names.deprecation import removed_in_warning

        text = "%s is gone since Django %d.%d. Use %s." % (
            (self.name,) + self.gone + (self.new.name if self.new else self.instead,)
        )
        if self.new:
            text = text[:-1] + ", which django_compat has too."
        if self.gone not in WARNED_RELEASES:
            return text, DeprecationWarning
        return text, removed_in_warning("RemovedInDjango%d%dWarning" % self.gone)


def load(place):
    """Import the module of a place; return its attribute, or the module."""
    module_name, _, attributes = place.partition(":")
    # Fast path: the module is loaded. Another thread may still be importing the module;
    # then the attribute may be missing, and import_module() below waits for the thread.
    loaded = getattr(sys.modules.get(module_name), attributes or "?", None)
    if loaded is not None:
        return loaded
    target = import_module(module_name)
    for attribute in attributes.split(".") if attributes else ():
        target = getattr(target, attribute)
    return target


def _is_installed(package):
    """Return True if a package is installed; this check does not import it."""
    try:
        from importlib.util import find_spec
    except ImportError:  # Python 2
        from imp import find_module as find_spec
    try:
        return find_spec(package) is not None
    except (ImportError, ValueError):  # ValueError: sys.modules[package] is None
        return False


def _is_loaded(needed):
    """Return True if the settings, or an application's models, can be read."""
    if needed is None:
        return True
    settings = getattr(sys.modules.get("django.conf"), "settings", None)
    if not os.environ.get("DJANGO_SETTINGS_MODULE"):
        if not getattr(settings, "configured", False):
            return False
    if needed == "settings":
        return True
    registry = sys.modules.get("django.apps")
    if registry is None:  # until Django 1.6; settings is None before django.conf
        installed = getattr(settings, "INSTALLED_APPS", ())
        return not hasattr(django, "setup") and needed in installed
    return registry.apps.models_ready and registry.apps.is_installed(needed)


def by_name(table):
    """Return ``{name: row}`` of a table, with the old names."""
    rows = {}
    for move in table:
        for row in (move,) + tuple(move.old):
            if row.name in rows:
                raise ValueError("two rows for " + row.name)
            rows[row.name] = row
    return rows
