"""Compare audit with what the modules of published apps really raise on each Django.

Call ``python benchmarks/real_code.py APPS TOX [NAME ...]``: ``APPS`` is a folder with
unpacked source distributions, ``TOX`` a folder with the environments that tox.ini
names, one for each Django at least. ``--django=1.8,6.1`` takes some Djangos only, and
``-v`` shows the lines that were not run.

The script imports each module of each app on each Django, in a process of its own. When
a line fails because a name or a module is missing, the script notes the line, gives the
line a stand-in, and imports the module again: so it sees each line of a module that
fails, and not the first one only.

It prints a line for each app: the failing lines that audit foresaw, missed (audit was
silent), and false alarms (audit told of a line that ran without an error). "Not run"
are lines that audit told of, but that no import came to: the module stopped before, or
a condition kept the line from running.
"""

from __future__ import absolute_import, print_function

import ast
import json
import os
import re
import subprocess
import sys
import time
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

IMPORTER = os.path.join(HERE, "real_code_importer.py")


def find_modules(root, package):
    """Yield the modules of a package, without its tests."""
    for folder, folders, files in os.walk(os.path.join(root, package)):
        folders[:] = sorted(
            name
            for name in folders
            if name not in ("conf", "migrations")
            and not re.search("test|south", name)
            and os.path.exists(os.path.join(folder, name, "__init__.py"))
        )
        for file in sorted(files):
            if file.endswith(".py") and not file.startswith("test"):
                path = os.path.join(folder, file)
                name = os.path.relpath(path, root)[:-3].replace(os.sep, ".")
                yield name.replace(".__init__", ""), path


def find_package(root):
    """Return the folder below ``root`` with the package, and the package's name."""
    packages = [
        (sum(1 for _ in find_modules(parent, name)), parent, name)
        for parent in (root, os.path.join(root, "src"))
        for name in (os.listdir(parent) if os.path.isdir(parent) else ())
        if os.path.exists(os.path.join(parent, name, "__init__.py"))
        and "test" not in name
    ]
    return max(packages)[1:]  # the largest


def statements(path):
    """Return ``{line: (first line, last line)}`` of the innermost statement."""
    with open(path, "rb") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # invalid escapes
        tree = ast.parse(file.read())
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.stmt) and not hasattr(node, "body"):
            for line in range(node.lineno, node.end_lineno + 1):
                found[line] = (node.lineno, node.end_lineno)
    return found


def environments(tox):
    """Return ``{release: python}``: one environment for each Django."""
    from django_compat.matrix import SERIES, pairs

    found = {}
    for python, django in pairs():  # the newest Python of each Django
        name = "py%s-django%s" % (python.replace(".", ""), django.replace(".", ""))
        path = os.path.join(tox, name, "bin", "python")
        if os.path.exists(path):
            found[django] = path
    assert set(found) == {series.django for series in SERIES}, sorted(found)
    return found


def is_django(kind, text, path, line):
    """Return True if an error says that Django lacks a name or a module."""
    with open(path, encoding="utf-8", errors="replace") as file:
        lines = file.read().splitlines()
    if "django." in text or "'django'" in text:
        return True
    span = statements(path).get(line, (line, line))
    code = "\n".join(lines[span[0] - 1 : span[1]])
    if kind in ("ImportError", "ModuleNotFoundError"):
        return "from django" in code or "import django" in code
    return "'module' object" in text


def audit(modules, places):
    """Return ``{release: {(path, first line of the statement): name}}`` of audit.

    First come the lines that an import runs, then those of functions, then the files
    that audit skipped.
    """
    from django_compat._cli.audit import read_file
    from django_compat._cli.sources import Unreadable

    told, later, skipped = {}, {}, []
    for path in sorted(set(modules.values())):
        try:
            spans, findings = statements(path), read_file(path, places)
        except (SyntaxError, Unreadable):
            skipped.append(path)
            continue
        for finding in findings:
            if finding.kind in ("import", "attribute", "star"):
                for release in finding.missing:
                    line = spans.get(finding.line, (finding.line,))[0]
                    places_told = told if finding.at_import else later
                    places_told.setdefault(release, {})[path, line] = finding.name
    return told, later, skipped


