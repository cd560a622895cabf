"""Rewrite the imports of a module, and the uses of what they bind, with LibCST.

``Source`` knows the imports of a module and their uses; ``Edits`` collects what shall
change; ``apply()`` makes the new module. Whitespace and comments stay as they are.
"""

from __future__ import absolute_import

import ast
import builtins
import difflib
import os
import re
import shutil
import sys
import tempfile
import warnings
from collections import namedtuple
from contextlib import closing
from functools import cached_property

import libcst as cst
from libcst.helpers import get_full_name_for_node
from libcst.metadata import (
    ExpressionContext,
    ExpressionContextProvider,
    GlobalScope,
    ImportAssignment,
    MetadataWrapper,
    PositionProvider,
    ScopeProvider,
)

from django_compat._cli.sources import (
    Progress,
    Unreadable,
    find_sources,
    find_templates,
    is_ignored,
    is_template,
    read_tree,
    skipping,
    split_lines,
    within_depth,
)
from django_compat._db.escapes import describe, printable

__all__ = [
    "Edits",
    "Planner",
    "Source",
    "apply",
    "find_unused",
    "module_of",
    "parse",
    "rewrite_files",
    "simple",
]

# A use of a name that an import binds: ``nodes`` are the attributes behind it.
Use = namedtuple("Use", "root nodes statements path")
Item = namedtuple("Item", "code before comment")

WIDTH = 88
# Comments for tools: each part of a statement that is split needs them.
FOR_TOOLS = re.compile(
    r"#\s*(noqa|flake8|pyflakes|pylint|isort|type:|nosec|pragma)", re.I
)
# The uses of these are dropped with conditions, and then their imports.
VERSIONS = {
    "django",
    "django.VERSION",
    "django.get_version",
    "sys",
    "packaging.version",
}
VERSIONS |= {"distutils.version.LooseVersion", "distutils.version.StrictVersion"}
VERSIONS |= {"packaging.version.Version", "packaging.version.parse"}
TYPE_COMMENT = re.compile(r"#\s*type:(.*)")
# Paths of Django, of files, and names of packages: django-debug-toolbar is no code.
NO_CODE = re.compile(r"django(\.\w+)+\Z|/?[\w.]+([-/][\w.]+)+/?\Z")
DOCTEST = re.compile(r"^\s*(?:>>>|\.\.\.) (.*)", re.MULTILINE)
# Calls that write an attribute of their first argument: mock.patch.object(), too.
WRITERS = {"setattr", "delattr", "object", "multiple"}


