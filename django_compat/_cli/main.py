"""``python -m django_compat``: parse the command line, run the command, print."""

from __future__ import absolute_import

import argparse
import os
import re
import shutil
import sys
import tempfile
from collections import OrderedDict
from importlib import import_module

import django_compat
from django_compat._capacity.text import render, table
from django_compat._cli import matrix
from django_compat._cli.output import Output, is_unheard, to_json
from django_compat._cli.settings import (
    BadUsage,
    check_databases,
    configure,
    find_wrong,
    forget,
    read_databases,
    set_up,
)
from django_compat._db.escapes import describe, escape, printable
from django_compat.matrix import DATE, SERIES

__all__ = ["main"]

# Each reads sources, and has a parser of its own. Only Python 3.10 and newer have the
# lines and columns that these commands need.
READERS = ("audit", "adopt", "retire")
KINDS = {"django": "Django's own", "ours": "ours", "missing": "not available"}


def main(argv=None):
    """Run the command line and return the exit code: 0 well, 1 failed, 2 bad usage."""
    parser, output = _make_parser(), Output(sys.stdout)
    try:
        try:
            return _run(parser, argv, output)
        finally:
            output.flush()  # argparse leaves it to Python, which would show a traceback
    except EnvironmentError as error:
        if is_unheard(error):  # argparse's help, cut short
            return 0
        # A full disk.
        parser.exit(1, "%s: error: %s\n" % (parser.prog, escape(describe(error))))


def _run(parser, argv, output):
    """Run the command, and return the exit code."""
    argv = sys.argv[1:] if argv is None else argv
    if argv and argv[0] in READERS:
        return _run_reader(parser, argv, output)
    arguments = parser.parse_args(argv)
    _check_options(parser, arguments)
    if arguments.command == "matrix":
        return _run_matrix(parser, arguments, output)
    return _run_doctor(parser, arguments, output)


def _run_reader(parser, argv, output):
    """Run a command that reads sources."""
    if sys.version_info < (3, 10):
        version = ".".join(map(str, sys.version_info[:2]))
        parser.error("%s needs Python 3.10 or newer, this is %s" % (argv[0], version))
    return import_module("django_compat._cli." + argv[0]).run(argv[1:], output)


def _make_parser():
    parser = argparse.ArgumentParser(
        prog="python -m django_compat",
        description="Show what each name of django_compat is on this Django, and run "
        "three jobs with close_old_connections() around them: on a SQLite file, or on "
        "every database of the project that --settings or DJANGO_SETTINGS_MODULE has.",
        epilog="Commands that read sources have a help of their own: "
        + ", ".join("%s -h" % name for name in READERS),
    )
    parser.add_argument("--settings", metavar="MODULE", help="the project's settings")
    parser.add_argument("--pythonpath", metavar="DIR", help="a folder for sys.path")
    parser.add_argument("--json", action="store_true", help="print one JSON document")
    # Not a subparser: on Python 2.7 argparse requires a command if it has subparsers.
    parser.add_argument(
        "command", nargs="?", choices=["matrix"], help="print the pairs of a range"
    )
    group = parser.add_argument_group("with matrix")
    group.add_argument("--django", metavar="RANGE", help="such as '>=3.2,<5'")
    group.add_argument("--python", metavar="RANGE", help="such as '>=3.8'")
    formats = sorted(matrix.FORMATS)
    group.add_argument("--format", choices=formats, help="default: table")
    return parser


def _check_options(parser, arguments):
    """Exit with code 2 if an option does not go with the command."""
    for name in ("django", "python", "format", "json", "settings", "pythonpath"):
        goes_with_matrix = name in ("django", "python", "format")
        value = getattr(arguments, name)
        if value not in (None, False) and goes_with_matrix != bool(arguments.command):
            text = "--%s goes %s the command matrix"
            parser.error(text % (name, "with" if goes_with_matrix else "without"))


def _run_matrix(parser, arguments, output):
    """Print the pairs in the ranges; warn of a Django that matrix.py does not know."""
    try:
        rows = matrix.select(arguments.django, arguments.python)
    except matrix.BadRange as error:
        parser.error(escape(error))
    unknown = matrix.unknown_releases(arguments.django or "")
    if unknown:
        text = "Django %s: not known here, only %s to %s are\n"
        ends = (SERIES[0].first, SERIES[-1].last)
        sys.stderr.write(text % ((", ".join(unknown),) + ends))
    text = matrix.FORMATS[arguments.format or "table"](rows) + "\n"
    date = "What Django declared on %s\n" % DATE
    if arguments.format in ("github", "json"):  # the output is for a machine
        sys.stderr.write(date)
        date = ""
    is_tox = arguments.format == "tox"
    output.write("# " + date + text if is_tox else text + date)
    return 0


