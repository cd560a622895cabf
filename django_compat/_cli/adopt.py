"""``python -m django_compat adopt``: write what a range of Djangos has.

The command rewrites what ``audit`` finds. A name comes from the place that the whole
range has, else from ``django_compat``; each module keeps the names that it binds.
"""

from __future__ import absolute_import

import argparse
import ast
import os
import re
import sys

from django_compat._cli.audit import Reader, describe_finding, read_file
from django_compat._cli.homes import Homes, Target
from django_compat._cli.places import BadRange, Places, parse_range
from django_compat._cli.sources import Unreadable
from django_compat._db.escapes import escape

__all__ = ["Adopter", "Shared", "make_parser", "parse", "run"]

FOREIGN = {"compat", "compat.models", "django_six"}
MARKS = (b"django", b"compat", b"default_app_config", b"{%")
# Parts of a regular expression, which django_six.path takes before Django 4.0.
REGULAR_EXPRESSION = re.compile(r"[\^$\\]|\(\?")
# A module without findings has something to rewrite only if it has one of these.
MAY_BE_LADDER = re.compile(
    (
        r"\b(ImportError|ModuleNotFoundError|AttributeError|VERSION|get_version"
        r"|hasattr|django_six|compat)\b"
    ).encode("ascii")
)
# A dotted path in a text, as for mock.patch(); the paths of Django are no module's.
OWN_PATH = re.compile(r"(?!django\.)[^\W\d]\w*(\.[^\W\d]\w*)+\Z")


class Shared(object):
    """What the modules of a program take from each other, by module and name.

    A module is known by the last part of its name only, so a name counts as taken from
    each module that is called so.
    """

    def __init__(self):
        self.taken, self.modules = set(), set()
        self.patched = set()  # (module, name, attribute behind it or None)

    def add(self, path, tree):
        """Note what a module takes, also by texts, as for mock.patch()."""
        self.modules.add(os.path.abspath(path))
        folder = os.path.basename(os.path.dirname(os.path.abspath(path)))
        aliases, attributes, paths = {}, [], []  # paths and other constants
        for node in ast.walk(tree):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                for alias in node.names:
                    last = alias.name.split(".")[-1]
                    aliases.setdefault(alias.asname or last, {last}).add(last)
            if isinstance(node, ast.ImportFrom):
                last = (node.module or folder).split(".")[-1]
                self.taken.update((last, alias.name) for alias in node.names)
            elif isinstance(node, ast.Attribute):
                last = getattr(node.value, "id", getattr(node.value, "attr", None))
                attributes.append((last, node.attr))
            elif isinstance(node, ast.Constant):
                paths.append(node.value)
            elif isinstance(node, ast.Call) and len(node.args) > 1:
                # mock.patch.object(module, "name")
                name = getattr(node.args[1], "value", None)
                if isinstance(name, str):
                    paths.append("%s.%s" % (ast.unparse(node.args[0]), name))
        for last, name in attributes:
            self.taken.update((stem, name) for stem in aliases.get(last, {last}))
        for path in paths:
            if not isinstance(path, str) or not OWN_PATH.match(path):
                continue
            first, _, behind = path.partition(".")
            rest = behind.split(".")
            for stem in aliases.get(first, {first}):
                parts = [stem] + rest
                self.taken.update(zip(parts, rest))
                self.patched.update(zip(parts, rest, rest[1:] + [None]))

    def is_patched(self, path, name, attribute):
        """Return True if a text names an attribute of a name in a module, or the name.

        What is patched there has no effect on another name.
        """
        stem = _stem(path)
        return not self.patched.isdisjoint(
            [(stem, name, attribute), (stem, name, None)]
        )

    def is_taken(self, path, name):
        """Return True if another module may take a name from the one at a path."""
        stem = _stem(path)
        return (stem, name) in self.taken or (stem, "*") in self.taken

    def has_local(self, path, module):
        """Return True if ``import module`` may mean a module of the program itself."""
        top = module.split(".")[0]
        folder = os.path.dirname(os.path.abspath(path))
        tails = [os.sep + top + ".py", os.sep + os.path.join(top, "__init__.py")]
        beside = [folder + tail for tail in tails]
        if any(map(os.path.exists, beside)):
            return True
        # At a root: a folder that is no package.
        return any(
            found.endswith(tail)
            and not os.path.exists(os.path.join(found[: -len(tail)], "__init__.py"))
            for found in self.modules
            for tail in tails
        )