class Source(object):
    """A parsed module.

    ``imports`` is ``{Import or ImportFrom: {name that it binds: ImportAlias}}``,
    ``names`` are the names in the rest of the module, with the attributes behind them.
    LibCST's metadata takes most of the time, so it is computed when it is asked for.
    """

    def __init__(self, module, is_fresh=False):
        # LibCST wants each node once: a module that was edited is copied for that.
        self.wrapper = MetadataWrapper(module, unsafe_skip_copy=is_fresh)
        self.module = self.wrapper.module
        self.imports, self.names, self.calls = {}, [], {}
        self.stars = set()  # the modules of star imports, "" for a relative one
        self.module.visit(_Uses(self))
        self.exported = _exported(self.module)
        self.code = self.module.code
        self.lines = split_lines(self.code)

    @cached_property
    def data(self):
        """The bytes of the file."""
        return self.code.encode(self.module.encoding)

    @cached_property
    def scopes(self):
        return self.wrapper.resolve(ScopeProvider)

    @cached_property
    def positions(self):
        return self.wrapper.resolve(PositionProvider)

    @cached_property
    def bound(self):
        """The assignments of each name."""
        bound = {}
        for scope in set(filter(None, self.scopes.values())):
            for assignment in scope.assignments:
                bound.setdefault(assignment.name, []).append(assignment)
        return bound

    @cached_property
    def reads(self):
        """The roots that are read, with the attributes behind them."""
        return [pair for pair in self.names if not self._is_written(pair[0])]

    def _is_written(self, node):
        context = self.contexts.get(node)
        return context in (ExpressionContext.STORE, ExpressionContext.DEL)

    @cached_property
    def contexts(self):
        return self.wrapper.resolve(ExpressionContextProvider)

    @cached_property
    def uses(self):
        """The reads of names that imports bind."""
        return list(filter(None, map(self._find_use, self.reads)))

    @cached_property
    def patched(self):
        """The dotted paths of which the module writes or deletes an attribute."""
        handed, paths = set(), set()
        for function, call in self.calls.items():
            name = getattr(function, "attr", function)
            if call.args and getattr(name, "value", None) in WRITERS:
                handed.add(call.args[0].value)
        for use in self.uses:
            last = _last_node(use)
            if self._is_written(last):
                paths.add(use.path.rpartition(".")[0])
            if last in handed:
                paths.add(use.path)
        return paths

    @cached_property
    def quoted(self):
        """The texts of the module that are code."""
        return _find_quoted(self.code)

    def is_named(self, name):
        """Return True if ``__all__`` has a name, or code in a text uses it."""
        word = re.compile(r"(?<![\w.])%s(?!\w)" % name)
        return name in self.exported or any(map(word.search, self.quoted))

    def line(self, node):
        return self.positions[node].start.line

    def column(self, node):
        """Return line and column of a node, as ``ast`` counts bytes, from 1."""
        start = self.positions[node].start
        text = self.lines[start.line - 1] if start.line <= len(self.lines) else ""
        return start.line, len(text[: start.column].encode("utf-8")) + 1

    def imports_package(self, package):
        """Return True if the module imports a package, or something of it."""
        return any(
            (self.path(statement, name) or "").split(".")[0] == package
            for statement, names in self.imports.items()
            for name in names
        )

    def first_argument(self, root):
        """Return the first argument of a call of a name, if it is a literal text."""
        call = self.calls.get(root)
        text = call.args[0].value if call and call.args else None
        if not isinstance(text, cst.SimpleString):
            return None
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes
            return text.evaluated_value

    def arguments(self, use):
        """Return how many arguments a call of a use has by position, and the keywords.

        Return None for what is no call, and for one with ``*`` or ``**``.
        """
        call = self.calls.get(_last_node(use))
        if call is None or any(argument.star for argument in call.args):
            return None
        keywords = [one.keyword.value for one in call.args if one.keyword]
        return len(call.args) - len(keywords), keywords

    def is_ignored(self, node):
        """Return True if a comment in a node's lines says to leave it alone."""
        span = self.positions[node]
        return is_ignored(self.lines, *range(span.start.line, span.end.line + 1))

    def path(self, statement, name):
        """Return the dotted path of what an import binds; None if it is relative."""
        alias = self.imports[statement][name]
        full = get_full_name_for_node(alias.name)
        if isinstance(statement, cst.Import):
            return full if alias.asname else full.split(".")[0]
        if statement.relative:
            return None
        return "%s.%s" % (get_full_name_for_node(statement.module), full)

    def _find_use(self, pair):
        """Return the use of a name, if imports bind it, all to the same path."""
        root, nodes = pair
        scope = self.scopes.get(root)
        if scope is None:
            return None
        assignments = scope[root.value]
        statements = [
            assignment.node
            for assignment in assignments
            if isinstance(assignment, ImportAssignment)
        ]
        if not statements or len(statements) < len(assignments):
            return None
        paths = {self.path(statement, root.value) for statement in statements}
        if len(paths) > 1 or None in paths:
            return None
        path = ".".join([paths.pop()] + [node.attr.value for node in nodes])
        return Use(root, nodes, statements, path)

    def uses_of(self, statement, name):
        return [
            use
            for use in self.uses
            if statement in use.statements and use.root.value == name
        ]

    def is_free(self, name, target):
        """Return True if a name is bound nowhere, or to the target by imports only."""
        if hasattr(builtins, name):
            return False
        path = ".".join(filter(None, target))
        for assignment in self.bound.get(name, ()):
            if not isinstance(assignment, ImportAssignment):
                return False
            names = self.imports[assignment.node]
            if name in names and self.path(assignment.node, name) != path:
                return False
        return True

    def is_shadowed(self, name, use):
        """Return True if a function between a use and its imports binds a name."""
        scopes = {self.scopes[statement] for statement in use.statements}
        return any(
            not isinstance(assignment.scope, GlobalScope)
            and {assignment.scope} != scopes
            for assignment in self.scopes[use.root][name]
        )

    def has_import(self, name, target, root):
        """Return True if the module imports the target as the name, before a use.

        An import inside of ``if`` or ``try`` may not run.
        """
        assignments = self.scopes[root][name]
        if not all(isinstance(one.scope, GlobalScope) for one in assignments):
            return False
        path = ".".join(filter(None, target))
        return any(
            name in self.imports.get(node, ())
            and self.path(node, name) == path
            and self.column(node) < self.column(root)
            for line in self.module.body
            for node in (line.body if simple(line) else ())
        )


def _last_node(use):
    return use.nodes[-1] if use.nodes else use.root


