"""List the public names that vanish between two neighbouring releases of Django.

``python docs/vanished_names.py 1.4.22=FOLDER 1.5.12=FOLDER ...``: each folder holds a
``django`` package, the oldest first. It reads the sources and imports nothing, so that
one interpreter serves all releases: sources in Python 2's syntax are read by the
``python2.7`` on PATH. It prints a line for each module and release, ``6.1 module:`` and
the names that the release has no more; ``docs/vanished-names.txt`` is that, kept. What
has no row in ``django_compat/moves.py`` has a reason in ``docs/vanished-reasons.txt``.

Public is what a module binds at its top level under a name without an underscore: its
functions, classes and assignments, and what it imports if it is a package or says so in
``__all__``. Left out, because they are no place to import from: commands, migrations,
locales, tests, templates of projects, the settings' defaults, and vendored libraries.
So are names that a package only passed on and that are still where they are defined.
"""

from __future__ import absolute_import, print_function

import ast
import io
import json
import os
import re
import subprocess
import sys
import textwrap
import warnings
from collections import OrderedDict

NOT_PUBLIC = re.compile(
    r"(^|\.)(_\w+|bin|locale|management\.commands|migrations|tests|app_template"
    r"|project_template|conf\.global_settings|simplejson|decimal|unittest)(\.|$)"
)


def find_modules(folder):
    """Yield ``(dotted name, path, is a package)`` of each module of a Django."""
    for parent, folders, files in sorted(os.walk(os.path.join(folder, "django"))):
        folders.sort()
        for file in sorted(files):
            path = os.path.join(parent, file)
            name, extension = os.path.splitext(os.path.relpath(path, folder))
            name = name.replace(os.sep, ".")
            is_package = name.endswith(".__init__")
            name = name[: -len(".__init__")] if is_package else name
            if extension == ".py" and not NOT_PUBLIC.search(name):
                yield name, path, is_package


def walk_top(body):
    """Yield the statements that run at import, in blocks too."""
    for node in body:
        yield node
        for field in "body", "handlers", "orelse", "finalbody":
            if not isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                for child in walk_top(getattr(node, field, None) or ()):
                    yield child


def read_module(path, module, is_package):
    """Return what a module defines, imports, takes by star, and lists in __all__."""
    with io.open(path, "rb") as file:
        tree = ast.parse(file.read(), path)
    facts = {"defined": [], "imported": {}, "stars": [], "all": None}
    for node in walk_top(tree.body):
        if isinstance(node, ast.ImportFrom):
            source = node.module or ""
            if node.level:
                parts = module.split(".")
                base = parts[: len(parts) - node.level + is_package]
                source = ".".join(base + [source] * bool(source))
            for alias in node.names:
                if alias.name == "*":
                    facts["stars"].append(source)
                else:
                    name = alias.asname or alias.name
                    facts["imported"][name] = "%s:%s" % (source, alias.name)
        elif isinstance(node, ast.Import):
            for alias in node.names:
                facts["imported"][alias.asname or alias.name.split(".")[0]] = None
        elif hasattr(node, "name") and hasattr(node, "body") and node.name:
            if not isinstance(node, ast.ExceptHandler):
                facts["defined"].append(node.name)
        elif isinstance(node, ast.Assign):
            names = [
                found.id
                for target in node.targets
                for found in ast.walk(target)
                if isinstance(found, ast.Name) and isinstance(found.ctx, ast.Store)
            ]
            facts["defined"] += names
            if names == ["__all__"]:
                facts["all"] = [
                    found
                    for found in map(_string, ast.walk(node.value))
                    if found is not None
                ]
    return facts


def _string(node):
    """Return the text of a literal, on every Python, or None."""
    value = getattr(node, "s", None) if type(node).__name__ == "Str" else None
    if type(node).__name__ == "Constant":
        value = node.value
    return value if isinstance(value, str) else None


def read_release(folder):
    """Return ``{module: {name: where it is defined}}`` of one Django."""
    facts = {
        name: read_module(path, name, is_package)
        for name, path, is_package in find_modules(folder)
    }
    packages = {name for name, _, is_package in find_modules(folder) if is_package}
    names = {}

    def public(module, seen=()):
        if module not in facts or module in seen:
            return {}
        if module in names:
            return names[module]
        own, found = facts[module], {}
        for star in own["stars"]:
            found.update(public(star, seen + (module,)))
        if module in packages or own["all"] is not None:
            found.update(own["imported"])
        found.update((name, "%s:%s" % (module, name)) for name in own["defined"])
        if own["all"] is not None:
            # Parts of it may come from other modules' lists: keep what is defined.
            listed = set(own["all"]) | set(own["defined"])
            found = {name: found[name] for name in listed if name in found}
        found = {
            name: origin
            for name, origin in found.items()
            if not name.startswith("_") and origin and origin.startswith("django")
        }
        if not seen:
            names[module] = found
        return found

    return {module: public(module) for module in sorted(facts)}


def read_elsewhere(folder):
    """Read a release with this Python, or, if it cannot parse it, with Python 2.7."""
    try:
        return read_release(folder)
    except SyntaxError:
        command = ["python2.7", os.path.abspath(__file__), "--names", folder]
        return json.loads(subprocess.check_output(command).decode("utf-8"))


def vanished(releases):
    """Yield ``(release without it, module, name)`` for ``(release, names)`` pairs."""
    homes = set()  # where each name was defined, once
    for (_, older), (release, newer) in zip(releases, releases[1:]):
        homes.update(home for names in older.values() for home in names.values())
        for module in sorted(older):
            for name in sorted(set(older[module]) - set(newer.get(module, ()))):
                home = older[module][name]
                origin, _, there = home.partition(":")
                is_home = "%s:%s" % (module, name) in homes
                if is_home or there not in newer.get(origin, ()):
                    yield release, module, name


def main(arguments):
    warnings.simplefilter("ignore")  # old sources have invalid escapes
    if arguments[:1] == ["--names"]:
        print(json.dumps(read_release(arguments[1])))
        return
    if len(arguments) < 2 or not all("=" in argument for argument in arguments):
        sys.exit(__doc__)
    pairs = [argument.split("=", 1) for argument in arguments]
    found = [(release, read_elsewhere(folder)) for release, folder in pairs]
    groups = OrderedDict()
    for release, module, name in vanished(found):
        series = ".".join(release.split(".")[:2])
        groups.setdefault((series, module), []).append(name)
    for (series, module), names in groups.items():
        text = "%s %s: %s" % (series, module, " ".join(names))
        print(textwrap.fill(text, 88, subsequent_indent="    "))


if __name__ == "__main__":
    main(sys.argv[1:])
