"""What each alias wants of its server, what it gets, and what is to be said of it."""

from __future__ import absolute_import

from contextlib import closing, contextmanager

from django.db import connections

from django_compat.closing import close
from django_compat.demand import demand
from django_compat.findings import findings
from django_compat.holders import read_holders
from django_compat.limits import Unknown, read_limits
from django_compat.policies import policy
from django_compat.tables import clip, table

__all__ = ["collect", "render"]

COUNTS = ("processes", "threads", "hosts")
FIGURES = "allowed highest idle_timeout in_use max_connections reserved version".split()
HOLDERS = [("sessions", "longest idle", "account", "host", "program", "state")]
ROLES = {  # of Django's palette, with one that each Django has for its older ones
    "title": ("MIGRATE_HEADING", "SQL_TABLE"),
    "ERROR": ("ERROR",),
    "WARNING": ("WARNING", "NOTICE"),
    "INFO": ("NOTICE",),
    "well": ("SUCCESS", "SQL_FIELD"),
}


def collect(aliases, with_holders=False, **counts):
    """Return a dict that JSON can hold for each alias.

    ``counts`` are the ``processes``, ``threads`` and ``hosts`` that ``demand`` takes.
    For each alias a connection of its own is opened, used for some reading statements,
    and closed: those of this process are left alone, and so are its pools. An alias
    whose server does not answer has an ``error`` and no figures of it. ``ValueError``
    and ``ImproperlyConfigured`` for bad counts and settings.

    .. versionadded:: 1.0
    """
    return [_collect(connections[alias], with_holders, counts) for alias in aliases]


def _collect(connection, with_holders, counts):
    kept = policy(connection)
    wanted = demand(connection.alias, **counts)
    facts = {"alias": connection.alias, "vendor": connection.vendor, "error": None}
    facts["settings"] = {
        "CONN_HEALTH_CHECKS": kept.health_checks,
        "CONN_MAX_AGE": kept.max_age,
        "CONN_MAX_IDLE": kept.max_idle,
        "pool": kept.pool_size,
    }
    facts["demand"] = {"total": _plain(wanted.total), "arithmetic": wanted.arithmetic}
    facts["demand"]["aliases"] = list(wanted.aliases)
    for name in COUNTS:
        value, source = getattr(wanted, name)
        facts["demand"][name] = {"value": _plain(value), "source": source}
    try:
        with _opened(connection) as own:
            limits = read_limits(own)
            facts["holders"] = None
            if with_holders:
                facts["holders"] = [dict(h._asdict()) for h in read_holders(own)]
    except Exception as error:  # until Django 1.5 it may be the driver's own
        text = clip(str(error) or repr(error), 2000)
        facts["error"] = "%s: %s" % (type(error).__name__, text)
        return facts
    for name in FIGURES + ["idle_timeout_name", "proxy", "server"]:
        facts[name] = _plain(getattr(limits, name))
    facts["limits"] = []
    for scope, name, value in limits.limits:
        limit = {"scope": scope, "name": name, "value": _plain(value)}
        limit["arithmetic"] = wanted.explain(scope)
        facts["limits"].append(dict(limit, demand=_plain(wanted.of(scope))))
    facts["findings"] = [
        {"id": each.id, "level": each.level, "message": each.message, "hint": each.hint}
        for each in findings(kept, limits, wanted)
    ]
    return facts


@contextmanager
def _opened(connection):
    """Give another connection of the same settings, without the pool, and close it."""
    options = dict(connection.settings_dict.get("OPTIONS") or {})
    options.pop("pool", None)
    settings = dict(connection.settings_dict, OPTIONS=options)
    own = type(connection)(settings, connection.alias)
    try:
        with closing(own.cursor()):  # a server that is down is told by its own error
            pass
        yield own
    finally:
        close(own)


def _plain(value):
    return {"unknown": value.reason} if isinstance(value, Unknown) else value


def _is_unknown(value):
    return isinstance(value, dict)