class _Uses(cst.CSTVisitor):
    """Find the imports of a module, and the names and attributes that it reads."""

    def __init__(self, source):
        super(_Uses, self).__init__()
        self.source = source

    def visit_Import(self, node):
        self.source.imports[node] = {
            (alias.evaluated_alias or alias.evaluated_name.split(".")[0]): alias
            for alias in node.names
        }
        return False

    def visit_ImportFrom(self, node):
        names = node.names
        if isinstance(names, cst.ImportStar):
            self.source.stars.add(module_of(node) or "")
            names = ()
        self.source.imports[node] = {
            alias.evaluated_alias or alias.evaluated_name: alias for alias in names
        }
        return False

    def visit_Attribute(self, node):
        nodes = []
        while isinstance(node, cst.Attribute):
            nodes.insert(0, node)
            node = node.value
        if isinstance(node, cst.Name):
            self.source.names.append((node, nodes))
        else:
            node.visit(self)
        return False

    def visit_Name(self, node):
        self.source.names.append((node, []))

    def visit_Call(self, node):
        self.source.calls[node.func] = node
        return True

    def visit_Param(self, node):
        for part in (node.annotation, node.default):
            if part is not None:
                part.visit(self)
        return False

    def visit_Arg(self, node):
        node.value.visit(self)  # not the keyword
        return False


def _exported(module):
    """Return the texts in the module's ``__all__``, and in what it is made of."""
    names = set()
    for line in module.body:
        for node in getattr(line, "body", ()) if simple(line) else ():
            targets = getattr(node, "targets", None) or [node]
            called = getattr(getattr(node, "value", None), "func", None)
            parts = [getattr(target, "target", None) for target in targets] + [called]
            codes = [module.code_for_node(part) for part in parts if part is not None]
            if any(code.split(".")[0] == "__all__" for code in codes):
                text = module.code_for_node(node)
                names.update(re.findall(r"['\"](\w+)['\"]", text))
    return names


def _find_quoted(code):
    """Return the texts in a source that are code, and the comments for types.

    A path of Django is code in an annotation only.
    """
    texts = TYPE_COMMENT.findall(code)
    tree = read_tree(code, "")
    typed = {
        child
        for node in ast.walk(tree)
        for part in (getattr(node, "annotation", None), getattr(node, "returns", None))
        for child in ast.walk(part or ast.Pass())
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str):
            continue
        if node not in typed and NO_CODE.match(node.value):
            continue
        try:
            read_tree(node.value.strip(), "")
            texts.append(node.value)
        except Unreadable:
            texts += DOCTEST.findall(node.value)
    return texts


def simple(line):
    """Return True for a line of simple statements."""
    return isinstance(line, cst.SimpleStatementLine)


class Edits(object):
    """What shall change in a module."""

    def __init__(self):
        self.aliases = {}  # {ImportAlias: (Target, name to bind); None to drop it}
        self.uses = {}  # {Attribute: the expression instead}
        self.after = {}  # {Import or ImportFrom: [(Target, name)] to import behind it}
        self.blocks = {}  # {Try or If: the statements instead}
        self.merged = set()  # modules whose imports shall be one where they meet

    def __bool__(self):
        parts = self.aliases, self.uses, self.after, self.blocks, self.merged
        return any(parts)

    def modules(self):
        """Return the modules that the edits import from."""
        pairs = list(self.aliases.values()) + sum(self.after.values(), [])
        found = {pair[0].module for pair in pairs if pair}
        for line in sum(self.blocks.values(), []):
            for node in line.body if simple(line) else ():
                if isinstance(node, cst.ImportFrom) and not node.relative:
                    found.add(get_full_name_for_node(node.module))
        return found

    def add_after(self, statement, target, name):
        pairs = self.after.setdefault(statement, [])
        if (target, name) not in pairs:
            pairs.append((target, name))


