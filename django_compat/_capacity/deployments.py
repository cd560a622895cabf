"""Read processes and threads from the configuration file of uWSGI or gunicorn.

The meaning of uWSGI's options is that of its 2.0.31 (``core/uwsgi.c``, ``ini.c``,
``yaml.c``, ``json.c``), the meaning of gunicorn's that of its 19.10 to 27.0
(``config.py``). gunicorn's file is Python: its assignments are evaluated here, and
nothing is run.

A file may be anybody's: the time and the memory that it takes here grow with its size
only, and its size has a limit.
"""

from __future__ import absolute_import

import ast
import io
import json
import operator
import os
import re
import stat
from collections import OrderedDict, namedtuple
from multiprocessing import cpu_count

import six

from django_compat._db.escapes import clip, escape
from django_compat._db.values import COUNT, is_a

__all__ = ["BadDeployment", "Deployment", "read_deployment"]

LARGEST_FILE = 2**20  # bytes
KINDS = "uWSGI's ini, yaml and json with a section 'uwsgi', and gunicorn's Python"

_EXTENSIONS = {
    ".ini": "ini",
    ".json": "json",
    ".py": "python",
    ".yaml": "yaml",
    ".yml": "yaml",
}

# uWSGI's names for the same option; the last one in the file counts. An asynchronous
# core is a greenlet, and has a connection of its own.
_PROCESSES = ("processes", "workers", "p")
_THREADS = ("threads", "async", "gevent", "asyncio")
_RELEVANT = _PROCESSES + _THREADS + ("cheaper",)
# These options load another file, which may change the numbers.
_OTHER_FILES = set("emperor include inherit ini json xml yaml yml".split())
_NOT_COUNTED = "%s are not counted: each may open one more connection"
_NOTES = dict.fromkeys(["mule", "mules"], _NOT_COUNTED % "mules")
_NOTES["spooler"] = _NOT_COUNTED % "spoolers"
_NOTES["enable-threads"] = "threads that the application starts are not counted"

# gunicorn's worker classes, with the option that sets how many connections a worker
# may have; None: one connection. "sync" becomes gthread where threads is above 1.
_WORKERS = dict.fromkeys(
    "eventlet gevent gevent_pywsgi gevent_wsgi geventlet ggevent".split(),
    "worker_connections",
)
_WORKERS.update(sync="threads", gthread="threads", tornado=None, gtornado=None)
_DEFAULTS = {"threads": 1, "worker_connections": 1000}

# All that a gunicorn file may compute its numbers with, and the bound of each number.
_LARGEST = 10**9
_NUMBERS = six.integer_types + (float,)
_FUNCTIONS = {
    "max": max,
    "min": min,
    "multiprocessing.cpu_count": cpu_count,
    "os.cpu_count": cpu_count,
}
_GET = ("os.environ.get", "os.getenv")
_ENVIRONMENT = ("os.environ", "os.getenv")
_OPERATORS = {
    ast.Add: operator.add,
    ast.FloorDiv: operator.floordiv,
    ast.Mult: operator.mul,
    ast.Sub: operator.sub,
}
# Python 2 and 3.6 to 3.7 have the other types of node than ast.Constant.
_CONSTANTS = ("Constant", "Name", "NameConstant", "Num", "Str")
_SECRET = "a value of the environment"

# Python's own parser may end the process where expressions or blocks nest too deeply,
# and takes long for a number of very many digits. So it gets a few statements at once.
_MOST_TOKENS = 2000
_MOST_DIGITS = 1000
_TOKEN = re.compile(
    r"""(?P<space>[ \t\f]+|\\\n|\#[^\n]*)
    |(?P<line>\n)
    |(?P<prefix>[bBrRuUfF]{0,2})(?P<quote>\'\'\'|\"\"\"|\'|\")
    |(?P<number>[0-9]\w*)
    |(?P<word>\w+)
    |(?P<sign>.)""",
    re.UNICODE | re.VERBOSE,
)
_CONTINUES = ("elif", "else", "except", "finally")
_DEFINITION = re.compile(r"(?:async\s+)?(?:class|def)\s+(\w+)", re.UNICODE)
# What an expression raises that cannot be known, or that cannot be computed.
_UNKNOWN = (ArithmeticError, LookupError, RuntimeError, TypeError, ValueError)

