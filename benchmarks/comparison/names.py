"""Put the packages of moved names through the same questions, on each Django.

``python benchmarks/comparison/names.py FOLDER`` installs the newest release of each
series of Django and of each package that the series' oldest Python can install, from
the index, into ``FOLDER``, and writes ``names.json`` beside this file. The Pythons are
those that are called python2.7, python3.6 and so on.

In a process for each package and Django: does the package's own line run, which of the
package's names are there, and which old places of Django does the package bring back?
"""

from __future__ import absolute_import, print_function

import json
import os
import subprocess
import sys
from collections import OrderedDict

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LINES = OrderedDict([
    ("Django itself", "from django.db import close_old_connections"),
    ("django_compat", "from django_compat import close_old_connections"),
    ("django-six", "from django_six import close_old_connections"),
    ("django-compat", "from compat import close_connection"),
    ("django-compat-patcher", "import django_compat_patcher; "
                              "django_compat_patcher.patch()"),
])
FUNCTIONS = "close_connection", "close_old_connections", "reset_queries"
MODULES = {"django-six": "django_six", "django-compat": "compat"}
NEEDS = ["six", "pytz", "sqlparse", "packaging"]  # of Django and of the packages
# Names that the package did not take from Django, and tools of its own.
FOREIGN = {"absolute_import", "django", "make_option", "Support_ValuesQuerySet",
           "Support_ValuesListQuerySet", "CommandError", "ProxyParser", "BaseCommand",
           "AppCommand", "LabelCommand"}


def configure():
    """Set Django up; the first import of some names needs it."""
    import django
    from django.conf import settings

    settings.configure(
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        },
        INSTALLED_APPS=["django.contrib.contenttypes", "django.contrib.auth"],
        SECRET_KEY="of a benchmark",
        ROOT_URLCONF="names",
        USE_TZ=True,
    )
    if hasattr(django, "setup"):  # Django 1.7+
        django.setup()


def loads(place):
    """Return whether a place has something, in this process."""
    module, _, name = place.partition(":")
    try:
        value = __import__(module, fromlist=["x"])
        return not name or getattr(value, name) is not None
    except Exception:  # of any kind, the line with the name would fail
        return False


def old_places():
    """Return the places in Django, of any release, of the table of moved names."""
    from django_compat._names.table import NAMES
    from django_compat.matrix import SERIES

    releases = [tuple(map(int, row.django.split("."))) for row in SERIES]
    places = {row.place(release) for row in NAMES.values() for release in releases}
    return sorted(
        place for place in places - {None}
        if place.startswith("django.") and "contrib.postgres" not in place
        and "contrib.gis" not in place
    )


def child(package):
    """Print the facts of one package on the Django of this process."""
    configure()
    facts = {"error": None}
    before = connection_code()
    if package == "django-compat-patcher":
        lacking = [place for place in old_places() if not loads(place)]
    try:
        exec(LINES[package], {})
    except Exception as error:  # what is measured
        text = (str(error).splitlines() or [""])[0]
        facts["error"] = "%s: %s" % (type(error).__name__, text)
    facts["changes connections"] = connection_code() != before
    if package == "django-compat-patcher":
        facts["brought back"] = [place for place in lacking if loads(place)]
        facts["lacks"] = len(lacking)
    elif package in MODULES and not facts["error"]:
        module = __import__(MODULES[package])
        public = getattr(module, "__all__", None) or [
            name for name in dir(module) if name[0] != "_" and name not in FOREIGN
        ]
        facts["names"] = sorted(n for n in public if hasattr(module, n))
        import django_compat

        facts["ours too"] = [n for n in facts["names"] if has(django_compat, n)]
    elif package == "django_compat":
        import django_compat

        facts["names"] = len(dir(django_compat))
    print(json.dumps(facts))


def connection_code():
    """Return what Django looks after connections with."""
    from django import db
    from django.db import backends

    wrapper = getattr(backends, "BaseDatabaseWrapper", None)  # before Django 1.8
    if wrapper is None:
        from django.db.backends.base.base import BaseDatabaseWrapper as wrapper
    return dict(vars(wrapper)), [vars(db).get(name) for name in FUNCTIONS]


def has(module, name):
    try:
        return getattr(module, name) is not None
    except (AttributeError, ImportError):
        return False


def install(python, target, *names):
    """Install with pip, or with what .ci/run names, which does not know Python 2.7."""
    if not os.path.exists(target):
        command = os.environ.get("DJANGO_COMPAT_INSTALL", "").split()
        if python == "python2.7" or not command:
            command = [python, "-m", "pip", "install"]
        else:
            command += ["--python", python]
        command += ["-q", "--no-deps", "--target", target]
        subprocess.check_call(command + list(names))
    return target


def release_in(target, package):
    """Return the release of a package that was installed into a folder."""
    start = package.replace("-", "_").lower() + "-"
    for name in os.listdir(target):
        if name.replace("-", "_").lower().startswith(start.replace("-", "_")):
            if name.endswith((".dist-info", ".egg-info")):
                return name.rpartition(".")[0].split("-")[1]
    return "?"


def main(folder):
    from django_compat.matrix import PYTHONS, SERIES

    results = OrderedDict((package, OrderedDict()) for package in LINES)
    for row in SERIES:
        version = [python for python in PYTHONS if python in row.pythons][0]
        python = "python" + version
        needs = list(NEEDS)
        if version != "2.7":
            needs += ["asgiref", "typing_extensions"]
        if version == "3.8":  # what Django 4.0 to 4.2 has of 3.9's standard library
            needs.append("backports.zoneinfo")
        common = install(python, os.path.join(folder, "needs-" + version), *needs)
        target = os.path.join(folder, "django-" + row.django)
        django = install(python, target, "Django==%s.*" % row.django)
        for package in LINES:
            paths, words, release = [django, common, ROOT], [package], "this one"
            if package.startswith("django-"):
                if package == "django-compat-patcher":
                    words.append("compat-patcher-core")
                target = os.path.join(folder, "%s-%s" % (package, version))
                paths.insert(0, install(python, target, *words))
                release = release_in(target, package)
            process = subprocess.Popen(
                [python, "-W", "ignore", os.path.abspath(__file__), "--one", package],
                env=dict(os.environ, PYTHONPATH=os.pathsep.join(paths)),
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )
            output, errors = process.communicate()
            try:
                facts = json.loads(output.decode("utf-8").splitlines()[-1])
            except (IndexError, ValueError):
                facts = {"error": errors.decode("utf-8").strip().splitlines()[-1]}
            facts.update(python=version, release=release)
            results[package][row.django] = facts
            print(row.django, version, package, release, facts["error"] or "runs")
            sys.stdout.flush()
    with open(os.path.join(HERE, "names.json"), "w") as stream:
        json.dump(results, stream, indent=1, sort_keys=True, separators=(",", ": "))
        stream.write("\n")


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        child(sys.argv[2])
    else:
        sys.path.insert(0, ROOT)
        main(os.path.abspath(sys.argv[1]))