class Planner(object):
    """Plan how imports of a module move, and the uses of modules with them.

    ``find(module, name)`` returns the Target instead of a name, or of a module if the
    name is None. ``is_kept(name)`` tells which names the module must not lose.
    """

    def __init__(self, source, edits, homes, find, is_kept):
        self.source, self.edits, self.homes = source, edits, homes
        self.find, self.is_kept = find, is_kept
        self.moved = set()  # statements and names whose uses are done

    def move(self, statement, name):
        """Plan the move of one name that an import binds; return True if it can."""
        alias = self.source.imports[statement][name]
        if isinstance(statement, cst.Import):
            module, member = get_full_name_for_node(alias.name), None
        else:
            module = module_of(statement)
            member = alias.evaluated_name
        full = module if member is None else "%s.%s" % (module, member)
        target = self.find(module, member)
        if full in self.source.patched:
            return False
        if member is None or self._is_module(full):
            return self._move_module(statement, name, alias, full, target)
        if target is None:
            return False
        self.edits.aliases[alias] = (target, name)
        return True

    def _is_module(self, full):
        return self.homes.places.known(full)

    def _move_module(self, statement, name, alias, full, target):
        """Plan the move of a module: as a whole, or use by use."""
        is_dotted = isinstance(statement, cst.Import) and not alias.asname
        uses = []
        for use in self.source.uses_of(statement, name):
            if not (use.path + ".").startswith(full + "."):
                continue  # another part of the package
            rest = use.path[len(full) + 1 :].split(".")
            uses.append((use, rest[0] or None))
        members = {member for _, member in uses}
        if target is not None and self._fits_all(target, members):
            if is_dotted:
                path = self._dotted_target(target)
                if path is None:
                    return False
                local = None if path == target.module else path
                self.edits.aliases[alias] = (target, local)
                for use, _ in uses:
                    self.edits.uses[use.nodes[full.count(".") - 1]] = _dotted(path)
            else:
                self.edits.aliases[alias] = (target, name)
            self.moved.add((statement, name))
            return True
        if is_dotted:
            name = full
        if None in members or not uses or self.is_kept(name):
            return False
        targets = [self.find(full, member) for _, member in uses]
        if not all(t and self._local(t, use) for (use, _), t in zip(uses, targets)):
            return False
        for (use, member), found in zip(uses, targets):
            self._replace(use, full, found)
        self.edits.aliases[alias] = None
        return True

    def _dotted_target(self, target):
        """Return the path for the uses of ``import a.b``, when it moves to a target."""
        if target.name is None:
            return target.module
        return target.name if self._is_free(target.name, target) else None

    def _fits_all(self, target, members):
        """Return True if a module has all members that are used of another one."""
        members = {member for member in members if member}
        homes, package = self.homes, target.module.split(".")[0]
        if package == "django":
            return all(homes.serves(target.module, member) for member in members)
        if package != "django_compat":
            return True
        row = homes.newest(target.name)
        for release in homes.places.releases:
            place = row.place(release)
            if place.split(".")[0] == "django":
                for member in members:
                    if release in homes.places.warned(place, member):
                        return False
                    if release not in homes.places.having(place, member):
                        return False
        return True

    def _local(self, target, use):
        """Return the name under which a new import can bind a target, or None."""
        name = target.name or target.module.rpartition(".")[2]
        if self.source.is_shadowed(name, use) or not self._is_free(name, target):
            return None
        return name

    def _is_free(self, name, target):
        """Return True if a new import can bind a name: no star may bind it, either."""
        places = self.homes.places
        return self.source.is_free(name, target) and all(
            places.known(module) and not places.known(module, name)
            for module in self.source.stars
        )

    def move_attribute(self, use, full):
        """Plan a move of ``module.name``, which is a use or the beginning of one."""
        module, _, name = full.rpartition(".")
        statement = use.statements[0]
        if (statement, use.root.value) in self.moved or module in self.source.patched:
            return False
        target = self.find(module, name)
        if target is None or not (use.path + ".").startswith(full + "."):
            return False
        node = self._node(use, full)
        if node in self.edits.uses:
            return False
        if target.module == module and target.name:
            self.edits.uses[node] = node.with_changes(attr=cst.Name(target.name))
            return True
        return self._replace(use, module, target)

    def _replace(self, use, module, target):
        """Replace ``module.name`` in a use by the name of a new import."""
        local = self._local(target, use)
        if local is None:
            return False
        node = self._node(use, ".".join(use.path.split(".")[: module.count(".") + 2]))
        self.edits.uses[node] = cst.Name(local, lpar=node.lpar, rpar=node.rpar)
        if not self.source.has_import(local, target, use.root):
            for statement in use.statements:
                self.edits.add_after(statement, target, local)
        return True

    def _node(self, use, full):
        """Return the Attribute of a use that stands for a path behind its import."""
        path = self.source.path(use.statements[0], use.root.value)
        return use.nodes[full.count(".") - path.count(".") - 1]


def module_of(statement):
    """Return the module of an absolute ``from`` import; else None."""
    if isinstance(statement, cst.Import) or statement.relative:
        return None
    return get_full_name_for_node(statement.module)


def find_unused(first, last, is_kept):
    """Return the edits that drop the imports whose last use went."""
    before = {root.value for root, _ in first.reads}
    after = {root.value for root, _ in last.names}
    edits = Edits()
    for statement, names in last.imports.items():
        for name, alias in names.items():
            path = last.path(statement, name)
            if path is None or name not in before - after or last.is_named(name):
                continue
            top = path.split(".")[0]
            if path in VERSIONS or top in ("django", "django_compat") and "." in path:
                if not is_kept(name):
                    edits.aliases[alias] = None
    return edits


def apply(source, edits):
    """Return the module with the edits."""
    return source.module.visit(_Editor(source, edits))


