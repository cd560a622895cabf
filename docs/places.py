"""Write ``django_compat/_cli/places.txt``: which names each Django gives where.

Call ``python docs/places.py 1.4.22=FOLDER 1.5.12=FOLDER ...``, the oldest release
first; each folder holds a ``django`` package. ``docs/vanished_names.py`` reads the
sources; nothing of Django is imported. The ``python2.7`` on PATH reads the sources in
Python 2's syntax. ``docs/vanished-names.txt`` and ``docs/vanished-reasons.txt`` give
what a vanished name became, or why it has no successor.

The first line of the output names the releases; a letter stands for each, "a" for the
oldest. Then come the reasons, ``#number text``. A line without indentation is a module
and the releases that have it; below it, the releases and the names of the module:
``a-d`` gives them, ``c-d!`` gives them with a warning. ``=module:name`` and ``#number``
are the other place of the names behind it, and their reason; in ``=module:`` the names
stay the same. ``~`` is the row of the same name in ``django_compat/_names/table.py``. A
module with a warning has ``!`` too. The name ``*`` stands for all names of a library.
"""

from __future__ import absolute_import, print_function

import ast
import fnmatch
import io
import os
import re
import sys
from collections import OrderedDict

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)

import vanished_names  # noqa: E402
from vanished_names import (  # noqa: E402
    find_modules,
    read_module,
    read_releases,
    walk_top,
)

LETTERS = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
OUTPUT = os.path.join(os.path.dirname(HERE), "django_compat", "_cli", "places.txt")
# Project templates, and the conversion to Python 3, cannot be imported.
NOT_MODULES = re.compile(
    r"-|(^|\.)(bin|app_template|project_template|2to3_fixes)(\.|$)"
)
# The reasons that come with a place in the newest Django: the same object, or another.
IS_SAME = "The module imported or moved a helper"
IS_OTHER = "Another object of the same name"


def warns(body):
    """Return True if a body of statements always warns of a deprecation."""
    for node in body:
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            call = node.value
            name = getattr(call.func, "attr", getattr(call.func, "id", None))
            if name == "warn" and _is_deprecation(call):
                return True
    return False


def _is_deprecation(node):
    names = [getattr(part, "id", getattr(part, "attr", "")) for part in ast.walk(node)]
    return any(re.search("Deprecation|RemovedIn", name or "") for name in names)


def class_warns(node):
    """Return True if Django warns of each use of a class: a call, or a field."""
    for child in node.body:
        if getattr(child, "name", "") in ("__init__", "__new__"):
            if warns(child.body):
                return True
        if isinstance(child, ast.Assign):
            names = [getattr(target, "id", "") for target in child.targets]
            # Field itself, of which the fields inherit, has None or nothing there.
            if re.match("system_check_(deprecated|removed)_details", names[0] or ""):
                return isinstance(child.value, (ast.Dict, ast.Call))
    return warns(node.body)


def read_facts(path, module, is_package):
    """Return the facts of ``read_module()``, the warnings, and what it leaves out."""
    facts = read_module(path, module, is_package)
    with io.open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    facts.update(
        {
            "warned": [],
            "same": {},
            "deleted": [],
            "lists": [],
            "kinds": {},
            "aliases": [],
        }
    )
    facts["warns"] = warns(tree.body)
    for node in walk_top(tree.body):
        if isinstance(node, (ast.For, ast.With)) or type(node).__name__ == "AnnAssign":
            facts["defined"] += [
                part.id
                for part in ast.walk(getattr(node, "target", node))
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            ]
            if "setattr" in _names_in(node):  # deprecated names of django.db.models
                texts = map(vanished_names._string, ast.walk(node.iter))
                facts["aliases"] = list(filter(None, texts))
                facts["defined"] += facts["aliases"]
                facts["warned"] += facts["aliases"]
        elif isinstance(node, ast.Delete):
            names = [getattr(target, "id", None) for target in node.targets]
            facts["deleted"] += names
        elif isinstance(node, ast.Assign):
            targets = [getattr(target, "id", None) for target in node.targets]
            if isinstance(node.value, ast.Name):
                facts["same"].update(dict.fromkeys(targets, node.value.id))
            if targets == ["__all__"]:
                facts["lists"] += _names_in(node.value)
        elif isinstance(node, ast.AugAssign):
            if getattr(node.target, "id", None) == "__all__":
                texts = map(vanished_names._string, ast.walk(node.value))
                facts["all"] = (facts["all"] or []) + list(filter(None, texts))
                facts["lists"] += _names_in(node.value)
        elif isinstance(node, ast.ClassDef):
            facts["kinds"][node.name] = "class"
            facts["warned"] += [node.name] if class_warns(node) else []
        elif isinstance(node, ast.FunctionDef):
            # A decorator may register a template filter of the same name.
            facts["kinds"][node.name] = "" if node.decorator_list else "function"
            if node.name == "__getattr__":
                given = _names_asked(node, tree)
                facts["defined"] += given
                facts["warned"] += given if _is_deprecation(node) else []
            elif warns(node.body):
                facts["warned"].append(node.name)
    facts["set_elsewhere"] = [
        (target.value.id, target.attr)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name)
    ]
    return facts


