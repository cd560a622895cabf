"""Run the test suites of projects, without and with django_compat: ``tox -e projects``.

    python .ci/projects.py FOLDER [NAME ...]

Each suite comes from the project's sdist, and runs on the newest Django that the
project supports: on SQLite and on a private PostgreSQL, first as it is, then with
``"django_compat"`` in INSTALLED_APPS, the guard on, and the pytest plugin of the
installed package. Every test has to end alike in both runs. Without names, all projects
run, and docs/projects.rst is written. The exit code is 1 when a test ended otherwise.

FOLDER keeps the sources, the environments and the results of pytest: another call with
it does what is not there yet.
"""

from __future__ import absolute_import, print_function

import collections
import contextlib
import glob
import json
import os
import shutil
import subprocess
import sys
import tarfile
import venv
import xml.etree.ElementTree as tree
from importlib import metadata

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.append(os.path.join(ROOT, "tests"))

from releases import install  # noqa: E402

from support.brokers import redis  # noqa: E402
from support.servers import Server  # noqa: E402

SECONDS = 3600  # that one run of a suite may take
TRIES = 3  # a suite whose tests depend on the time may differ from itself
DATABASES = ("SQLite", "PostgreSQL")
WORDS = {"error": "errors", "failure": "failed", "skipped": "skipped"}  # of JUnit
Project = collections.namedtuple("Project", "name version django needs where what")
PROJECTS = [
    Project(
        "djangorestframework",
        "3.18.3",
        "6.1",
        "dj-database-url django-filter django-guardian inflection markdown pygments "
        "pyyaml requests uritemplate",
        ".",
        "tests",
    ),
    Project(
        "django-filter",
        "26.2",
        "6.1",
        "djangorestframework markdown django-crispy-forms pytz unittest-xml-reporting",
        ".",
        "tests --ds tests.settings",
    ),
    Project(
        "django-allauth",
        "65.22.1",
        "6.1",
        "pytest-asyncio==1.3.0 Pillow pyyaml djangorestframework django-ninja "
        "{source}[headless,idp-oidc,mfa,openid,socialaccount,steam]",
        ".",
        # On PostgreSQL its threads wait for each other for ever, in either run; on
        # SQLite it skips itself.
        "tests --ds tests.projects.regular.settings --deselect tests/apps/idp/oidc/"
        "test_authorization.py::test_authorization_code_concurrent_redemption",
    ),
    Project(
        "django-reversion",
        "6.4.0",
        "6.0",
        "",
        "tests",
        "test_app/tests --ds test_project.settings",
    ),
    Project(
        "django-q2",
        "1.11.1",
        "6.1",
        "django-redis croniter hiredis psutil boto3 pymongo blessed redis setproctitle",
        "django_q",
        # Without MongoDB, and an account of SQS.
        "tests --ds django_q.tests.settings "
        "--deselect django_q/tests/test_brokers.py::test_mongo "
        "--deselect django_q/tests/test_brokers.py::test_sqs",
    ),
    Project(
        "django-cms",
        "5.1.3",
        "6.1",
        "dj-database-url django-app-helper djangocms-admin-style djangocms-text "
        "iptools mock Pillow pyenchant pyflakes setuptools unittest-xml-reporting",
        ".",
        # Its checks of the sources need files that the sdist lacks.
        "cms/tests menus --ignore cms/tests/test_static_analysis.py",
    ),
]
# Left out: these runs do not end, without the package either.
HANGS = [("django-q2", "PostgreSQL")]
HEAD = """\
Real projects
=============

What ``tox -e projects`` prints: the test suites of projects that people run, as they
are, and with ``"django_compat"`` in ``INSTALLED_APPS``, ``guard_connections()`` on and
the pytest plugin of the package loaded. "The same" means that each test has the same
result in both runs; what fails, fails in both. A test that ended otherwise once, and
alike in a repetition, is listed below the table. The suite of django-q2 does not end on
PostgreSQL, without the package either. ``.ci/projects.py`` writes this page.

"""
COLUMNS = ("project", "Django", "database", "tests", "result", "with django_compat")


def main(folder, *names):
    os.makedirs(folder, exist_ok=True)
    copy_package(os.path.join(folder, "package"))
    rows, texts, differences = [], [], 0
    servers = {"mysql": Server("mysql"), "postgresql": Server("postgresql")}
    with contextlib.ExitStack() as stack:
        for server in servers.values():
            stack.enter_context(server)
        broker = stack.enter_context(redis())
        for project in PROJECTS:
            if names and project.name not in names:
                continue
            source = unpack(project, folder)
            python = environment(project, source, folder)
            for database in DATABASES:
                if (project.name, database) in HANGS:
                    continue
                variables = describe(project, database, servers, broker)
                row, more, count = compare(project, source, python, database, variables)
                rows.append(row)
                texts += more
                differences += count
                print(" | ".join(row), flush=True)
    for text in texts:
        print(text)
    if not names:
        write_page(rows, texts)
    return 1 if differences else 0


def copy_package(target):
    """Copy the installed package, whose entry point pytest finds on PYTHONPATH."""
    shutil.rmtree(target, ignore_errors=True)
    package = metadata.distribution("django-compat-shim")
    for name in {path.parts[0] for path in package.files if path.parts[0] != ".."}:
        shutil.copytree(package.locate_file(name), os.path.join(target, name))


def unpack(project, folder):
    """Return the folder of a project's sources."""
    pattern = "%s-%s" % (project.name.replace("-", "[-_]"), project.version)
    if not glob.glob(os.path.join(folder, pattern + ".tar.gz")):
        requirement = "%s==%s" % (project.name, project.version)
        words = "-m pip download -q --no-deps --no-binary".split()
        command = [sys.executable] + words + [project.name, "-d", folder, requirement]
        subprocess.run(command, check=True)
    (archive,) = glob.glob(os.path.join(folder, pattern + ".tar.gz"))
    source = archive[: -len(".tar.gz")]
    if not os.path.exists(source):
        with tarfile.open(archive) as stream:
            stream.extractall(folder, filter="data")
    return source


