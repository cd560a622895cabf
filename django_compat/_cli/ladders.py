"""Replace ``try/except ImportError`` and ``if django.VERSION`` by what a range needs.

A ladder is run for each release of the range, on paper: which branch does it take, and
what does each name stand for? If all releases take one branch, that branch stays. If
the branches import the same objects from several places, one import serves all.
"""

from __future__ import absolute_import

import ast
import re
import sys

import libcst as cst
from libcst.helpers import get_full_name_for_node

from django_compat._cli.audit import NEEDY
from django_compat._cli.conditions import Conditions
from django_compat._cli.homes import SHIM, Target
from django_compat._cli.rewriting import FOR_TOOLS, simple
from django_compat._cli.sources import read_tree

__all__ = ["find_ladders", "find_target"]

MODULE, ATTRIBUTE = {"ImportError", "ModuleNotFoundError"}, {"AttributeError"}
# Python 2.7 and 3 have them.
STANDARD = {
    "collections:OrderedDict",
    "functools:wraps",
    "importlib:import_module",
    "json",
    "unittest",
    "logging.config:dictConfig",
    "uuid",
}
SIX = re.compile(r"django\.utils\.six(\.|$)")
# Of django.utils.encoding and six: without Python 2, Django dropped it.
OF_SIX = {"python_2_unicode_compatible"}


class Unknown(Exception):
    """Nobody can tell on paper what a ladder does."""


class Fails(Exception):
    """An import or an attribute fails; the argument is the error's name."""


def find_target(homes, module, name=None):
    """Return what to import instead of a name of Django, or of a module; or None."""
    full = module if name is None else "%s.%s" % (module, name)
    if SIX.match(full):
        full = full[len("django.utils.") :]
        if name is None or full == "six":
            return Target(full, None)
        return Target(full.rpartition(".")[0], name)
    if name in OF_SIX:
        return Target("six", name)
    advice = homes.places.advice(module, name)
    if advice.kind in ("place", "shim"):
        return Target(advice.module, advice.name)
    return None


def find_ladders(source, homes, is_needed):
    """Return ``{Try or If: statements}``; ``is_needed(name)`` tells who uses a name."""
    finder = _Finder(source, homes, is_needed)
    source.module.visit(finder)
    return finder.found


