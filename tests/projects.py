"""Run the project in tests/project in processes of its own."""

from __future__ import absolute_import

import contextlib
import json
import os
import subprocess
import threading

import conftest
import django_compat
from databases import wait_for
from django.db import connections
from processes import run

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "project")
try:
    from urllib.error import HTTPError
    from urllib.request import urlopen
except ImportError:  # Python 2
    from urllib2 import HTTPError, urlopen

KEYS = ("ENGINE", "HOST", "NAME", "PASSWORD", "PORT", "USER")


def environment(alias, apps=(), options=(), max_age=None, others=(), **settings):
    """Return the environment in which the project's default database is the alias's.

    ``options`` are more OPTIONS of its database, ``max_age`` its CONN_MAX_AGE,
    ``others`` more aliases of the project, ``settings`` the project's.
    """
    values = dict(settings, DATABASES={}, INSTALLED_APPS=list(apps))
    for each in [alias] + list(others):
        settings_dict = connections[each].settings_dict
        database = dict((key, settings_dict[key]) for key in KEYS)
        found = dict(settings_dict.get("OPTIONS") or {}, **dict(options))
        database.update(OPTIONS=found, CONN_MAX_AGE=max_age)
        values["DATABASES"]["default" if each == alias else each] = database
    package = os.path.dirname(os.path.dirname(os.path.abspath(django_compat.__file__)))
    return dict(
        os.environ,
        DJANGO_COMPAT_TEST_DRIVERS=" ".join(conftest.DRIVERS),
        DJANGO_COMPAT_TEST_SETTINGS=json.dumps(values),
        DJANGO_SETTINGS_MODULE="settings",
        PYTHONPATH=os.pathsep.join([FOLDER, package]),
        PYTHONUNBUFFERED="1",
    )


def manage(env, *arguments):
    """Run ``manage.py``; return the exit code and what it prints."""
    code, output, errors = run(["manage.py"] + list(arguments), env, FOLDER)
    print(errors)  # pytest shows it when the test fails
    return code, output, errors


def get(address):
    """Return the status and the text of the page, once there is a server."""
    try:
        answer = urlopen("http://%s/" % address, timeout=30)
        return answer.getcode(), answer.read().decode("utf-8")
    except HTTPError as error:
        return error.code, error.read().decode("utf-8")


@contextlib.contextmanager
def serving(command, address, env):
    """Run a server; give the lines that it prints, all of them at the end."""
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
    """Ask for the page as so many clients at once; give the answers that came."""
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
