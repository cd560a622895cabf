"""The options of ``manage.py dbconnections``, for optparse and for argparse."""

from __future__ import absolute_import

import argparse
import optparse

__all__ = ["LEVELS", "add_options", "option_list"]

LEVELS = ["CRITICAL", "ERROR", "WARNING", "INFO", "DEBUG"]
OPTIONS = [
    ("--processes", {"type": "count", "help": "of one host"}),
    ("--threads", {"type": "count", "help": "of one process"}),
    ("--hosts", {"type": "count", "help": "that run so many processes"}),
    (
        "--server-config",
        {
            "metavar": "FILE",
            "help": "processes and threads from uWSGI's ini, yaml or json, or from "
            "gunicorn's Python, which is not run",
        },
    ),
    (
        "--database",
        {
            "action": "append",
            "dest": "databases",
            "metavar": "ALIAS",
            "help": "only this one; can be given several times",
        },
    ),
    ("--json", {"action": "store_true", "help": "one JSON document instead"}),
    (
        "--fail-level",
        {
            "choices": LEVELS,
            "default": "ERROR",
            "help": "exit with 1 for a finding of this level or above; default: ERROR",
        },
    ),
    ("--holders", {"action": "store_true", "help": "who holds the connections"}),
    (
        "--watch",
        {"type": "seconds", "metavar": "SECONDS", "help": "again and again, to Ctrl-C"},
    ),
]


def count(text):
    """Return a number of processes, threads or hosts."""
    if not text.isdigit() or not int(text):
        raise ValueError("%r is not a whole number, 1 or more" % text)
    return int(text)


def seconds(text):
    """Return a time to wait."""
    try:
        value = float(text)
    except ValueError:
        value = 0
    if not 0 < value < float("inf"):
        raise ValueError("%r is not a number of seconds above 0" % text)
    return value


_CONVERTERS = {"count": count, "seconds": seconds}


def add_options(parser):
    """Give the options to an ArgumentParser."""
    for flag, options in OPTIONS:
        if "type" in options:
            options = dict(options, type=_for_argparse(options["type"]))
        parser.add_argument(flag, **options)


def option_list():
    """Return the options of an OptionParser, which Django has until 1.7."""
    return tuple(_Option(flag, **options) for flag, options in OPTIONS)


def _for_argparse(name):
    def convert(text):
        try:
            return _CONVERTERS[name](text)
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error))

    return convert


def _check_option(option, flag, text):
    try:
        return _CONVERTERS[option.type](text)
    except ValueError as error:
        raise optparse.OptionValueError("argument %s: %s" % (flag, error))


class _Option(optparse.Option):
    TYPES = optparse.Option.TYPES + tuple(_CONVERTERS)
    TYPE_CHECKER = dict(
        optparse.Option.TYPE_CHECKER, **dict.fromkeys(_CONVERTERS, _check_option)
    )