class _Finder(cst.CSTVisitor):
    def __init__(self, source, homes, is_needed):
        super(_Finder, self).__init__()
        self.source, self.homes, self.is_needed = source, homes, is_needed
        self.releases = homes.places.releases
        self.found, self.elifs, self.splits = {}, set(), {}
        self.functions = []  # around a node, the innermost last
        self.dropped = {}  # how many ``yield`` each function loses
        self.values = _read_values(source.data)
        self.conditions = Conditions(homes.places, self._resolve)

    def _resolve(self, node):
        """Return what a name or an attribute stands for, as Conditions wants it."""
        if isinstance(node, ast.Name):
            entity = self.values.get(node.id)
            return [(entity, self.homes.places.range)] if entity else []
        if isinstance(node, ast.Attribute):
            return [
                (_member(self.homes.places, entity[1], node.attr), releases)
                for entity, releases in self._resolve(node.value)
                if entity[0] == "module"
            ]
        return []

    def visit_FunctionDef(self, node):
        self.functions.append(node)

    def leave_FunctionDef(self, original_node):
        self.functions.pop()

    def visit_Try(self, node):
        return self._visit(node)

    def visit_If(self, node):
        if isinstance(node.orelse, cst.If):
            self.elifs.add(node.orelse)
        return node in self.elifs or self._visit(node)

    def _visit(self, node):
        lines = self._collapse(node)
        if lines is None:
            return True
        if self.source.is_ignored(node):
            return False
        if self._drops_last_yield(node, lines):
            return True
        self.found[node] = lines
        return False

    def _drops_last_yield(self, node, lines):
        """Return True if a function would be no generator without a ladder."""
        dropped = _count_yields([node]) - _count_yields(lines)
        if not dropped or not self.functions:
            return False
        function = self.functions[-1]
        dropped += self.dropped.get(function, 0)
        if dropped == _count_yields([function.body]):
            return True
        self.dropped[function] = dropped
        return False

    def _collapse(self, node):
        """Return the lines instead of a ladder, or None."""
        if isinstance(node, cst.If):
            lines = self._drop_branches(node)
            if lines is not None:
                return lines
        worlds, branches = {}, []
        for release in self.releases:
            names = {}
            try:
                branches.append(self._run(node, release, names))
            except (Unknown, Fails):
                return None
            worlds[release] = names
        places = {place for names in worlds.values() for place in names.values()}
        if not any(place.split(".")[0].startswith("django") for place in places):
            code = self.source.module.code_for_node(node)
            if not re.search(r"\b(from|import)\s+django\b", code):
                return None
        if all(branch is branches[0] for branch in branches):
            return _lines(branches[0])
        return self._one_import(node, worlds)

    def _drop_branches(self, node):
        """Return the branch of an ``if`` that the whole range takes, if it is one."""
        true, false = self._split(node.test)
        if true == self.homes.places.range:
            return _lines(node.body)
        if false == self.homes.places.range:
            if node.orelse is None:
                return []
            if isinstance(node.orelse, cst.If):
                return [node.orelse]
            return _lines(node.orelse.body)
        return None

    def _split(self, test):
        if test not in self.splits:
            code = self.source.module.code_for_node(test)
            tree = read_tree("(%s)" % code, "").body[0].value
            true, false, asks = self.conditions.split(tree, self.homes.places.range)
            self.splits[test] = (true, false) if asks else (set(), set())
        return self.splits[test]

    def _one_import(self, node, worlds):
        """Return one import for each name that the branches bind; None if unclear."""
        lines, order = [], []
        for names in worlds.values():
            order += [name for name in names if name not in order]
        for name in order:
            found = [names.get(name) for names in worlds.values()]
            if None in found:
                places = set(filter(None, found))
                if self.is_needed(name, node) or not all(map(_is_sure, places)):
                    return None
                continue
            target = self._target(set(found), name)
            if target is None:
                return None
            lines.append((target, name))
        return self._import_lines(node, lines)

    def _import_lines(self, node, pairs):
        groups = []
        for target, name in pairs:
            module, member = target
            if member is None:
                package, _, last = module.rpartition(".")
                if not package:
                    code = "import %s" % module
                    groups.append(
                        (code if name == module else "%s as %s" % (code, name), None)
                    )
                    continue
                module, member = package, last
            code = member if member == name else "%s as %s" % (member, name)
            group = [names for head, names in groups if head == module]
            if group:
                group[0].append(code)
            else:
                groups.append((module, [code]))
        comment = _tool_comment(self.source.module.code_for_node(node))
        lines = []
        for head, names in groups:
            code = head if names is None else _from_import(head, names)
            code = code.replace("\n", self.source.module.default_newline)
            line = cst.parse_statement(
                code, config=self.source.module.config_for_parsing
            )
            if comment:
                line = line.with_changes(
                    trailing_whitespace=cst.TrailingWhitespace(
                        cst.SimpleWhitespace("  "), cst.Comment(comment)
                    )
                )
            lines.append(line)
        return lines

    def _target(self, found, name):
        """Return the Target that all places in a set stand for, or None."""
        homes = self.homes
        if "object" in found:  # of Python 2's middleware, before 1.10
            if found != {"object", "django.utils.deprecation:MiddlewareMixin"}:
                return None
            return homes.shim_or_home("MiddlewareMixin")
        targets = {self._instead(place) for place in found}
        if len(targets) == 1 and None not in targets:
            return targets.pop()
        rows = [self._names_of(place) for place in found]
        common = set(rows[0]).intersection(*rows[1:])
        for row in sorted(common, key=lambda row: (row != name, row)):
            target = homes.shim_or_home(row)
            if target is not None:
                return target
        return None

    def _instead(self, place):
        module, _, name = place.partition(":")
        if module.split(".")[0] in ("six", SHIM):
            return Target(module, name or None)
        if module.split(".")[0] != "django" or "." in name:
            return None
        if self.homes.serves(module, name or None):
            return Target(module, name or None)
        return find_target(self.homes, module, name or None)

    def _names_of(self, place):
        names = []
        for row in self.homes.rows.get(place, ()):
            names += [row.name] + ([row.new.name] if row.new else [])
        module, _, name = place.partition(":")
        if module.split(".")[0] == "django" and name and "." not in name:
            advice = self.homes.places.advice(module, name)
            if advice.kind == "shim":
                names.append(advice.name)
        return names

    # Run a ladder on a release.

    def _run(self, node, release, names, is_guarded=False):
        """Run a Try or If; return the branch that the release takes.

        ``is_guarded`` tells that a ``try`` around it catches what fails.
        """
        if isinstance(node, cst.If):
            return self._run_if(node, release, names, is_guarded)
        return self._run_try(node, release, names, is_guarded)

    def _run_if(self, node, release, names, is_guarded):
        while isinstance(node, cst.If):
            true, false = self._split(node.test)
            if release in true:
                self._run_body(node.body, release, names, is_guarded)
                return node.body
            if release not in false:
                raise Unknown()
            node = node.orelse
        if node is None:
            return None
        self._run_body(node.body, release, names, is_guarded)
        return node.body

    def _run_try(self, node, release, names, is_guarded):
        if node.finalbody or node.orelse:
            raise Unknown()
        caught = [_caught(handler) for handler in node.handlers]
        bound = dict(names)
        try:
            self._run_body(node.body, release, bound, is_guarded=True)
        except Fails as error:
            for handler, errors in zip(node.handlers, caught):
                if error.args[0] in errors:
                    self._run_body(handler.body, release, names, is_guarded)
                    return handler.body
            raise
        names.update(bound)
        return node.body

    def _run_body(self, body, release, names, is_guarded):
        for line in body.body:
            if isinstance(line, (cst.If, cst.Try)):
                self._run(line, release, names, is_guarded)
            elif not simple(line) and not isinstance(body, cst.SimpleStatementSuite):
                raise Unknown()
            else:
                for node in line.body if simple(line) else [line]:
                    self._run_simple(node, release, names, is_guarded)

    def _run_simple(self, node, release, names, is_guarded):
        if isinstance(node, cst.ImportFrom):
            self._run_from(node, release, names, is_guarded)
        elif isinstance(node, cst.Import):
            for alias in node.names:
                module = get_full_name_for_node(alias.name)
                if "." in module and not alias.asname:
                    raise Unknown()
                self._find(module, None, release, is_guarded)
                names[alias.evaluated_alias or module] = module
        elif isinstance(node, cst.Assign) and len(node.targets) == 1:
            target = node.targets[0].target
            if not isinstance(target, cst.Name):
                raise Unknown()
            names[target.value] = self._value(node.value, release, names)
        elif isinstance(node, cst.Expr) and isinstance(node.value, cst.SimpleString):
            return  # a text that stands as a comment
        elif not isinstance(node, cst.Pass):
            raise Unknown()

    def _run_from(self, node, release, names, is_guarded):
        if node.relative or isinstance(node.names, cst.ImportStar):
            raise Unknown()
        module = get_full_name_for_node(node.module)
        for alias in node.names:
            self._find(module, alias.evaluated_name, release, is_guarded)
            full = "%s.%s" % (module, alias.evaluated_name)
            is_module = module[:6] == "django" and self.homes.places.known(full)
            place = full if is_module else "%s:%s" % (module, alias.evaluated_name)
            names[alias.evaluated_alias or alias.evaluated_name] = place

    def _find(self, module, name, release, is_guarded):
        """Raise Fails if a release lacks a name; Unknown if it may have it or not."""
        top, places = module.split(".")[0], self.homes.places
        if top == "django":
            full = module if name is None else "%s.%s" % (module, name)
            if is_guarded and NEEDY.match(full + "."):
                raise Unknown()
            if not places.known(module, name) and name != "VERSION":
                raise Unknown()
            if release not in places.module(module):
                raise Fails("ModuleNotFoundError")
            if name and release not in places.having(module, name):
                raise Fails("ImportError")
        elif top not in ("six", SHIM):
            place = module if name is None else "%s:%s" % (module, name)
            if is_guarded and place not in STANDARD:
                raise Unknown()

    def _value(self, node, release, names):
        """Return the place of an assigned value."""
        if isinstance(node, cst.Name):
            if node.value in ("True", "False", "None"):
                return "constant:" + node.value
            if node.value == "object":
                return "object"
            if node.value in names:
                return names[node.value]
            entity = self.values.get(node.value)
            if entity and entity[0] == "name":
                return "%s:%s" % entity[1:]
        if isinstance(node, cst.Attribute) and isinstance(node.value, cst.Name):
            name = node.value.value
            entity = self.values.get(name)
            place = names.get(name)
            if place is None and entity and entity[0] == "module":
                place = entity[1]
            if place is None or place.split(".")[0].startswith("constant"):
                raise Unknown()
            if ":" in place:
                return "%s.%s" % (place, node.attr.value)
            if place.split(".")[0] == "django":
                if not self.homes.places.known(place, node.attr.value):
                    raise Unknown()
                if release not in self.homes.places.having(place, node.attr.value):
                    raise Fails("AttributeError")
            elif place.split(".")[0] != "six":
                raise Unknown()
            return "%s:%s" % (place, node.attr.value)
        raise Unknown()