# ``threads`` is how many connections to one database a process may have. ``notes`` are
# texts that say what the numbers leave out.
Deployment = namedtuple("Deployment", "server processes threads notes")


class BadDeployment(ValueError):
    """Say which file and option is wrong, its value, and what is allowed."""


class RuntimeValue(object):
    """Stands for a value that only running the file gives; ``line`` is its line."""

    def __init__(self, line):
        self.line = line


class ImportedName(RuntimeValue):
    """Stands for a module, or a name in a module; ``path`` is its dotted name."""

    def __init__(self, line, path):
        super(ImportedName, self).__init__(line)
        self.path = path


def read_deployment(path, processes=None, threads=None):
    """Return the Deployment that a configuration file of uWSGI or gunicorn describes.

    ``processes`` and ``threads``, when given, replace what the file says. Greenlets
    count as threads. Arguments of a command line are not known here, nor is
    ``GUNICORN_CMD_ARGS``.

    Of uWSGI: ini, json, and the flat keys of yaml that uWSGI itself reads, with merges.
    Of gunicorn's Python, which is not run: numbers, ``+ - * // max min int or``, the
    environment, ``cpu_count()`` of this machine, and names bound to such values.

    ``BadDeployment``, a ValueError, for a file that is no regular file of UTF-8 of up
    to 1 MB, for a number that is not positive, and for a value that only the running
    server knows. No message shows a value of the environment.
    """
    try:
        text = _read(path)
        language = _language(path, text)
        if language == "python":
            return _gunicorn(text, processes, threads)
        if language == "ini":
            options = _ini_options(text)
        elif language == "json":
            options = _json_options(text)
        else:
            options = _yaml_options(text)
        return _uwsgi(options, processes, threads)
    except EnvironmentError as error:
        problem = error.strerror or error
    except RuntimeError:  # RecursionError: brackets in JSON
        problem = "it nests too deeply"
    except ValueError as error:
        problem = error
    raise BadDeployment("%s: %s" % (escape(path), escape(problem)))


def _read(path):
    """Return the text of a regular file that is not too large."""
    try:
        is_regular = stat.S_ISREG(os.stat(path).st_mode)
    except (TypeError, ValueError):  # a null character; TypeError on Python 2
        raise ValueError("it must be the path of a file")
    if not is_regular:  # a pipe would never end, and a device may have effects
        raise ValueError("it must be a regular file")
    with io.open(path, "rb") as stream:
        content = stream.read(LARGEST_FILE + 1)
    if len(content) > LARGEST_FILE:
        raise ValueError("it must have at most %d bytes" % LARGEST_FILE)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError("it must be UTF-8; byte %d is not" % error.start)
    if u"\0" in text:
        raise ValueError("it must have no null characters")
    return text.replace(u"\r\n", u"\n").replace(u"\r", u"\n")


def _language(path, text):
    """Return "ini", "json", "yaml" or "python", by the file's extension or its text."""
    extension = os.path.splitext(path)[1].lower()
    if extension in _EXTENSIONS:
        return _EXTENSIONS[extension]
    if re.search(r"^[ \t]*\[uwsgi\]", text, re.MULTILINE):
        return "ini"
    if re.search(r"^uwsgi[ \t]*:", text, re.MULTILINE):
        return "yaml"
    return "python"


def _refuse(option, value, allowed):
    shown = escape(clip(value, 100))
    raise BadDeployment("%s is %s: it must be %s" % (escape(option), shown, allowed))


def _positive(option, value, shown=None):
    """Return a number; a text may have a comment behind its number."""
    number = COUNT.parse(re.split("[;#]", "%s" % (value,))[0].strip())
    if number is None:
        _refuse(option, value if shown is None else shown, COUNT.allowed)
    return number


def _ini_options(text):
    """Return the options of the section uwsgi as (name, value), in their order."""
    options, section = [], None
    for line in [line.strip() for line in text.split("\n")]:
        if line.startswith("["):
            section = line[1:-1]
        elif section == "uwsgi" and line and line[0] not in ";#":
            name, _, value = line.partition("=")
            options.append((name.strip(), value.strip()))
    return options


