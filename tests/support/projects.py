"""The project in tests/project, which tests run in other processes."""

from __future__ import absolute_import

import contextlib
import json
import os
import subprocess
import threading

from django.db import connections

import django_compat
from support.databases import wait_for
from support.drivers import DRIVERS
from support.processes import run
from support.repository import TESTS

FOLDER = os.path.join(TESTS, "project")
try:
    from urllib.error import HTTPError
    from urllib.request import urlopen
except ImportError:  # Python 2
    from urllib2 import HTTPError, urlopen

KEYS = ("ENGINE", "HOST", "NAME", "PASSWORD", "PORT", "USER")


def environment(alias, apps=(), options=(), max_age=None, others=(), **settings):
    """Return the environment variables of the project on an alias's database.

    :param apps: INSTALLED_APPS.
    :param options: more OPTIONS of the databases.
    :param max_age: CONN_MAX_AGE of the databases.
    :param others: more aliases, besides the project's default, which is the alias's.
    :param settings: other settings of the project.
    """
    values = dict(settings, DATABASES={}, INSTALLED_APPS=list(apps))
    for name in [alias] + list(others):
        settings_dict = connections[name].settings_dict
        database = dict((key, settings_dict[key]) for key in KEYS)
        all_options = dict(settings_dict.get("OPTIONS") or {}, **dict(options))
        database.update(OPTIONS=all_options, CONN_MAX_AGE=max_age)
        values["DATABASES"]["default" if name == alias else name] = database
    package = os.path.dirname(os.path.dirname(os.path.abspath(django_compat.__file__)))
    return dict(
        os.environ,
        DJANGO_COMPAT_TEST_DRIVERS=" ".join(DRIVERS),
        DJANGO_COMPAT_TEST_SETTINGS=json.dumps(values),
        DJANGO_SETTINGS_MODULE="settings",
        PYTHONPATH=os.pathsep.join([FOLDER, TESTS, package]),
        PYTHONUNBUFFERED="1",
    )


def site(alias, apps, **settings):
    """Return the environment variables of a web process; settings of its database."""
    env = environment(
        alias,
        apps,
        DEBUG_PROPAGATE_EXCEPTIONS=True,
        MIDDLEWARE=[],
        ROOT_URLCONF="pages",
    )
    values = json.loads(env["DJANGO_COMPAT_TEST_SETTINGS"])
    values["DATABASES"]["default"].update(settings)
    return dict(env, DJANGO_COMPAT_TEST_SETTINGS=json.dumps(values))


def manage(env, *arguments):
    """Run ``manage.py``; return the exit code, the output and the errors."""
    code, output, errors = run(["manage.py"] + list(arguments), env, FOLDER)
    print(errors)  # pytest shows it when the test fails
    return code, output, errors


def get(address):
    """Return the status and the text of the page."""
    try:
        answer = urlopen("http://%s/" % address, timeout=30)
        return answer.getcode(), answer.read().decode("utf-8")
    except HTTPError as error:
        return error.code, error.read().decode("utf-8")


@contextlib.contextmanager
def serving(command, address, env):
    """Run a server until the end of the block; give a list of the lines it prints."""
    server = subprocess.Popen(
        command,
        cwd=FOLDER,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        close_fds=True,
    )
    lines = []
    reader = threading.Thread(target=lambda: lines.extend(server.stdout))
    reader.start()

    def is_up():
        try:
            return get(address)
        except EnvironmentError:
            return server.poll() is not None

    try:
        wait_for(is_up, 30)
        yield lines
    finally:
        if server.poll() is None:
            server.terminate()
        server.wait()
        reader.join()
        server.stdout.close()
        print(b"".join(lines).decode("utf-8", "replace"))


@contextlib.contextmanager
def load(address, clients):
    """Request the page as so many clients at once; give a growing list of answers."""
    answers, ended = [], []

    def ask():
        while not ended:
            try:
                answers.append(get(address))
            except EnvironmentError as error:
                answers.append((0, repr(error)))

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        ended.append(True)
        for thread in threads:
            thread.join()
