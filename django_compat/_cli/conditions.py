"""On which Djangos a condition of a program holds: ``django.VERSION >= (1, 8)``."""

from __future__ import absolute_import

import ast
import operator
import re

from django_compat._cli.matrix import releases_of
from django_compat._cli.places import RELEASES
from django_compat.matrix import SERIES

__all__ = ["Conditions"]

OPERATORS = {
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.In: lambda left, right: left in right,
    ast.NotIn: lambda left, right: left not in right,
}
# Functions that read a version from a text: of distutils, packaging, pkg_resources.
READERS = {"LooseVersion", "StrictVersion", "Version", "parse", "parse_version", "V"}

TYPES = {
    "bool": bool,
    "float": float,
    "int": int,
    "len": len,
    "list": tuple,  # as the literals are read
    "str": str,
    "tuple": tuple,
}
METHODS = {"endswith", "join", "partition", "rpartition", "split", "startswith"}

# Names in conditions that have an answer.
KNOWN = set(
    "VERSION __version__ get_version hasattr version_info PY2 PY3 TYPE_CHECKING".split()
)


class Unknown(Exception):
    """The value does not depend on the version alone."""


class World(object):
    """A release of Django on a Python, and what a condition asked of them."""

    def __init__(self, release, version, python):
        self.release, self.number = release, version
        self.version = version + ("final", 0)
        self.python = python + (99, "final", 0)
        self.asks_django = self.asks_python = False

    def text(self):
        return ".".join(map(str, self.number if self.number[2] else self.release))


