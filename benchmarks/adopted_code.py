"""Adopt and retire published apps, and run their own tests before and after.

Call ``python benchmarks/adopted_code.py SDISTS OLD NEW [NAME ...]``: ``SDISTS`` is a
folder with source distributions, ``OLD`` a Python with the Django that the apps were
made for and what their tests import, ``NEW`` a Python with the newest Django. The
script unpacks each app, and runs its tests on OLD: as it is, after ``adopt --write``
for all Djangos from OLD's to NEW's, and after ``retire --write`` for OLD's Django
alone. It counts the modules that can be imported on NEW as they are, after adopt, and
after ``retire`` for the Djangos that know all names: 4.2 and newer.
"""

from __future__ import absolute_import, print_function

import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile

from real_code import find_modules, find_package

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
# The folder and the command of the tests in a distribution.
TESTS = {
    "django-braces": (".", "-m pytest -q --ds=tests.settings tests"),
    "django-crispy-forms": (
        ".",
        "-m pytest -q --ds=crispy_forms.tests.test_settings crispy_forms/tests",
    ),
    "django-debug-toolbar": (".", "-m django test --settings tests.settings tests"),
    "django-extensions": (".", "-m pytest -q --ds=tests.testapp.settings tests"),
    "django-filter": (".", "runtests.py"),
    "django-guardian": (".", "-m pytest -q -p no:cacheprovider"),
    "django-ordered-model": (
        ".",
        "-m django test --settings=ordered_model.tests.settings ordered_model",
    ),
    "django-polymorphic": (".", "runtests.py"),
    "django-reversion": ("tests", "manage.py test test_app"),
    "django-taggit": (".", "-m django test --settings=tests.settings"),
    "django-treebeard": (".", "-m pytest -q -p no:django treebeard/tests"),
    "easy-thumbnails": (
        ".",
        "-m django test --settings=easy_thumbnails.tests.settings easy_thumbnails",
    ),
}
SUMMARY = re.compile(
    r"Ran \d+ tests?|^OK.*$|^FAILED \(.*$|^[= ]*\d+ (?:failed|passed|error).*$", re.M
)

IMPORT = r"""
import json, os, sys, types, warnings
warnings.simplefilter("ignore")
root, package, modules = json.load(open(sys.argv[1]))
sys.path.insert(0, root)
import django
from django.conf import settings
apps = "admin auth contenttypes sessions messages staticfiles sites".split()
settings.configure(
    INSTALLED_APPS=["django.contrib." + name for name in apps],
    SECRET_KEY="x", SITE_ID=1,
    DATABASES={"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": ":memory:"}},
    TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates"}],
    STATIC_URL="/static/", ROOT_URLCONF="django.conf.urls",
)
django.setup()
from django.apps import AppConfig, apps as registry

def attempt(name):
    # The app is not installed, for its import may fail; its models belong to it.
    module = types.ModuleType(package)
    module.__path__ = [os.path.join(root, package)]
    module.__file__ = os.path.join(root, package, "__init__.py")
    config = AppConfig(package, module)
    config.apps, config.models = registry, {}
    registry.app_configs[config.label] = config
    try:
        __import__(name)
    except BaseException as error:
        return "%s: %s" % (type(error).__name__, error)

failed = {}
for name in modules:
    reading, writing = os.pipe()
    if os.fork() == 0:
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, 1); os.dup2(null, 2)
        os.write(writing, (attempt(name) or "").encode("utf-8", "replace")[:4000])
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading, "rb") as stream:
        text = stream.read().decode("utf-8")
    os.wait()
    if text:
        failed[name] = text
print(json.dumps(failed))
"""


def environment(**facts):
    """Return the environment of a process that may import django_compat."""
    found = dict(os.environ, PYTHONPATH=ROOT, PYTHONDONTWRITEBYTECODE="1")
    return dict(found, **facts)


def run_tests(name, root, python):
    """Return the summary of an app's own tests; None if it came without."""
    if name not in TESTS:
        return None
    folder, command = TESTS[name]
    process = subprocess.Popen(
        [python] + command.split(),
        cwd=os.path.join(root, folder),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        stdin=subprocess.DEVNULL,
        env=environment(PYTHONPATH=os.pathsep.join([ROOT, root])),
    )
    output = process.communicate()[0].decode("utf-8", "replace")
    with open(root + ".tests.txt", "a", encoding="utf-8") as file:
        file.write(output + "\n" + "#" * 70 + "\n")
    summary = ", ".join(SUMMARY.findall(output)[-2:]).strip("= ")
    return (
        re.sub(r" in [\d.]+ ?s(econds)?|, \d+ warnings?", "", summary) or "no summary"
    )


