"""``python -m django_compat matrix``: the pairs in a range, as a table, tox or JSON."""

from __future__ import absolute_import

import json
import re

from django_compat._db.values import shown
from django_compat.matrix import PYTHONS, SERIES, pairs

__all__ = ["BadRange", "FORMATS", "Range", "releases_of", "select", "unknown_releases"]

_ALLOWED = (
    "it must be clauses of >=, <=, >, <, ==, != or ~= and a release, with commas "
    "between them, such as '>=3.2,!=4.0.*'"
)
_RELEASE = r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,9}"
_CLAUSE = re.compile(r"(>=|<=|==|!=|~=|<|>)\s*(%s)(\.\*)?\Z" % _RELEASE)

# tox 4.5.1.1 with virtualenv 20.21.1 is the last tox that makes environments for every
# Python of matrix.py; a newer virtualenv knows no Python before 3.8.
_OLD_PYTHONS = {"2.7", "3.6", "3.7"}
_TOX = ["requires =", "    tox==4.5.1.1", "    virtualenv==20.21.1"]


class BadRange(ValueError):
    """Say which range is wrong, and what is allowed."""


class Range(object):
    """A range of releases as in PEP 440, for releases that consist of numbers.

    ``option`` is the option of the command line that gave the range. Raises BadRange if
    the text is malformed, or if the library packaging is missing.
    """

    def __init__(self, text, option):
        try:
            from packaging.specifiers import SpecifierSet
        except ImportError:
            advice = "%s needs the library packaging: python -m pip install packaging"
            raise BadRange(advice % option)
        self.text, self.option = text.strip(), option
        clauses = ["".join(part.split()) for part in text.split(",") if part.strip()]
        for clause in clauses:
            match = _CLAUSE.match(clause)
            if match is None:
                self._refuse(clause)
            comparison, release, star = match.groups()
            if star and comparison not in ("==", "!="):
                self._refuse(clause, "only == and != go with .*")
            if comparison == "~=" and "." not in release:
                self._refuse(clause, "~= wants two numbers, such as ~=3.2")
        if not clauses:
            self._refuse(text)
        self.clauses = ",".join(clauses)
        self._specifiers = SpecifierSet(self.clauses)

    def _refuse(self, clause, reason=_ALLOWED):
        message = "%s %s: %s is no clause: %s"
        values = self.option, shown(self.text), shown(clause), reason
        raise BadRange(message % values)

    def __contains__(self, release):
        return self._specifiers.contains(release)


def select(django=None, python=None):
    """Return ``{"python", "django", "requirement"}`` of each pair in two ranges.

    ``django`` and ``python`` are ranges as texts; None means all. A series of Django
    counts if one of its releases is in the range. ``requirement`` is for pip, and names
    only the releases in the range. Raises BadRange if a range is malformed, or if no
    pair is in both ranges.
    """
    djangos = Range(">=0" if django is None else django, "--django")
    pythons = Range(">=0" if python is None else python, "--python")
    for release in re.findall(_RELEASE, pythons.clauses):
        if len(release.split(".")) > 2:
            message = "--python %s: %s is too exact: it must be like 3.8"
            raise BadRange(message % (shown(pythons.text), release))
    requirements = dict(
        (series.django, _requirement(series, djangos)) for series in SERIES
    )
    rows = [
        {"python": version, "django": series, "requirement": requirements[series]}
        for version, series in pairs()
        if requirements[series] and version in pythons
    ]
    if rows:
        return rows
    raise BadRange(
        "--django %s with --python %s: no pair is in both; known are Django %s to %s, "
        "and Python %s"
        % (
            shown(django) if django else "(all)",
            shown(python) if python else "(all)",
            SERIES[0].first,
            SERIES[-1].last,
            ", ".join(PYTHONS),
        )
    )


def _requirement(series, djangos):
    """Return pip's requirement for a series; None if no release is in the range."""
    releases = releases_of(series)
    chosen = [release for release in releases if release in djangos]
    if len(chosen) == len(releases):
        return "Django==%s.*" % series.django
    if len(chosen) == 1:
        return "Django==" + chosen[0]
    return "Django==%s.*,%s" % (series.django, djangos.clauses) if chosen else None


def releases_of(series):
    """Return the releases of a series, from its first to its last."""
    last = int(series.last.rpartition(".")[2]) if series.last != series.django else 0
    numbers = ["%s.%d" % (series.django, number) for number in range(1, last + 1)]
    return [series.django] + numbers


def unknown_releases(django):
    """Return the releases that a range names and that django_compat.matrix has not."""
    known = set(series.django for series in SERIES)
    # A single number, as in <5 or ==4.*, names no series: only a higher one is unknown.
    known |= set(series.partition(".")[0] for series in known)
    releases = re.findall(_RELEASE, django)
    return [r for r in releases if ".".join(r.split(".")[:2]) not in known]


def _by_series(rows):
    """Return ``[(series, its rows)]``."""
    grouped = [
        (series.django, [row for row in rows if row["django"] == series.django])
        for series in SERIES
    ]
    return [(series, members) for series, members in grouped if members]


def _format_table(rows):
    """Return a line for each Django with its Pythons, and the number of pairs."""
    lines = ["Django  Python"]
    for series, members in _by_series(rows):
        lines.append("%-7s %s" % (series, " ".join(row["python"] for row in members)))
    count = "%d pair%s" % (len(rows), "s" * (len(rows) != 1))
    return "\n".join(lines + ["", count])


def _format_tox(rows):
    """Return a tox.ini with an environment for each pair."""
    lines, dependencies = ["[tox]"], []
    if _OLD_PYTHONS & set(row["python"] for row in rows):
        lines += ["# Later versions make no environments for Python 2.7, 3.6 and 3.7."]
        lines += _TOX
    lines += ["envlist ="]  # tox 3 reads no env_list
    for series, members in _by_series(rows):
        pythons = ",".join(row["python"].replace(".", "") for row in members)
        pythons = "{%s}" % pythons if len(members) > 1 else pythons
        factor = "django" + series.replace(".", "")
        lines.append("    py%s-%s" % (pythons, factor))
        dependencies.append("    %s: %s" % (factor, members[0]["requirement"]))
    return "\n".join(lines + ["", "[testenv]", "deps ="] + dependencies)


def _format_github(rows):
    """Return one line, for ``fromJSON`` in a workflow's ``strategy.matrix``."""
    return json.dumps({"include": rows}, sort_keys=True)


def _format_json(rows):
    return json.dumps(rows, indent=2, sort_keys=True)


FORMATS = {
    "github": _format_github,
    "json": _format_json,
    "table": _format_table,
    "tox": _format_tox,
}
