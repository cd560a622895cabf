"""Ask for each moved name, in a process with settings: what ``test_moves`` reads."""

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


def ask(name, listed):
    """Return what came of asking for a name: an error, or the warnings of its line."""
    import django_compat
    from django_compat import _moved

    line = "\n\n\nfrom django_compat import %s as found" % name
    code = compile(line, "asking", "exec")
    row = django_compat._MOVES.NAMES[name]
    facts = {"error": None, "text": "", "told": []}
    facts["listed"] = name in listed
    namespace = {"__file__": "asking", "__name__": "asking"}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        try:
            exec(code, namespace)
            exec(code, namespace)
        except Exception as error:  # whatever it is, the test tells
            facts.update(error=type(error).__name__, text=str(error))
            return facts
    for entry in caught:
        if "django_compat" in str(entry.message) or entry.filename == "asking":
            category = entry.category.__name__
            told = (entry.filename, entry.lineno, str(entry.message), category)
            facts["told"].append(told)
    place = row.place() or row.new.place()
    facts["same"] = _is_same(namespace["found"], _moved.find(place))
    facts["bound"] = vars(django_compat).get(name) is namespace["found"]
    return facts


def _is_same(found, expected):
    # A method is made anew for each look at it.
    return found == expected if inspect.ismethod(found) else found is expected


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
    from django_compat import moves

    django_compat._MOVES = moves
    listed = set(dir(django_compat))
    found = dict((name, ask(name, listed)) for name in sorted(moves.NAMES))
    found["*"] = star(django_compat)
    print(json.dumps(found))


def star(surface):
    """Return what ``import *`` gives that was not listed, and what it warned of."""
    namespace = {}
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        exec("from django_compat import *", namespace)
    return {
        "missing": sorted(set(surface.__all__) - set(namespace)),
        "told": [str(entry.message) for entry in caught if entry.lineno == 1],
        "given": sorted(namespace),
    }


def star_alone():
    """Do the same in a process that has no settings."""
    import django_compat

    print(json.dumps(star(django_compat)))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    star_alone() if sys.argv[1:] else main()
