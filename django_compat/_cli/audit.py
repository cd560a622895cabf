"""``python -m django_compat audit``: the names that some Django of a range has not.

The command reads the sources with ``ast`` and imports nothing of them. It follows what
runs on which Django: the branches of ``if django.VERSION``, of ``hasattr``, and of
``try`` around imports.
"""

from __future__ import absolute_import

import argparse
import ast
import builtins
import os
import re
import sys
from collections import namedtuple
from contextlib import closing

from django_compat._cli.conditions import Conditions
from django_compat._cli.output import to_json
from django_compat._cli.places import RELEASES, BadRange, Places, parse_range
from django_compat._cli.sources import (
    TEMPLATES,
    Progress,
    Unreadable,
    find_sources,
    is_ignored,
    is_template,
    read_tree,
    skipping,
    split_lines,
    within_depth,
)
from django_compat._cli.templates import read_template
from django_compat._db.escapes import escape, printable

__all__ = ["Finding", "Reader", "read_file", "run"]

# ``kind``: import, attribute, string, template, decorator, deprecated, or unneeded (a
# branch that no Django of the range takes). ``missing`` and ``warned`` are releases of
# the range. ``at_import``: the line runs when the module is imported.
Finding = namedtuple(
    "Finding",
    "file line column kind name missing warned first_last advice text at_import",
)

MODULE, NAME, ATTRIBUTE = "ModuleNotFoundError", "ImportError", "AttributeError"
CATCHES = {
    "ImportError": {MODULE, NAME},
    "ModuleNotFoundError": {MODULE},
    "AttributeError": {ATTRIBUTE},
    "Exception": {MODULE, NAME, ATTRIBUTE},
    "BaseException": {MODULE, NAME, ATTRIBUTE},
}
# These may fail for other reasons than the release: a library, a setting, an app.
NEEDY = re.compile(
    r"django\.(contrib\.(postgres|gis)|db\.backends|core\.cache\.backends"
    r"|core\.serializers\.pyyaml|contrib\.\w+\.models|utils\.six\.moves)\b"
)
DOTTED = re.compile(r"django(\.[A-Za-z_]\w*)+\Z")
IMPORTERS = {"import_module", "import_string", "import_by_path", "__import__"}
SCOPES = {"fresh_connections", "closing_connections"}
# The decorators of task runners; they come above a scope.
TASKS = set(
    "actor background db_periodic_task db_task job periodic_task scheduled_job"
    " shared_task task".split()
)
ENDS = {"_exit", "exit", "fail", "skip", "skipTest"}  # functions that raise
WARNS_OF_APP_CONFIG = {(3, 2), (4, 0)}
BUILTINS = frozenset(dir(builtins))


class Scope(object):
    """The names of a module, a class or a function, and what each stands for."""

    def __init__(self, parent=None, is_class=False):
        self.parent, self.is_class = parent, is_class
        self.names = {}  # {name: [(entity, releases)]}

    def bind(self, name, entity, releases):
        """Let a name stand for an entity on releases; it stood for others before."""
        kept = [
            (other, rest - releases)
            for other, rest in self.names.get(name, ())
            if rest - releases
        ]
        self.names[name] = kept + [(entity, frozenset(releases))]

    def find(self, name):
        """Return what a name stands for here, or None."""
        scope = self
        while scope is not None:
            if name in scope.names and (scope is self or not scope.is_class):
                return scope.names[name]
            scope = scope.parent
        return None


class Guard(object):
    """A ``try`` whose handlers catch what an import or an attribute raises."""

    def __init__(self, catches):
        self.catches = catches
        self.failed = {}  # {MODULE, NAME or ATTRIBUTE: releases}
        self.findings = []  # what the handlers raise again

    def add(self, kind, releases):
        self.failed[kind] = self.failed.get(kind, frozenset()) | releases

    def releases(self, kinds=(MODULE, NAME, ATTRIBUTE)):
        return frozenset().union(*[self.failed.get(kind, ()) for kind in kinds])


