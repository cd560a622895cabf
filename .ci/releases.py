"""Import the surface on every release of Django since 1.4: ``tox -e releases``.

Each series runs on its oldest Python, which its first release knows as well, in one
environment a Python. On each release the surface, ``close_old_connections`` and
``close_connection``, and 40 names drawn from the table of moved names are imported: a
name that ``dir()`` lists has to come, any other name has to raise ImportError. Writes
docs/releases.rst, and exits with 1 if one failed.
"""

from __future__ import absolute_import, print_function

import json
import os
import random
import shutil
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
HEAD = """\
Releases
========

What ``tox -e releases`` printed on %s: the surface, both names and 40 moved
names on every release of each series. A name that Django added in a later release of a
series is a failure on the earlier ones. ``.ci/releases.py`` writes this page.

====== ====== ======== =======================================================
Django Python releases result
====== ====== ======== =======================================================
"""


def failures():
    """Return what is wrong on the Django of this process: run in a new process."""
    from django.conf import settings

    settings.configure(
        DATABASES={
            "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}
        },
        INSTALLED_APPS=["django.contrib.auth", "django.contrib.contenttypes"],
        SECRET_KEY="of a test",
        USE_TZ=True,
    )
    import django

    if hasattr(django, "setup"):  # Django 1.7+
        django.setup()
    import django_compat
    from django_compat._names.table import NAMES

    moved = [name for name in sorted(NAMES) if "gis" not in str(NAMES[name].place())]
    names = random.Random(18).sample(moved, 40)
    names += ["close_old_connections", "close_connection"]
    listed, wrong = set(dir(django_compat)), []
    for name in names:
        try:
            getattr(django_compat, name)
        except Exception as error:  # any other error is what is looked for
            if isinstance(error, ImportError) and name not in listed:
                continue
            wrong.append("%s: %s: %s" % (name, type(error).__name__, error))
    django_compat.close_old_connections()
    django_compat.close_all_connections()
    return wrong


def run(python, target):
    """Return the failures of one release, which is in a folder."""
    env = dict(os.environ, PYTHONPATH=os.pathsep.join([target, ROOT]))
    process = subprocess.Popen(
        [python, "-W", "ignore", os.path.abspath(__file__), "--one"],
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    )
    output = process.communicate()[0].decode("utf-8", "replace")
    if process.returncode:
        return [output.strip().splitlines()[-1]]
    return json.loads(output.splitlines()[-1])


def install(python, version, *words):
    """Install with uv, which .ci/run names and which does not know Python 2.7."""
    command = os.environ.get("DJANGO_COMPAT_INSTALL", "").split()
    if version == "2.7" or not command:
        command = [python, "-m", "pip", "install"]
    else:
        command += ["--python", python]
    subprocess.check_call(command + ["-q"] + list(words), stderr=subprocess.DEVNULL)


def check_python(version, series, folder):
    """Return a line of the table for each series of a Python."""
    python = os.path.join(folder, version, "bin", "python")
    if not os.path.exists(python):
        words = ["-m", "virtualenv", "-q", "-p", version, os.path.join(folder, version)]
        subprocess.check_call([sys.executable] + words)
        names = ["six", "packaging", "pytz", "sqlparse"]
        if version != "2.7":
            names.append("asgiref")
        if version == "3.8":  # what Django 4.0 to 4.2 has of 3.9's standard library
            names.append("backports.zoneinfo")
        install(python, version, *names)
    rows = []
    for name, releases in series:
        wrong = []
        for release in releases:
            target = os.path.join(folder, "django-" + release)
            shutil.rmtree(target, ignore_errors=True)
            install(
                python, version, "--no-deps", "--target", target, "Django==" + release
            )
            wrong += ["%s: %s" % (release, text) for text in run(python, target)]
            shutil.rmtree(target)
        rows.append((name, version, len(releases), wrong))
        print(name, version, len(releases), wrong or "all names", flush=True)
    return rows


def main(folder):
    from concurrent.futures import ThreadPoolExecutor

    import index

    from django_compat.matrix import DATE, PYTHONS, SERIES

    found, by_python = index.releases(), {}
    for row in SERIES:
        version = [python for python in PYTHONS if python in row.pythons][0]
        by_python.setdefault(version, []).append((row.django, found[row.django]))
    with ThreadPoolExecutor(4) as pool:
        tasks = [
            pool.submit(check_python, version, series, folder)
            for version, series in by_python.items()
        ]
        rows = [row for task in tasks for row in task.result()]
    rows.sort(key=lambda row: index.numbers(row[0]))
    line = "====== ====== ======== %s\n" % ("=" * 55)
    with open(os.path.join(ROOT, "docs", "releases.rst"), "w") as stream:
        stream.write(HEAD % DATE)
        for name, version, count, wrong in rows:
            result = "%d failures" % len(wrong) if wrong else "all names"
            stream.write("%-6s %-6s %-8d %s\n" % (name, version, count, result))
        count, wrong = sum(row[2] for row in rows), sum(len(row[3]) for row in rows)
        stream.write(line + "\n%d releases, %d failures.\n" % (count, wrong))
        for text in [text for row in rows for text in row[3]]:
            stream.write("\n- %s\n" % text)
    return 1 if wrong else 0


if __name__ == "__main__":
    if sys.argv[1] == "--one":
        print(json.dumps(failures()))
    else:
        sys.exit(main(os.path.abspath(sys.argv[1])))