def _yaml_options(text):
    """Return the options of the section uwsgi, those of merged sections first."""
    sections, anchors, scalars, section = {}, {}, {}, None
    for line in [line.partition("#")[0].rstrip() for line in text.split("\n")]:
        name, _, value = [part.strip() for part in line.partition(":")]
        anchor, content = re.match(r"(?:&(\S+)\s*)?(.*)", value).groups()
        if line and line[0] not in " \t":
            section = sections.setdefault(name, [])
            anchors[anchor] = section
        elif name == "<<" and section is not None:
            aliases = [alias.strip() for alias in value.strip("[]").split(",")]
            merged = [anchors.get(alias[1:]) for alias in aliases]
            section.append((name, (value, merged)))
        elif name and section is not None:
            content = scalars.get(content, content.strip("'\""))
            scalars[anchor and "*" + anchor] = content
            section.append((name, content))
    blocks = [sections.get("uwsgi", [])]
    seen = set(map(id, blocks))  # a block that is merged again has nothing to add
    for block in blocks:  # it grows
        for value, merged in [value for name, value in block if name == "<<"]:
            if not all(merged):
                _refuse("<<", value, "an alias of a section above, or [*one, *more]")
            for one in merged:
                if id(one) not in seen:
                    seen.add(id(one))
                    blocks.append(one)
    options = [option for block in reversed(blocks) for option in block]
    return [option for option in options if option[0] != "<<"]


def _json_options(text):
    document = json.loads(
        text,
        object_pairs_hook=OrderedDict,
        parse_float=six.text_type,
        parse_int=six.text_type,  # as text: an int of many digits takes long
    )
    section = document.get("uwsgi") if isinstance(document, dict) else None
    options = []
    for name, value in section.items() if isinstance(section, dict) else ():
        for element in value if isinstance(value, list) else [value]:
            options.append((name, "%s" % (element,)))
    return options


def _uwsgi(options, processes, threads):
    if not options:
        raise BadDeployment("no section 'uwsgi' with options; allowed are " + KINDS)
    given = {"processes": processes, "threads": threads}
    numbers, notes, condition, values = {}, set(), None, dict(options)
    for option, value in options:
        name = "processes" if option in _PROCESSES else option
        name = "threads" if option in _THREADS else name
        if option.startswith(("if-", "for")):
            condition = option
        elif option.startswith("end"):
            condition = None
        elif option in _OTHER_FILES and None in given.values():
            allowed = "absent: name the other file, or give --processes and --threads"
            _refuse(option, value, allowed)
        elif option in _RELEVANT and condition and given.get(name) is None:
            allowed = "outside of %s: only uWSGI knows the condition"
            allowed %= escape(clip(condition, 100))
            _refuse(option, value, allowed)
        elif option in _RELEVANT and given.get(name) is None:
            numbers[name] = _positive(option, _expand(value, values), value)
        elif option in _NOTES and value.lower() not in ("false", "0"):
            notes.add(_NOTES[option])
    counts = dict({"processes": 1, "threads": 1}, **numbers)
    counts.update((name, given[name]) for name in given if given[name] is not None)
    if "cheaper" in numbers:
        if numbers["cheaper"] >= counts["processes"]:
            allowed = "below processes, which is %d" % counts["processes"]
            _refuse("cheaper", numbers["cheaper"], allowed)
        note = "cheaper runs %(cheaper)d to %(processes)d processes: all are counted"
        notes.add(note % counts)
    return Deployment("uWSGI", counts["processes"], counts["threads"], sorted(notes))


def _expand(value, options):
    """Insert what uWSGI inserts: processors, the environment, other options."""
    if len(value) > 1000:  # no number; many insertions would take much memory
        return value
    value = value.replace("%k", str(cpu_count()))
    for pattern, values in ((r"\$\((\w+)\)", os.environ), (r"%\(([\w-]+)\)", options)):
        value = re.sub(pattern, lambda m: values.get(m.group(1), m.group())[:99], value)
    return value


