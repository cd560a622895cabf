"""What each public name is here, and three jobs that show what closes a connection.

Import this module only after the settings exist: Django 1.4 and 1.5 read the settings
when ``django.db`` is imported.
"""

from __future__ import absolute_import

import platform
import re
import sys
import time
from contextlib import closing

import django
from django.db import DatabaseError, connections

from django_compat._capacity.collect import CONNECT_TIMEOUT
from django_compat._db.drivers import connect_options, driver_of
from django_compat._db.escapes import describe
from django_compat._db.versions import clock

__all__ = ["describe_names", "run_jobs"]

PATIENCE = 2  # the longest CONN_MAX_AGE, in seconds, that a job waits for
JOBS = ("Job 1: a query", "Job 2: a query that fails", "Job 3: a query, then idle")
NO_IDLE = " for no time (no connection has a CONN_MAX_AGE up to %d s)" % PATIENCE


def describe_names(surface, aliases):
    """Return versions, drivers and names, as for JSON; open nothing.

    ``surface`` is the package with the public names.
    """
    return {
        "versions": {
            "django": django.get_version(),
            "django_compat": surface.__version__,
            "python": platform.python_version(),
        },
        "drivers": dict((alias, _driver(connections[alias])) for alias in aliases),
        "names": [
            _describe_name(surface, name) for name in sorted(surface._NAMES, key=_order)
        ],
        "aliases": aliases,
    }


def run_jobs(surface, aliases, silent):
    """Run the jobs on ``aliases``; return the results, as for JSON.

    ``silent`` has the error of each alias whose server does not answer, and which would
    make the jobs wait for ever. Closes every connection at the end.
    """
    for connection in [connections[alias] for alias in aliases]:
        options = connect_options(connection, CONNECT_TIMEOUT)
        connection.settings_dict["OPTIONS"] = options
    jobs = _run_jobs(surface.close_old_connections, aliases, silent)
    surface.close_all_connections()
    left_open = [a for a in aliases if connections[a].connection is not None]
    return {
        "jobs": jobs,
        "left_open": left_open,
        "ok": not left_open
        and not any(job["errors"] for job in jobs)
        and all(result["ok"] for job in jobs for result in job["connections"]),
    }


def _driver(connection):
    """Return the name and version of the driver that a connection uses."""
    driver = driver_of(connection)
    if driver is None:
        return "unknown"
    name = driver.__name__.split(".")[0]
    if hasattr(driver, "sqlite_version"):
        return "%s, SQLite %s" % (name, driver.sqlite_version)
    # mysqlclient 2 has no __version__, only version_info: (2, 3, 1, "final", 0).
    parts = map(str, getattr(driver, "version_info", ("of unknown version",))[:3])
    return "%s %s" % (name, getattr(driver, "__version__", ".".join(parts)).split()[0])


def _order(name):
    """Sort by name, then by the release in the name: 19, 110, 20, 2028."""
    number = "".join(re.findall(r"\d", name))
    release = (len(number) > 3, number[:1], int(number[1:] or 0))
    return re.sub(r"\d", "", name).lower(), release


def _describe_name(surface, name):
    """Return a public name's kind (django, ours or missing), its place and its row."""
    row = surface._NAMES[name]
    facts = {"name": name, "kind": "missing", "place": None, "instead": row.instead}
    for fact in ("since", "deprecated"):
        release = getattr(row, fact)
        facts[fact] = release and ".".join(map(str, release))
    if row.is_available():
        place = facts["place"] = _place(row, getattr(surface, name))
        facts["kind"] = "django" if place.startswith("django.") else "ours"
    return facts


def _place(row, value):
    """Return the dotted place of the row from which a public name has its value."""
    for place in row.places:
        module, attribute = place.split(":")
        if getattr(sys.modules.get(module), attribute, None) is value:
            return "%s.%s" % (module, attribute)
    # The place is a factory, which made or found a class.
    return "%s.%s" % (value.__module__, value.__name__)