def import_all(root, python, work):
    """Return how many modules can be imported, and the errors of the others."""
    parent, package = find_package(root)
    modules = sorted(dict(find_modules(parent, package)))
    path = os.path.join(work, "modules.json")
    with open(path, "w") as file:
        json.dump([parent, package, modules], file)
    command = [python, "-c", IMPORT, path]
    output = subprocess.check_output(command, env=environment(), stderr=subprocess.PIPE)
    failed = json.loads(output.decode("utf-8").splitlines()[-1])
    return len(modules) - len(failed), len(modules), failed


def rewrite(command, root, versions):
    """Run adopt or retire; return the exit code and the messages."""
    process = subprocess.Popen(
        [sys.executable, "-m", "django_compat", command, root, "--write"]
        + ["--django", versions],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(),
    )
    out, err = process.communicate()
    assert not out and process.returncode < 3, err.decode("utf-8")
    return process.returncode, err.decode("utf-8").splitlines()


def is_name(error):
    """Return True if an error says that Django lacks a name or a module."""
    kind = r"(ImportError|ModuleNotFoundError|AttributeError): .*\bdjango\."
    return re.match(kind, error) is not None


def summary(lines):
    """Return the sum of a command, and what it says of the dependency."""
    return "; ".join(
        line for line in lines if re.match(r"\d+ files |Nothing needs", line)
    )


def release_of(python):
    command = "import django; print('%d.%d' % django.VERSION[:2])"
    return subprocess.check_output([python, "-c", command]).decode("ascii").strip()


def move(archive, old, new, work):
    """Print what one app does as it is, adopted, and retired."""
    with tarfile.open(archive) as file:
        file.extractall(work, filter="tar")
    root = os.path.join(work, os.path.basename(archive)[: -len(".tar.gz")])
    name = re.match(r"(.+?)-\d", os.path.basename(root)).group(1).replace("_", "-")
    first = release_of(old)
    tests = [run_tests(name, root, old)]
    imports = [import_all(root, new, work)]
    _, messages = rewrite("adopt", root, ">=" + first)
    _, again = rewrite("adopt", root, ">=" + first)
    tests.append(run_tests(name, root, old))
    imports.append(import_all(root, new, work))
    shutil.copytree(root, root + "-new", symlinks=True)
    _, retired = rewrite("retire", root, "==%s.*" % first)
    tests.append(run_tests(name, root, old))
    _, newest = rewrite("retire", root + "-new", ">=4.2")
    imports.append(import_all(root + "-new", new, work))
    print("%s\n  tests on Django %s" % (os.path.basename(root), first))
    for title, result in zip(("as it is", "adopted", "retired"), tests):
        print("    %-9s %s" % (title, result))
    print("  modules that Django %s imports" % release_of(new))
    for title, (count, total, failed) in zip(
        ("as it is", "adopted", "retired"), imports
    ):
        text = "    %-9s %d of %d; a name of Django is missing for %d"
        print(text % (title, count, total, sum(map(is_name, failed.values()))))
    steps = (
        ("adopt", messages),
        ("again", again),
        ("retire", retired),
        (">=4.2", newest),
    )
    for title, lines in steps:
        print("  %-9s %s" % (title, summary(lines)))
    with open(root + ".txt", "w", encoding="utf-8") as file:
        json.dump(
            [messages, retired, newest] + [part[2] for part in imports], file, indent=1
        )
    sys.stdout.flush()
    return tests, imports


def main(arguments):
    if len(arguments) < 3:
        sys.exit(__doc__)
    folder, old, new = map(os.path.abspath, arguments[:3])
    work = os.environ.get("ADOPTED_CODE_WORK") or tempfile.mkdtemp(prefix="adopted-")
    for archive in sorted(os.listdir(folder)):
        names = arguments[3:]
        if archive.endswith(".tar.gz") and (not names or archive[:-7] in names):
            move(os.path.join(folder, archive), old, new, work)
    print("details are in " + work)


if __name__ == "__main__":
    main(sys.argv[1:])