def _gunicorn(text, processes, threads):
    try:
        settings, secrets = _assignments(text)
    except ValueError as error:
        raise BadDeployment("%s; allowed are %s" % (error, KINDS))

    def setting(name, default):
        value = settings.get(name, settings.get("*", default))
        if isinstance(value, RuntimeValue):
            value = "set on line %d by code that is not run here" % value.line
            _refuse(name, value, "made of numbers, cpu_count() and the environment")
        return value, _SECRET if name in secrets else value

    if processes is None:
        processes, shown = setting("workers", None)
        if "workers" not in settings and processes is None:
            processes = os.environ.get("WEB_CONCURRENCY", 1)
            shown = "%s, WEB_CONCURRENCY" % _SECRET
        processes = _positive("workers", processes, shown)
    if threads is None:
        kind, shown = setting("worker_class", "sync")
        kind = "%s" % (kind,)
        # A class may stand for its module: gunicorn.workers.gthread.ThreadWorker.
        module = kind.split(".")[-2] if kind.startswith("gunicorn.workers.") else kind
        if module not in _WORKERS:
            allowed = "%s; for another class give --threads"
            _refuse("worker_class", shown, allowed % ", ".join(sorted(_WORKERS)))
        option = _WORKERS[module]
        threads = 1
        if option is not None:
            threads = _positive(option, *setting(option, _DEFAULTS[option]))
    return Deployment("gunicorn", processes, threads, [])


def _assignments(text):
    """Return ``{name: value}`` of a module's top level, and the names of secrets.

    A RuntimeValue stands for a value that is made of anything but what
    ``read_deployment`` tells, and for a name that is bound below an ``if``, a loop and
    the like. A secret is made of the environment. ``ValueError`` for text that Python
    cannot parse.
    """
    # Python 2 refuses a coding line in text that is decoded already.
    text = re.sub(r"(?m)^[ \t]*#.*coding[:=].*", "#", text)
    names, secrets = {}, set()
    for line, source, weight in _statements(text):
        definition = _DEFINITION.match(source)
        if definition:  # its body binds no name of the module
            names[definition.group(1)] = RuntimeValue(line)
        elif weight > _MOST_TOKENS:
            message = "line %d begins a statement that is too long: it must have up to "
            message += "%d words and signs, and numbers of up to %d digits"
            raise ValueError(message % (line, _MOST_TOKENS, _MOST_DIGITS))
        elif not source.startswith("@"):
            for statement in _parse(source, line):
                _assign(statement, line - 1, names, secrets)
    return names, secrets


def _statements(text):
    """Yield ``(line, source, weight)`` of each top-level statement.

    The weight is the number of words and signs, which bounds how deeply they nest.
    """
    begin = position = weight = depth = 0
    line, is_new = 1, True
    while position < len(text):
        match = _TOKEN.match(text, position)
        kind, token, start = match.lastgroup, match.group(), position
        position = match.end()
        if kind == "line":
            is_new = is_new or depth == 0
        if kind in ("line", "space"):
            continue
        if is_new and text[start - 1 : start] in ("", "\n"):
            if token not in _CONTINUES:
                if weight:
                    yield line, text[begin:start], weight
                line += text.count("\n", begin, start)
                begin, weight = start, 0
        is_new = False
        weight += 1
        if kind == "quote":
            position = _end_of_string(text, position, match.group("quote"))
            # The expressions in an f-string may nest, too.
            weight += (position - start) * ("f" in token.lower())
        elif kind == "number" and len(token) > _MOST_DIGITS:
            weight += _MOST_TOKENS
        else:
            depth = max(depth + (token in "([{") - (token in ")]}"), 0)
    if weight:
        yield line, text[begin:], weight


def _end_of_string(text, position, quote):
    for match in re.compile(r"(?s)\\.|\n|" + quote).finditer(text, position):
        if match.group() == quote:
            return match.end()
        if match.group() == "\n" and len(quote) == 1:
            break
    line = text.count("\n", 0, position) + 1
    raise ValueError("line %d is not valid Python: a string does not end" % line)


def _parse(source, line):
    """Return the statements of a source that begins in a line."""
    try:
        return ast.parse(source).body
    except SyntaxError as error:
        line += (error.lineno or 1) - 1
        raise ValueError("line %d is not valid Python: %s" % (line, error.msg))
    except (MemoryError, OverflowError, RuntimeError, TypeError, ValueError):
        raise ValueError("line %d begins what is not valid Python" % line)