class _Editor(cst.CSTTransformer):
    def __init__(self, source, edits):
        super(_Editor, self).__init__()
        self.source, self.edits = source, edits
        self.module = source.module
        self.fresh, self.dropped = [], []  # lines, by identity

    # Expressions.

    def visit_Attribute(self, node):
        return node not in self.edits.uses

    def leave_Attribute(self, original_node, updated_node):
        return self.edits.uses.get(original_node, updated_node)

    def visit_Import(self, node):
        return False

    visit_ImportFrom = visit_Import

    # Lines.

    def leave_SimpleStatementLine(self, original_node, updated_node):
        groups = []
        for old, new in zip(original_node.body, updated_node.body):
            groups.append(self._rewrite_import(old, new))
        if all(group is None for group in groups):
            return updated_node
        trailing = updated_node.trailing_whitespace
        comment = trailing.comment.value if trailing.comment else None
        lines = []
        for node, group in zip(updated_node.body, groups):
            if group is None:
                semicolon = cst.MaybeSentinel.DEFAULT
                lines.append(
                    (
                        cst.SimpleStatementLine(
                            [node.with_changes(semicolon=semicolon)]
                        ),
                        False,
                    )
                )
            else:
                lines += group
        if not lines:
            self.dropped.append(updated_node)
            return updated_node
        result = []
        for number, (line, is_fresh) in enumerate(lines):
            if number == 0:
                line = line.with_changes(leading_lines=updated_node.leading_lines)
            own = line.trailing_whitespace.comment
            if comment and not own and (number == 0 or FOR_TOOLS.match(comment)):
                line = line.with_changes(trailing_whitespace=trailing)
            newline = line.trailing_whitespace.with_changes(newline=trailing.newline)
            line = line.with_changes(trailing_whitespace=newline)
            if is_fresh:
                self.fresh.append(line)
            result.append(line)
        return cst.FlattenSentinel(result)

    def _rewrite_import(self, old, new):
        """Return None to keep a statement; else its lines, and which are new."""
        after = self.edits.after.get(old, [])
        aliases = [
            (alias, self.edits.aliases.get(alias, alias))
            for alias in self.source.imports.get(old, {}).values()
        ]
        if not after and all(one is other for one, other in aliases):
            return None
        lines = []
        if isinstance(old, cst.Import):
            lines = self._split_import(old, aliases)
        else:
            lines = self._split_from(old, aliases)
        known = [self._pair(target, name) for target, name in after]
        for module, pairs in _grouped(known):
            items = [Item(_alias_code(*pair), (), None) for pair in pairs]
            lines += [(self._line(module, items), True)]
        return lines

    def _split_import(self, old, aliases):
        lines, kept = [], []
        for alias, to in aliases:
            if to is alias:
                kept.append(alias.with_changes(comma=cst.MaybeSentinel.DEFAULT))
            elif to is not None:
                module, pair = self._pair(*to)
                item = Item(_alias_code(*pair), (), None)
                lines.append((self._line(module, [item]), True))
        if kept:
            semicolon = cst.MaybeSentinel.DEFAULT
            node = old.with_changes(names=kept, semicolon=semicolon)
            lines.insert(0, (cst.SimpleStatementLine([node]), False))
        return lines

    def _split_from(self, old, aliases):
        """Return the lines of a ``from`` import whose names go to several modules."""
        here = get_full_name_for_node(old.module) if old.module else ""
        homes = []
        for alias, to in aliases:
            if to is alias or to is None:
                homes.append((here if to else None, None))
            else:
                homes.append(self._pair(*to))
        modules = {module for module, _ in homes}
        semicolon = cst.MaybeSentinel.DEFAULT
        changed = [
            alias if pair is None else _renamed(alias, *pair)
            for (alias, _), (_, pair) in zip(aliases, homes)
        ]
        if len(modules) == 1 and modules.isdisjoint({None, ""}):
            # All go to the same place: the statement keeps its layout.
            (module,) = modules
            node = old.with_changes(names=changed, semicolon=semicolon)
            if module != here:
                node = node.with_changes(module=_dotted(module))
            if modules == {here} or _fits(self.module.code_for_node(node)):
                return [(cst.SimpleStatementLine([node]), module != here)]
        items, opening, tail = self._items(old, changed)
        lines, groups = [], []
        for (module, pair), item, alias in zip(homes, items, changed):
            if module is not None:
                group = [group for group in groups if group[0] == module]
                if not group or module == "":
                    group = [(module, [], [])]
                    groups += group
                group[0][1].append(item)
                group[0][2].append(alias)
        groups.sort(key=lambda group: group[0] != here)
        for number, (module, items, kept) in enumerate(groups):
            is_first, is_last = number == 0, number == len(groups) - 1
            is_for_all = opening and FOR_TOOLS.match(opening)
            around = [opening if is_first or is_for_all else None]
            around.append(tail if is_last else [])
            has_comments = any(around) or any(
                item.before or item.comment for item in items
            )
            if module != here:
                lines.append((self._line(module, items, *around), True))
            elif has_comments:
                lines.append((self._line(here, items, *around), False))
            else:
                kept[-1] = kept[-1].with_changes(comma=aliases[-1][0].comma)
                node = old.with_changes(names=kept, semicolon=semicolon)
                lines.append((cst.SimpleStatementLine([node]), False))
        return lines

    def _pair(self, target, name):
        """Return ``(module, (name, name to bind))``; no module means ``import x``."""
        if target.name is not None:
            return target.module, (target.name, name)
        package, _, last = target.module.rpartition(".")
        if package and name and name != target.module:
            return package, (last, name)
        return "", (target.module, name or target.module)

    def _items(self, node, aliases):
        """Return the names of a ``from`` import as items, and the comments around."""
        items, opening, before = [], None, []
        if node.lpar is not None:
            opening, before = _comments(node.lpar.whitespace_after)
        for alias in aliases:
            bare = alias.with_changes(comma=cst.MaybeSentinel.DEFAULT)
            code = self.module.code_for_node(bare)
            comment, following = None, []
            if isinstance(alias.comma, cst.Comma):
                comment, following = _comments(alias.comma.whitespace_after)
            elif node.rpar is not None:
                comment, following = _comments(node.rpar.whitespace_before)
            items.append(Item(code, before, comment))
            before = following
        return items, opening, before

    def _line(self, module, items, opening=None, tail=(), is_spread=False):
        """Return a line that imports items from a module, or ``import``\\ s one."""
        if module == "":
            return self._parse("import " + items[0].code, items[0].comment or opening)
        head = "from %s import " % module
        code = head + ", ".join(item.code for item in items)
        comments = [item.comment for item in items if item.comment]
        comments += [opening] if opening else []
        is_plain = not is_spread and not tail and not any(item.before for item in items)
        if is_plain and len(items) == 1 and len(comments) < 2:
            return self._parse(code, "".join(comments))
        if is_plain and comments in ([], [opening]) and _fits(code):
            return self._parse(code, "".join(comments))
        lines = [head + "(" + ("  " + opening if opening else "")]
        for item in items:
            lines += ["    " + comment for comment in item.before]
            lines.append(
                "    %s,%s" % (item.code, "  " + item.comment if item.comment else "")
            )
        lines += ["    " + comment for comment in tail] + [")"]
        return self._parse("\n".join(lines), None)

    def _parse(self, code, comment):
        code += "  " + comment if comment else ""
        code = code.replace("\n", self.module.default_newline)
        return cst.parse_statement(code, config=self.module.config_for_parsing)

    # Bodies.

    def leave_Module(self, original_node, updated_node):
        return updated_node.with_changes(body=self._finish(updated_node.body))

    def leave_IndentedBlock(self, original_node, updated_node):
        body = self._finish(updated_node.body)
        if not body:
            body = [cst.SimpleStatementLine([cst.Pass()])]
        return updated_node.with_changes(body=body)

    def leave_Try(self, original_node, updated_node):
        lines = self.edits.blocks.get(original_node)
        if lines is None:
            return updated_node
        leading = updated_node.leading_lines
        if not lines:
            line = cst.SimpleStatementLine([cst.Pass()], leading_lines=leading)
            self.dropped.append(line)
            return line
        first = lines[0]
        first = first.with_changes(leading_lines=list(leading) + _commented(first))
        lines = [first] + list(lines[1:])
        self.fresh += [line for line in lines if simple(line)]
        return cst.FlattenSentinel(lines)

    leave_If = leave_Try

    def _finish(self, body):
        """Merge new imports into those beside them; drop the lines without a rest."""
        body = list(body)
        if self.edits.merged:
            self.fresh += [line for line in body if self._is_merged(line)]
        for line in list(body):
            if _is_in(line, self.fresh) and _is_in(line, body):
                self._merge(body, line)
        index = 0
        while index < len(body):
            if _is_in(body[index], self.dropped):
                self._drop(body, body[index])
            else:
                index += 1
        return body

    def _is_merged(self, line):
        node = line.body[0] if _is_import(line) else None
        if not isinstance(node, cst.ImportFrom) or node.relative:
            return False
        return get_full_name_for_node(node.module) in self.edits.merged

    def _merge(self, body, line):
        node, index = line.body[0], _index(body, line)
        if not isinstance(node, (cst.Import, cst.ImportFrom)) or len(line.body) > 1:
            return
        start = end = index
        while start and _is_import(body[start - 1]):
            start -= 1
        while end + 1 < len(body) and _is_import(body[end + 1]):
            end += 1
        code = self.module.code_for_node(node)
        for number in range(start, end + 1):
            other = body[number]
            if other is line or _is_in(other, self.dropped) or len(other.body) > 1:
                continue
            if self.module.code_for_node(other.body[0]) == code:
                self._drop(body, line)
                return
            if _can_take(other.body[0], node) and not _has_comment(line, other):
                body[number] = merged = self._add_names(other, node.names)
                if _is_in(other, self.fresh):
                    self.fresh.append(merged)
                self._drop(body, line)
                return

    def _drop(self, body, line):
        """Remove a line from a body; the next one takes the comments above it."""
        index = _index(body, line)
        del body[index]
        if index == len(body):
            return
        following = body[index]
        leading, kept = list(line.leading_lines), list(following.leading_lines)
        if index == 0 and not leading:  # no body begins with empty lines
            while kept and not kept[0].comment:
                del kept[0]
        elif not _commented(line) and (kept or not _is_import(following)):
            return
        body[index] = following.with_changes(leading_lines=leading + kept)
        for lines in (self.fresh, self.dropped):
            if _is_in(following, lines):
                lines.append(body[index])

    def _add_names(self, line, names):
        """Return a line with names added, in order if its names are in order."""
        node = line.body[0]
        bare = [name.with_changes(comma=cst.MaybeSentinel.DEFAULT) for name in names]
        codes = [self.module.code_for_node(name) for name in bare]
        items, opening, tail = self._items(node, node.names)
        old = [item.code for item in items]
        bare = [name for name, code in zip(bare, codes) if code not in old]
        added = [Item(code, (), None) for code in codes if code not in old]
        if not added:
            return line
        key = next(
            (key for key in (_plain, _lower, _isort) if old == sorted(old, key=key)),
            None,
        )
        spread = self.module.code_for_node(node).count("\n")
        # Several names in a line: the new ones go last.
        if spread and spread < len(old):
            aliases = list(node.names)
            last = aliases[-1].comma
            comma = cst.Comma(whitespace_after=cst.SimpleWhitespace(" "))
            aliases[-1] = aliases[-1].with_changes(comma=comma)
            aliases += [name.with_changes(comma=comma) for name in bare]
            aliases[-1] = aliases[-1].with_changes(comma=last)
            return line.with_changes(body=[node.with_changes(names=aliases)])
        items += added
        if key is not None:
            items.sort(key=lambda item: key(item.code))
        module = get_full_name_for_node(node.module)
        new = self._line(module, items, opening, tail, is_spread=bool(spread))
        return line.with_changes(body=new.body)


