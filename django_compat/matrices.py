"""``python -m django_compat matrix``: the pairs of a range, as a table, tox, JSON."""

from __future__ import absolute_import

import json
import re
import sys

from django_compat.matrix import PYTHONS, SERIES, pairs
from django_compat.ranges import BadRange, Range

__all__ = ["FORMATS", "parse_arguments", "select", "unknown"]

# What makes environments for every Python here; newer ones end at 3.8 or so.
_OLD_PYTHONS = {"2.7", "3.6", "3.7"}
_TOX = ["requires =", "    tox==4.5.1.1", "    virtualenv==20.21.1"]


def _releases(series):
    """Return the releases of a series, from its first to its last."""
    last = int(series.last.rpartition(".")[2]) if series.last != series.django else 0
    numbers = ["%s.%d" % (series.django, number) for number in range(1, last + 1)]
    return [series.django] + numbers


def _requirement(series, django):
    """Return what pip is to install of a series; None if nothing is in the range."""
    found = [release for release in _releases(series) if release in django]
    if len(found) == len(_releases(series)):
        return "Django==%s.*" % series.django
    if len(found) == 1:
        return "Django==" + found[0]
    return "Django==%s.*,%s" % (series.django, django.text) if found else None


def select(django=None, python=None):
    """Return ``{"python", "django", "requirement"}`` of each pair in the two ranges.

    The ranges are texts, None is all. A series of Django is in, if one of its releases
    is: ``requirement`` is then narrowed to those. Raises BadRange if a range is
    malformed, or if no pair is in both.
    """
    djangos = Range(">=0" if django is None else django, "--django")
    pythons = Range(">=0" if python is None else python, "--python")
    for _, release, _ in pythons.clauses:
        if len(release.split(".")) > 2:
            text = "--python %s: %s is too exact: it must be like 3.8"
            raise BadRange(text % (pythons.text, release))
    wanted = dict((series.django, _requirement(series, djangos)) for series in SERIES)
    found = [
        {"python": version, "django": series, "requirement": wanted[series]}
        for version, series in pairs()
        if wanted[series] and version in pythons
    ]
    if found:
        return found
    raise BadRange(
        "--django %s with --python %s: no pair is in it; known are Django %s to %s, "
        "and Python %s"
        % (
            django or "(all)",
            python or "(all)",
            SERIES[0].first,
            SERIES[-1].last,
            ", ".join(PYTHONS),
        )
    )


def unknown(django):
    """Return the releases in a range's text that the data do not know."""
    known = set(series.django for series in SERIES)
    named = re.findall(r"\d+(?:\.\d+)*", django)
    # One number, as in <5 or ==4.*, names no series; one above all is news.
    known |= set(series.partition(".")[0] for series in known)
    return [each for each in named if ".".join(each.split(".")[:2]) not in known]


def _short(text):
    return text.replace(".", "")


def _by_django(found):
    """Return ``[(series, its pairs)]``."""
    return [
        (series.django, rows)
        for series in SERIES
        for rows in [[row for row in found if row["django"] == series.django]]
        if rows
    ]


def _table(found):
    """Return a line for each Django with its Pythons, and how many pairs there are."""
    lines = ["Django  Python"]
    for series, rows in _by_django(found):
        lines.append("%-7s %s" % (series, " ".join(row["python"] for row in rows)))
    count = "%d pair%s" % (len(found), "s" * (len(found) != 1))
    return "\n".join(lines + ["", count])


def _tox(found):
    """Return what a tox.ini needs to run them."""
    lines, dependencies = ["[tox]"], []
    if _OLD_PYTHONS & set(row["python"] for row in found):
        lines += ["# Newer ones make no environments for Python 2.7, 3.6 and 3.7."]
        lines += _TOX
    lines += ["envlist ="]  # tox 3 reads no env_list
    for series, rows in _by_django(found):
        names = ",".join(_short(row["python"]) for row in rows)
        names = "{%s}" % names if len(rows) > 1 else names
        lines.append("    py%s-django%s" % (names, _short(series)))
        text = "    django%s: %s"
        dependencies.append(text % (_short(series), rows[0]["requirement"]))
    return "\n".join(lines + ["", "[testenv]", "deps ="] + dependencies)


def _github(found):
    """Return one line, for ``fromJSON`` in a workflow's ``strategy.matrix``."""
    return json.dumps({"include": found}, sort_keys=True)


def _json(found):
    return json.dumps(found, indent=2, sort_keys=True)


FORMATS = {"github": _github, "json": _json, "table": _table, "tox": _tox}


def parse_arguments(parser, argv):
    """Return the arguments of a command line; None if it was ``matrix``, which is done.

    Exits with code 2 for a wrong one, as the parser does.
    """
    # Not a parser of its own: Python 2.7 would want a command always.
    parser.add_argument(
        "command", nargs="?", choices=["matrix"], help="print the pairs of a range"
    )
    group = parser.add_argument_group("with matrix")
    group.add_argument("--django", metavar="RANGE", help="such as '>=3.2,<5'")
    group.add_argument("--python", metavar="RANGE", help="such as '>=3.8'")
    group.add_argument("--format", choices=sorted(FORMATS), help="default: table")
    arguments = parser.parse_args(argv)
    for name in ("django", "python", "format", "json", "settings", "pythonpath"):
        goes_with_matrix = name in ("django", "python", "format")
        value = getattr(arguments, name)
        if value not in (None, False) and goes_with_matrix != bool(arguments.command):
            text = "--%s goes %s the command matrix"
            parser.error(text % (name, "with" if goes_with_matrix else "without"))
    if arguments.command is None:
        return arguments
    try:
        found = select(arguments.django, arguments.python)
    except BadRange as error:
        parser.error(str(error))
    strangers = unknown(arguments.django or "")
    if strangers:
        text = "Django %s: not known here, only %s to %s are\n"
        ends = (SERIES[0].first, SERIES[-1].last)
        sys.stderr.write(text % ((", ".join(strangers),) + ends))
    sys.stdout.write(FORMATS[arguments.format or "table"](found) + "\n")
    return None
