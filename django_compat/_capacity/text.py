"""Format what ``collect`` returns as plain text in columns, for terminals."""

from __future__ import absolute_import

import textwrap

from django_compat._db.escapes import clip, printable

__all__ = ["WIDTH", "render", "table"]

WIDTH = 100
_HOLDER_TITLES = ("sessions", "longest idle", "account", "host", "program", "state")
# The roles of Django's palette for each kind of text. The last role of a row is in the
# palette of every Django.
_ROLES = {
    "title": ("MIGRATE_HEADING", "SQL_TABLE"),
    "ERROR": ("ERROR",),
    "WARNING": ("WARNING", "NOTICE"),
    "INFO": ("NOTICE",),
    "well": ("SUCCESS", "SQL_FIELD"),
}


def render(databases, style=None):
    """Return what ``collect`` returned as lines of text, in the colours of a style."""
    lines = []
    for facts in databases:
        lines += [_paint(style, "title", _title(facts))] + table(_rows(facts))
        lines += _verdict(facts, style)
        if facts.get("holders"):
            rows = [_HOLDER_TITLES] + [_holder_row(h) for h in facts["holders"]]
            lines += [""] + table(rows)
        lines.append("")
    return lines[:-1]


def table(rows, indent=2):
    """Return aligned lines; the last column is wrapped to fit ``WIDTH`` characters.

    Whatever a terminal would obey is escaped.
    """
    rows = [tuple(map(printable, row)) for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows)][:-1]
    lines = []
    for row in rows:
        head = " " * indent + "".join("%-*s  " % cell for cell in zip(widths, row))
        options = {"initial_indent": head, "subsequent_indent": " " * len(head)}
        wrapped = textwrap.wrap(row[-1], WIDTH, break_on_hyphens=False, **options)
        lines += wrapped or [head.rstrip()]
    return lines


def _paint(style, kind, text):
    text = printable(text)
    for role in _ROLES[kind]:
        paint = getattr(style, role, None)
        if paint is not None:
            return paint(text)
    return text


def _title(facts):
    if facts["error"]:
        return facts["alias"]
    title = u"%(alias)s: %(server)s" % facts
    title += "" if _is_unknown(facts["version"]) else " " + clip(facts["version"], 40)
    return title + (", through %(proxy)s" % facts if facts["proxy"] else "")


def _rows(facts):
    """Return the rows of settings, demand and limits."""
    settings, demand = facts["settings"], facts["demand"]
    if settings is None:  # wrong settings: the error is all that is known
        return []
    age, pool = settings["CONN_MAX_AGE"], settings["pool"]
    rows = [
        ("CONN_MAX_AGE", "None, no limit" if age is None else "%s s" % age),
        ("CONN_MAX_IDLE", _figure(settings["CONN_MAX_IDLE"], " s")),
        ("health checks", "on" if settings["CONN_HEALTH_CHECKS"] else "off"),
        ("pool", "none" if pool is None else "at most %s connections a process" % pool),
    ]
    if facts["vendor"] == "sqlite":
        return rows[:3] + [("server", "none: SQLite runs in this process")]
    if not facts["error"]:
        name, text = facts["idle_timeout_name"], _figure(facts["idle_timeout"], " s")
        rows.append(("idle time-out", "%s (%s)" % (text, name) if name else text))
    rows.append(("demand", demand["arithmetic"]))
    counts = ("processes", "threads", "hosts")
    sources = ["%s: %s" % (name, demand[name]["source"]) for name in counts]
    rows.append(("", ", ".join(sources)))
    if facts["error"]:
        return rows
    rows += [_limit_row(limit, facts) for limit in facts["limits"]]
    text = "%s, this report's session included" % _figure(facts["in_use"])
    if not _is_unknown(facts["highest"]):
        text += "; at most %(highest)s since the server started" % facts
    return rows + [("in use now", text)]


def _limit_row(limit, facts):
    """Return the row that compares a demand with a limit."""
    name, value, demand = limit["name"], limit["value"], limit["demand"]
    if limit["scope"] == "server" and facts["reserved"]:
        figures = _figure(facts["max_connections"]), _figure(facts["reserved"])
        name += " %s - %s reserved" % figures
    text = "%s (%s)" % (_figure(value), name)
    is_compared = value is not None and not _is_unknown(value)
    if is_compared and not _is_unknown(demand):
        text = "%s wanted, %s allowed (%s)" % (demand, value, name)
        if demand != facts["demand"]["total"]:
            text += ": " + limit["arithmetic"]
    return "limit of the " + limit["scope"], text


def _verdict(facts, style):
    """Return the lines of the error or of the findings."""
    if facts["error"]:
        return _paragraph(("ERROR",), facts["error"], "", style)
    if not facts["findings"]:
        return ["  " + _paint(style, "well", "No findings.")]
    lines = []
    for finding in facts["findings"]:
        head = finding["id"].rpartition(".")[2], finding["level"]
        lines += _paragraph(head, finding["message"], finding["hint"], style)
    return lines


def _paragraph(head, message, hint, style):
    """Return a message and a hint in one column, beside a head that ends in a level."""
    rows = [head + (message,)]
    if hint:
        rows.append(("",) * len(head) + (hint,))
    lines = table(rows)
    level = head[-1]
    lines[0] = lines[0].replace(level, _paint(style, level, level), 1)
    return lines


def _holder_row(holder):
    """Return a row of texts that are short enough for one line."""
    idle = "%(idle)s s" % holder if holder["state"].startswith("idle") else "-"
    names = [clip(holder[name], 20) for name in ("account", "host", "program")]
    state = clip(holder["state"], 40)
    return ("%(sessions)s" % holder, idle) + tuple(names) + (state,)


def _figure(value, unit=""):
    if _is_unknown(value):
        return "unknown: " + value["unknown"]
    return "no limit" if value is None else "%s%s" % (value, unit)


def _is_unknown(value):
    return isinstance(value, dict)
