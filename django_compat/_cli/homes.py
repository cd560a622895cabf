"""Where the objects of ``django_compat`` are, for a range of Djangos."""

from __future__ import absolute_import

from collections import namedtuple

from django_compat._cli.places import Places, keeps_place
from django_compat._names.table import NAMES

__all__ = ["Homes", "Target"]

# Where an object is; ``name`` is None for a module.
Target = namedtuple("Target", "module name")

SHIM = "django_compat"
# Names of the shim that are functions of Django, and have no row.
IN_DB = {"close_old_connections", "connections"}


class Homes(object):
    """Find the place outside of ``django_compat`` that a whole range has."""

    def __init__(self, places):
        self.places, self.rows = places, {}
        for name in sorted(NAMES):
            for place in NAMES[name].places:
                self.rows.setdefault(place, []).append(NAMES[name])

    def serves(self, module, name=None):
        """Return True if the whole range has a name of Django without a warning."""
        places = self.places
        if name is None:
            return places.module(module) == places.range and not places.module_warned(
                module
            )
        return places.having(module, name) == places.range and not places.warned(
            module, name
        )

    def newest(self, name):
        """Return the row of a name, or of the name that replaced it in the range."""
        row = NAMES[name]
        if row.gone and row.gone <= self.places.releases[-1] and row.new:
            return row.new
        return row

    def home(self, name):
        """Return the Target that the whole range has; None if it needs the shim."""
        if name not in NAMES:
            return self._own_home(name)
        for row in (self.newest(name), NAMES[name]):
            for place in row.places:
                target = self._target(row, place)
                if target is not None:
                    return target
        return None

    def _own_home(self, name):
        if name in IN_DB:
            module = "django.db"
        elif name.startswith("RemovedInDjango"):
            module = "django.utils.deprecation"
        else:
            return None
        return Target(module, name) if self.serves(module, name) else None

    def _target(self, row, place):
        """Return a place of a row as a Target, if the whole range has it there."""
        module, _, name = place.partition(":")
        if module.split(".")[0] == SHIM or "." in name:
            return None
        if module.split(".")[0] == "django":
            # Before its first release, a place may have another object.
            start = row.starts[row.places.index(place)]
            releases = self.places.releases
            if start > releases[0] or not self.serves(module, name or None):
                return None
            is_home = keeps_place(row, place, self.rows[place], releases)
            return Target(module, name or None) if is_home else None
        if module.split(".")[0] == "six":  # the package serves every Django
            return Target(module, name or None)
        if row.python2 and self.places.releases[0] < (2, 0):
            return None
        if all(row.place(release) == place for release in self.places.releases):
            return Target(module, name or None)
        return None

    def is_ours(self, name):
        """Return True if ``django_compat`` gives a name on the whole range."""
        if name not in NAMES:
            return name in IN_DB
        return all(
            row.place(release) or row.new and row.new.place(release)
            for row in [NAMES[name]]
            for release in self.places.releases
        )

    def shim_or_home(self, name):
        """Return where to import a name of the shim; None if a release has none.

        An old name that warns gives way to its successor.
        """
        target = self.home(name)
        if target is not None or not self.is_ours(name):
            return target
        return Target(SHIM, self.newest(name).name if name in NAMES else name)

    def by_hand(self, name):
        """Return an attribute that the whole range has and no import gives; or None."""
        places = {
            NAMES[name].place(release)
            for release in self.places.releases
            if name in NAMES
        }
        place = places.pop() if len(places) == 1 else None
        if place and not place.startswith(SHIM) and "." in place.partition(":")[2]:
            return place.replace(":", ".")
        return None

    def first_home(self, name):
        """Return the first release from which on a name needs no shim; its place."""
        releases = self.places.releases
        for number in range(1, len(releases)):
            homes = _homes(releases[number:])
            target, place = homes.home(name), homes.by_hand(name)
            if target is not None:
                place = ".".join(filter(None, target))
            if place is not None:
                return releases[number], place
        return None, None


_HOMES = {}


def _homes(releases):
    if releases not in _HOMES:
        _HOMES[releases] = Homes(Places(releases))
    return _HOMES[releases]
