"""Plain text in columns, for terminals."""

from __future__ import absolute_import

import textwrap

import six

__all__ = ["WIDTH", "clip", "table"]

WIDTH = 100


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
