"""Run Django's own tests without this package and with it, and compare the results.

``python tests/programs/django_suite.py FOLDER [MODULE ...]``: FOLDER is Django's
unpacked source distribution, which has the tests, and is the Django under test; MODULE
is a folder of tests. "With" means that the application is installed and the guard is
on. The servers are private ones. The exit code is 1 where a result differs.
"""

from __future__ import absolute_import, print_function

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# Those that touch connections, transactions, requests, threads, processes or checks.
MODULES = """
    backends asgi async basic bulk_create cache check_framework datatypes db_typecasts
    db_utils dbshell delete_regress fixtures force_insert_update get_or_create handlers
    inspectdb introspection migrate_signals multiple_database raw_query requests_tests
    select_for_update servers sessions_tests shell signals sites_framework tasks
    test_client test_client_regress test_runner test_utils transaction_hooks
    transactions wsgi
""".split()
DATABASES = ["sqlite", "mysql", "postgresql", "pool"]
SETTINGS = """
import json
import os
import sys

DATABASES = json.loads(os.environ["SUITE_DATABASES"])
SECRET_KEY = "for tests"
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
USE_TZ = False
if os.environ["SUITE_APP"]:
    # runtests.py makes INSTALLED_APPS of this list; its first argument is a module.
    sys.modules["__main__"].ALWAYS_INSTALLED_APPS.append("django_compat")
    DJANGO_COMPAT_GUARDED_COMMANDS = [sys.argv[1]]
"""
NOT_PASSED = re.compile(r"^(?:ERROR|FAIL|UNEXPECTED SUCCESS): .*$", re.MULTILINE)


def make_databases(server, has_pool):
    """Return Django's DATABASES, both at one server; SQLite where there is none."""
    if server is None:
        return dict.fromkeys(["default", "other"], {"ENGINE": ENGINE % "sqlite3"})
    settings = {
        "ENGINE": ENGINE % server.vendor,
        "NAME": server.name,
        "HOST": server.host,
        "PORT": str(server.port),
        "USER": server.user,
        "OPTIONS": {"pool": {"min_size": 1, "max_size": 8}} if has_pool else {},
    }
    return {
        alias: dict(settings, TEST={"NAME": "suite_" + alias})
        for alias in ("default", "other")
    }


ENGINE = "django.db.backends.%s"


def run_suite(folder, modules, databases, app):
    """Run Django's tests; return a summary, and the tests that did not pass."""
    settings = tempfile.mkdtemp(prefix="django_compat_")
    with open(os.path.join(settings, "suite_settings.py"), "w") as stream:
        stream.write(SETTINGS)
    command = [sys.executable, "runtests.py"] + modules
    command += ["--settings=suite_settings", "--parallel=1", "--noinput"]
    paths = [folder, settings, os.path.dirname(TESTS)]
    env = dict(
        os.environ,
        PYTHONPATH=os.pathsep.join(paths),
        SUITE_APP="1" if app else "",
        SUITE_DATABASES=json.dumps(databases),
    )
    try:
        process = subprocess.Popen(
            command,
            cwd=os.path.join(folder, "tests"),
            env=env,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )
        output = process.communicate()[0].decode("utf-8", "replace")
    finally:
        shutil.rmtree(settings)
    ran = re.search(r"^Ran (\d+) tests? in .*\n\n(.*)$", output, re.MULTILINE)
    if ran is None:
        sys.exit(output)
    return "%s tests, %s" % ran.groups(), sorted(set(NOT_PASSED.findall(output)))


def compare(folder, modules, name, databases):
    """Run the tests twice and print what differs; tell whether something does."""
    results = []
    for word, app in (("without", False), ("with", True)):
        results.append(run_suite(folder, modules, databases, app))
        print("%-10s  %-7s  %s" % (name, word, results[-1][0]))
        sys.stdout.flush()
    (_, without), (_, with_app) = results
    for test in sorted(set(without) ^ set(with_app)):
        print("  only %s: %s" % ("with" if test in with_app else "without", test))
    return results[0] != results[1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", help="Django's unpacked source distribution")
    parser.add_argument("modules", nargs="*", metavar="module")
    parser.add_argument("--database", action="append", choices=DATABASES)
    options = parser.parse_args()
    folder = os.path.abspath(options.folder)

    sys.path.insert(0, TESTS)
    from support.servers import Server

    modules = [
        module
        for module in options.modules or MODULES
        if os.path.isdir(os.path.join(folder, "tests", module))
    ]
    print("%d modules: %s" % (len(modules), " ".join(modules)))
    differ = False
    for name in options.database or DATABASES:
        if name == "sqlite":
            differ |= compare(folder, modules, name, make_databases(None, False))
            continue
        has_pool = name == "pool"
        with Server("postgresql" if has_pool else name) as server:
            databases = make_databases(server, has_pool)
            differ |= compare(folder, modules, name, databases)
    sys.exit(differ)


if __name__ == "__main__":
    main()
