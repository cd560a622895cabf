"""Which names each of the Djangos gives where, and what to write instead.

``places.txt`` has the facts, written by ``docs/places.py``, which also describes the
format. The table of moved names tells which places have the same object.
"""

from __future__ import absolute_import

import io
import os
import re
from collections import Counter, namedtuple

from django_compat._cli.matrix import BadRange, Range, releases_of
from django_compat._db.values import shown
from django_compat.matrix import SERIES

__all__ = ["Advice", "BadRange", "Places", "RELEASES", "keeps_place", "parse_range"]

RELEASES = tuple(tuple(map(int, series.django.split("."))) for series in SERIES)
PATH = os.path.join(os.path.dirname(os.path.abspath(__file__)), "places.txt")
# Django 1.5 to 1.11 have these on Python 2 only: aliases, under ``if six.PY2``.
ON_PYTHON_2 = set(
    "django.utils.encoding:force_unicode django.utils.encoding:smart_unicode"
    " django.utils.safestring:EscapeUnicode django.utils.safestring:SafeUnicode".split()
)
# six makes this module's names at run time.
SIX_MOVES = re.compile(r"(django\.utils\.six)\.moves(\.|$)")
# What Python gives every module.
OF_EVERY_MODULE = set(
    "__builtins__ __doc__ __file__ __loader__ __name__ __package__ __path__ __spec__"
    " __cached__ __dict__ __class__".split()
)

# ``kind`` is "place" (``module`` has ``name`` on the whole range, without a warning),
# "shim" (``django_compat`` has ``name``), "text", or "none". ``text`` is for readers.
Advice = namedtuple("Advice", "kind module name text")


def parse_range(text=None):
    """Return the releases of a PEP 440 range, as ``((3, 2), (4, 0), ...)``.

    A series counts if one of its releases is in the range; without a text all do.
    Raises BadRange if the text is malformed, or no known Django is in the range.
    """
    if text is None:
        return RELEASES
    allowed = Range(text, "--django")
    found = tuple(
        release
        for release, series in zip(RELEASES, SERIES)
        if any(version in allowed for version in releases_of(series))
    )
    if not found:
        ends = shown(text), SERIES[0].first, SERIES[-1].last
        raise BadRange("--django %s: no Django is in it; known are %s to %s" % ends)
    return found


