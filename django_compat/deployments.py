"""The processes and threads that a server's configuration file asks for.

What the options of uWSGI mean is read from its 2.0.31 (``core/uwsgi.c``, ``ini.c``,
``yaml.c``, ``json.c``), those of gunicorn from its 19.10 to 27.0 (``config.py``).
"""

from __future__ import absolute_import

import io
import json
import os
import re
from collections import OrderedDict, namedtuple
from multiprocessing import cpu_count

from django_compat.expressions import Unknown, assignments

__all__ = ["BadDeployment", "Deployment", "read_deployment"]

Deployment = namedtuple("Deployment", "server processes threads notes")

POSITIVE = "a whole number, 1 or more"
KINDS = "uWSGI's ini, yaml and json with a section 'uwsgi', and gunicorn's Python"

# uWSGI's names; of several the last one counts. An asynchronous core is a greenlet, and
# has a connection of its own.
_PROCESSES = ("processes", "workers", "p")
_THREADS = ("threads", "async", "gevent", "asyncio")
_RELEVANT = _PROCESSES + _THREADS + ("cheaper",)
# Whatever these bring may change what the file itself says.
_ELSEWHERE = set("emperor include inherit ini json xml yaml yml".split())
_NOT_COUNTED = "%s are not counted: one connection each, if they use the database"
_NOTES = dict.fromkeys(["mule", "mules"], _NOT_COUNTED % "mules")
_NOTES["spooler"] = _NOT_COUNTED % "spoolers"
_NOTES["enable-threads"] = "threads that the application starts are not counted"

# How many connections one of gunicorn's workers has: its option, None for one. "sync"
# is gthread as soon as there are 2 threads.
_WORKERS = dict.fromkeys(
    "eventlet gevent gevent_pywsgi gevent_wsgi geventlet ggevent".split(),
    "worker_connections",
)
_WORKERS.update(sync="threads", gthread="threads", tornado=None, gtornado=None)
_DEFAULTS = {"threads": 1, "worker_connections": 1000}


class BadDeployment(ValueError):
    """Say which file and option is wrong, its value, and what is allowed."""


def read_deployment(path, processes=None, threads=None):
    """Return the Deployment that a configuration file of uWSGI or gunicorn describes.

    uWSGI: ini, json, and of yaml the flat keys that uWSGI itself reads. gunicorn's
    Python is read and not run: numbers, arithmetic, the environment, ``cpu_count()``
    (of this machine), and names that were set to such. ``threads`` of the result are
    how many connections to one database a process can have: greenlets count, too.
    ``processes`` and ``threads``, when given, stand instead of what the file says. The
    notes are texts: what was not counted. Arguments of a command line are not known
    here, nor is ``GUNICORN_CMD_ARGS``.

    ``BadDeployment``, a ValueError, for a file that cannot be read, for a value that is
    no positive number, and for one that only the running server knows.

    .. versionadded:: 1.0
    """
    reader = _READERS.get(os.path.splitext(path)[1].lower(), _read_unknown)
    try:
        with io.open(path, encoding="utf-8") as stream:
            return reader(stream.read(), processes, threads)
    except (EnvironmentError, ValueError) as error:
        raise BadDeployment("%s: %s" % (path, error))


def _complain(key, value, allowed):
    raise BadDeployment("%s is %s: it must be %s" % (key, value, allowed))


def _read_unknown(text, processes, threads):
    if re.search(r"^\s*\[uwsgi\]", text, re.MULTILINE):
        return _read_ini(text, processes, threads)
    if re.search(r"^uwsgi\s*:", text, re.MULTILINE):
        return _read_yaml(text, processes, threads)
    return _read_gunicorn(text, processes, threads)


def _read_ini(text, processes, threads):
    options, section = [], None
    for line in [line.strip() for line in text.splitlines()]:
        if line.startswith("["):
            section = line[1:-1]
        elif section == "uwsgi" and line and line[0] not in ";#":
            key, _, value = line.partition("=")
            options.append((key.strip(), value.strip()))
    return _uwsgi(options, processes, threads)


