"""The options of ``manage.py dbconnections``, for argparse and for optparse."""

from __future__ import absolute_import

import argparse
import optparse

from django_compat._db.values import COUNT, WATCH, shown

__all__ = ["LEVELS", "add_options", "option_list"]

LEVELS = ["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"]
OPTIONS = [
    ("--processes", {"type": "count", "help": "processes on one host"}),
    ("--threads", {"type": "count", "help": "threads of one process"}),
    ("--hosts", {"type": "count", "help": "hosts that run that many processes each"}),
    (
        "--server-config",
        {
            "metavar": "FILE",
            "help": "read processes and threads from uWSGI's ini, yaml or json, or "
            "from gunicorn's Python, which is not run",
        },
    ),
    (
        "--database",
        {
            "action": "append",
            "dest": "databases",
            "metavar": "ALIAS",
            "help": "report on this alias only; may be given several times",
        },
    ),
    ("--json", {"action": "store_true", "help": "print one JSON document"}),
    (
        "--fail-level",
        {
            "choices": LEVELS,
            "default": "ERROR",
            "help": "exit with code 1 for a finding of this level or above; default: "
            "ERROR",
        },
    ),
    (
        "--holders",
        {"action": "store_true", "help": "list who holds the server's connections"},
    ),
    (
        "--watch",
        {
            "type": "seconds",
            "metavar": "SECONDS",
            "help": "repeat the report after so many seconds, until Ctrl-C",
        },
    ),
]


_KINDS = {"count": COUNT, "seconds": WATCH}


def convert(name, text):
    """Return the number in a text; ValueError if it is not of the kind of a name."""
    value = _KINDS[name].parse(text)
    if value is None:
        raise ValueError("%s is not %s" % (shown(text), _KINDS[name].allowed))
    return value


def add_options(parser):
    """Add the options to an ArgumentParser."""
    for flag, options in OPTIONS:
        if "type" in options:
            options = dict(options, type=_for_argparse(options["type"]))
        parser.add_argument(flag, **options)


def option_list():
    """Return the options for an OptionParser, which Django uses until 1.7."""
    return tuple(_Option(flag, **options) for flag, options in OPTIONS)


def _for_argparse(name):
    def convert_argument(text):
        try:
            return convert(name, text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error))

    return convert_argument


def _for_optparse(option, flag, text):
    try:
        return convert(option.type, text)
    except ValueError as error:
        raise optparse.OptionValueError("argument %s: %s" % (flag, error))


class _Option(optparse.Option):
    TYPES = optparse.Option.TYPES + tuple(_KINDS)
    TYPE_CHECKER = dict(
        optparse.Option.TYPE_CHECKER, **dict.fromkeys(_KINDS, _for_optparse)
    )
