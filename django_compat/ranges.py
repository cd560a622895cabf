"""Ranges of releases such as ``>=3.2,!=4.0.*``: as much of PEP 440 as releases need."""

from __future__ import absolute_import

import operator
import re

__all__ = ["BadRange", "Range"]

_ALLOWED = (
    "it must be clauses of >=, <=, >, <, ==, != or ~= and a release, with commas "
    "between them, such as '>=3.2,!=4.0.*'"
)
_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|<|>)\s*(\d+(?:\.\d+)*)(\.\*)?$")
_COMPARE = {
    "<": operator.lt,
    "<=": operator.le,
    "==": operator.eq,
    "!=": operator.ne,
    ">": operator.gt,
    ">=": operator.ge,
}


class BadRange(ValueError):
    """Say which range is wrong, and what is allowed."""


def _parts(release, length=4):
    numbers = [int(part) for part in release.split(".")]
    return tuple(numbers + [0] * (length - len(numbers)))


class Range(object):
    """A PEP 440 range of releases, for releases that are numbers.

    ``name`` is the argument that it was given as. Raises BadRange if it is malformed.
    """

    def __init__(self, text, name):
        self.text, self.name = text.strip(), name
        self.clauses = []
        for clause in filter(None, (part.strip() for part in text.split(","))):
            found = _CLAUSE.match(clause)
            if found is None:
                self._refuse(clause)
            comparison, release, star = found.groups()
            if star and comparison not in ("==", "!="):
                self._refuse(clause, "only == and != go with .*")
            if comparison == "~=":
                if "." not in release:
                    self._refuse(clause, "~= wants two numbers, such as ~=3.2")
                self.clauses.append((">=", release, None))
                comparison, release, star = "==", release.rpartition(".")[0], ".*"
            self.clauses.append((comparison, release, star))
        if not self.clauses:
            self._refuse(text)

    def _refuse(self, clause, reason=_ALLOWED):
        text = "%s %s: %r is no clause: %s"
        raise BadRange(text % (self.name, self.text or "''", clause, reason))

    def __contains__(self, release):
        return all(self._holds(release, *clause) for clause in self.clauses)

    def _holds(self, release, comparison, other, star):
        ours, theirs = _parts(release), _parts(other)
        if star:
            length = len(other.split("."))
            ours, theirs = ours[:length], theirs[:length]
        return _COMPARE[comparison](ours, theirs)