def _stem(path):
    """Return the last part of the name of the module at a path."""
    stem = os.path.splitext(os.path.basename(path))[0]
    if stem == "__init__":
        return os.path.basename(os.path.dirname(os.path.abspath(path)))
    return stem


class Adopter(object):
    """Rewrite modules for a range."""

    def __init__(self, places, shared):
        self.places, self.shared = places, shared
        self.homes = Homes(places)
        self.new_packages = set()  # that the modules import since they are rewritten
        self._last = None, None

    def rewrite(self, path, data):
        """Return the new bytes of a module, and what is left to do by hand."""
        from django_compat._cli import rewriting

        if not MAY_BE_LADDER.search(data):
            if not self._read(path, data).findings:
                return data, []
        first = source = rewriting.parse(path, data)
        left, modules, codes = [], set(), set()
        edits = self.plan(source, path, left)
        # An edit may make the next one possible: a branch of a ladder may be a ladder.
        while edits and source.code not in codes:
            codes.add(source.code)
            modules |= edits.modules()
            source, left = rewriting.Source(rewriting.apply(source, edits)), []
            edits = self.plan(source, path, left)
        if source is not first:
            edits = rewriting.find_unused(
                first, source, lambda name: self.shared.is_taken(path, name)
            )
            edits.merged = modules
            for package in ("django_compat", "six"):
                if source.imports_package(package) and not first.imports_package(
                    package
                ):
                    self.new_packages.add(package)
            module = rewriting.apply(source, edits)
            new = module.bytes
            if left:  # count the lines of the new module
                left = []
                self.plan(rewriting.Source(module), path, left)
        else:
            new = data
        for finding in self._read(path, new).findings:
            left.append((finding.line, describe_finding(finding)))
        return new, sorted(left)

    def _read(self, path, data):
        """Return audit's Reader of a module; the last one is kept."""
        if self._last[0] != (path, data):
            self._last = (path, data), Reader(self.places, path, data)
        return self._last[1]

    def plan(self, source, path, left):
        """Return the next edits of a module; add to ``left`` what no edit can do."""
        from django_compat._cli import ladders, rewriting

        def is_needed(name, node=None):
            """Tell whether a name that a ladder binds is used outside of it."""
            if source.is_named(name) or self.shared.is_taken(path, name):
                return True
            inside = source.positions[node]
            return any(
                root.value == name
                and not inside.start.line <= source.line(root) <= inside.end.line
                for root, _ in source.reads
            )

        edits = rewriting.Edits()
        edits.blocks = ladders.find_ladders(source, self.homes, is_needed)
        if edits:
            return edits
        self._plan_foreign(source, edits, path, left)

        def find(module, name=None):
            if name == "is_safe_url" and not self._has_hosts(source, path):
                return None
            return ladders.find_target(self.homes, module, name)

        planner = rewriting.Planner(
            source,
            edits,
            self.homes,
            find,
            lambda name: source.is_named(name) or self.shared.is_taken(path, name),
        )
        imports, attributes = set(), {}
        reader = self._read(path, source.data)
        for finding in reader.findings:
            place = finding.line, finding.column
            if place + (finding.name,) in reader.guarded:
                continue  # at another place it would not fail: no fallback would run
            if finding.kind == "import":
                imports.add(place)
            elif finding.kind == "attribute":
                attributes.setdefault(place, []).append(finding.name)
        for statement, names in source.imports.items() if imports else ():
            for name, alias in names.items():
                if source.column(alias) in imports:
                    planner.move(statement, name)
        for use in source.uses if attributes else ():
            for name in attributes.get(source.column(use.root), ()):
                attribute = name.rpartition(".")[2]
                if not self.shared.is_patched(path, use.root.value, attribute):
                    planner.move_attribute(use, name)
        return edits

    def _has_hosts(self, source, path):
        """Return True if is_safe_url() can become url_has_allowed_host_and_scheme().

        Until Django 2.0 the hosts were optional, and ``host`` came before them.
        """
        if self.places.releases[0] > (2, 0):
            return True
        uses = [use for use in source.uses if use.path.endswith(".is_safe_url")]
        for arguments in map(source.arguments, uses):
            count, names = arguments or (0, ())
            has_hosts = (count == 2) != ("allowed_hosts" in names)
            if count > 2 or "host" in names or not has_hosts:
                return False
        return bool(uses) or not self.shared.is_taken(path, "is_safe_url")

    def _plan_foreign(self, source, edits, path, left):
        """Replace django_six and django-compat by django_compat."""
        from django_compat._cli.rewriting import module_of

        for statement, names in source.imports.items():
            module = module_of(statement)
            paths = [source.path(statement, name) for name in names]
            found = FOREIGN.intersection([module] if module else paths)
            found = {full for full in found if not self.shared.has_local(path, full)}
            if not found or source.is_ignored(statement):
                continue
            if module is None:
                for full in found:
                    text = "%s: import its names one by one" % full
                    left.append((source.line(statement), text))
                continue
            if not names:
                text = "%s: import its names one by one" % module
                left.append((source.line(statement), text))
            for local, alias in names.items():
                target = self._foreign_target(
                    source, path, module, alias, statement, local
                )
                if isinstance(target, Target):
                    edits.aliases[alias] = (target, local)
                else:
                    left.append((source.line(statement), target))

    def _foreign_target(self, source, path, module, alias, statement, local):
        """Return where a name of another package comes from, or why it stays."""
        name = alias.evaluated_name
        if (
            name == "close_connection"
        ):  # both have close_old_connections under this name
            name = "close_old_connections"
        elif name == "six":
            return Target("six", None)
        elif name == "path" and self.places.releases[0] < (4, 0):
            kinds = {
                _route_kind(source, use) for use in source.uses_of(statement, local)
            }
            if len(kinds) != 1 or None in kinds:
                return (
                    "django_six.path takes a regular expression until Django 4.0, a "
                    "route from then on: use re_path or path of django_compat"
                )
            name = kinds.pop()
        target = self.homes.shim_or_home(name)
        if name == "is_safe_url" and not self._has_hosts(source, path):
            return "%s.is_safe_url: pass allowed_hosts, not host" % module
        if target is None:
            return "%s.%s: django_compat does not have it on the whole range" % (
                module, name
            )  # fmt: skip
        return target