def _names_in(node):
    return [part.id for part in ast.walk(node) if isinstance(part, ast.Name)]


def _names_asked(node, tree):
    """Return the names that a module's ``__getattr__`` serves.

    The function compares its argument with them, or looks it up in a dictionary.
    """
    argument, tests = node.args.args[0].arg, []
    tables = {
        target.id: child.value.keys
        for child in tree.body
        if isinstance(child, ast.Assign) and isinstance(child.value, ast.Dict)
        for target in child.targets
    }
    for part in ast.walk(node):
        if isinstance(part, ast.Compare):
            if getattr(part.left, "id", None) == argument:
                tests += ast.walk(part)
        if isinstance(part, ast.Subscript):
            if getattr(part.slice, "id", None) == argument:
                tests += tables[part.value.id]
    return [text for text in map(vanished_names._string, tests) if text]


def read_release(folder):
    """Return ``{module: {"warns": ..., "names": {name: (home, warns, kind)}}}``.

    The home of a name is the ``module:name`` that defines its object, and the kind
    "class" or "function".
    """
    vanished_names.NOT_PUBLIC = NOT_MODULES
    facts, packages = {}, set()
    for module, path, is_package in find_modules(folder):
        facts[module] = read_facts(path, module, is_package)
        packages.update([module] if is_package else [])
    names = {}

    def listed(module):
        """Return the names of ``__all__``, or None."""
        own = facts.get(module, {})
        if own.get("all") is None:
            return None
        texts = list(own["all"])
        for name in own["lists"]:
            source = (own["imported"].get(name) or "").rpartition(":")[0]
            texts += listed(source) or []
        return texts

    def given(module, seen=()):
        if module not in facts or module in seen:
            return {}
        if module in names:
            return names[module]
        own, homes = facts[module], {}
        for star in own["stars"]:
            if star not in facts:
                homes["*"] = None  # nobody knows which names
            more = given(star, seen + (module,))
            only = listed(star)
            homes.update(
                (name, more[name])
                for name in more
                if (name in only if only is not None else not name.startswith("_"))
            )
        homes.update(own["imported"])
        homes.update((name, "%s:%s" % (module, name)) for name in own["defined"])
        for name in own["deleted"]:
            homes.pop(name, None)
        if not seen:
            names[module] = homes
        return homes

    for module in sorted(facts):
        given(module)
    for module in facts:  # mail.outbox = [], in the test runner
        for alias, name in facts[module]["set_elsewhere"]:
            source, _, origin = (names[module].get(alias) or "").partition(":")
            if source + "." + origin in facts:
                names[source + "." + origin].setdefault(name, None)
    warned = {
        "%s:%s" % (module, name) for module in facts for name in facts[module]["warned"]
    }
    for module in facts:
        for name, other in facts[module]["same"].items():
            if other in facts[module]["warned"]:
                warned.add("%s:%s" % (module, name))
    result = {}
    for module in sorted(facts):
        result[module] = {"warns": facts[module]["warns"], "names": {}}
        for name, home in names[module].items():
            for _ in range(9):  # follow the imports to the definition
                source, _, origin = (home or "").partition(":")
                if source + "." + origin in facts:
                    home = source + "." + origin
                    break
                home = names.get(source, {}).get(origin, home)
            is_django = home and re.match(r"django[.:]", home)
            home = home if is_django else None
            kind = facts.get(source, {"kinds": {}})["kinds"].get(origin)
            kind = "alias" if name in facts[module]["aliases"] else kind
            result[module]["names"][name] = [home, home in warned, kind]
    return result


def _read(name):
    with io.open(os.path.join(HERE, name), encoding="utf-8") as file:
        return file.read()


def read_reasons():
    """Return ``[(patterns, reason)]``."""
    reasons, patterns, text = [], [], []
    for line in _read("vanished-reasons.txt").splitlines() + ["end"]:
        if line.startswith(" "):
            text.append(line.strip())
        elif line and not line.startswith("#"):
            if text:
                reasons.append((patterns, " ".join(text)))
                patterns, text = [], []
            patterns += [
                re.compile(fnmatch.translate(pattern)) for pattern in line.split()
            ]
    return reasons