def _plain(code):
    return code


def _lower(code):
    return code.lower()


def _isort(code):
    """Constants first, then classes, then functions."""
    name = code.split()[0]
    return (0 if name.isupper() else 1 if name[:1].isupper() else 2, code)


def _fits(code):
    return all(len(line) <= WIDTH for line in code.splitlines())


def _is_in(node, nodes):
    return any(node is other for other in nodes)


def _index(body, line):
    return next(number for number, other in enumerate(body) if other is line)


def _is_import(line):
    return simple(line) and all(
        isinstance(node, (cst.Import, cst.ImportFrom)) for node in line.body
    )


def _can_take(node, other):
    """Return True if a ``from`` import can take the names of another one."""
    return (
        isinstance(node, cst.ImportFrom)
        and isinstance(other, cst.ImportFrom)
        and not node.relative
        and not other.relative
        and not isinstance(node.names, cst.ImportStar)
        and not isinstance(other.names, cst.ImportStar)
        and get_full_name_for_node(node.module) == get_full_name_for_node(other.module)
    )


def _has_comment(line, other):
    """Return True if a line has comments that another one lacks."""
    own, its = line.trailing_whitespace.comment, other.trailing_whitespace.comment
    if (own.value if own else None) != (its.value if its else None):
        return True
    node = line.body[0]
    return node.lpar is not None and "#" in cst.Module([]).code_for_node(node)


