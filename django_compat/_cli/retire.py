"""``python -m django_compat retire``: the way out of ``django_compat``.

Each name of ``django_compat`` comes from the place that every Django of the range has.
What still needs the package stays, and is listed with the first range that does not.
"""

from __future__ import absolute_import

import ast
import io
import re
import sys
from importlib.util import find_spec

import django_compat
from django_compat._cli.adopt import Shared, make_parser, parse
from django_compat._cli.homes import SHIM, Homes
from django_compat._cli.sources import Unreadable, read_tree
from django_compat._db.escapes import escape
from django_compat._names.table import NAMES

__all__ = ["Retirer", "run"]

ROUNDS = 10
NO_NAME = ": django_compat has no such name"
LOADS = re.compile(r"\{%-?\s*load\s[^%]*\bdjango_compat\b")


class Retirer(object):
    """Rewrite modules for a range, and count what still needs ``django_compat``."""

    def __init__(self, places, shared):
        self.homes, self.shared = Homes(places), shared

    def rewrite(self, path, data):
        """Return the new bytes of a module, and what still needs the package."""
        from django_compat._cli import rewriting

        def is_kept(name):
            return source.is_named(name) or self.shared.is_taken(path, name)

        source, modules = rewriting.parse(path, data), set()
        for _ in range(ROUNDS):
            edits = rewriting.Edits()
            self._plan(source, edits, is_kept)
            if not edits:
                break
            modules |= edits.modules()
            source = rewriting.Source(rewriting.apply(source, edits))
        if modules:
            edits = rewriting.Edits()
            edits.merged = modules
            source = rewriting.Source(rewriting.apply(source, edits))
        return source.data, self._left(source)

    def _find(self, module, name=None):
        return None if name is None else self.homes.home(name)

    def _plan(self, source, edits, is_kept):
        from django_compat._cli.rewriting import Planner, module_of

        planner = Planner(source, edits, self.homes, self._find, is_kept)
        for statement, names in source.imports.items():
            if source.is_ignored(statement):
                continue
            for name in names:
                alias = names[name]
                if module_of(statement) == SHIM:
                    target = self._find(SHIM, alias.evaluated_name)
                    if target is not None:
                        edits.aliases[alias] = (target, name)
                elif alias.evaluated_name == SHIM and module_of(statement) is None:
                    self._plan_module(source, edits, planner, statement, name, is_kept)

    def _plan_module(self, source, edits, planner, statement, name, is_kept):
        """Replace ``django_compat.name``; drop the import with the last of them."""
        if source.path(statement, name) != SHIM:  # relative
            return
        rest = False
        for use in source.uses_of(statement, name):
            full = ".".join(use.path.split(".")[:2])
            if "." not in full or not planner.move_attribute(use, full):
                rest = True
        if not rest and source.uses_of(statement, name) and not is_kept(name):
            edits.aliases[source.imports[statement][name]] = None

    # What is left.

    def _left(self, source):
        from django_compat._cli.rewriting import module_of

        left = {}
        for statement, names in source.imports.items():
            module, line = module_of(statement), source.line(statement)
            if module is not None and module.split(".")[0] == SHIM:
                if module != SHIM or not names:
                    text = module + ": the star needs it"
                    if names:
                        text = _why_module(module)
                    left.setdefault(line, []).append(text)
                    continue
                for alias in names.values():
                    text = self._why(alias.evaluated_name)
                    left.setdefault(source.line(alias), []).append(text)
            elif module is None:
                self._left_of_module(source, statement, names, left)
        for line, value in _texts(source.data):
            if value.split(".")[0] == SHIM:
                left.setdefault(line, []).append('the text "%s" needs it' % value)
        return [(line, "; ".join(texts)) for line, texts in sorted(left.items())]

    def _left_of_module(self, source, statement, names, left):
        for name, alias in names.items():
            if alias.evaluated_name.split(".")[0] != SHIM:
                continue
            if source.path(statement, name) is None:
                continue
            if alias.evaluated_name != SHIM:
                text = _why_module(alias.evaluated_name)
                left.setdefault(source.line(statement), []).append(text)
                continue
            uses = source.uses_of(statement, name)
            for use in uses:
                parts = use.path.split(".")
                text = self._why(parts[1] if len(parts) > 1 else None)
                left.setdefault(source.line(use.root), []).append(text)
            if not uses:
                text = "import django_compat: not used here"
                left.setdefault(source.line(statement), []).append(text)

    def _why(self, name):
        """Return why a name still needs the package, and until when."""
        if name is None:
            return "django_compat: the module itself is used"
        full = "%s.%s" % (SHIM, name)
        by_hand = self.homes.by_hand(name)
        if by_hand:
            return "%s: the whole range has %s, write that by hand" % (full, by_hand)
        if self.homes.home(name) is not None:
            return (
                full + ": its new name is taken in this module, or the line says ignore"
            )
        release, place = self.homes.first_home(name)
        if release is not None:
            text = "%s: needs the shim until >=%d.%d, which has %s"
            return text % (full, release[0], release[1], place)
        row = NAMES.get(name)
        if row is not None and row.instead:
            return "%s: no Django of the range has it. Instead: %s" % (
                full,
                row.instead,
            )
        if not _is_name(name):
            return full + NO_NAME
        return full + ": needs the shim, which alone has it"


def _why_module(module):
    return module + (": needed" if _is_name(module.split(".")[1]) else NO_NAME)


def _is_name(name):
    """Tell whether ``django_compat`` has a name, on any Django, or a module."""
    return (
        name in django_compat._load_rows()
        or hasattr(django_compat, name)
        or find_spec("%s.%s" % (SHIM, name)) is not None
    )


def _texts(data):
    """Yield line and value of each text in a module, docstrings left out."""
    for node in ast.walk(read_tree(data, "")):
        if isinstance(node, (ast.List, ast.Tuple, ast.Set, ast.Call, ast.Assign)):
            parts = getattr(node, "elts", None) or getattr(node, "args", ())
            for part in list(parts) + [getattr(node, "value", None)]:
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.lineno, part.value


def _read_template(path):
    """Yield the lines of a template that load the package's tags."""
    with io.open(path, encoding="utf-8", errors="replace") as file:
        for number, line in enumerate(file, 1):
            if LOADS.search(line):
                yield number, "{% load django_compat %} needs it"


def run(argv, output):
    """Run the command and return the exit code."""
    parser = make_parser(
        "retire",
        "Import each name of django_compat from the place that every Django of the "
        "range has, and list what still needs the package.",
    )
    arguments, places = parse(parser, argv)
    from django_compat._cli.rewriting import rewrite_files

    shared = Shared()
    retirer = Retirer(places, shared)
    marks = (SHIM.encode("ascii"),)
    try:
        left, skipped, changed = rewrite_files(
            arguments.paths,
            retirer.rewrite,
            shared.add,
            _read_template,
            arguments.write,
            output,
            marks,
        )
    except Unreadable as error:
        parser.error(escape(error))
    verb = "rewritten" if arguments.write else "would change"
    text = "%d files %s, %d lines need django_compat\n"
    sys.stderr.write(text % (len(changed), verb, len(left)))
    if not left and not skipped:
        text = "Nothing needs django_compat %s: the dependency can go\n"
        when = "any more" if arguments.write or not changed else "after --write"
        sys.stderr.write(text % when)
    if skipped:
        return 2
    return 1 if left or changed and not arguments.write else 0