class Reader(object):
    """Read one module, and collect its findings."""

    def __init__(self, places, path, data):
        self.places, self.path = places, path
        self.findings = []
        self.guarded = set()  # (line, column, name) of what a fallback replaces
        tree = read_tree(data, path)
        self.lines = split_lines(data.decode("utf-8", "replace"))
        self.conditions = Conditions(places, self.resolve)
        self.scope = Scope()
        self.active = places.range
        self.guards, self.deferred, self.stars, self.told = [], [], [], set()
        self.is_foreign_star = False
        self.at_import = True
        self.visit_body(tree.body)
        self.at_import = False
        while self.deferred:  # functions run when the module is complete
            node, self.scope, self.active = self.deferred.pop(0)
            self.visit_function(node)
        self.findings.sort(key=lambda finding: (finding.line, finding.column))

    # What names stand for.

    def resolve(self, node):
        """Return ``[(entity, releases)]`` of an expression; empty if unknown."""
        if isinstance(node, ast.Name):
            return self.scope.find(node.id) or []
        if isinstance(node, ast.Attribute):
            return [
                (self._member(entity[1], node.attr), releases)
                for entity, releases in self.resolve(node.value)
                if entity and entity[0] == "module"
            ]
        return []

    def _member(self, module, name):
        """Return the entity that a module has under a name."""
        if module.split(".")[0] == "django":
            full = "%s.%s" % (module, name)
            if self.places.known(full):
                return "module", full
        return "name", module, name

    # Findings.

    def add(self, node, kind, name, text="", advice=None, missing=(), **facts):
        """Add a finding, unless a comment in its lines says to ignore it."""
        first, last = node.lineno, getattr(node, "end_lineno", node.lineno)
        key = (first, node.col_offset, kind, name)
        ends = getattr(node, "ends", ())  # of "from django.x import (...)"
        if key in self.told or is_ignored(self.lines, first, last, *ends):
            return
        self.told.add(key)
        column = node.col_offset + 1
        facts = dict({"warned": (), "first_last": None}, **facts)
        finding = Finding(
            self.path,
            first,
            column,
            kind,
            name,
            frozenset(missing),
            frozenset(facts["warned"]),
            facts["first_last"],
            advice,
            text,
            self.at_import,
        )
        self.findings.append(finding)

    def check(self, node, kind, module, name=None, error=NAME, releases=None):
        """Tell where a name of Django is missing or warns; return where it works."""
        active = self.active if releases is None else self.active & releases
        places = self.places
        if name is None:
            has, warned = places.module(module), places.module_warned(module)
        else:
            has, warned = places.having(module, name), places.warned(module, name)
        if kind == "attribute":  # the import of the module has told of the module
            active &= places.module(module)
            warned -= places.module_warned(module)
        missing = active - has
        parts = [(error, missing)]
        if error == NAME:  # a module that is missing raises another error
            absent = missing - places.module(module)
            parts = [(MODULE, absent), (NAME, missing - absent)]
        caught = []
        for raised, releases in parts:
            guard = self._guard_of(raised)
            if releases and guard is not None:
                guard.add(raised, releases)
                caught.append((guard, releases))
        full = module if name is None else "%s.%s" % (module, name)
        untold = missing.difference(*[releases for _, releases in caught])
        if untold or warned & active:
            self.add(
                node,
                kind,
                full,
                advice=places.advice(module, name),
                missing=untold,
                warned=warned & active,
                first_last=places.first_last(module, name),
            )
        for guard, releases in caught:
            guard.findings.append((node, kind, full, module, name, releases))
        return active & has

    def _guard_of(self, kind):
        """Return the innermost ``try`` that catches a kind of error, or None."""
        for guard in reversed(self.guards):
            if kind in guard.catches:
                return guard
        return None

    # Statements.

    def visit_body(self, body):
        """Visit statements; those after a branch that ends the block run elsewhere."""
        entered = self.active
        for node in body:
            if not self.active:
                break
            self.visit(node)
        self.active = entered

    def visit(self, node):
        """Visit a statement or an expression."""
        method = getattr(self, "visit_" + type(node).__name__, None)
        if method is not None:
            method(node)
        else:
            self.visit_children(node)

    def visit_children(self, node):
        for child in ast.iter_child_nodes(node):
            self.visit(child)

    def visit_on(self, releases, nodes):
        """Visit nodes on some of the releases only."""
        active, self.active = self.active, frozenset(releases)
        if self.active:
            self.visit_body(nodes)
        self.active = active

    def visit_Import(self, node):
        for alias in node.names:
            top = alias.name.split(".")[0]
            works = self.active
            if top == "django":
                works = self.check(alias, "import", alias.name)
                self._shrink()
            if alias.asname:
                self.scope.bind(alias.asname, ("module", alias.name), works)
            else:
                self.scope.bind(top, ("module", top), works)

    def visit_ImportFrom(self, node):
        module = node.module or ""
        if node.level:
            module = "." * node.level + module
        is_django = module.split(".")[0] == "django"
        for alias in node.names:
            alias.ends = node.lineno, node.end_lineno
            if alias.name == "*":
                self._visit_star(node, alias, module, is_django)
                continue
            works, entity = self.active, ("name", module, alias.name)
            if is_django:
                works = self.check(alias, "import", module, alias.name)
                entity = self._member(module, alias.name)
                self._shrink()
            elif (module, alias.name) == ("django_compat", "close_connection"):
                self._tell_close_connection(alias)
            elif (module, alias.name) == ("django_compat", "six"):
                entity = ("module", "django_compat.six")
            self.scope.bind(alias.asname or alias.name, entity, works)

    def _visit_star(self, node, alias, module, is_django):
        if is_django:
            works = self.check(node, "import", module)
            self._shrink()
            self.stars.append((module, works))
        else:
            self.is_foreign_star = True

    def _shrink(self):
        """What follows in a ``try`` does not run where a line before it has failed."""
        for guard in self.guards:
            self.active -= guard.releases()

    def _tell_close_connection(self, node):
        text = "django_compat.close_connection warns at each call. Instead: "
        text += "close_old_connections between two jobs, else close_all_connections"
        self.add(node, "deprecated", "django_compat.close_connection", text)

    def visit_If(self, node):
        self.visit(node.test)
        true, false, asks_django = self.conditions.split(node.test, self.active)
        if asks_django:
            self._tell_unneeded(node.test, true, false)
        active = self.active
        self.visit_on(active - false, node.body)
        self.visit_on(active - true, node.orelse)
        self.active = active
        if _ends(node.body):
            self.active -= true
        if node.orelse and _ends(node.orelse):
            self.active -= false

    def _tell_unneeded(self, node, true, false):
        if true == self.active:
            text = "the condition holds on each Django of the range"
        elif false == self.active:
            text = "no Django of the range takes this branch"
        else:
            return
        self.add(node, "unneeded", "if", text)

    def visit_Assert(self, node):
        self.visit_children(node)
        _, false, _ = self.conditions.split(node.test, self.active)
        self.active -= false  # visit_body() restores it

    def visit_IfExp(self, node):
        self.visit(node.test)
        true, false, _ = self.conditions.split(node.test, self.active)
        self.visit_on(self.active - false, [node.body])
        self.visit_on(self.active - true, [node.orelse])

    def visit_BoolOp(self, node):
        active = self.active
        for value in node.values:
            if not self.active:
                break
            self.visit(value)
            true, false, _ = self.conditions.split(value, self.active)
            self.active -= true if isinstance(node.op, ast.Or) else false
        self.active = active

    def visit_Try(self, node):
        catches = set().union(*map(_catches, node.handlers))
        active, guard = self.active, Guard(catches)
        if not catches:
            self.visit_body(node.body)
        else:
            outer, self.guards = self.guards, self.guards + [guard]
            self.visit_body(node.body)
            self.guards = outer
        failed = guard.releases()
        is_pure = all(map(self._is_pure, node.body))
        is_ladder = catches and is_pure and self._imports_django(node.body)
        is_sure = is_ladder and not any(
            NEEDY.match(name) for part in node.body for name in _imported(part)
        )
        if is_ladder and failed == active:
            text = "no Django of the range has what this try imports"
            self.add(node.body[0], "unneeded", "try", text)
        left = set(guard.failed)
        for handler in node.handlers:
            caught = _catches(handler)
            releases = guard.releases(caught & left)
            left -= caught
            if not caught or not failed and not is_sure:
                releases = active
            if caught and is_sure and not failed:
                text = "no Django of the range comes to this except"
                self.add(handler, "unneeded", "except", text)
            if caught and failed and _raises(handler.body):
                self._tell_raised(guard)
            elif caught and releases:
                self._note_guarded(guard)
            if handler.name and releases:
                self.scope.bind(handler.name, None, releases)
            self.visit_on(releases, handler.body)
        self.active = active
        self.visit_on(active - failed, node.orelse)
        self.active = active
        self.visit_body(node.finalbody)
        if node.handlers and failed and all(_ends(h.body) for h in node.handlers):
            self.active -= failed

    visit_TryStar = visit_Try

    def _note_guarded(self, guard):
        """Note what some release lacks and a handler replaces there."""
        for node, _, full, _, _, _ in guard.findings:
            self.guarded.add((node.lineno, node.col_offset + 1, full))

    def _tell_raised(self, guard):
        """Tell what a handler catches only to raise it again."""
        for node, kind, full, module, name, releases in guard.findings:
            self.add(
                node,
                kind,
                full,
                advice=self.places.advice(module, name),
                missing=releases,
                first_last=self.places.first_last(module, name),
            )

    def _is_pure(self, node):
        """Return True if nothing but a name of Django can fail in a statement."""
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            return all(name.split(".")[0] == "django" for name in _imported(node))
        if isinstance(node, (ast.Assign, ast.Expr)):
            value = node.value
            while isinstance(value, ast.Attribute):
                value = value.value
            return isinstance(value, (ast.Name, ast.Constant))
        return isinstance(node, ast.Pass)

    def _imports_django(self, body):
        """Return True if a body imports from Django, or looks a name up in it."""
        for node in body:
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                return True
            value = getattr(node, "value", None)
            if isinstance(value, ast.Attribute):
                for entity, _ in self.resolve(value.value):
                    if entity and entity[0] == "module":
                        return entity[1].split(".")[0] == "django"
        return False

    def visit_With(self, node):
        catches = set()
        for item in node.items:
            call = item.context_expr
            if isinstance(call, ast.Call) and _last_name(call.func) == "suppress":
                catches |= set().union(*[_names_caught(part) for part in call.args])
            self.visit(item)
        if not catches:
            self.visit_body(node.body)
            return
        guard = Guard(catches)
        outer, self.guards = self.guards, self.guards + [guard]
        self.visit_body(node.body)
        self.guards = outer
        self._note_guarded(guard)

    def visit_Assign(self, node):
        self.visit(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self._check_app_config(node, target.id)
                self.scope.bind(target.id, self._entity(node.value), self.active)
            else:
                self.visit(target)
                self._bind_parts(target, node.value)
        self._shrink()

    def _bind_parts(self, target, value):
        """Bind the names of ``major, minor = django.VERSION[:2]``."""
        names = getattr(target, "elts", ())
        if any(isinstance(part, ast.Starred) for part in names):
            return
        for index, part in enumerate(names):
            if isinstance(part, ast.Name):
                item = ast.Subscript(value, ast.Constant(index), ast.Load())
                if isinstance(value, (ast.Tuple, ast.List)):
                    if len(value.elts) != len(names):
                        return
                    item = value.elts[index]
                self.scope.bind(part.id, self._entity(item), self.active)

    def _check_app_config(self, node, name):
        is_package = os.path.basename(self.path) == "__init__.py"
        if name != "default_app_config" or not is_package or self.scope.parent:
            return
        warned = self.active & WARNS_OF_APP_CONFIG
        if warned or self.active <= set(RELEASES[RELEASES.index((4, 1)) :]):
            advice = "one AppConfig in apps.py, which Django 3.2 finds by itself"
            self.add(
                node,
                "unneeded",
                name,
                "Django 4.1 ignores it. Instead: " + advice,
                warned=warned,
            )

    def _entity(self, value):
        """Return what an assigned value stands for: a module, a constant, or None."""
        if isinstance(value, (ast.Name, ast.Attribute)):
            found = self.resolve(value)
            if len(found) == 1:
                return found[0][0]
            return None
        if isinstance(value, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.Subscript)):
            return "value", value
        if isinstance(value, (ast.Constant, ast.Tuple, ast.Call)):
            return "value", value
        return None

    def visit_Expr(self, node):
        if not isinstance(node.value, ast.Constant):  # docstrings
            self.visit(node.value)
            self._shrink()

    def visit_FunctionDef(self, node):
        active, decorators = self.active, node.decorator_list
        for decorator in decorators:
            self.visit(decorator)
            self.active -= self._skipped(decorator)
        self._check_order(decorators)
        arguments = node.args
        for default in arguments.defaults + arguments.kw_defaults:
            if default is not None:
                self.visit(default)
        for part in _annotations(node) + getattr(node, "type_params", []):
            self.visit(part)
        self.deferred.append((node, self.scope, self.active))
        self.active = active
        self.scope.bind(node.name, None, self.active)

    visit_AsyncFunctionDef = visit_FunctionDef

    def visit_Lambda(self, node):
        for default in node.args.defaults + node.args.kw_defaults:
            if default is not None:
                self.visit(default)
        self.deferred.append((node, self.scope, self.active))

    def visit_function(self, node):
        """Visit the body of a function, in a scope of its own."""
        parent = self.scope
        while parent.is_class:
            parent = parent.parent
        self.scope, self.guards = Scope(parent), []
        if not self.active:
            return
        arguments = node.args
        names = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
        names += [arguments.vararg, arguments.kwarg]
        for argument in filter(None, names):
            self.scope.bind(argument.arg, None, self.places.range)
        self.visit_body([node.body] if isinstance(node, ast.Lambda) else node.body)

    def visit_ClassDef(self, node):
        active = self.active
        for decorator in node.decorator_list:
            self.visit(decorator)
            self.active -= self._skipped(decorator)
        for child in node.bases + node.keywords + getattr(node, "type_params", []):
            self.visit(child)
        self.scope = Scope(self.scope, is_class=True)
        self.visit_body(node.body)
        self.scope = self.scope.parent
        self.active = active
        self.scope.bind(node.name, None, self.active)

    def _skipped(self, decorator):
        """Return the releases where a test is skipped: ``skipIf``, ``skipUnless``."""
        for entity, _ in self.resolve(decorator):
            if entity and entity[0] == "value":
                decorator = entity[1]
        if isinstance(decorator, ast.Call) and decorator.args:
            true, false, _ = self.conditions.split(decorator.args[0], self.active)
            name = _last_name(decorator.func)
            return {"skipIf": true, "skipif": true, "skipUnless": false}.get(
                name, set()
            )
        return set()

    def _check_order(self, decorators):
        """Tell of a scope above the decorator of a task runner: it would not run."""
        names = [
            _last_name(node.func if isinstance(node, ast.Call) else node)
            for node in decorators
        ]
        tasks = [
            self._imported_name(node.func if isinstance(node, ast.Call) else node)
            for node in decorators
        ]
        for number, node in enumerate(decorators):
            below = TASKS.intersection(filter(None, tasks[number + 1 :]))
            if self._is_scope(node) and below:
                text = (
                    "@%s is above @%s, so it does not run when a worker runs the task."
                )
                text += " Instead: put it below"
                text %= (names[number], sorted(below)[0])
                self.add(node, "decorator", "django_compat." + names[number], text)

    def _imported_name(self, node):
        """Return the name of a decorator where it is defined, not its alias here."""
        for entity, _ in self.resolve(node):
            if entity and entity[0] == "name":
                return entity[-1]
        return _last_name(node)

    def _is_scope(self, node):
        node = node.func if isinstance(node, ast.Call) else node
        return any(
            entity and entity[1] == "django_compat" and entity[-1] in SCOPES
            for entity, _ in self.resolve(node)
        )

    # Expressions.

    def visit_Attribute(self, node):
        self.visit(node.value)
        if not isinstance(node.ctx, ast.Load):
            return
        self._check_member(node, node.value, node.attr)
        self._shrink()

    def _check_member(self, node, value, name):
        for entity, releases in self.resolve(value):
            if not entity or entity[0] != "module":
                continue
            if entity[1] == "django_compat" and name == "close_connection":
                self._tell_close_connection(node)
            if entity[1].split(".")[0] == "django":
                self.check(node, "attribute", entity[1], name, ATTRIBUTE, releases)

    def visit_Call(self, node):
        if _last_name(node.func) == "getattr" and len(node.args) == 2:
            if isinstance(node.args[1], ast.Constant):
                self._check_member(node, node.args[0], node.args[1].value)
        if _last_name(node.func) == "getLogger":
            return
        if _last_name(node.func) in IMPORTERS:
            self.visit_children(node)
            return
        # A text that is only handed on fails where somebody imports it.
        guards, self.guards = self.guards, []
        texts = [part for part in node.args if isinstance(part, ast.Constant)]
        for text in texts:
            self.visit(text)
        self.guards = guards
        for child in ast.iter_child_nodes(node):
            if child not in texts:
                self.visit(child)

    def visit_BinOp(self, node):
        while isinstance(node, ast.BinOp):  # a sum may have a thousand parts
            self.visit(node.right)
            node = node.left
        self.visit(node)

    def visit_Compare(self, node):
        for child in [node.left] + node.comparators:
            if not _is_text(child):  # what is compared is not imported
                self.visit(child)

    def visit_Dict(self, node):
        for key in filter(None, node.keys):
            if not _is_text(key):  # it names a logger, more likely than a module
                self.visit(key)
        for value in node.values:
            self.visit(value)

    def visit_Name(self, node):
        if not isinstance(node.ctx, ast.Load):
            self.scope.bind(node.id, None, self.active)
        elif self.stars and self.scope.find(node.id) is None:
            self._check_star(node)

    def _check_star(self, node):
        """Check a name that only ``from django... import *`` can have given."""
        if self.is_foreign_star or node.id in BUILTINS:
            return
        places, missing, warned, known = self.places, self.active, set(), None
        for module, works in self.stars:
            if node.id in places.names(module):
                known = known or module
                has = places.having(module, node.id)
                missing = missing & works - has
                warned |= places.warned(module, node.id) & self.active
                warned -= places.module_warned(module)
        if known and (missing or warned) and (known, node.id) not in self.told:
            self.told.add((known, node.id))
            self.add(
                node,
                "star",
                "%s.%s" % (known, node.id),
                advice=places.advice(known, node.id),
                missing=missing,
                warned=warned,
                first_last=places.first_last(known, node.id),
            )

    def visit_Constant(self, node):
        if not isinstance(node.value, str):
            return
        if "{%" in node.value:
            for offset, kind, name, facts in read_template(node.value, self.places):
                place = _Place(node.lineno + offset, node.col_offset)
                facts["missing"] = facts["missing"] & self.active
                facts["warned"] = facts["warned"] & self.active
                if facts["missing"] or facts["warned"]:
                    self.add(place, kind, name, **facts)
        elif DOTTED.match(node.value):
            self._check_text(node)

    def _check_text(self, node):
        """Check a dotted path of Django, as in settings; leave unknown ones alone."""
        parts = node.value.split(".")
        for size in range(len(parts), 1, -1):
            module = ".".join(parts[:size])
            if self.places.known(module):
                name = parts[size] if size < len(parts) else None
                if name is None or self.places.known(module, name):
                    self.check(node, "string", module, name)
                return

    def visit_JoinedStr(self, node):
        for child in node.values:
            if not isinstance(child, ast.Constant):
                self.visit(child)

    visit_TemplateStr = visit_JoinedStr  # Python 3.14+