class Conditions(object):
    """Evaluate the conditions of a module.

    ``places`` knows which names a Django has. ``resolve(node)`` returns what a name or
    an attribute stands for, as ``[(entity, releases)]``; an entity is ``("module",
    name)``, ``("name", module, name)``, ``("value", node)`` or None.
    """

    def __init__(self, places, resolve):
        self.places, self.resolve = places, resolve

    def split(self, node, active):
        """Return the releases where a condition is true, where it is false, and a flag.

        The rest of the releases may go either way. The flag tells whether the condition
        asks for nothing but Django's version or names.
        """
        true, false, asks_django = set(), set(), False
        if not self._may_know(node):
            return true, false, asks_django
        for release in sorted(active):
            answers = set()
            for world in self._asked_worlds(node, release, answers):
                asks_django = asks_django or world.asks_django
            if answers == {True}:
                true.add(release)
            elif answers == {False}:
                false.add(release)
            elif not asks_django and not world.asks_python:
                break  # nothing is known, on no release
        return true, false, asks_django

    def _may_know(self, node, depth=0):
        """Return False if a condition asks for nothing that is known: most do."""
        if isinstance(node, ast.Constant):
            return True
        for part in ast.walk(node):
            name = getattr(part, "attr", getattr(part, "id", None))
            if name in KNOWN:
                return True
            if isinstance(part, ast.Name) and depth < 5:
                for entity, _ in self.resolve(part):
                    if entity and entity[0] == "value":
                        if self._may_know(entity[1], depth + 1):
                            return True
                    if entity and entity[0] == "name" and entity[-1] in KNOWN:
                        return True
        return False

    def _asked_worlds(self, node, release, answers):
        """Yield the worlds of a release that may differ; collect their answers."""
        series = SERIES[RELEASES.index(release)]
        for version in releases_of(series):
            numbers = tuple(map(int, version.split("."))) + (0,)
            for text in series.pythons:
                python = tuple(map(int, text.split(".")))
                world = World(release, numbers[:3], python)
                answers.add(self._truth(node, world))
                yield world
                if not world.asks_python:
                    break
            if not world.asks_django or len(answers) > 1 or None in answers:
                break

    def _truth(self, node, world, depth=0):
        """Return True, False, or None if a condition is not known."""
        if depth > 5:  # a name may stand for itself: x = x or y
            return None
        if isinstance(node, ast.BoolOp):
            answers = [self._truth(value, world, depth) for value in node.values]
            decisive = isinstance(node.op, ast.Or)
            if decisive in answers:
                return decisive
            return None if None in answers else not decisive
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            answer = self._truth(node.operand, world, depth)
            return None if answer is None else not answer
        if isinstance(node, ast.Name):
            for entity, releases in self.resolve(node):
                if entity and entity[0] == "value" and world.release in releases:
                    return self._truth(entity[1], world, depth + 1)
        try:
            return bool(self._value(node, world))
        except (Unknown, TypeError, ValueError, IndexError, RecursionError):  # noqa: F821
            return None

    def _value(self, node, world):
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, (ast.Tuple, ast.List)):
            return tuple(self._value(part, world) for part in node.elts)
        if isinstance(node, ast.Compare):
            values = [self._value(node.left, world)]
            values += [self._value(part, world) for part in node.comparators]
            return all(
                _compare(operation, left, right)
                for operation, left, right in zip(node.ops, values, values[1:])
            )
        if isinstance(node, ast.Subscript):
            return self._value(node.value, world)[self._index(node.slice, world)]
        if isinstance(node, ast.BoolOp):
            return self._either(node, world)
        if isinstance(node, ast.UnaryOp):
            return self._unary(node, world)
        if isinstance(node, ast.Call):
            return self._call(node, world)
        if getattr(node, "attr", None) == "major":
            return self._value(node.value, world)[0]
        if isinstance(node, (ast.Name, ast.Attribute)):
            return self._named(node, world)
        raise Unknown()

    def _either(self, node, world):
        """Return the operand that ``and`` or ``or`` gives, which may be no bool."""
        for part in node.values:
            value = self._value(part, world)
            if bool(value) == isinstance(node.op, ast.Or):
                break
        return value

    def _unary(self, node, world):
        if isinstance(node.op, ast.Not):
            return not self._value(node.operand, world)
        if isinstance(node.op, ast.USub):
            return -self._value(node.operand, world)
        raise Unknown()

    def _index(self, node, world):
        if not isinstance(node, ast.Slice):
            return self._value(node, world)
        parts = node.lower, node.upper, node.step
        return slice(*[part and self._value(part, world) for part in parts])

    def _call(self, node, world):
        function, arguments = node.func, node.args
        name = getattr(function, "attr", getattr(function, "id", None))
        if name in READERS and len(arguments) == 1:
            return _parse(self._value(arguments[0], world))
        if name == "hasattr" and len(arguments) == 2:
            attribute = self._value(arguments[1], world)
            for entity, releases in self.resolve(arguments[0]):
                if world.release in releases and entity and entity[0] == "module":
                    if entity[1].split(".")[0] == "django":
                        world.asks_django = True
                        return world.release in self.places.ever(entity[1], attribute)
            raise Unknown()
        if name in TYPES and len(arguments) == 1:
            return TYPES[name](self._value(arguments[0], world))
        if name == "map" and len(arguments) == 2:
            function = TYPES.get(getattr(arguments[0], "id", None))
            if function is None:
                raise Unknown()
            return tuple(map(function, self._value(arguments[1], world)))
        if name in METHODS and isinstance(function, ast.Attribute):
            text = self._value(function.value, world)
            if not isinstance(text, str):
                raise Unknown()
            values = [self._value(argument, world) for argument in arguments]
            return getattr(text, name)(*values)
        for entity, _ in self.resolve(function):
            if entity and entity[1:] == ("django", "get_version"):
                world.asks_django = True
                return world.text()
        raise Unknown()

    def _named(self, node, world):
        for entity, releases in self.resolve(node):
            if entity is None or world.release not in releases:
                continue
            if entity[0] == "value":
                return self._value(entity[1], world)
            if entity == ("name", "django", "VERSION"):
                world.asks_django = True
                return world.version
            if entity == ("name", "django", "__version__"):
                world.asks_django = True
                return world.text()
            if entity[-1] == "TYPE_CHECKING" and entity[0] == "name":
                return False
            if entity == ("name", "sys", "version_info"):
                world.asks_python = True
                return world.python
        # These are known by their names, wherever they come from.
        name = getattr(node, "id", getattr(node, "attr", None))
        if name == "TYPE_CHECKING":
            return False
        if name in ("PY2", "PY3"):
            world.asks_python = True
            return (name == "PY3") == (world.python >= (3,))
        raise Unknown()


def _compare(operation, left, right):
    if type(operation) not in OPERATORS:
        raise Unknown()
    return OPERATORS[type(operation)](left, right)


def _parse(text):
    """Return the numbers of a version, without zeros at the end: "1.10" is 1.10.0."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
