"""Import each moved name in a process with settings; print the results as JSON.

``tests/names/test_moves.py`` runs this script.
"""

from __future__ import absolute_import

import inspect
import json
import sys
import warnings
from ctypes.util import find_library

import django
from django.conf import settings

APPS = "contenttypes auth sites flatpages messages sessions staticfiles admin".split()
if find_library("gdal"):
    APPS.append("gis")


def import_name(name, listed):
    """Import a name on line 4 of a file; return the error, or the line's warnings."""
    import django_compat
    from django_compat._names.row import load
    from django_compat._names.table import NAMES

    line = "\n\n\nfrom django_compat import %s as imported" % name
    code = compile(line, "asking", "exec")
    row = NAMES[name]
    facts = {"error": None, "text": "", "warnings": []}
    facts["listed"] = name in listed
    namespace = {"__file__": "asking", "__name__": "asking"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(code, namespace)
            exec(code, namespace)
        except Exception as error:  # the test checks the error's class and text
            facts.update(error=type(error).__name__, text=str(error))
            return facts
    for entry in caught:
        if "django_compat" in str(entry.message) or entry.filename == "asking":
            category = entry.category.__name__
            facts["warnings"].append(
                (entry.filename, entry.lineno, str(entry.message), category)
            )
    place = row.place() or row.new.place()
    facts["same"] = _is_same(namespace["imported"], load(place))
    facts["bound"] = vars(django_compat).get(name) is namespace["imported"]
    return facts


def _is_same(imported, expected):
    # Python creates a bound method at each access.
    if inspect.ismethod(imported):
        return imported == expected
    return imported is expected


def main():
    settings.configure(
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        },
        INSTALLED_APPS=["django.contrib." + app for app in APPS],
        SECRET_KEY="for tests",
        STATIC_URL="/static/",
        USE_I18N=False,
        USE_TZ=True,
    )
    if hasattr(django, "setup"):  # Django 1.7+
        django.setup()
    import django_compat
    from django_compat._names.table import NAMES

    listed = set(dir(django_compat))
    facts = dict((name, import_name(name, listed)) for name in sorted(NAMES))
    facts["*"] = import_star(django_compat)
    print(json.dumps(facts))


def import_star(surface):
    """Return the names that ``import *`` gives and misses, and its warnings."""
    namespace = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec("from django_compat import *", namespace)
    return {
        "missing": sorted(set(surface.__all__) - set(namespace)),
        "warnings": [str(entry.message) for entry in caught if entry.lineno == 1],
        "given": sorted(namespace),
    }


def without_settings():
    """Print the facts of ``import *`` in a process without settings."""
    import django_compat

    print(json.dumps(import_star(django_compat)))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    without_settings() if sys.argv[1:] else main()