def read_vanished(rows):
    """Return ``({(module, name): note}, [reasons])`` of the names that vanished.

    ``rows`` are the table's rows by their name.
    """
    reasons, told, texts = read_reasons(), {}, []

    def find(place):
        fitting = [
            reason
            for patterns, reason in reasons
            if any(pattern.match(place) for pattern in patterns)
        ]
        return fitting[0] if fitting else ""

    for line in _read("vanished-names.txt").replace("\n    ", " ").splitlines():
        head, _, entries = line.partition(": ")
        module = head.split()[1]
        for entry in entries.split():
            name, _, successor = entry.partition("=")
            reason = find("%s:%s" % (module, entry))
            other = "%s:%s" % (successor, name)
            has_row = name in rows and (not successor or other in rows[name].places)
            if successor and (reason.startswith(IS_SAME) or has_row and not reason):
                note = "=" + other
            elif has_row and not reason:
                note = "~"
            else:
                reason = find("%s:%s" % (module, name)) or reason
                if not reason or reason.startswith((IS_SAME, IS_OTHER)):
                    continue
                texts += [reason] if reason not in texts else []
                note = "#%d" % (texts.index(reason) + 1)
            told.setdefault((module, name), note)
    return told, texts


def span(numbers):
    """Return the letters of releases, with runs: ``a-d,f``."""
    runs = []
    for number in sorted(numbers):
        if runs and runs[-1][1] == number - 1:
            runs[-1][1] = number
        else:
            runs.append([number, number])
    return ",".join(
        LETTERS[first] + ("-" + LETTERS[last] if last > first else "")
        for first, last in runs
    )


def render(releases, rows):
    """Return the text of the output, from ``(release, facts)`` pairs and the table."""
    modules = {}  # {module: [releases, with a warning, {name: the same, and homes}]}
    for number, (_, facts) in enumerate(releases):
        for module in facts:
            entry = modules.setdefault(module, [[], [], {}])
            entry[0].append(number)
            entry[1] += [number] if facts[module]["warns"] else []
            for name, (home, is_warned, kind) in facts[module]["names"].items():
                fact = entry[2].setdefault(name, ([], [], [], set()))
                fact[0].append(number)
                fact[1].extend([number] if is_warned else [])
                if home and home != module + ":" + name and home not in fact[2]:
                    fact[2].append(home)
                fact[3].add(kind or number)

    def is_same(module, name, other):
        """Return True if a successor, which only has the same name, fits a name."""
        if name in rows and other in rows[name].places:
            return True
        facts = modules[module][2].get(name)
        newest, _, _ = other.partition(":")
        successor = modules[newest][2].get(name)
        if facts is None or successor is None:
            return False
        return other in facts[2] or facts[3] == successor[3]

    told, reasons = read_vanished(rows)
    lines = [" ".join(release for release, _ in releases)]
    lines += ["#%d %s" % fact for fact in enumerate(reasons, 1)]
    for module in sorted(modules):
        gives, is_warned, names = modules[module]
        lines.append("%s %s" % (module, span(gives)))
        lines[-1] += " %s!" % span(is_warned) if is_warned else ""
        groups = {}
        for name in sorted(names):
            has, name_warned, homes, kinds = names[name]
            groups.setdefault(span(has), []).append(name)
            if name_warned:
                groups.setdefault(span(name_warned) + "!", []).append(name)
            note = told.get((module, name), "")
            if note[:1] == "=" and not is_same(module, name, note[1:]):
                note = ""
            if "alias" in kinds and name in rows:
                note = "~"
            notes = [note] if note else []
            if len(has) < len(releases) or name_warned:
                notes += ["=" + home for home in reversed(homes)]
            for note in OrderedDict.fromkeys(notes):
                if note.endswith(":" + name):
                    note = note[: -len(name)]
                groups.setdefault(note, []).append(name)
        for group in sorted(groups):
            lines.append(" %s %s" % (group, " ".join(groups[group])))
    return "\n".join(lines) + "\n"


def main(arguments):
    releases = read_releases(arguments, __doc__, __file__, read_release)
    # The table imports Django, which the newest release serves.
    sys.path += [os.path.dirname(HERE), arguments[-1].partition("=")[2]]
    from django_compat._names.table import NAMES

    text = render(releases, NAMES)
    with io.open(OUTPUT, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
