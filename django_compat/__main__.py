"""``python -m django_compat``: what the names are here, and three jobs that show it."""

from __future__ import absolute_import

import argparse
import json
import os
import shutil
import sys
import tempfile
from collections import OrderedDict
from importlib import import_module

import six

import django_compat
from django_compat.matrices import parse_arguments
from django_compat.tables import name_rows, table

ENGINE = "the name of a backend, such as 'django.db.backends.sqlite3'"


class BadUsage(Exception):
    """Say which setting or argument is wrong, its value, and what is allowed."""


def _describe(error):
    return "%s: %s" % (type(error).__name__, error)


def _read_settings(source, module):
    """Return the project's DATABASES; tell settings not found from those that fail."""
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    from django.conf import settings

    try:
        import_module(module)
        return settings.DATABASES  # Django checks them all
    except Exception as error:
        traceback, place = sys.exc_info()[2], None
        while traceback:
            code = traceback.tb_frame.f_code
            if code.co_name == "<module>":  # found, and running
                place = "line %d of %s" % (traceback.tb_lineno, code.co_filename)
            traceback = traceback.tb_next
        problem = "fails" + (" at %s" % place if place else "")
        if isinstance(error, ImportError) and not place:
            problem = "is not a module on --pythonpath, here, or elsewhere on sys.path"
        raise BadUsage("%s %s %s: %s" % (source, module, problem, _describe(error)))


def _check_databases(databases):
    """Return the aliases to run on, default first; values may hold passwords."""
    aliases = sorted(databases) if isinstance(databases, dict) else []
    if "default" not in aliases:
        raise BadUsage(
            "DATABASES is a %s with the aliases %s: it must be a dict with a "
            "'default', whose ENGINE is %s"
            % (type(databases).__name__, aliases, ENGINE)
        )
    if databases["default"] == {} and len(aliases) > 1:
        aliases.remove("default")  # Django's documentation has it so for the unused one
    for alias in aliases:
        complaint = "DATABASES[%r]%%s is %%r: it must be %%s" % alias
        if not isinstance(databases[alias], dict):
            raise BadUsage(complaint % ("", type(databases[alias]), "a dict"))
        engine, age = [databases[alias].get(key) for key in ("ENGINE", "CONN_MAX_AGE")]
        if not engine or engine == "django.db.backends.dummy":
            raise BadUsage(complaint % ("['ENGINE']", engine, ENGINE))
        is_number = isinstance(age, six.integer_types + (float,))
        is_number = is_number and not isinstance(age, bool)
        if age is not None and not (is_number and age >= 0):
            allowed = "None, or a number of seconds (int or float) that is not negative"
            raise BadUsage(complaint % ("['CONN_MAX_AGE']", age, allowed))
    return sorted(aliases, key=lambda alias: alias != "default")


def _configure(folder):
    """Give Django one SQLite file as its only database, and return its DATABASES."""
    from django.conf import settings

    database = {"ENGINE": "django.db.backends.sqlite3", "CONN_MAX_AGE": 0.5}
    databases = {"default": dict(database, NAME=os.path.join(folder, "embedded"))}
    settings.configure(DATABASES=databases, USE_TZ=True)
    return databases


def _set_up(where, databases, aliases):
    """Load the apps and the backends."""
    import django

    problem = "django.setup() fails for " + where
    try:
        getattr(django, "setup", bool)()  # Django 1.7+
        for alias in aliases:
            engine = databases[alias]["ENGINE"]
            problem = "DATABASES[%r]['ENGINE'], %r, cannot be loaded" % (alias, engine)
            # Django 1.4 and 1.5 load the default's with django.db itself.
            import_module("django.db").connections[alias]
    except Exception as error:
        raise BadUsage("%s: %s" % (problem, _describe(error)))


def _capacity(aliases):
    """Return what ``manage.py dbconnections`` tells."""
    try:
        return import_module("django_compat.capacity").collect(aliases)
    except Exception as error:  # a setting of ours, or a backend of nobody's
        raise BadUsage(_describe(error))


def _format(facts):
    """Return the facts as plain text."""
    lines = ["django_compat " + facts["versions"]["django_compat"]]
    rows = [(name, facts["versions"][name.lower()]) for name in ("Python", "Django")]
    rows += [("driver of " + a, facts["drivers"][a]) for a in facts["aliases"]]
    lines += table(rows) + ["", "Public names"] + table(name_rows(facts["names"]))
    lines += ["", "Jobs with close_old_connections() around each, on " + facts["where"]]
    failed = OrderedDict.fromkeys(facts["left_open"])
    for job in facts["jobs"]:
        lines += ["", job["title"]]
        rows = [("", "failed", error) for error in job["errors"]]
        failed.update((error.split()[0], None) for error in job["errors"])
        for result in job["connections"]:
            if not result["ok"]:
                failed[result["alias"]] = None
            rows.append((result["alias"], result["query"], result["detail"]))
            if result["connection"] != "none":
                rows.append(("", result["connection"], result["why"]))
        lines += table(rows)
    if facts["databases"]:
        render = import_module("django_compat.capacity").render  # Django is set up
        lines += ["", "What manage.py dbconnections shows", ""]
        lines += render(facts["databases"])
    verdict = "Failed: " + ", ".join(failed)
    return "\n".join(lines + ["", verdict if failed else "All is well, all is closed."])


def main(argv=None):
    """Run the command line and return the exit code: 0 well, 1 failed, 2 bad usage."""
    parser = argparse.ArgumentParser(
        prog="python -m django_compat",
        description="Show what each name of django_compat is on this Django, and run "
        "three jobs with close_old_connections() around them: on a SQLite file, or on "
        "every database of the project that --settings or DJANGO_SETTINGS_MODULE has.",
    )
    parser.add_argument("--settings", metavar="MODULE", help="the project's settings")
    parser.add_argument("--pythonpath", metavar="DIR", help="where to look for them")
    parser.add_argument("--json", action="store_true", help="one JSON document instead")
    arguments = parse_arguments(parser, argv)
    if arguments is None:
        return 0
    if arguments.pythonpath is not None:
        sys.path.insert(0, arguments.pythonpath)
    module = arguments.settings
    source = "DJANGO_SETTINGS_MODULE" if module is None else "--settings"
    module = os.environ.get(source) if module is None else module
    where = "every database of %s %s" % (source, module)
    folder = tempfile.mkdtemp(prefix="django_compat_")
    try:
        if module or arguments.settings is not None:
            databases = _read_settings(source, module)
        else:
            where, databases = "an embedded SQLite file", _configure(folder)
        aliases = _check_databases(databases)
        _set_up(where, databases, aliases)
        # Not before: Django 1.4 and 1.5 read the settings when django.db is imported.
        from django_compat import report

        facts = report.collect(django_compat, aliases, where)
        facts["databases"] = _capacity(aliases) if module else []
    except BadUsage as error:
        parser.error(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    as_json = arguments.json and json.dumps(facts, indent=2, sort_keys=True)
    encoding = sys.stdout.encoding or "utf-8"
    stdout = getattr(sys.stdout, "buffer", sys.stdout)
    stdout.write(((as_json or _format(facts)) + u"\n").encode(encoding, "replace"))
    return 0 if facts["ok"] else 1


if __name__ == "__main__":
    sys.exit(main())