def _show(value, unit=""):
    if _is_unknown(value):
        return "unknown: " + value["unknown"]
    return "no limit" if value is None else "%s%s" % (value, unit)


def render(facts, style=None):
    """Return what ``collect`` found as lines of text, in the colours of a style.

    .. versionadded:: 1.0
    """
    lines = []
    for each in facts:
        lines += [_paint(style, "title", _title(each))] + table(_rows(each))
        if each["error"]:
            found = [("", "ERROR", each["error"], "")]
        else:
            names = ("id", "level", "message", "hint")
            found = [[finding[name] for name in names] for finding in each["findings"]]
        for name, level, message, hint in found:
            head = (name.rpartition(".")[2], level) if name else (level,)
            rows = [head + (message,), ("",) * len(head) + (hint,)]
            told = table(rows[: 2 if hint else 1])
            told[0] = told[0].replace(level, _paint(style, level, level), 1)
            lines += told
        if not found:
            lines.append("  " + _paint(style, "well", "No finding."))
        if each.get("holders"):
            lines += [""] + table(HOLDERS + [_holder(h) for h in each["holders"]])
        lines.append("")
    return lines[:-1]


def _paint(style, role, text):
    for name in ROLES[role]:
        paint = getattr(style, name, None)
        if paint is not None:
            return paint(text)
    return text


def _title(facts):
    if facts["error"]:
        return facts["alias"]
    title = "%(alias)s: %(server)s" % facts
    title += "" if _is_unknown(facts["version"]) else " %(version)s" % facts
    return title + (", through %(proxy)s" % facts if facts["proxy"] else "")


def _rows(facts):
    kept, wanted = facts["settings"], facts["demand"]
    age, pool = kept["CONN_MAX_AGE"], kept["pool"]
    rows = [
        ("CONN_MAX_AGE", "None, no limit" if age is None else "%s s" % age),
        ("CONN_MAX_IDLE", _show(kept["CONN_MAX_IDLE"], " s")),
        ("health checks", "on" if kept["CONN_HEALTH_CHECKS"] else "off"),
        ("pool", "none" if pool is None else "at most %s a process" % pool),
    ]
    if facts["vendor"] == "sqlite":
        return rows[:3] + [("server", "none, the database is in this process")]
    if not facts["error"]:
        name, text = facts["idle_timeout_name"], _show(facts["idle_timeout"], " s")
        rows.append(("idle time-out", "%s (%s)" % (text, name) if name else text))
    rows.append(("demand", wanted["arithmetic"]))
    sources = ["%s: %s" % (name, wanted[name]["source"]) for name in COUNTS]
    rows.append(("", ", ".join(sources)))
    if facts["error"]:
        return rows
    rows += [_limit(limit, facts) for limit in facts["limits"]]
    text = "%s, ours included" % _show(facts["in_use"])
    if not _is_unknown(facts["highest"]):
        text += "; at most %(highest)s since the server started" % facts
    return rows + [("in use now", text)]


def _limit(limit, facts):
    """Return the row that holds a demand against what there is."""
    name, value, wanted = limit["name"], limit["value"], limit["demand"]
    if limit["scope"] == "server" and facts["reserved"]:
        figures = _show(facts["max_connections"]), _show(facts["reserved"])
        name += " %s - %s reserved" % figures
    text = "%s (%s)" % (_show(value), name)
    if value is not None and not _is_unknown(wanted):
        text = "%s of %s" % (wanted, text)
        if wanted != facts["demand"]["total"]:
            text += ": " + limit["arithmetic"]
    return "of the " + limit["scope"], text


def _holder(holder):
    """Return a row of texts that fit in a line."""
    idle = "%(idle)s s" % holder if holder["state"].startswith("idle") else "-"
    names = [clip(holder[name], 20) for name in ("account", "host", "program")]
    return ("%(sessions)s" % holder, idle) + tuple(names) + (holder["state"],)
