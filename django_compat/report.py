"""What ``python -m django_compat`` finds: the names, and what became of connections."""

from __future__ import absolute_import

import platform
import re
import sys
import time
from contextlib import closing

import django
import six
from django.db import DatabaseError, connections

from django_compat._versions import clock

__all__ = ["collect"]

PATIENCE = 2  # the longest CONN_MAX_AGE that is worth waiting for, in seconds
JOBS = ("Job 1: a query", "Job 2: a query that fails", "Job 3: a query, then idle")
NO_IDLE = " for no time (no connection has a CONN_MAX_AGE up to %d s)" % PATIENCE


def collect(surface, aliases, where):
    """Return all there is to tell, as a dict that JSON can hold.

    ``surface`` is the package with the public names, ``aliases`` are those to run the
    jobs on, ``where`` says whose they are. Everything is closed at the end.
    """
    jobs = _run_jobs(surface.close_old_connections, aliases)
    surface.close_all_connections()
    left_open = [a for a in aliases if connections[a].connection is not None]
    return {
        "versions": {
            "django": django.get_version(),
            "django_compat": surface.__version__,
            "python": platform.python_version(),
        },
        "drivers": dict((alias, _driver(connections[alias])) for alias in aliases),
        "names": [_name(surface, name) for name in sorted(surface._NAMES, key=_order)],
        "where": where,
        "aliases": aliases,
        "jobs": jobs,
        "left_open": left_open,
        "ok": not left_open
        and not any(job["errors"] for job in jobs)
        and all(result["ok"] for job in jobs for result in job["connections"]),
    }


def _driver(connection):
    """Return the name and version of the driver that a connection uses."""
    # A project's own backend inherits it.
    modules = [sys.modules[found.__module__] for found in type(connection).__mro__]
    drivers = [module.Database for module in modules if hasattr(module, "Database")]
    if not drivers:
        return "unknown"
    driver, name = drivers[0], drivers[0].__name__.split(".")[0]
    if hasattr(driver, "sqlite_version"):
        return "%s, SQLite %s" % (name, driver.sqlite_version)
    # mysqlclient 2 has but (2, 3, 1, "final", 0).
    parts = map(str, getattr(driver, "version_info", ("of unknown version",))[:3])
    return "%s %s" % (name, getattr(driver, "__version__", ".".join(parts)).split()[0])


def _order(name):
    """Sort by name, then by the release in it: 19, 110, 20, 2028."""
    number = "".join(re.findall(r"\d", name))
    release = (len(number) > 3, number[:1], int(number[1:] or 0))
    return re.sub(r"\d", "", name).lower(), release


def _name(surface, name):
    row = surface._NAMES[name]
    facts = {"name": name, "kind": "missing", "place": None, "instead": row.instead}
    for fact in ("since", "deprecated"):
        release = getattr(row, fact)
        facts[fact] = release and ".".join(map(str, release))
    if row.is_available():
        found = getattr(surface, name)
        facts["kind"] = "django" if found.__module__.startswith("django.") else "ours"
        facts["place"] = "%s.%s" % (found.__module__, found.__name__)
    return facts


def _run_jobs(close_old_connections, aliases):
    """Run the jobs as a worker does; tell what became of each connection, and why."""
    last_raw, refused, jobs = dict.fromkeys(aliases), set(), []
    for title in JOBS:
        job = {"title": title, "errors": [], "connections": []}
        jobs.append(job)
        is_to_fail = title == JOBS[1]
        _close_old(close_old_connections, job["errors"])
        for alias in aliases:
            result = {"alias": alias, "query": "skipped", "detail": "it cannot connect"}
            job["connections"].append(result)
            if alias in refused:
                continue
            connection = connections[alias]
            result["query"], result["detail"] = _query(connection, is_to_fail)
            raw, last_raw[alias] = last_raw[alias], connection.connection
            if connection.connection is None:
                refused.add(alias)
            elif result["query"] == "done":
                which = "the same" if connection.connection is raw else "a new"
                result["detail"] = "on %s connection" % which
        if title == JOBS[2]:
            seconds = job["idle"] = _idle(aliases)
            job["title"] += " for %.2f s" % seconds if seconds else NO_IDLE
        states = [_state(connections[alias]) for alias in aliases]
        _close_old(close_old_connections, job["errors"])
        for result, state in zip(job["connections"], states):
            facts = _explain(connections[result["alias"]], *state)
            result["connection"], result["reason"], result["why"] = facts
            result["ok"] = result["query"] in ("done", "failed as meant")
    return jobs


