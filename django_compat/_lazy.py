"""A module that looks each public name up at the name's first use."""

from __future__ import absolute_import

import sys
from importlib import import_module

_MISSING = object()
_ModuleType = type(sys)


class Name(object):
    """Where to look for one public name: the first place that has the name counts.

    A place is ``module:attribute``. The facts: ``since`` is the first Django that has
    the name, ``until`` the last Django that asks for the name, ``deprecated`` the
    Django that deprecated the name, ``needs`` a package without which there is no such
    name, ``instead`` the advice for a Django or a Python without the name. With
    ``factory`` each place is a function that takes the name and makes the object.
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
        """Tell whether this Django and Python have the name; import next to nothing."""
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

    # The rows of moved names have these, too: see django_compat._names.row.
    gone = None
    is_listed = is_available

    def is_gone(self):
        """Tell whether getting the name warns. Calling the object may warn instead."""
        return False

    def resolve(self, module, name):
        """Return the object, or raise an ImportError that says what to do."""
        full_name = "%s.%s" % (module, name)
        if not self.is_available():
            raise ImportError("%s %s: %s" % (full_name, self._unmet(), self.instead))
        for place in self.places:
            source, attribute = place.split(":")
            value = getattr(import_module(source), attribute, _MISSING)
            if value is not _MISSING:
                return value(name) if self.factory else value
        raise ImportError(
            "%s is in none of its places: %s" % (full_name, ", ".join(self.places))
        )

    def _unmet(self):
        """Say what the name needs and does not have here."""
        if self.since is None:
            return "needs the package %s" % self.needs
        import django

        since = ".".join(str(part) for part in self.since)
        here = django.get_version()
        return "needs Django %s or newer, this is Django %s" % (since, here)


class LazyModule(_ModuleType):
    """A module with tables of names. A name that was looked up once costs no more.

    A name that a table has, but this Django has not, raises ImportError, for Python
    drops the text of an AttributeError in ``from x import y``. ``_NAMES`` is the
    module's own table. ``_MOVED`` names the module with the table of moved names: it is
    loaded when a name is not in ``_NAMES``. ``_HIDDEN`` has the names that only Django
    asks for, which no list shows. ``_ROWS`` has the rows of the tables loaded so far.
    """

    # Speed: a module's own __getattribute__ formats a message, which nobody reads,
    # before Python calls __getattr__.
    __getattribute__ = object.__getattribute__

    def __getattr__(self, name):
        bound = self.__dict__
        row = bound["_ROWS"].get(name) or self._load_row(name)
        value = row.resolve(bound["__name__"], name)
        if row.gone is not None and row.is_gone():
            from django_compat._names.deprecation import warn

            warn(*row.warning())
        bound[name] = value
        return value

    def _load_row(self, name):
        """Return the row of a name that no loaded table has, or raise."""
        row = None if name.startswith("_") else self._load_rows().get(name)
        if row is None:
            row = self._HIDDEN.get(name)
            if row is None or not row.is_available():
                text = "module %r has no attribute %r"
                raise AttributeError(text % (self.__name__, name))
        return row

    def _load_rows(self):
        """Load the table of moved names; return the rows of both tables, by name."""
        rows = dict(import_module(self._MOVED).NAMES)
        rows.update(self._NAMES)
        self.__dict__["_ROWS"] = rows
        return rows

    def _listed_rows(self):
        """Return, by name, the rows that resolve here: ``help()`` resolves them all."""
        rows = self._load_rows()
        return dict((name, rows[name]) for name in rows if rows[name].is_listed())

    @property
    def __all__(self):
        # Without the names that this Django dropped: ``import *`` must not warn.
        rows = self._listed_rows()
        return sorted(name for name in rows if not rows[name].is_gone())

    def __dir__(self):
        special = [name for name in self.__dict__ if name.startswith("__")]
        return sorted(special + list(self._listed_rows()))


class _Shadow(object):
    """The attribute for a moved name that is also the name of a submodule of ours.

    Python sets a submodule on its package when it loads the submodule. This data
    descriptor stands on the class, so it wins over the submodule.
    """

    def __init__(self, name):
        self.name = name
        self.value = _MISSING

    def __get__(self, module, owner):
        if self.value is _MISSING:
            self.value = module.__getattr__(self.name)
        return self.value

    def __set__(self, module, submodule):
        pass


def install(module_name, names):
    """Make a module lazy, while Python imports or reloads the module."""
    module = sys.modules[module_name]
    for name in module._SHADOWED:
        setattr(LazyModule, name, _Shadow(name))
    for name in names:
        module.__dict__.pop(name, None)
    module.__dict__["_ROWS"] = names
    if isinstance(module, LazyModule):
        return
    try:
        # In place: a thread that waits for this import already holds the module.
        module.__class__ = LazyModule
    except TypeError:
        # Python 2.7 cannot change the class of a module: put a lazy copy in its place.
        # No other thread holds the first module, because Python 2.7 has one lock for
        # all imports. The copy keeps the first module alive, because Python 2.7 sets
        # the globals of a module that dies to None.
        lazy = LazyModule(module_name, module.__doc__)
        lazy.__dict__.update(module.__dict__)
        lazy.__dict__["_replaced"] = module
        sys.modules[module_name] = lazy
