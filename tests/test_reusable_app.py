"""An app that imports from django_compat what moved, used as a project uses it."""

from __future__ import absolute_import

import os
import re

import pytest
from processes import run_module

pytestmark = pytest.mark.everywhere
TESTS = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(TESTS, "reusable")
KEY = "00000000-0000-0000-0000-000000000005"
LINKS = ["First &lt;one&gt;", "Second", "First &lt;one&gt;", "Second"]

EXPECTED = {
    "add": [302, "/notes/"],
    "add elsewhere": "/notes/6/",
    "admin": [200, True],
    "admin adds": [302, True],
    "admin asks": True,
    "answer": {"key": KEY, "is_key": True, "age": "P1DT00H01M30S"},
    "below": {"number": 7, "word": "x-y"},
    "command": ["first-one", "second", "first-one", "second", "added", ""],
    "command fails": "--times must be at least 1",
    "command for an app": "reusable reusable reusable.models Note!\n",
    "command for no app": True,
    "detail": [200, "<title>/notes/1/</title><h1>First &lt;one&gt;</h1>int /notes/1/"],
    "fail": "on purpose",
    "header": "/notes/",
    "index": [
        200,
        "".join(
            '<a href="/notes/%d/">%s</a>' % (number, title)
            for number, title in enumerate(LINKS, 1)
        )
        + "/more/ {{ raw }}",
    ],
    "lost": False,
    "missing": 404,
    "no number": 404,
    "regex": {"rest": "a/b"},
    "reverse": "/more/below/7/x/",
    "shout": True,
}

# facts.py: names that need models, templates or users.
EXPECTED.update(
    {
        "builtins": "/notes/",
        "display_for_field": ["-none-", "x"],
        "get_app": True,
        "get_model": True,
        "get_model of none": "LookupError",
        "get_model of one": True,
        "get_model_name": "note",
        "get_models": True,
        "loaders": True,
        "no engine": True,
        "permissions": True,
        "response": [200, "&lt;h&gt;5"],
        "string": "&lt;h&gt;5",
        "string of several": "not found",
        "user": "User",
        "user label": ["auth.User", "auth.User"],
        "user permission": ["add_user", "auth.add_user"],
        "username": "username",
        "values": [False, True, True, True],
        "values_list": [False, False, True, False],
        "values_list of one": True,
        "verbatim": "{{ a }}{% if b %}{# c #}1",
    }
)


@pytest.fixture(scope="module")
def found():
    """Return what each part of the app does, in a process with settings of its own."""
    paths = [TESTS, os.path.dirname(TESTS), os.environ.get("PYTHONPATH", "")]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths)))
    env.pop("DJANGO_SETTINGS_MODULE", None)
    return run_module("reusable.check", env=env)


@pytest.mark.parametrize("part", sorted(EXPECTED))
def test_part_of_the_app_works(found, part):
    """Models, routes, command, middleware, templates, form, admin: on every Django."""
    assert found[part] == EXPECTED[part]


def test_nothing_else_was_tried(found):
    """All that the app does is looked at."""
    assert set(found) == set(EXPECTED)


def test_app_has_no_version_test():
    """No release is asked for, nothing is tried: check.py is the project."""
    forbidden = re.compile(r"VERSION|version_info|except ImportError|hasattr|getattr")
    for parent, _, files in os.walk(FOLDER):
        for name in files:
            if name.endswith(".py") and name not in ("check.py", "facts.py"):
                with open(os.path.join(parent, name)) as file:
                    assert forbidden.findall(file.read()) == [], name
