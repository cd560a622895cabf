"""Compare the import of a moved name from django_compat and from Django itself.

Django and this library must be installed. The script measures the other shims that are
installed, and names the others. All modules of Django that the names need are loaded
before the clock starts. Each measurement of a round runs in a fresh process.
"""

from __future__ import absolute_import, print_function

import argparse
import json
import platform
import subprocess
import sys
from collections import OrderedDict
from statistics import median

import django
import saving

NAMES = (
    ("reverse", "django.urls", "django.core.urlresolvers"),
    ("format_html", "django.utils.html", None),
    ("JsonResponse", "django.http", None),
    ("force_str", "django.utils.encoding", None),
)
SAME = (
    "close_connection, close_old_connections, MiddlewareMixin, include, url, path, "
    "re_path, force_text, smart_text, gettext, ngettext, ugettext, "
    "CompatibilityBaseCommand, CompatibilityAppCommand, CompatibilityLabelCommand"
)
CHILD = """
import json, sys
from time import perf_counter
from django.conf import settings
settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}})
steps, figures = json.loads(sys.argv[1]), []
for step in steps:
    code = compile(step, "<step>", "exec")
    names, started = {}, perf_counter()
    try:
        exec(code, names)
    except Exception as error:
        print(json.dumps(type(error).__name__))
        sys.exit()
    figures.append(perf_counter() - started)
print(json.dumps(figures))
"""


def line(module, name):
    return "from %s import %s" % (module, name)


def places():
    """Return ``(name, module)`` of each name in this Django."""
    new = django.VERSION >= (1, 10)
    return [(name, first if new or not old else old) for name, first, old in NAMES]


def run(steps):
    """Run steps in a fresh process; return each step's seconds, or an error's name."""
    command = [sys.executable, "-I", "-W", "ignore", "-c", CHILD, json.dumps(steps)]
    return json.loads(subprocess.check_output(command).decode().splitlines()[-1])


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=25, help="default: %(default)s")
    saving.add_option(parser)
    options = parser.parse_args()
    rounds = options.rounds
    natives = [line(module, name) for name, module in places()]
    warm = natives + ["import django_compat", "import django_compat._names.table"]
    ours = [line("django_compat", name) for name, _ in places()]
    first, again, native = [], [], []
    for _ in range(rounds):
        figures = run(warm + ["from django.db import connection"] + natives + ours * 2)
        start, count = len(warm) + 1, len(natives)
        native += figures[start : start + count]
        # Leave out the first name of a process: it also pays for cold caches.
        first += figures[start + count + 1 : start + 2 * count]
        again += figures[start + 2 * count :]
    rows = OrderedDict()
    rows["from Django, loaded"] = median(native)
    rows["from django_compat, the first time"] = median(first)
    rows["from django_compat, from then on"] = median(again)
    print("Python %s, Django %s, %d rounds of fresh processes"
          % (platform.python_version(), django.get_version(), rounds))
    for title, seconds in rows.items():
        print("%-40s %8.2f us" % (title, seconds * 1e6))
    print()
    base = ["import django.db, django.forms, django.template, six"]
    for title, step in (
        ("import the whole table", "import django_compat._names.table"),
        ("dir(django_compat)", "import django_compat; dir(django_compat)"),
        ("import django_six", "import django_six"),
        ("import compat", "import compat"),
    ):
        results = [run(base + [step]) for _ in range(rounds)]
        if isinstance(results[0], str):
            print("%-40s does not import: %s" % (title, results[0]))
            rows[title] = None
            continue
        rows[title] = median(result[-1] for result in results)
        print("%-40s %8.2f ms" % (title, rows[title] * 1e3))
    same = "from django_compat import " + SAME
    results = [run(base + [same]) for _ in range(rounds)]
    rows[same] = median(result[-1] for result in results)
    print("%-40s %8.2f ms" % ("django_six's, from django_compat", rows[same] * 1e3))
    if options.save:
        rows["those of django_six, from django_compat"] = rows.pop(same)
        saving.save("moved_names", rows, rounds=rounds)


if __name__ == "__main__":
    main()