class Places(object):
    """The names of Django's modules, for a range of releases.

    The methods return sets of releases, such as ``{(3, 2), (4, 0)}``, of the range
    only; ``known()``, ``ever()`` and ``first_last()`` look at every Django.
    """

    def __init__(self, releases=RELEASES):
        self.releases = tuple(releases)
        self.range = frozenset(self.releases)
        self._reasons, self._blocks, self._modules = {}, _read_blocks(), {}
        self._endings, self._advice = {}, {}
        for line in self._blocks.pop("#"):
            number, _, text = line.partition(" ")
            self._reasons[number] = text
        self._rows = self._names = None

    def module(self, module):
        """Return the releases that have a module."""
        return self.range & self._module(module).has

    def module_warned(self, module):
        """Return the releases in which the import of a module warns."""
        return self.range & self._module(module).warned

    def having(self, module, name):
        """Return the releases in which ``from module import name`` works."""
        return self.range & self.ever(module, name)

    def warned(self, module, name):
        """Return the releases in which the name, or the module itself, warns."""
        facts = self._module(module)
        warned = facts.warned | facts.names.get(name, _NO_NAME).warned
        warned |= self._module("%s.%s" % (module, name)).warned
        return self.having(module, name) & warned

    def ever(self, module, name):
        """Return the releases, of all Djangos, that have a name or submodule."""
        facts = self._module(module)
        if name in OF_EVERY_MODULE or SIX_MOVES.match(module):
            return facts.has
        has = facts.names.get(name, _NO_NAME).has | facts.names.get("*", _NO_NAME).has
        return has | self._module("%s.%s" % (module, name)).has

    def known(self, module, name=None):
        """Return True if any Django has the module, or the name in it."""
        if name is None:
            return bool(self._module(module).has)
        return bool(self.ever(module, name))

    def first_last(self, module, name=None):
        """Return the first and the last Django with a name or module; else None."""
        has = self._module(module).has if name is None else self.ever(module, name)
        return (min(has), max(has)) if has else None

    def modules(self):
        """Return the names of all modules that any Django has."""
        return self._blocks.keys()

    def ever_module(self, module):
        """Return the releases, of all Djangos, that have a module."""
        return self._module(module).has

    def modules_called(self, ending):
        """Return the modules, of all Djangos, whose last parts are ``ending``."""
        if ending not in self._endings:
            self._endings[ending] = [
                module for module in self._blocks if module.endswith("." + ending)
            ]
        return self._endings[ending]

    def names(self, module):
        """Return ``{name: releases of the range}`` of a module, without submodules."""
        names = self._module(module).names
        return {name: self.range & names[name].has for name in names}

    def advice(self, module, name=None):
        """Return what to write instead of a name, or a module, on the whole range."""
        if (module, name) not in self._advice:
            self._advice[module, name] = self._find_advice(module, name)
        return self._advice[module, name]

    def _find_advice(self, module, name):
        moves = SIX_MOVES.match(module)
        if moves:
            return _place_advice(module[len("django.utils.") :], name)
        places, rows = self._same(module, name)
        for place in places:
            if self._serves(*place):
                return _place_advice(*place)
        for row in rows:
            for newest in filter(None, (row.new, row)):
                if all(map(newest.place, self.releases)):
                    return self._shim_advice(newest)
        # Other rows only say that an older Django has no such thing.
        instead = [
            row.instead
            for row in rows
            if row.instead and not row.instead.startswith("this Django")
        ]
        if name is None:
            return self._module_advice(module, instead)
        own = _OWN_NAMES.get("%s:%s" % (module, name))
        if own or re.match(r"RemovedInDjango\d+Warning$", name):
            return Advice(
                "shim", "django_compat", *_import("django_compat", own or name)
            )
        reason = self._module(module).names.get(name, _NO_NAME).reason
        text = (instead + [self._reasons.get(reason)])[0]
        if not text and (module, None) in self._rows and not self._serves(module, None):
            text, advice = self._rows[module, None][0].instead, self.advice(module)
            if advice.module:
                text = "%s, then %s.%s" % (advice.text, _last(module), name)
        return Advice("text", None, None, text) if text else NO_ADVICE

    def _module_advice(self, module, instead):
        """Return where most names of a module went, or the reason of most of them.

        ``instead`` is what the rows of the module itself say.
        """
        homes, reasons = Counter(), Counter()
        for name, facts in self._module(module).names.items():
            if (module, name) in self._rows or facts.is_row:
                homes[self.advice(module, name).module] += 1
        for other in self._blocks:
            if other == module or other.startswith(module + "."):
                names = self._module(other).names
                reasons.update(
                    names[name].reason
                    for name in names
                    if "RemovedIn" not in name and name != "default_app_config"
                )
        del reasons[None]
        del homes[None]
        text = None
        if homes:
            text = "import its names one by one, most from %s" % max(
                homes, key=homes.get
            )
        elif instead:
            text = instead[0]
        elif reasons:
            text = self._reasons[max(reasons, key=reasons.get)]
        return Advice("text", None, None, text) if text else NO_ADVICE

    def _shim_advice(self, row):
        name, text = _import("django_compat", row.name)
        if row.gone and row.gone <= self.releases[-1]:
            text += ", which warns: use %s" % row.instead
        return Advice("shim", "django_compat", name, text)

    def _serves(self, module, name):
        """Return True if the range has a place, on each Python, without a warning."""
        if name is None:
            return self.module(module) == self.range and not self.module_warned(module)
        if "%s:%s" % (module, name) in ON_PYTHON_2 and self.releases[-1] > (1, 4):
            return False
        return self.having(module, name) == self.range and not self.warned(module, name)

    def _same(self, module, name):
        """Return the other places of an object, and its rows, the nearest first."""
        if self._rows is None:
            from django_compat._names.table import NAMES  # imports Django

            self._names, self._rows = NAMES, _rows_by_place(NAMES)
        oldest, rows = self.releases[0], []
        places = [(module, name)]
        if name and self._module("%s.%s" % (module, name)).has:
            places.append(("%s.%s" % (module, name), None))
        starts = list(places)
        for place in places:  # grows
            facts = self._module(place[0]).names.get(place[1], _NO_NAME)
            found = list(self._rows.get(place, ()))
            found += [self._names[place[1]]] if facts.is_row else []
            for row in found:
                if row in rows:
                    continue
                rows.append(row)
                found += [row.new] if row.new else []
                # Before its first release, a place may have another object.
                for text, start in zip(row.places, row.starts):
                    other = _split(text)
                    if not other or other in places or oldest < start:
                        continue
                    if keeps_place(row, text, self._rows.get(other, ()), self.releases):
                        places.append(other)
            places += [other for other in facts.others if other not in places]
        return [place for place in places if place not in starts], rows

    def _module(self, module):
        """Return the facts of a module, read when they are first asked for."""
        moves = SIX_MOVES.match(module)
        if module not in self._modules:
            lines = self._blocks.get(moves.group(1) if moves else module, ())
            self._modules[module] = _read_module(lines)
        return self._modules[module]