def compare(root, package, pythons, places, verbose):
    """Print what an app raises on each Django, and what audit says."""
    modules = dict(find_modules(root, package))
    told, later, skipped = audit(modules, places)
    work = os.path.join(root, "real_code.json")
    with open(work, "w") as file:
        json.dump([root, package, sorted(modules)], file)
    sums = dict.fromkeys(("foreseen", "missed", "false", "not run", "stopped"), 0)
    for release, python in pythons.items():
        env = {"PYTHONDONTWRITEBYTECODE": "1", "PATH": os.environ["PATH"]}
        env.update(SETUPTOOLS_USE_DISTUTILS="stdlib")
        deps = os.environ.get("REAL_CODE_DEPENDENCIES")
        env.update({"PYTHONPATH": deps} if deps else {})
        command = [python, IMPORTER, work]
        output = subprocess.check_output(command, env=env, stderr=subprocess.PIPE)
        failed, stops, ran, patched = json.loads(
            output.decode("utf-8").splitlines()[-1]
        )
        number = tuple(map(int, release.split(".")))
        spans = {
            path: statements(path) for path in modules.values() if path not in skipped
        }
        real = {}
        for path, line, kind, text in failed:
            if path in spans and is_django(kind, text, path, line):
                real[path, spans[path].get(line, (line,))[0]] = text
        executed = {
            (path, spans[path].get(line, (line,))[0])
            for path, line in ran
            if path in spans
        }
        expected = told.get(number, {})
        for place, name in later.get(number, {}).items():
            if place in real:  # in a function that an import calls
                expected[place] = name
        for place in sorted(set(real) - set(expected)):
            print("  missed %s %s:%d %s" % ((release,) + place + (real[place],)))
        # A line that fails gives all lines a stand-in for an attribute.
        same = {".".join(names) for names in patched}
        for place in set(expected) & executed:
            if expected[place] in same:
                real.setdefault(place, "")
        alarms = (set(expected) - set(real)) & executed
        for place in sorted(alarms):
            print("  false %s %s:%d %s" % ((release,) + place + (expected[place],)))
        rest = set(expected) - set(real) - executed
        if verbose:
            for place in sorted(rest):
                print(
                    "  not run %s %s:%d %s" % ((release,) + place + (expected[place],))
                )
            for stop in sorted(set(map(str, [stop[1:] for stop in stops]))):
                print("  stop %s %s" % (release, stop))
        sums["foreseen"] += len(set(real) & set(expected))
        sums["missed"] += len(set(real) - set(expected))
        sums["false"] += len(alarms)
        sums["not run"] += len(rest)
        sums["stopped"] += len(stops)
    os.unlink(work)
    facts = [os.path.basename(root), len(modules), len(skipped)]
    facts += [
        sums[key] for key in ("foreseen", "missed", "false", "not run", "stopped")
    ]
    print("%-32s %4d %4d %5d %5d %5d %5d %5d" % tuple(facts))


def main(arguments):
    if len(arguments) < 2:
        sys.exit(__doc__)
    from django_compat._cli.places import Places

    verbose = "-v" in arguments
    apps, tox = arguments[:2]
    names = [name for name in arguments[2:] if name[0] != "-"]
    places, pythons = Places(), environments(tox)
    for argument in arguments:
        if argument.startswith("--django="):
            only = argument.partition("=")[2].split(",")
            pythons = {release: pythons[release] for release in only}
    print("app                           modules skip seen missed false notrun stopped")
    for name in sorted(os.listdir(apps)):
        root = os.path.join(os.path.abspath(apps), name)
        if os.path.isdir(root) and (not names or name in names):
            begun = time.time()
            compare(*find_package(root), pythons, places, verbose)
            print("  %.0f s" % (time.time() - begun), file=sys.stderr)


if __name__ == "__main__":
    main(sys.argv[1:])
