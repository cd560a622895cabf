"""The files of a command that reads sources: which they are, and how far it is."""

from __future__ import absolute_import

import contextlib
import os
import re
import sys

from django_compat._db.escapes import describe

__all__ = [
    "Progress",
    "TEMPLATES",
    "Unreadable",
    "find_sources",
    "find_templates",
    "is_ignored",
    "is_template",
    "read_tree",
    "skipping",
    "split_lines",
    "within_depth",
]

SKIPPED = {"__pycache__", "node_modules", "site-packages"}
# What is a template below a folder "templates", and may be anything elsewhere.
ELSEWHERE = (".css", ".eml", ".js", ".json", ".md", ".svg", ".txt", ".xml")
TEMPLATES = (".html",) + ELSEWHERE
PYTHON = ("", ".py", ".pyi", ".pyw", ".wsgi")
SHEBANG = re.compile(r"#!.*\bpython".encode("ascii"))
IGNORED = re.compile(r"#.*\bdjango-compat:\s*ignore\b")
# Statements and literals that Python 3 dropped.
PYTHON_2 = re.compile(
    r"^\s*(print\s+[^(\s=]|exec\s+[\"'\w]|except\s+[\w.()]+\s*,|raise\s+\w+\s*,)"
    r"|\bur[\"']|<>|\b0\d+L?\b|\b\d+L\b|`",
    re.MULTILINE,
)


class Unreadable(Exception):
    """Say which file cannot be read, and why."""


@contextlib.contextmanager
def skipping(path, skipped):
    """Add a file that the body cannot read to ``skipped``, as ``(path, reason)``."""
    try:
        yield
    except Unreadable as error:
        skipped.append((path, str(error)))
    except EnvironmentError as error:
        skipped.append((path, "%s: %s" % (path, describe(error))))


def find_sources(paths, extensions=(".py",)):
    """Yield the files at paths: the files themselves, and those in the folders.

    Hidden files and folders, and virtual environments are left out. Of the templates
    only .html counts outside of a folder ``templates``. Raises Unreadable for a path
    that does not exist.
    """
    seen = set()
    for path in paths:
        if os.path.isdir(path):
            names = _walk(path, extensions)
        elif os.path.exists(path):
            names = [path]
        else:
            raise Unreadable("%s: no such file or folder" % path)
        for name in names:
            if os.path.realpath(name) not in seen:
                seen.add(os.path.realpath(name))
                yield name


def find_templates(paths):
    """Return the templates at paths."""
    return list(filter(is_template, find_sources(paths, TEMPLATES)))


def is_template(path):
    """Return False for Python, which a script shows in its first line.

    A file that a user names may have any suffix; a script often has none.
    """
    suffix = os.path.splitext(path)[1]
    if suffix in PYTHON + TEMPLATES:
        return suffix in TEMPLATES
    try:
        with open(path, "rb") as file:
            return not SHEBANG.match(file.readline())
    except EnvironmentError:  # the caller comes to the error, too
        return True


def _walk(root, extensions):
    for folder, folders, files in os.walk(root):
        folders[:] = sorted(
            name
            for name in folders
            if name not in SKIPPED
            and not name.startswith(".")
            and not os.path.exists(os.path.join(folder, name, "pyvenv.cfg"))
        )
        is_templates = "templates" in folder.split(os.sep)
        for name in sorted(files):
            path = os.path.join(folder, name)
            if name.startswith(".") or not name.endswith(extensions):
                continue
            if name.endswith(ELSEWHERE) and not is_templates:
                continue
            if os.path.isfile(path) or not os.path.exists(path):  # no pipe or socket
                yield path


def read_tree(data, path):
    """Return the syntax tree of a module; raise Unreadable if it has none."""
    import ast
    import warnings

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # invalid escapes
            return ast.parse(data, path)
    except SyntaxError as error:
        line = "line %s: " % error.lineno if error.lineno else ""
        reason = line + error.msg
    except (ValueError, RecursionError, MemoryError) as error:  # noqa: F821
        reason = str(error) or type(error).__name__
    text = data.decode("latin-1") if isinstance(data, bytes) else data
    hint = " (Python 2's syntax)" if PYTHON_2.search(text) else ""
    raise Unreadable("%s: skipped: not Python 3%s: %s" % (path, hint, reason))


@contextlib.contextmanager
def within_depth(path):
    """Raise Unreadable for code in the body that nests more deeply than Python may."""
    try:
        yield
    except RecursionError:  # noqa: F821
        raise Unreadable("%s: skipped: nested too deeply" % path)


def split_lines(text):
    """Return the lines of a source as Python counts them: a form feed ends none."""
    return re.split("\r\n|\r|\n", text)


def is_ignored(lines, *numbers):
    """Return True if one of the lines, counted from 1, ends with the comment for it."""
    return any(
        IGNORED.search(lines[number - 1]) for number in numbers if number <= len(lines)
    )


class Progress(object):
    """A bar on a terminal's stderr, and nothing elsewhere."""

    def __init__(self, total, width=30):
        self.total, self.width, self.done = total, width, 0
        self.is_shown = sys.stderr is not None and sys.stderr.isatty()

    def step(self):
        """Count one file."""
        self.done += 1
        if self.is_shown and (self.done % 10 == 0 or self.done == self.total):
            filled = self.width * self.done // self.total
            bar = "#" * filled + " " * (self.width - filled)
            sys.stderr.write("\r[%s] %d of %d files" % (bar, self.done, self.total))
            sys.stderr.flush()

    def close(self):
        """Erase the bar."""
        if self.is_shown:
            sys.stderr.write("\r\x1b[K")
            sys.stderr.flush()
