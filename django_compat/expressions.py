"""What the simple assignments of a Python file come to, without running the file."""

from __future__ import absolute_import

import ast
import math
import operator
import os
import re
from multiprocessing import cpu_count

__all__ = ["Unknown", "assignments"]

# What a configuration file computes a number of processes from.
_FUNCTIONS = {
    "abs": abs,
    "float": float,
    "int": int,
    "len": len,
    "math.ceil": math.ceil,
    "math.floor": math.floor,
    "max": max,
    "min": min,
    "multiprocessing.cpu_count": cpu_count,
    "os.cpu_count": cpu_count,
    "os.environ.get": os.environ.get,
    "os.getenv": os.environ.get,
    "os.process_cpu_count": getattr(os, "process_cpu_count", cpu_count),  # 3.13+
    "os.sched_getaffinity": getattr(os, "sched_getaffinity", None),  # 3.3+, on Linux
    "round": round,
    "str": str,
}
_OPERATORS = {
    ast.Add: operator.add,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Mult: operator.mul,
    ast.Sub: operator.sub,
}


class Unknown(object):
    """A value that only running the file would tell; ``line`` is where it is set."""

    def __init__(self, line):
        self.line = line


class _Imported(Unknown):
    """A module, or a name in one; ``path`` is its dotted name."""

    def __init__(self, line, path):
        self.line, self.path = line, path


def assignments(text):
    """Return ``{name: value}`` of what a module assigns to names at its top level.

    An Unknown stands for what is not made of constants, arithmetic, ``cpu_count()``,
    the environment and names that were assigned such before; so it does for what is
    assigned below an ``if``, a loop and the like. After an import of ``*`` the names so
    far are Unknown, and so is ``"*"``. ``ValueError`` for what Python cannot parse.

    .. versionadded:: 1.0
    """
    # Python 2 refuses a coding line in text that is decoded already.
    text = re.sub(r"(?m)^[ \t]*#.*coding[:=].*", "#", text)
    try:
        tree = ast.parse(text)
    except SyntaxError as error:
        raise ValueError("line %s is no Python: %s" % (error.lineno, error.msg))
    names = {}
    for node in tree.body:
        _run(node, names)
    return names


def _run(node, names):
    """Do to the names what a statement does."""
    if hasattr(node, "name"):  # a function or a class: what it sets is its own
        names[node.name] = Unknown(node.lineno)
        return
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        module = getattr(node, "module", None)
        for alias in node.names:
            if alias.name == "*":
                names.update(dict.fromkeys(["*"] + list(names), Unknown(node.lineno)))
                return
            path = "%s.%s" % (module, alias.name) if module else alias.name
            name = alias.asname or alias.name.partition(".")[0]
            path = path if alias.asname or module else name
            names[name] = _Imported(node.lineno, path)
        return
    value = getattr(node, "value", None)
    targets = getattr(node, "targets", None) or [getattr(node, "target", None)]
    is_plain = all(isinstance(target, ast.Name) for target in targets)
    if not is_plain or isinstance(node, ast.For) or value is None:
        for child in ast.walk(node):
            is_set = isinstance(getattr(child, "ctx", None), ast.Store)
            if isinstance(child, ast.Name) and is_set:
                names[child.id] = Unknown(child.lineno)
        return
    try:
        found = _evaluate(value, names)
        if isinstance(node, ast.AugAssign):
            found = _OPERATORS[type(node.op)](names[node.target.id], found)
    except Exception:  # what the file's own arithmetic raises may be anything
        found = Unknown(node.lineno)
    names.update((target.id, found) for target in targets)


def _dotted(node, names):
    if isinstance(node, ast.Attribute):
        return "%s.%s" % (_dotted(node.value, names), node.attr)
    return getattr(names[node.id], "path", "") if node.id in names else node.id


def _evaluate(node, names):
    """Return the value of an expression, or raise whatever."""
    if isinstance(node, ast.Name) and node.id in names:
        found = names[node.id]
        if isinstance(found, Unknown):
            raise ValueError(node.id)
        return found
    if isinstance(node, ast.BinOp):
        operate = _OPERATORS[type(node.op)]
        return operate(_evaluate(node.left, names), _evaluate(node.right, names))
    if isinstance(node, ast.BoolOp):
        for value in [_evaluate(value, names) for value in node.values]:
            if bool(value) is isinstance(node.op, ast.Or):
                return value
        return value
    if isinstance(node, ast.IfExp):
        choice = node.body if _evaluate(node.test, names) else node.orelse
        return _evaluate(choice, names)
    if isinstance(node, ast.Call) and not node.keywords:
        function = _FUNCTIONS[_dotted(node.func, names)]
        return function(*[_evaluate(argument, names) for argument in node.args])
    if isinstance(node, ast.Subscript) and _dotted(node.value, names) == "os.environ":
        key = getattr(node.slice, "value", node.slice)  # an ast.Index until Python 3.8
        return os.environ[key if isinstance(key, str) else _evaluate(key, names)]
    return ast.literal_eval(node)
