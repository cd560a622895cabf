"""Write docs/moved-names.rst from the table: ``python docs/moved_names.py``."""

from __future__ import absolute_import

import io
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.dirname(HERE))

from django_compat._names.table import MOVES  # noqa: E402
from django_compat.matrix import SERIES  # noqa: E402

RELEASES = [tuple(map(int, series.django.split("."))) for series in SERIES]
HEAD = u"""\
Moved names
===========

The object of each name on each Django: the place in Django that has the object; "ours"
where Django has none and django_compat has a backport; or an ``ImportError``. The error
and the warning end with the text of the line "instead". ``docs/moved_names.py`` writes
this page from ``django_compat/_names/table.py``.

"""


def _spans(row):
    """Return ``[first release, last release, text]`` for each run of the same text."""
    spans = []
    for release in RELEASES:
        text = _text(row, release)
        if spans and spans[-1][2] == text:
            spans[-1][1] = release
        else:
            spans.append([release, release, text])
    return spans


def _text(row, release):
    """Return the text of a name in a release: its place, ours, or ImportError."""
    place = row.place(release)
    if place is None and row.new:
        text = "``%s``" % row.new.name
    elif place is None:
        return "``ImportError``"
    elif place.startswith("django_compat."):
        text = "ours"
    else:
        text = "``%s``" % place
    return text + (", and warns" if row.is_gone(release) else "")


def _number(release):
    return "%d.%d" % release


def _lines(row):
    """Yield the lines of one name."""
    yield "``%s``" % row.name
    for first, last, text in _spans(row):
        span = "%s to %s" % (_number(first), _number(last))
        if first == last:
            span = _number(first)
        if last == RELEASES[-1]:
            span = _number(first) + " on"
        if (first, last) == (RELEASES[0], RELEASES[-1]):
            span = "everywhere"
        yield "    - %s: %s" % (span, text)
    if row.python2:
        yield "    - on Python 2: ``%s``" % row.python2
    if row.instead:
        yield "    - instead: %s" % row.instead.replace("://", "\\://")  # no link
    if row.note:
        yield "    - note: %s" % row.note
    if row.needs:
        yield "    - needs: %s" % row.needs.replace(" ", " or ")
    yield ""


def render():
    """Return the text of the page."""
    rows = [row for move in MOVES for row in (move,) + tuple(move.old)]
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
