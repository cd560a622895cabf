"""A module whose public names are found when they are first asked for."""

from __future__ import absolute_import

import sys
from importlib import import_module

_MISSING = object()
_ModuleType = type(sys)


class Name(object):
    """Where one public name is found: ``module:attribute``, the first that is there.

    ``since`` is the first Django that can give it, ``instead`` what to do on an older
    one, ``deprecated`` the Django that superseded it, ``until`` the last Django that
    asks for it, ``needs`` a package that is to be there. With ``factory`` the place is
    a function that makes the object from its name.
    """

    def __init__(self, *places, **facts):
        self.places = places
        self.since = facts.pop("since", None)
        self.until = facts.pop("until", None)
        self.needs = facts.pop("needs", None)
        self.instead = facts.pop("instead", None)
        self.deprecated = facts.pop("deprecated", None)
        self.factory = facts.pop("factory", False)
        if facts:
            raise TypeError("unknown facts: %s" % ", ".join(sorted(facts)))

    def is_available(self):
        """Tell whether the name can be had here, importing no more than to know."""
        if self.needs is not None:
            try:
                import_module(self.needs)
            except ImportError:
                return False
        if self.since is None and self.until is None:
            return True
        import django

        series = django.VERSION[:2]
        return (self.since or series) <= series <= (self.until or series)

    gone = None
    is_listed = is_available

    def is_gone(self):
        """Tell whether to ask for the name warns: to call what it gives may."""
        return False

    def resolve(self, module, name):
        """Return the object, or raise the ImportError that helps."""
        full_name = "%s.%s" % (module, name)
        if not self.is_available():
            raise ImportError("%s %s: %s" % (full_name, self._lack(), self.instead))
        for place in self.places:
            found_in, attribute = place.split(":")
            found = getattr(import_module(found_in), attribute, _MISSING)
            if found is not _MISSING:
                return found(name) if self.factory else found
        raise ImportError(
            "%s is in none of its places: %s" % (full_name, ", ".join(self.places))
        )

    def _lack(self):
        """Say what is missing here."""
        if self.since is None:
            return "needs the package %s" % self.needs
        import django

        since = ".".join(str(part) for part in self.since)
        found = django.get_version()
        return "needs Django %s or newer, this is Django %s" % (since, found)


class LazyModule(_ModuleType):
    """A module with tables of names; what is found is bound, and costs nothing more.

    A name that a table has and this Django has not raises ImportError: Python drops
    the text of an AttributeError in ``from x import y``. ``_NAMES`` are the module's
    own, the names that moved are in a table that is loaded when one is asked for, and
    ``_HIDDEN`` has what nobody but Django asks for: that is listed nowhere. ``_ROWS``
    are those of the tables that are loaded.
    """

    # A module's own makes a text of a name that is not bound, which nobody reads.
    __getattribute__ = object.__getattribute__

    def __getattr__(self, name):
        bound = self.__dict__
        row = bound["_ROWS"].get(name) or self._other_row(name)
        found = row.resolve(bound["__name__"], name)
        if row.gone is not None and row.is_gone():
            from django_compat.deprecation import warn

            warn(*row.warning())
        bound[name] = found
        return found

    def _other_row(self, name):
        """Return the row of a name that is in no table loaded so far, or raise."""
        row = None if name.startswith("_") else self._all_rows().get(name)
        if row is None:
            row = self._HIDDEN.get(name)
            if row is None or not row.is_available():
                text = "module %r has no attribute %r"
                raise AttributeError(text % (self.__name__, name))
        return row

    def _all_rows(self):
        """Load the table of what moved; return the rows that can be listed, by name."""
        rows = dict(import_module(self._MOVED).NAMES)
        rows.update(self._NAMES)
        self.__dict__["_ROWS"] = rows
        return rows

    def _listed(self):
        """Return the rows, by name, that can be had: ``help()`` asks for them all."""
        rows = self._all_rows()
        return dict((name, rows[name]) for name in rows if rows[name].is_listed())

    @property
    def __all__(self):
        # Without what this Django dropped, for ``import *`` must not warn.
        rows = self._listed()
        return sorted(name for name in rows if not rows[name].is_gone())

    def __dir__(self):
        special = [name for name in self.__dict__ if name.startswith("__")]
        return sorted(special + list(self._listed()))


class _Shadow(object):
    """The attribute of a name that moved and that a submodule of ours has too.

    Python binds a submodule when it loads it; this, on the class, comes before that.
    """

    def __init__(self, name):
        self.name = name
        self.found = _MISSING

    def __get__(self, module, owner):
        if self.found is _MISSING:
            self.found = module.__getattr__(self.name)
        return self.found

    def __set__(self, module, value):
        pass


def install(module_name, names):
    """Make the module that is being imported, or reloaded, a lazy one."""
    module = sys.modules[module_name]
    for name in module._SHADOWED:
        setattr(LazyModule, name, _Shadow(name))
    for name in names:
        module.__dict__.pop(name, None)
    module.__dict__["_ROWS"] = names
    if isinstance(module, LazyModule):
        return
    try:
        # In place: a thread that waits for this import holds the same object.
        module.__class__ = LazyModule
    except TypeError:
        # Python 2.7: modules keep their class. Its import lock is one for all, so
        # no thread holds the old object yet; it must live, or its globals die.
        lazy = LazyModule(module_name, module.__doc__)
        lazy.__dict__.update(module.__dict__)
        lazy.__dict__["_replaced"] = module
        sys.modules[module_name] = lazy