_Module = namedtuple("_Module", "has warned names")


class _Name(object):
    def __init__(self):
        self.has = self.warned = frozenset()
        self.others, self.reason, self.is_row = [], None, False


_NO_NAME = _Name()
NO_ADVICE = Advice("none", None, None, "no place of the whole range is known")
# Functions of Django that are public here, and have no row.
_OWN_NAMES = {
    "django.db:close_connection": "close_all_connections",
    "django.db:close_old_connections": "close_old_connections",
}


def _import(module, name):
    """Return the name, and the statement that imports it."""
    return name, "from %s import %s" % (module, name) if name else "import " + module


def _place_advice(module, name):
    return Advice("place", module, *_import(module, name))


def _last(module):
    return module.rpartition(".")[2]


def keeps_place(row, place, rows, releases):
    """Return False if Django gave a place of a row to another object in later releases.

    Until Django 1.4 ``smart_str`` returned bytes; Django 1.5 calls that function
    ``smart_bytes`` and ``force_bytes``, and its ``smart_str`` returns text on Python 3.
    ``rows`` are the rows that have the place.
    """
    start = row.starts[row.places.index(place)]
    is_reused = any(
        other.starts[other.places.index(place)] > start
        for other in rows
        if (other.new or other) is not (row.new or row)
    )
    return not is_reused or all(row.place(release) == place for release in releases)


def _rows_by_place(names):
    """Return ``{(module, name): rows}`` of the table's places in Django."""
    rows = {}
    for name in sorted(names):
        for place in filter(None, map(_split, names[name].places)):
            rows.setdefault(place, []).append(names[name])
    return rows


def _split(place):
    """Return ``(module, name)`` of a place in Django; a module has no name."""
    module, _, name = place.partition(":")
    if module.split(".")[0] != "django":
        return None
    return module, name or None


def _read_blocks():
    """Return ``{module: its lines}``; under "#" are the reasons."""
    blocks = {"#": []}
    block = None
    with io.open(PATH, encoding="utf-8") as file:
        next(file)  # the releases
        for line in file:
            if line[0] == " ":
                block.append(line)
            elif line[0] == "#":
                blocks["#"].append(line[:-1])
            else:
                block = blocks[line.split(None, 1)[0]] = [line]
    return blocks


def _read_module(lines):
    """Return the facts of a module from its lines."""
    if not lines:
        return _Module(frozenset(), frozenset(), {})
    head, names = lines[0].split(), {}
    warned = [_read_span(text[:-1]) for text in head[2:]]
    for line in lines[1:]:
        words = line.split()
        key, members = words[0], words[1:]
        for name in members:
            facts = names.setdefault(name, _Name())
            if key[0] == "=":
                module, _, other = key[1:].partition(":")
                is_module = ":" not in key
                facts.others.append((module, None if is_module else other or name))
            elif key == "~":
                facts.is_row = True
            elif key[0] == "#":
                facts.reason = key
            elif key[-1] == "!":
                facts.warned = _read_span(key[:-1])
            else:
                facts.has = _read_span(key)
    return _Module(_read_span(head[1]), frozenset().union(*warned), names)


def _read_span(text):
    """Return the releases that letters stand for: ``a-d,f``."""
    numbers = []
    for run in text.split(","):
        first, _, last = run.partition("-")
        numbers += range(_number(first), _number(last or first) + 1)
    return frozenset(RELEASES[number] for number in numbers)


def _number(letter):
    number = ord(letter) - ord("a")
    return number if number >= 0 else ord(letter) - ord("A") + 26