def _run_jobs(close_old_connections, aliases, silent):
    """Run the jobs as a worker does; return the fate of each connection, and why."""
    last_raws, unreachable, jobs = dict.fromkeys(aliases), set(), []
    for title in JOBS:
        job = {"title": title, "errors": [], "connections": []}
        jobs.append(job)
        is_to_fail = title == JOBS[1]
        _close_old(close_old_connections, job["errors"])
        for alias in aliases:
            result = {"alias": alias, "query": "skipped", "detail": "it cannot connect"}
            job["connections"].append(result)
            if alias in unreachable:
                continue
            connection = connections[alias]
            outcome = silent.get(alias) and ("failed", silent[alias])
            outcome = outcome or _query(connection, is_to_fail)
            result["query"], result["detail"] = outcome
            last_raw, last_raws[alias] = last_raws[alias], connection.connection
            if connection.connection is None:
                unreachable.add(alias)
            elif result["query"] == "done":
                which = "the same" if connection.connection is last_raw else "a new"
                result["detail"] = "on %s connection" % which
        if title == JOBS[2]:
            seconds = job["idle"] = _idle(aliases)
            job["title"] += " for %.2f s" % seconds if seconds else NO_IDLE
        states = [_state(connections[alias]) for alias in aliases]
        _close_old(close_old_connections, job["errors"])
        for result, state in zip(job["connections"], states):
            fate = _explain(connections[result["alias"]], *state)
            result["connection"], result["reason"], result["why"] = fate
            result["ok"] = result["query"] in ("done", "failed as meant")
    return jobs


def _close_old(close_old_connections, errors):
    try:
        close_old_connections()
    except Exception as error:  # a backend's bug; until Django 1.5 a driver's error
        errors.append("close_old_connections() raised " + describe(error))


def _query(connection, is_to_fail):
    """Run one query; return its outcome, and the error."""
    is_open = False
    try:
        with closing(connection.cursor()) as cursor:
            is_open = True
            # Only after cursor(): Django 4.1 asks MySQL for the suffix.
            sql = "SELECT 1" + getattr(connection.features, "bare_select_suffix", "")
            if is_to_fail:
                sql = "SELECT * FROM django_compat_no_such_table"
            cursor.execute(sql)
            cursor.fetchone()
    except Exception as error:  # Django 1.4 and 1.5 let a driver's own class through
        is_meant = is_to_fail and is_open and isinstance(error, DatabaseError)
        text = describe(error, connection.settings_dict.get("PASSWORD"))
        return "failed as meant" if is_meant else "failed", text.split(" LINE 1: ")[0]
    return ("failed", "without an error") if is_to_fail else ("done", "")


def _idle(aliases):
    """Wait until each connection with a short CONN_MAX_AGE is too old; return seconds.

    A CONN_MAX_AGE above PATIENCE is not waited for.
    """
    seconds = 0
    for connection in [connections[alias] for alias in aliases]:
        close_at = getattr(connection, "close_at", None)  # Django 1.6+
        if connection.connection is None or close_at is None:
            continue
        if 0 < connection.settings_dict["CONN_MAX_AGE"] <= PATIENCE:
            seconds = max(seconds, close_at - clock() + 0.05)
    time.sleep(seconds)
    return seconds


def _state(connection):
    """Return the facts by which close_old_connections decides, apart from the age."""
    return (
        connection.connection,
        getattr(connection, "errors_occurred", False),
        getattr(connection, "autocommit", None),
    )


def _explain(connection, raw, errors_occurred, autocommit):
    """Return the fate of a connection, the reason as one word, and as a sentence.

    ``raw``, ``errors_occurred`` and ``autocommit`` are the state of the connection
    before close_old_connections.
    """
    if raw is None:
        return "none", "not open", "it was not open"
    is_kept = connection.connection is raw
    fate = "kept" if is_kept else "closed"
    if not hasattr(connection, "close_at"):
        return fate, "all", "Django 1.4 and 1.5 close all and know no CONN_MAX_AGE"
    if not is_kept and autocommit != connection.settings_dict["AUTOCOMMIT"]:
        return fate, "autocommit", "autocommit was not as the settings have it"
    if not is_kept and errors_occurred and connection.errors_occurred:
        return fate, "error", "not usable after the error"
    # Django resets errors_occurred after is_usable() said yes.
    note = "usable after the error; " if errors_occurred else ""
    max_age, close_at = connection.settings_dict["CONN_MAX_AGE"], connection.close_at
    left = None if close_at is None else close_at - clock()
    if not is_kept and (left is None or left > 0):
        return fate, "unknown", note + "no reason is known"
    if left is None:
        return fate, "age", note + "CONN_MAX_AGE is None, no age is too old"
    age = "%.2f s old, CONN_MAX_AGE is %s" % (max_age - left, max_age)
    return fate, "age", note + age