def _commented(line):
    return [empty for empty in line.leading_lines if empty.comment]


def _grouped(pairs):
    groups = []
    for module, pair in pairs:
        group = [group for group in groups if group[0] == module and module]
        if group:
            group[0][1].append(pair)
        else:
            groups.append((module, [pair]))
    return groups


def _alias_code(name, local):
    return name if local in (None, name) else "%s as %s" % (name, local)


def _renamed(alias, name, local):
    """Return an alias that binds the same name to another one."""
    if local == name:
        return alias.with_changes(name=_dotted(name), asname=None)
    asname = alias.asname
    if asname is None:
        space = cst.SimpleWhitespace(" ")
        asname = cst.AsName(cst.Name(local), space, space)
    return alias.with_changes(name=_dotted(name), asname=asname)


def _dotted(path):
    node = None
    for part in path.split("."):
        node = cst.Name(part) if node is None else cst.Attribute(node, cst.Name(part))
    return node


def _comments(space):
    """Return the comment at the end of a line, and those on lines of their own."""
    if not isinstance(space, cst.ParenthesizedWhitespace):
        return None, []
    first = space.first_line.comment
    rest = [empty.comment.value for empty in space.empty_lines if empty.comment]
    return first.value if first else None, rest


# Files.


def parse(path, data):
    """Return the Source of a file; raise Unreadable if it would not come back as is."""
    try:
        module = cst.parse_module(data)
        text = data.decode(module.encoding)
    except (cst.ParserSyntaxError, SyntaxError, LookupError, UnicodeError) as error:
        reason = str(error)  # Python 3.13's ast takes any bytes in comments
    else:
        source = Source(module, is_fresh=True)
        if source.code == text:
            return source
        reason = "it does not keep the end of the file"
    raise Unreadable("%s: skipped: LibCST cannot read it: %s" % (path, reason))