def _assign(statement, lines, names, secrets):
    """Update the names as a statement does that has so many lines above."""
    line, targets = lines + statement.lineno, getattr(statement, "targets", None)
    targets = targets or [getattr(statement, "target", None)]
    expression = getattr(statement, "value", None)
    is_plain = all(isinstance(target, ast.Name) for target in targets)
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        module = getattr(statement, "module", None)
        for alias in statement.names:
            path = "%s.%s" % (module, alias.name) if module else alias.name
            name = alias.asname or alias.name.partition(".")[0]
            path = path if alias.asname or module else name
            _bind(names, name, ImportedName(line, path))
    elif is_plain and isinstance(statement, ast.Delete):
        for target in targets:
            names.pop(target.id, None)
    elif is_plain and expression is not None and not isinstance(statement, ast.For):
        if isinstance(statement, ast.AugAssign):
            left = ast.copy_location(ast.Name(targets[0].id, ast.Load()), statement)
            expression = ast.BinOp(left, statement.op, expression)
        try:
            value = _evaluate(expression, names)
        except _UNKNOWN:
            value = RuntimeValue(line)
        is_secret = any(
            _dotted_name(node, names) in _ENVIRONMENT or node.id in secrets
            if isinstance(node, ast.Name)
            else getattr(node, "attr", None) in ("environ", "getenv")
            for node in ast.walk(expression)
        )
        for target in targets:
            names[target.id] = value
            (secrets.add if is_secret else secrets.discard)(target.id)
    elif not is_plain or type(statement).__name__ != "AnnAssign":  # workers: int
        for node in ast.walk(statement):
            # Names, imports, functions, classes, "except ... as name".
            name = getattr(node, "asname", None) or getattr(node, "name", None)
            if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
                name = getattr(node, "id", None)
            if isinstance(name, str):
                value = RuntimeValue(lines + getattr(node, "lineno", statement.lineno))
                _bind(names, name.partition(".")[0], value)


def _bind(names, name, value):
    """Bind a name; an import of ``*`` may bind every name."""
    names.update(dict.fromkeys(list(names) if name == "*" else [], value))
    names[name] = value


def _evaluate(node, names):
    """Return the number or text of an expression, or raise one of _UNKNOWN."""
    if isinstance(node, ast.Name) and isinstance(names.get(node.id), RuntimeValue):
        raise ValueError(node.id)
    if isinstance(node, ast.Name) and node.id in names:
        return names[node.id]
    if isinstance(node, ast.BinOp):
        left, right = _evaluate(node.left, names), _evaluate(node.right, names)
        return _number(_OPERATORS[type(node.op)](_number(left), _number(right)))
    if isinstance(node, ast.BoolOp) and isinstance(node.op, ast.Or):
        values = [_evaluate(value, names) for value in node.values]
        return ([value for value in values if value] or values[-1:])[0]
    if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub):
        return -_number(_evaluate(node.operand, names))
    if isinstance(node, ast.Call) and not node.keywords:
        name = _dotted_name(node.func, names)
        arguments = [_evaluate(argument, names) for argument in node.args]
        if name in _GET:
            return os.environ.get(*arguments)
        if name == "int":
            (value,) = arguments
            return _number(int(value if is_a(value, _NUMBERS) else value[:99]))
        return _number(_FUNCTIONS[name](*map(_number, arguments)))
    is_subscript = isinstance(node, ast.Subscript)
    if is_subscript and _dotted_name(node.value, names) == "os.environ":
        key = getattr(node.slice, "value", node.slice)  # an ast.Index until Python 3.8
        return os.environ[key if isinstance(key, str) else _evaluate(key, names)]
    if type(node).__name__ not in _CONSTANTS:
        raise ValueError(node)
    value = ast.literal_eval(node)
    return _number(value) if is_a(value, _NUMBERS) else value


def _number(value):
    """Return a number that is not too large; a text is no number."""
    if not is_a(value, _NUMBERS) or not -_LARGEST <= value <= _LARGEST:
        raise ValueError(value)
    return value


def _dotted_name(node, names):
    """Return the dotted name of a name or an attribute, with its import resolved."""
    if isinstance(node, ast.Attribute):
        return "%s.%s" % (_dotted_name(node.value, names), node.attr)
    if isinstance(node, ast.Name) and node.id not in names:
        return node.id
    return getattr(names.get(getattr(node, "id", None)), "path", "")
