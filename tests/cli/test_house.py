"""Rules for the package's sources that neither import-linter nor ruff can hold."""

from __future__ import absolute_import

import ast
import os
import sys

from support.repository import ROOT

PACKAGE = os.path.join(ROOT, "django_compat")
VERSIONS = {"VERSION", "get_version", "version_info", "hexversion", "PY2", "PY3"}
MAY_COMPARE_VERSIONS = {
    "_cli/main.py": "audit needs Python 3.10 or newer",
    "_db/versions.py": "the place for a comparison",
    "_lazy.py": "compares with data: the releases in the row of a name",
    "_names/deprecation.py": "compares with data: the release in a warning's name",
    "_names/row.py": "compares with data: the releases in the row of a moved name",
}
HAS_ASYNC_SYNTAX = "_db/aio.py"


def parse_modules():
    """Return ``{path below the package: tree}`` of each Python file.

    Python 2.7 cannot parse the file with coroutines. That it parses all others is a
    test, too.
    """
    trees = {}
    for folder, _, files in os.walk(PACKAGE):
        for file in files:
            path = os.path.join(folder, file)
            name = os.path.relpath(path, PACKAGE).replace(os.sep, "/")
            is_readable = sys.version_info >= (3,) or name != HAS_ASYNC_SYNTAX
            if name.endswith(".py") and is_readable:
                with open(path, "rb") as source:
                    trees[name] = ast.parse(source.read(), path)
    return trees


MODULES = parse_modules()


def names_in(node):
    """Return the names and attributes that an expression uses."""
    nodes = ast.walk(node)
    return {getattr(node, "attr", getattr(node, "id", None)) for node in nodes}


def test_versions_are_compared_in_the_listed_modules_only():
    """All other code asks whether a feature is there, or asks _db/versions.py."""
    compare = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.Compare, ast.If, ast.IfExp))
        and names_in(getattr(node, "test", node)) & VERSIONS
    }
    assert sorted(compare - set(MAY_COMPARE_VERSIONS)) == []


def test_async_syntax_is_in_one_module_only():
    """Only the module that Python 2.7 never imports has coroutines."""
    have_async = {
        name
        for name, tree in MODULES.items()
        for node in ast.walk(tree)
        if type(node).__name__.startswith("Async") or type(node).__name__ == "Await"
    }
    assert sorted(have_async - {HAS_ASYNC_SYNTAX}) == []


def test_package_has_few_entries():
    """At most 14 files and folders lie at the package's root, besides the stubs."""
    entries = [
        entry
        for entry in os.listdir(PACKAGE)
        if not entry.endswith((".pyi", ".pyc")) and entry != "__pycache__"
    ]
    assert len(entries) <= 14, sorted(entries)