def _is_sure(place):
    """Return False for a place in another package: its import may fail, or do more."""
    top = re.split("[.:]", place)[0]
    own = "django", "six", SHIM, "constant", "object"
    return top in own or top in sys.stdlib_module_names


def _member(places, module, name):
    full = "%s.%s" % (module, name)
    if module.split(".")[0] == "django" and places.known(full):
        return "module", full
    return "name", module, name


def _read_values(data):
    """Return ``{name: entity}``, as in Conditions, of what a module binds once."""
    found, tree = {}, read_tree(data, "")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.split(".")[0]
                entity = "module", alias.name if alias.asname else top
                found.setdefault(alias.asname or top, []).append(entity)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                entity = None if node.level else ("name", node.module, alias.name)
                if entity and re.match(r"django$|django\.utils$", node.module):
                    if alias.name in ("six", "utils", "timezone", "translation"):
                        entity = "module", "%s.%s" % (node.module, alias.name)
                found.setdefault(alias.asname or alias.name, []).append(entity)
    values = {
        node.targets[0]: ("value", node.value)
        for node in tree.body
        if isinstance(node, ast.Assign) and len(node.targets) == 1
    }
    for node in ast.walk(tree):
        name = _bound_name(node)
        if name is not None:
            found.setdefault(name, []).append(values.get(node))
    return {
        name: entities[0]
        for name, entities in found.items()
        if entities[0] and all(entity == entities[0] for entity in entities)
    }