def environment(project, source, folder):
    """Return the Python of an environment with the project and what its tests need."""
    home = os.path.join(folder, "venv-" + project.name)
    python = os.path.join(home, "bin", "python")
    if os.path.exists(os.path.join(home, "complete")):
        return python
    has_uv = "DJANGO_COMPAT_INSTALL" in os.environ
    venv.create(home, clear=True, with_pip=not has_uv)
    needs = ["Django==%s.*" % project.django, "pytest", "pytest-django", "six"]
    needs += ["psycopg[binary]", "mysqlclient"]
    needs += project.needs.format(source=source).split()
    install(python, "3", "-e", source, *needs)
    open(os.path.join(home, "complete"), "w").close()
    return python


def describe(project, database, servers, broker):
    """Return the environment variables of a suite on a database."""
    variables = {
        # django-q2's settings add a port of their own: a fragment, which nobody reads.
        "REDIS_HOST": broker[len("redis://") :] + "/0#",
        "PYTHONHASHSEED": "0",
    }
    aliases = {}
    if project.name == "django-reversion":  # which tests three databases at once
        aliases = {"postgres": of(servers["postgresql"]), "mysql": of(servers["mysql"])}
    if database == "PostgreSQL":
        server = servers["postgresql"]
        aliases["default"] = of(server)
        # How those with settings for several databases are told which to take.
        variables.update(
            DATABASE_URL="postgres://%s@%s:%d/%s"
            % (server.user, server.host, server.port, server.name),
            DATABASE_ENGINE="django.db.backends.postgresql",
            DATABASE_HOST=server.host,
            DATABASE_PORT=str(server.port),
            DATABASE_USER=server.user,
        )
    return dict(variables, PROJECT_DATABASES=json.dumps(aliases))


def of(server):
    """Return the settings of a database on a server."""
    return {
        "ENGINE": "django.db.backends." + server.vendor,
        "HOST": server.host,
        "NAME": server.name,
        "PORT": str(server.port),
        "USER": server.user,
    }


def compare(project, source, python, database, variables):
    """Return a row of the table, and a text for each test that ended otherwise.

    Where a test did, both runs are repeated: what counts is a test that never ended
    in a way in which it ended without the package.
    """
    package = os.path.join(os.path.dirname(source), "package")
    without, with_us, texts = [], [], {}
    for number in range(TRIES):
        for found, place in ((without, ""), (with_us, package)):
            words = source, database, "with" if place else "without", number
            path = "%s-%s-%s-%d.xml" % words
            run(project, source, python, path, dict(variables, PROJECT_PACKAGE=place))
            found.append(outcomes(path))
        differ = []
        for test in sorted(set().union(*without, *with_us)):
            before = [found[test] for found in without]
            after = [found[test] for found in with_us]
            if before[0] != after[0]:
                words = project.name, database, test, before, after
                texts[test] = "%s, %s: %s: without %s, with %s" % words
            if not any(result in before for result in after):
                differ.append(test)
        if not differ:
            break
    counts = collections.Counter(sum(without[0].values(), []))
    result = ", ".join("%d %s" % (counts[word], word) for word in sorted(counts))
    row = ["%s %s" % (project.name, project.version), project.django, database]
    row += [str(len(without[0])), result]
    row += ["%d differ" % len(differ) if differ else "the same"]
    return row, list(texts.values()), len(differ)


def run(project, source, python, path, variables):
    """Run a suite; pytest writes the result of each test into a file."""
    if os.path.exists(path):
        return
    env = {
        key: value
        for key, value in os.environ.items()
        if not key.startswith(("DJANGO_", "PYTEST_", "TOX_"))
    }
    places = [os.path.dirname(os.path.abspath(__file__)), variables["PROJECT_PACKAGE"]]
    env.update(variables, PYTHONPATH=os.pathsep.join(filter(None, places)))
    words = "-m pytest -q -p projects_plugin -p no:cacheprovider -o junit_family=xunit1"
    command = [python] + words.split() + ["--rootdir", source, "--junit-xml"]
    command += [path + ".new"] + project.what.split()
    with open(path + ".log", "w") as log:
        process = subprocess.run(
            command,
            cwd=os.path.join(source, project.where),
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            timeout=SECONDS,
            check=False,
        )
    if process.returncode not in (0, 1):  # pytest's codes for passed and failed
        raise SystemExit("%s ended with %d" % (log.name, process.returncode))
    os.rename(path + ".new", path)


def outcomes(path):
    """Return ``{test: [its results]}`` of a file of pytest's."""
    found = collections.defaultdict(list)
    for case in tree.parse(path).getroot().iter("testcase"):
        words = [WORDS[child.tag] for child in case if child.tag in WORDS]
        name = "%s.%s" % (case.get("classname"), case.get("name"))
        found[name] += words or ["passed"]
    return found


def write_page(rows, texts):
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows)]

    def line(cells):
        return " ".join(map(str.ljust, cells, widths)).rstrip() + "\n"

    border = line(["=" * width for width in widths])
    with open(os.path.join(ROOT, "docs", "projects.rst"), "w") as stream:
        stream.write(HEAD + border + line(COLUMNS) + border)
        stream.writelines(map(line, rows))
        stream.write(border)
        stream.writelines("\n- %s\n" % text for text in texts)


if __name__ == "__main__":
    sys.exit(main(os.path.abspath(sys.argv[1]), *sys.argv[2:]))
