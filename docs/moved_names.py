"""Write docs/moved-names.rst, from the table: ``python docs/moved_names.py``."""

from __future__ import absolute_import

import io
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from django_compat.matrix import SERIES  # noqa: E402
from django_compat.moves import MOVES  # noqa: E402

RELEASES = [tuple(map(int, series.django.split("."))) for series in SERIES]
HEAD = u"""\
Moved names
===========

What each name is on each Django: the place whose object it is, "ours" where Django has
none, or an ``ImportError`` that says what is written here. Made from
``django_compat/moves.py`` by ``docs/moved_names.py``.

"""


def _spans(row):
    """Yield ``(first, last, what)`` for each run of releases that have the same."""
    found = []
    for release in RELEASES:
        what = _what(row, release)
        if found and found[-1][2] == what:
            found[-1][1] = release
        else:
            found.append([release, release, what])
    return found


def _what(row, release):
    place = row.place(release)
    if place is None and row.new:
        what = "``%s``" % row.new.name
    elif place is None:
        what = "``ImportError``"
    elif place.startswith("django_compat."):
        what = "ours"
    else:
        what = "``%s``" % place
    return what + (", and warns" if row.is_gone(release) and place else "") + (
        ", and warns" if row.is_gone(release) and not place and row.new else ""
    )


def _number(release):
    return "%d.%d" % release


def _lines(row):
    """Yield the lines of one name."""
    yield "``%s``" % row.name
    for first, last, what in _spans(row):
        span = "%s to %s" % (_number(first), _number(last))
        if first == last:
            span = _number(first)
        if last == RELEASES[-1]:
            span = _number(first) + " on"
        if (first, last) == (RELEASES[0], RELEASES[-1]):
            span = "everywhere"
        yield "    - %s: %s" % (span, what)
    if row.python2:
        yield "    - on Python 2: ``%s``" % row.python2
    if row.instead:
        yield "    - else: %s" % row.instead
    if row.needs:
        yield "    - needs: %s" % row.needs.replace(" ", " or ")
    yield ""


def render():
    """Return the whole text."""
    rows = [each for row in MOVES for each in (row,) + tuple(row.old)]
    lines = [
        line
        for row in sorted(rows, key=lambda row: row.name.lower())
        for line in _lines(row)
    ]
    return HEAD + u"\n".join(lines)


if __name__ == "__main__":
    path = os.path.join(HERE, "moved-names.rst")
    with io.open(path, "w", encoding="utf-8", newline="\n") as file:
        file.write(render())