def rewrite_files(paths, rewrite, prepare, read_template, write, output, marks):
    """Rewrite the files at paths; return ``(left, skipped, changed)``.

    ``prepare(path, tree)`` sees each file first. ``rewrite(path, data)`` returns the
    new bytes, and what is left as ``(line, text)``; only files with one of the bytes
    ``marks`` come to it. ``read_template(path)`` returns what is left in a template.
    Without ``write`` a diff is written to the output.
    """
    files, left, skipped, changed, diffs = [], [], [], [], []
    found = [
        path
        for path in find_sources(paths)
        if not is_template(path) and _is_inside(path, paths, left)
    ]
    with closing(Progress(2 * len(found))) as progress:
        for path in found:
            with skipping(path, skipped):
                with open(path, "rb") as file:
                    data = file.read()
                prepare(path, read_tree(data, path))
                files.append((path, data))
            progress.step()
        for path, data in files:
            if any(mark in data for mark in marks):
                with skipping(path, skipped), within_depth(path):
                    new, rest = rewrite(path, data)
                    left += [(path, line, text) for line, text in rest]
                    if new != data:
                        if not write:
                            diffs.append(make_diff(path, data, new))
                        if not write or _is_written(path, new, left):
                            changed.append(path)
            progress.step()
    for path in find_templates(paths):
        with skipping(path, skipped):
            left += [(path, line, text) for line, text in read_template(path)]
    for diff in diffs:
        output.write(diff)
    for _, reason in skipped:
        sys.stderr.write(printable(reason) + "\n")
    for path, line, text in left:
        sys.stderr.write("%s:%d: %s\n" % (printable(path), line, printable(text)))
    return left, skipped, changed


def _is_written(path, data, left):
    """Write a file; if an error stops that, return False, and tell of the error."""
    try:
        write_atomically(path, data)
    except EnvironmentError as error:
        left.append((path, 1, "not written: " + describe(error)))
        return False
    return True


def _is_inside(path, paths, left):
    """Return False for a link to a file outside of the folders; tell of it."""
    real = os.path.realpath(path)
    if not os.path.islink(path) or path in paths:
        return True
    roots = [os.path.join(os.path.realpath(root), "") for root in paths]
    if any(real.startswith(root) for root in roots):
        return True
    left.append((path, 1, "a link to a file elsewhere, which stays as it is: " + real))
    return False


def write_atomically(path, data):
    """Replace a file, or the file that a link leads to; keep its mode and owner."""
    path = os.path.realpath(path)
    folder, name = os.path.split(path)
    number, temporary = tempfile.mkstemp(prefix="." + name, suffix=".tmp", dir=folder)
    try:
        with os.fdopen(number, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        facts = os.stat(path)
        if facts.st_uid != os.stat(temporary).st_uid:  # root keeps the user's files
            os.chown(temporary, facts.st_uid, facts.st_gid)
        shutil.copymode(path, temporary)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def make_diff(path, old, new):
    """Return a unified diff of two versions of a source."""
    encoding = cst.parse_module(old).encoding.replace("utf-8-sig", "utf-8")
    # As "patch" splits: other characters that end a line for Python are text.
    ending = re.compile("[^\n]*\n|[^\n]+")
    texts = [ending.findall(data.decode(encoding)) for data in (old, new)]
    name = os.path.normpath(path).replace(os.sep, "/").lstrip("/")
    lines = []
    for line in difflib.unified_diff(*texts, fromfile="a/" + name, tofile="b/" + name):
        is_complete = line.endswith("\n")
        lines.append(line if is_complete else line + "\n\\ No newline at end of file\n")
    return "".join(lines)
