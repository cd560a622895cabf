"""List the names that a module of Django gives in one release and not in the next.

Call ``python docs/vanished_names.py 1.4.22=FOLDER 1.5.12=FOLDER ...``, the oldest
release first; each folder holds a ``django`` package. The script reads the sources and
imports nothing, so one interpreter serves all releases. The ``python2.7`` on PATH reads
the sources in Python 2's syntax. The script prints a line for each module and release,
``6.1 module:`` and the names that the release dropped; ``docs/vanished-names.txt`` is
the output. ``name=module`` tells where the newest release has the name. A name without
a row in ``django_compat/_names/table.py`` has a reason in
``docs/vanished-reasons.txt``.

The rule: an import that works on one release and fails on another. A module gives what
it binds at its top level without a leading underscore: functions, classes, assignments,
and what it imports from Django. An object that a module only imported, and that stays
where it is defined, is listed once, at its first loss. Left out, because nobody imports
from them: commands, migrations, locales, tests, project templates, default settings,
and vendored libraries.
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
    r"(^|\.)(bin|locale|management\.commands|migrations|tests|app_template"
    r"|project_template|conf\.global_settings|simplejson|decimal|unittest)(\.|$)"
)

SCOPES = "FunctionDef AsyncFunctionDef ClassDef".split()  # Python 2 has no async


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
    """Yield the statements that an import runs, also those inside blocks."""
    for node in body:
        yield node
        for field in "body", "handlers", "orelse", "finalbody":
            if type(node).__name__ not in SCOPES:
                for child in walk_top(getattr(node, field, None) or ()):
                    yield child


def read_module(path, module, is_package):
    """Return the names that a module defines, imports and lists in ``__all__``."""
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
                part.id
                for target in node.targets
                for part in ast.walk(target)
                if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)
            ]
            facts["defined"] += names
            if names == ["__all__"]:
                facts["all"] = [
                    text
                    for text in map(_string, ast.walk(node.value))
                    if text is not None
                ]
    return facts


def _string(node):
    """Return the text of a string literal, on every Python; else None."""
    value = getattr(node, "s", None) if type(node).__name__ == "Str" else None
    if type(node).__name__ == "Constant":
        value = node.value
    return value if isinstance(value, str) else None


def read_release(folder):
    """Return ``{module: {name: (place of its definition, is exported)}}`` of a Django.

    A module exports what it defines; a package, and ``__all__``, what it imports, too.
    """
    facts = {
        name: read_module(path, name, is_package)
        for name, path, is_package in find_modules(folder)
    }
    packages = {name for name, _, is_package in find_modules(folder) if is_package}
    names = {}  # {module: its public names}, for modules that are done

    def public(module, seen=()):
        if module not in facts or module in seen:
            return {}
        if module in names:
            return names[module]
        own, places = facts[module], {}
        for star in own["stars"]:
            places.update(public(star, seen + (module,)))
        exported = set(places).union(own["defined"], own["imported"])
        if own["all"] is not None:
            # __all__ may add the lists of other modules, which read_module() does not
            # evaluate: keep every name that the module defines.
            exported = set(own["all"]).union(own["defined"])
        elif module not in packages:
            exported.difference_update(own["imported"])
        homes = dict((name, places[name][0]) for name in places)
        homes.update(own["imported"])
        homes.update((name, "%s:%s" % (module, name)) for name in own["defined"])
        places = {
            name: (home, name in exported)
            for name, home in homes.items()
            if not name.startswith("_") and home and home.startswith("django")
        }
        if not seen:
            names[module] = places
        return places

    result = {module: public(module) for module in sorted(facts)}
    for places in result.values():
        for name, (home, is_exported) in places.items():
            for _ in range(9):  # follow the imports to the definition
                module, _, origin = home.partition(":")
                home = result.get(module, {}).get(origin, (home,))[0]
            places[name] = home, is_exported
    return result


def read_releases(arguments, usage=__doc__, script=__file__, read=read_release):
    """Return the ``(release, facts)`` pairs of a script's ``release=FOLDER`` arguments.

    ``read`` reads a folder with this Python; on a syntax error Python 2.7 does, which
    calls the script with ``--names``. Without arguments the usage is shown.
    """
    warnings.simplefilter("ignore")  # old sources have invalid escapes
    if arguments[:1] == ["--names"]:
        print(json.dumps(read(arguments[1])))
        sys.exit()
    if len(arguments) < 2 or not all("=" in argument for argument in arguments):
        sys.exit(usage)
    releases = []
    for release, folder in [argument.split("=", 1) for argument in arguments]:
        try:
            facts = read(folder)
        except SyntaxError:
            command = ["python2.7", os.path.abspath(script), "--names", folder]
            facts = json.loads(subprocess.check_output(command).decode("utf-8"))
        releases.append((release, facts))
    return releases


def vanished(releases):
    """Yield ``(release without it, module, name)`` for ``(release, names)`` pairs.

    The name is followed by "=" and its module in the newest release, if there is one.
    """
    newest = {}  # {name: the shortest of the modules that define it}
    for module, names in releases[-1][1].items():
        for name, (home, _) in names.items():
            if home == "%s:%s" % (module, name):
                newest[name] = min(newest.get(name, module), module, key=_length)
    homes = set()  # the places of all definitions in the older releases
    listed = set()  # the places of the imported objects that are listed
    for (_, older), (release, newer) in zip(releases, releases[1:]):
        homes.update(home for names in older.values() for home, _ in names.values())
        for module in sorted(older):
            for name in sorted(set(older[module]) - set(newer.get(module, ()))):
                home, is_exported = older[module][name]
                home_module, _, home_name = home.partition(":")
                successor = newest.get(name)
                if home_name in releases[-1][1].get(home_module, ()):
                    successor = home_module
                is_home = "%s:%s" % (module, name) in homes
                is_lost = home_name not in newer.get(home_module, ())
                is_new = successor == home_module and home not in listed
                if is_home or is_new or (is_exported and is_lost):
                    listed.add(home)
                    yield release, module, "=".join(filter(None, (name, successor)))


def _length(module):
    return len(module), module


def main(arguments):
    releases = read_releases(arguments)
    groups = OrderedDict()
    for release, module, name in vanished(releases):
        series = ".".join(release.split(".")[:2])
        groups.setdefault((series, module), []).append(name)
    for (series, module), names in groups.items():
        text = "%s %s: %s" % (series, module, " ".join(names))
        print(textwrap.fill(text, 88, subsequent_indent="    "))


if __name__ == "__main__":
    main(sys.argv[1:])