def _route_kind(source, use):
    """Return "path" or "re_path" for a call with a literal route; None if unclear."""
    text = source.first_argument(use.root)
    if text is None:
        return None
    return "re_path" if REGULAR_EXPRESSION.search(text) else "path"


def make_parser(name, description):
    """Return the parser of a command that rewrites sources."""
    parser = argparse.ArgumentParser(
        prog="python -m django_compat " + name,
        description=description + " Without --write the files stay as they are, and a "
        "diff shows what would change. Exit code 0: nothing is left to do; 1: some"
        "thing is left, or would change; 2: a file that cannot be read, or bad usage.",
    )
    parser.add_argument("paths", metavar="PATH", nargs="+", help="a file or a folder")
    text = "such as '>=3.2'; default: every Django from 1.4 to 6.1"
    parser.add_argument("--django", metavar="RANGE", help=text)
    parser.add_argument("--write", action="store_true", help="change the files")
    return parser


def parse(parser, argv):
    """Return the arguments and the Places of the range; exit with code 2 if bad."""
    arguments = parser.parse_args(argv)
    try:
        import libcst  # noqa: F401
    except ImportError:
        text = "this command needs LibCST: pip install 'django-compat-shim[rewrite]'"
        parser.error(text)
    try:
        return arguments, Places(parse_range(arguments.django))
    except BadRange as error:
        parser.error(escape(error))


def run(argv, output):
    """Run the command and return the exit code."""
    parser = make_parser(
        "adopt",
        "Rewrite what audit finds: import each moved name from the place that every "
        "Django of the range has, or from django_compat; replace try/except Import"
        "Error and if django.VERSION around such imports, django.utils.six, django_six "
        "and django-compat.",
    )
    arguments, places = parse(parser, argv)
    from django_compat._cli.rewriting import rewrite_files

    def read_template(path):
        found = read_file(path, places)
        return [(finding.line, describe_finding(finding)) for finding in found]

    shared = Shared()
    adopter = Adopter(places, shared)
    try:
        left, skipped, changed = rewrite_files(
            arguments.paths,
            adopter.rewrite,
            shared.add,
            read_template,
            arguments.write,
            output,
            MARKS,
        )
    except Unreadable as error:
        parser.error(escape(error))
    verb = "rewritten" if arguments.write else "would change"
    text = "%d files %s, %d lines left to do by hand\n" % (
        len(changed),
        verb,
        len(left),
    )
    sys.stderr.write(text)
    if adopter.new_packages:
        text = (
            "New imports: %s. Let the app depend on django-compat-shim, and on six if "
        )
        text += "it imports six\n"
        sys.stderr.write(text % ", ".join(sorted(adopter.new_packages)))
    if skipped:
        return 2
    return 1 if left or changed and not arguments.write else 0