def _close_old(close_old_connections, errors):
    try:
        close_old_connections()
    except Exception as error:  # on Django 1.4 and 1.5 it may be the driver's own
        errors.append("close_old_connections() raised " + _message(error))


def _query(connection, is_to_fail):
    """Run one query; return what came of it, and the error."""
    is_open = False
    try:
        with closing(connection.cursor()) as cursor:
            is_open = True
            # For MySQL, Django 4.1 connects to find the suffix.
            sql = "SELECT 1" + getattr(connection.features, "bare_select_suffix", "")
            if is_to_fail:
                sql = "SELECT * FROM django_compat_no_such_table"
            cursor.execute(sql)
            cursor.fetchone()
    except Exception as error:  # on Django 1.4 and 1.5 it may be the driver's own
        is_meant = is_to_fail and is_open and isinstance(error, DatabaseError)
        return "failed as meant" if is_meant else "failed", _message(error)
    return ("failed", "without an error") if is_to_fail else ("done", "")


def _message(error):
    """Return the class and the text of an error, in one line."""
    message = " ".join(six.ensure_text(str(error), "utf-8", "replace").split())
    return u"%s: %s" % (type(error).__name__, message.split(" LINE 1: ")[0])


def _idle(aliases):
    """Wait until those with a short CONN_MAX_AGE are past it; return the seconds."""
    seconds = 0
    for connection in [connections[alias] for alias in aliases]:
        close_at = getattr(connection, "close_at", None)  # Django 1.4 and 1.5 have none
        if connection.connection is None or close_at is None:
            continue
        if 0 < connection.settings_dict["CONN_MAX_AGE"] <= PATIENCE:
            seconds = max(seconds, close_at - clock() + 0.05)
    time.sleep(seconds)
    return seconds


def _state(connection):
    """Return what close_old_connections decides by, apart from the age."""
    return (
        connection.connection,
        getattr(connection, "errors_occurred", False),
        getattr(connection, "autocommit", None),
    )


def _explain(connection, raw, errors_occurred, autocommit):
    """Return what became of a connection, and why by its state: a word and a text."""
    if raw is None:
        return "none", "not open", "it was not open"
    is_kept = connection.connection is raw
    result = "kept" if is_kept else "closed"
    if not hasattr(connection, "close_at"):
        return result, "all", "Django 1.4 and 1.5 close all and know no CONN_MAX_AGE"
    if not is_kept and autocommit != connection.settings_dict["AUTOCOMMIT"]:
        return result, "autocommit", "autocommit was not as the settings have it"
    if not is_kept and errors_occurred and connection.errors_occurred:
        return result, "error", "not usable after the error"
    # Django takes the mark off when it has asked and the connection was usable.
    note = "usable after the error; " if errors_occurred else ""
    max_age, close_at = connection.settings_dict["CONN_MAX_AGE"], connection.close_at
    left = None if close_at is None else close_at - clock()
    if not is_kept and (left is None or left > 0):
        return result, "unknown", note + "no reason is known"
    if left is None:
        return result, "age", note + "CONN_MAX_AGE is None, no age is too old"
    age = "%.2f s old, CONN_MAX_AGE is %s" % (max_age - left, max_age)
    return result, "age", note + age