def _read_yaml(text, processes, threads):
    options, section = [], None
    for line in [line.partition("#")[0].rstrip() for line in text.splitlines()]:
        key, _, value = line.partition(":")
        if line and line[0] not in " \t":
            section = key.strip()
        elif section == "uwsgi":
            options.append((key.strip(), value.strip().strip("'\"")))
    return _uwsgi(options, processes, threads)


def _read_json(text, processes, threads):
    found = json.loads(text, object_pairs_hook=OrderedDict)
    section, options = found.get("uwsgi") if isinstance(found, dict) else None, []
    for key, value in section.items() if isinstance(section, dict) else ():
        for each in value if isinstance(value, list) else [value]:
            options.append((key, "%s" % each))
    return _uwsgi(options, processes, threads)


def _uwsgi(options, processes, threads):
    if not options:
        raise BadDeployment("no section 'uwsgi' with options; allowed are " + KINDS)
    found, notes, condition = {}, set(), None
    given = {"processes": processes, "threads": threads}
    for key, value in options:
        name = "processes" if key in _PROCESSES else key
        name = "threads" if key in _THREADS else name
        if key.startswith(("if-", "for")):
            condition = key
        elif key.startswith("end"):
            condition = None
        elif key in _ELSEWHERE and None in given.values():
            _complain(key, value, "absent: name the other file, or give the numbers")
        elif key in _RELEVANT and condition and given.get(name) is None:
            _complain(key, value, "outside of %s: only uWSGI knows it" % condition)
        elif key in _RELEVANT and given.get(name) is None:
            found[name] = _positive(key, _expand(value, dict(options)))
        elif key in _NOTES and value.lower() not in ("false", "0"):
            notes.add(_NOTES[key])
    counts = dict({"processes": 1, "threads": 1}, **found)
    counts.update((name, given[name]) for name in given if given[name] is not None)
    if "cheaper" in found:
        if found["cheaper"] >= counts["processes"]:
            allowed = "below processes, which is %d" % counts["processes"]
            _complain("cheaper", found["cheaper"], allowed)
        notes.add("cheaper runs from %(cheaper)d to %(processes)d of them" % counts)
    return Deployment("uWSGI", counts["processes"], counts["threads"], sorted(notes))


def _expand(value, options):
    """Put in what uWSGI puts in: processors, other options, the environment."""
    value = value.replace("%k", str(cpu_count()))
    for pattern, values in ((r"\$\((\w+)\)", os.environ), (r"%\(([\w-]+)\)", options)):
        value = re.sub(pattern, lambda m: values.get(m.group(1), m.group()), value)
    return value


def _positive(key, value):
    """Return a number, or the text of one with a comment behind it, as a number."""
    match = re.match(r"(\d+)(\s*[;#].*)?$", "%s" % (value,))
    if isinstance(value, bool) or not match or not int(match.group(1)):
        _complain(key, value, POSITIVE)
    return int(match.group(1))


def _read_gunicorn(text, processes, threads):
    try:
        settings = assignments(text)
    except ValueError as error:
        raise BadDeployment("%s; allowed are %s" % (error, KINDS))

    def find(key, default):
        value = settings.get(key, settings.get("*", default))
        if isinstance(value, Unknown):
            value = "set on line %d by code that is not run here" % value.line
            _complain(key, value, "made of numbers, cpu_count() and the environment")
        return value

    if processes is None:
        default = os.environ.get("WEB_CONCURRENCY", 1)
        processes = _positive("workers", find("workers", default))
    if threads is None:
        kind = "%s" % (find("worker_class", "sync"),)
        # Or by its class, gunicorn.workers.gthread.ThreadWorker.
        module = kind.split(".")[-2] if kind.startswith("gunicorn.workers.") else kind
        option = _WORKERS.get(module, "")
        if option == "":
            allowed = "%s; for another give the threads" % ", ".join(sorted(_WORKERS))
            _complain("worker_class", kind, allowed)
        threads = _positive(option, find(option, _DEFAULTS[option])) if option else 1
    return Deployment("gunicorn", processes, threads, [])


_READERS = {
    ".ini": _read_ini,
    ".json": _read_json,
    ".py": _read_gunicorn,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
}
