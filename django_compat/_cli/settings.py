"""Give ``python -m django_compat`` its settings: the project's, or a SQLite file.

Nothing here imports ``django.db`` before the settings exist: Django 1.4 and 1.5 read
the settings in that import.
"""

from __future__ import absolute_import

import os
import sys
from collections import OrderedDict
from importlib import import_module

from django_compat._db.escapes import describe, escape, printable
from django_compat._db.values import ENGINE, find_wrong_setting, is_a, shown

__all__ = [
    "BadUsage",
    "check_databases",
    "configure",
    "find_wrong",
    "forget",
    "read_databases",
    "set_up",
]


class BadUsage(Exception):
    """Say which setting or argument is wrong, its value, and what is allowed."""

    def __init__(self, message):
        super(BadUsage, self).__init__(escape(message))


def read_databases(source, module):
    """Return DATABASES of a settings module, or raise BadUsage.

    ``source`` names the option or the variable that gave the module. The message tells
    a module that Python cannot find from a module that fails.
    """
    os.environ["DJANGO_SETTINGS_MODULE"] = module
    from django.conf import settings

    try:
        import_module(module)
        return settings.DATABASES  # now Django checks all settings
    except Exception as error:
        traceback, place = sys.exc_info()[2], None
        while traceback:
            code = traceback.tb_frame.f_code
            if code.co_name == "<module>":  # Python found the module, and runs it
                place = "line %d of %s" % (traceback.tb_lineno, code.co_filename)
            traceback = traceback.tb_next
        problem = "fails" + (" at %s" % place if place else "")
        if isinstance(error, ImportError) and not place:
            problem = "is not a module on --pythonpath, here, or elsewhere on sys.path"
        text = escape(describe(error))
        raise BadUsage("%s %s %s: %s" % (source, module, problem, text))


def check_databases(databases):
    """Return the aliases to run the jobs on, default first, or raise BadUsage.

    Left out are those that ``find_wrong`` finds. No message shows a whole entry of
    DATABASES, because an entry has a password.
    """
    aliases = sorted(databases, key=printable) if is_a(databases, dict) else []
    if "default" not in aliases:
        raise BadUsage(
            "DATABASES is a %s with the aliases %s: it must be a dict with a "
            "'default', whose ENGINE is %s"
            % (type(databases).__name__, shown(aliases), ENGINE)
        )
    wrong = find_wrong(databases)
    right = [alias for alias in aliases if alias not in wrong and databases[alias]]
    if not right:
        problems = [wrong[alias] for alias in aliases if alias in wrong]
        raise BadUsage((problems or [_no_engine("default", None)])[0])
    return sorted(right, key=lambda alias: alias != "default")


def find_wrong(databases):
    """Return ``{alias: message}`` of the entries of DATABASES that cannot be used."""
    wrong = {}
    for alias, entry in databases.items():
        if entry == {} and alias == "default":
            continue  # as Django's documentation says for a project without default
        age = entry.get("CONN_MAX_AGE") if is_a(entry, dict) else None
        if is_a(age, float) and age == float("inf"):
            # Django takes it. The report at the end asks for None.
            entry = dict(entry, CONN_MAX_AGE=None)
        problem = find_wrong_setting(alias, entry)
        if problem is None and "dummy" in (entry.get("ENGINE") or "dummy"):
            problem = _no_engine(alias, entry.get("ENGINE"))
        if problem is not None:
            wrong[alias] = problem
    return wrong


def _no_engine(alias, engine):
    message = "DATABASES[%s]['ENGINE'] is %s: it must be %s"
    return message % (shown(alias), shown(engine), ENGINE)


def forget(databases, wrong):
    """Take wrong entries out of DATABASES, over which Django itself would stumble."""
    for alias in wrong:
        databases.pop(alias, None)
    databases.setdefault("default", {})


def configure(folder):
    """Make one SQLite file in ``folder`` the only database; return DATABASES."""
    from django.conf import settings

    entry = {"ENGINE": "django.db.backends.sqlite3", "CONN_MAX_AGE": 0.5}
    databases = {"default": dict(entry, NAME=os.path.join(folder, "embedded"))}
    settings.configure(DATABASES=databases, USE_TZ=True)
    return databases


def set_up(where, databases, aliases):
    """Load the apps and the backends; return ``{alias: message}`` of the wrong ones.

    BadUsage if the apps cannot be loaded, or no backend.
    """
    import django

    problem, wrong = "django.setup() fails for %s: %s", OrderedDict()
    try:
        if hasattr(django, "setup"):  # Django 1.7+
            django.setup()
    except Exception as error:
        raise BadUsage(problem % (where, escape(describe(error))))
    problem = "DATABASES[%s]['ENGINE'], %s, cannot be loaded: %s"
    for alias in aliases:
        try:
            # Django 1.4 and 1.5 load the backend of default when they load django.db.
            import_module("django.db").connections[alias]
        except Exception as error:
            engine = shown(databases[alias]["ENGINE"])
            text = escape(describe(error))
            wrong[alias] = problem % (shown(alias), engine, text)
    if len(wrong) == len(aliases):
        raise BadUsage(wrong[aliases[0]])
    return wrong