_Place = namedtuple("_Place", "lineno col_offset")


def _imported(node):
    """Return the dotted paths that an import names; other statements name none."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if not isinstance(node, ast.ImportFrom):
        return []
    module = "." * node.level + (node.module or "")
    return ["%s.%s" % (module, alias.name) for alias in node.names]


def _catches(handler):
    """Return the kinds of errors that a handler catches."""
    if handler.type is None:
        return CATCHES["Exception"]
    return _names_caught(handler.type)


def _names_caught(node):
    nodes = node.elts if isinstance(node, ast.Tuple) else [node]
    return set().union(*[CATCHES.get(_last_name(part), ()) for part in nodes])


def _last_name(node):
    return getattr(node, "attr", getattr(node, "id", None))


def _is_text(node):
    nodes = node.elts if isinstance(node, (ast.Tuple, ast.List, ast.Set)) else [node]
    return any(isinstance(part, ast.Constant) for part in nodes)


def _ends(body):
    """Return True if nothing after a body runs."""
    last = body[-1]
    if isinstance(last, (ast.Raise, ast.Return, ast.Continue, ast.Break)):
        return True
    call = last.value if isinstance(last, ast.Expr) else None
    return isinstance(call, ast.Call) and _last_name(call.func) in ENDS


def _raises(body):
    return isinstance(body[-1], ast.Raise)


def _annotations(node):
    arguments = node.args
    parts = arguments.posonlyargs + arguments.args + arguments.kwonlyargs
    parts += [arguments.vararg, arguments.kwarg]
    found = [part.annotation for part in parts if part is not None]
    return [part for part in found + [node.returns] if part is not None]


def read_file(path, places):
    """Return the findings in a file; raise Unreadable if it is no Python 3."""
    with open(path, "rb") as file:
        data = file.read()
    if not is_template(path):
        with within_depth(path):
            return Reader(places, path, data).findings
    findings = []
    text = data.decode("utf-8", "replace")
    lines = text.split("\n")  # as the offsets count
    for offset, kind, name, facts in read_template(text, places):
        if not is_ignored(lines, offset + 1):
            facts = dict({"text": ""}, **facts)
            findings.append(
                Finding(path, offset + 1, 1, kind, name, at_import=False, **facts)
            )
    return findings


def run(argv, output):
    """Run the command and return the exit code: 0 nothing, 1 found, 2 unreadable."""
    parser = argparse.ArgumentParser(
        prog="python -m django_compat audit",
        description="List what the sources use of Django that some Django of the range "
        "does not have, or has with a warning, and what to write instead. A line with "
        "the comment '# django-compat: ignore' is left out. Exit code 0: nothing was "
        "found; 1: something was; 2: a file that cannot be read, or bad usage.",
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file or a folder")
    text = "such as '>=3.2'; default: every Django from 1.4 to 6.1"
    parser.add_argument("--django", metavar="RANGE", help=text)
    formats = sorted(FORMATS)
    parser.add_argument(
        "--format", choices=formats, default="text", help="default: text"
    )
    arguments = parser.parse_args(argv)
    try:
        places = Places(parse_range(arguments.django))
        files = list(find_sources(arguments.paths, (".py",) + TEMPLATES))
    except (BadRange, Unreadable) as error:
        parser.error(escape(error))
    findings, skipped = [], []
    with closing(Progress(len(files))) as progress:
        for path in files:
            with skipping(path, skipped):
                findings += read_file(path, places)
            progress.step()
    for _, reason in skipped:
        sys.stderr.write(printable(reason) + "\n")
    output.write(
        FORMATS[arguments.format](findings, skipped, places, len(files)) + "\n"
    )
    return 2 if skipped else 1 if findings else 0


def spans(releases):
    """Return releases as text, with runs: ``1.8 to 1.11, 3.2``."""
    runs = []
    for release in sorted(releases):
        if runs and RELEASES.index(runs[-1][1]) + 1 == RELEASES.index(release):
            runs[-1][1] = release
        else:
            runs.append([release, release])
    return ", ".join(
        shown(first) if first == last else "%s to %s" % (shown(first), shown(last))
        for first, last in runs
    )


def shown(release):
    return "%d.%d" % release


def describe_finding(finding):
    """Return a finding as a sentence, without its place."""
    parts = []
    if finding.missing:
        parts.append("not in Django " + spans(finding.missing))
        if finding.first_last is None:
            parts = ["in no Django"]
        else:
            first, last = map(shown, finding.first_last)
            is_newest = finding.first_last[1] == RELEASES[-1]
            text = " (%s to %s have it)" % (first, last)
            if is_newest:
                text = " (only from %s on)" % first
            elif first == last:
                text = " (only %s has it)" % first
            parts[0] += text
    if finding.warned:
        parts.append("warns in Django " + spans(finding.warned))
    if finding.text:
        parts.append(finding.text)
    text = "%s: %s" % (finding.name, "; ".join(parts))
    if finding.advice is None or finding.advice.kind == "none":
        return text
    instead = _instead(finding)
    return text + (". " if instead.endswith(".") else ". Instead: ") + instead


def _instead(finding):
    """Return what to write: in settings, which have no imports, a dotted path."""
    advice = finding.advice
    if finding.kind == "string" and advice.kind in ("place", "shim"):
        return ".".join(filter(None, (advice.module, advice.name)))
    return advice.text


def _format_text(findings, skipped, places, count):
    lines = [
        "%s:%d:%d: %s"
        % (
            printable(finding.file),
            finding.line,
            finding.column,
            describe_finding(finding),
        )
        for finding in findings
    ]
    files = len(set(finding.file for finding in findings))
    end = "Nothing found in %d files" % count
    if findings:
        end = "%d found, in %d of %d files" % (len(findings), files, count)
    text = "%s, for Django %s" % (end, spans(places.range))
    text += "; skipped: %d" % len(skipped) if skipped else ""
    return "\n".join(lines + [text])


def _format_json(findings, skipped, places, count):
    return to_json(
        {
            "files": count,
            "findings": [_facts(finding) for finding in findings],
            "range": list(map(shown, places.releases)),
            "skipped": [{"file": path, "reason": reason} for path, reason in skipped],
        }
    )


def _facts(finding):
    advice = finding.advice
    return {
        "at_import": finding.at_import,
        "column": finding.column,
        "file": finding.file,
        "first": finding.first_last and shown(finding.first_last[0]),
        "instead": advice and dict(advice._asdict(), text=_instead(finding)),
        "kind": finding.kind,
        "last": finding.first_last and shown(finding.first_last[1]),
        "line": finding.line,
        "missing": list(map(shown, sorted(finding.missing))),
        "name": finding.name,
        "text": describe_finding(finding),
        "warned": list(map(shown, sorted(finding.warned))),
    }


def _format_github(findings, skipped, places, count):
    """Return the commands that GitHub's runner shows beside the lines of a diff."""
    lines = []
    for finding in findings:
        is_error = finding.missing or finding.kind == "decorator"
        level = "error" if is_error else "warning"
        place = "file=%s,line=%d,col=%d" % (
            _property(finding.file),
            finding.line,
            finding.column,
        )
        lines.append("::%s %s::%s" % (level, place, _data(describe_finding(finding))))
    lines += [
        "::error file=%s::%s" % (_property(path), _data(reason))
        for path, reason in skipped
    ]
    return "\n".join(lines)


def _data(text):
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text):
    return _data(text).replace(":", "%3A").replace(",", "%2C")


FORMATS = {"github": _format_github, "json": _format_json, "text": _format_text}