def _bound_name(node):
    """Return the name that a node binds or deletes, if it is no import; or None."""
    if isinstance(node, ast.Name):
        return None if isinstance(node.ctx, ast.Load) else node.id
    if isinstance(node, ast.arg):
        return node.arg
    if isinstance(node, ast.MatchMapping):
        return node.rest
    # Functions, classes, ``except ... as``, captures of ``match``.
    return None if isinstance(node, ast.alias) else getattr(node, "name", None)


def _caught(handler):
    """Return the names of the errors of a handler; raise Unknown for others."""
    node = handler.type
    parts = (
        [part.value for part in node.elements] if isinstance(node, cst.Tuple) else []
    )
    names = {get_full_name_for_node(part) for part in parts or [node] if part}
    if not names or handler.name or not names <= MODULE | ATTRIBUTE:
        raise Unknown()
    return names | MODULE if "ImportError" in names else names


class _Yields(cst.CSTVisitor):
    """Count the ``yield`` of a function, without those of functions inside it."""

    count = 0

    def visit_Yield(self, node):
        self.count += 1

    def visit_FunctionDef(self, node):
        return False

    visit_Lambda = visit_FunctionDef


def _count_yields(nodes):
    counter = _Yields()
    for node in nodes:
        node.visit(counter)
    return counter.count


def _lines(body):
    """Return the statements of a branch, as lines."""
    if isinstance(body, cst.SimpleStatementSuite):
        return [cst.SimpleStatementLine(body.body)]
    return list(body.body)


def _tool_comment(code):
    """Return the first comment for a tool in a piece of code."""
    for text in re.findall(r"#.*", code):
        if FOR_TOOLS.match(text):
            return text
    return None


def _from_import(module, names):
    code = "from %s import %s" % (module, ", ".join(names))
    if len(code) <= 88:
        return code
    return "from %s import (\n    %s,\n)" % (module, ",\n    ".join(names))