def _run_doctor(parser, arguments, output):
    """Run the jobs and print the facts, as text or as JSON."""
    if arguments.pythonpath is not None:
        sys.path.insert(0, arguments.pythonpath)
    module = arguments.settings
    source = "DJANGO_SETTINGS_MODULE" if module is None else "--settings"
    module = os.environ.get(source) if module is None else module
    where = "every database of %s %s" % (source, module)
    folder = tempfile.mkdtemp(prefix="django_compat_")
    try:
        if module or arguments.settings is not None:
            databases = read_databases(source, module)
        else:
            where, databases = "an embedded SQLite file", configure(folder)
        aliases, wrong = check_databases(databases), find_wrong(databases)
        forget(databases, wrong)
        wrong.update(set_up(where, databases, aliases))
        forget(databases, wrong)
        aliases = [alias for alias in aliases if alias not in wrong]
        # Only now: Django 1.4 and 1.5 read the settings when django.db is imported.
        from django_compat._capacity.collect import collect
        from django_compat._cli import doctor

        capacity = list(collect(aliases)) if module else []
        errors = [(facts["error"] or "") for facts in capacity]
        silent = dict(
            (alias, error)
            for alias, error in zip(aliases, errors)
            if error.startswith("NoAnswer:")
        )
        facts = doctor.describe_names(django_compat, aliases)
        if not arguments.json:  # a reader has the names while the jobs run
            output.write(format_names(facts) + "\n")
        facts.update(doctor.run_jobs(django_compat, aliases, silent))
        facts.update(databases=capacity, where=where)
        wrong = dict((printable(alias), wrong[alias]) for alias in wrong)
        for report in capacity:
            if report["settings"] is None:
                wrong[report["alias"]] = report["error"]
        facts.update(wrong=wrong, ok=facts["ok"] and not wrong)
    except BadUsage as error:
        parser.error(str(error))
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    output.write((to_json if arguments.json else format_jobs)(facts) + "\n")
    return 0 if facts["ok"] else 1


def format_names(facts):
    """Return the facts of ``doctor.describe_names`` as plain text."""
    lines = ["django_compat " + facts["versions"]["django_compat"]]
    rows = [(name, facts["versions"][name.lower()]) for name in ("Python", "Django")]
    rows += [
        ("driver of " + alias, facts["drivers"][alias]) for alias in facts["aliases"]
    ]
    lines += table(rows) + ["", "Public names"] + table(_name_rows(facts["names"]))
    return "\n".join(lines)


def format_jobs(facts):
    """Return the results of ``doctor.run_jobs``, and the verdict, as plain text."""
    where = printable(facts["where"])
    lines = ["", "Jobs with close_old_connections() around each, on " + where]
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
        lines += ["", "What manage.py dbconnections shows", ""]
        lines += render(facts["databases"])
    if facts["wrong"]:
        rows = sorted(facts["wrong"].items())
        lines += ["", "Wrong settings"] + table(rows)
        failed.update(dict.fromkeys(facts["wrong"]))
    verdict = "Failed: " + ", ".join(map(printable, failed))
    return "\n".join(lines + ["", verdict if failed else "All is well, all is closed."])


def _name_rows(names):
    """Return a row for each name; collapse the RemovedInDjangoNN names into one row."""
    releases_by_row = OrderedDict()
    for facts in names:
        advice = "from Django %(since)s on; else %(instead)s" % facts
        place = facts["place"] or (advice if facts["since"] else facts["instead"])
        if facts["deprecated"]:
            place += ", deprecated since Django " + facts["deprecated"]
        releases = re.findall(r"\d+", facts["name"])
        if releases:
            place = re.sub(r"\d+", "NN", place) + ", NN:"
        row = (re.sub(r"\d+", "NN", facts["name"]), KINDS[facts["kind"]], place)
        releases_by_row.setdefault(row, []).extend(releases)
    return [
        (name, kind, " ".join([place] + releases))
        for (name, kind, place), releases in releases_by_row.items()
    ]
