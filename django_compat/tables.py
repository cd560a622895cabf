"""Plain text in columns, for terminals."""

from __future__ import absolute_import

import re
import textwrap
from collections import OrderedDict

import six

__all__ = ["WIDTH", "clip", "name_rows", "table"]

WIDTH = 100
KINDS = {"django": "Django's own", "ours": "ours", "missing": "not to be had"}


def table(rows, indent=2):
    """Return aligned lines; the last column is wrapped to fit ``WIDTH`` characters."""
    widths = [max(map(len, column)) for column in zip(*rows)][:-1]
    lines = []
    for row in rows:
        head = " " * indent + "".join("%-*s  " % cell for cell in zip(widths, row))
        options = {"initial_indent": head, "subsequent_indent": " " * len(head)}
        found = textwrap.wrap(row[-1], WIDTH, break_on_hyphens=False, **options)
        lines += found or [head.rstrip()]
    return lines


def clip(text, width):
    """Return a text in one line, cut at so many characters."""
    text = " ".join(six.ensure_text(text, "utf-8", "replace").split())
    return text if len(text) <= width else text[: width - 3] + "..."


def name_rows(names):
    """Return a row for each name, and one for all that differ in a release only."""
    rows = OrderedDict()
    for facts in names:
        where = "from Django %(since)s on; else %(instead)s" % facts
        place = facts["place"] or (where if facts["since"] else facts["instead"])
        if facts["deprecated"]:
            place += ", deprecated since Django " + facts["deprecated"]
        releases = re.findall(r"\d+", facts["name"])
        if releases:
            place = re.sub(r"\d+", "NN", place) + ", NN:"
        row = (re.sub(r"\d+", "NN", facts["name"]), KINDS[facts["kind"]], place)
        rows.setdefault(row, []).extend(releases)
    return [row[:2] + (" ".join([row[2]] + rows[row]),) for row in rows]
