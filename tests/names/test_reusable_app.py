"""An app that imports moved names from django_compat, in a project, on this Django."""

from __future__ import absolute_import

import os
import re

import pytest

from support.processes import run_module
from support.repository import ROOT, TESTS

pytestmark = pytest.mark.contract
PROJECT = os.path.join(TESTS, "project")
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

# The facts of facts.py, about names that need models, templates or users.
EXPECTED.update(
    {
        "builtins": "/notes/",
        "display_for_field": ["-none-", "x", "X", "-none-"],
        "add_lazy_relation": True,
        "get_app": True,
        "get_app of absent": True,
        "get_app of django_compat": True,
        "get_library": True,
        "get_library of none": True,
        "get_model": True,
        "get_model of none": "LookupError",
        "get_model of one": True,
        "get_model_name": "note",
        "get_models": True,
        "get_template_from_string": "1",
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
        "values_list is values": True,
        "values_list of one": True,
        "verbatim": "{{ a }}{% if b %}{# c #}1",
        "verbatim without end": True,
    }
)


@pytest.fixture(scope="module")
def facts():
    """Return the result of each part of the app, from a process with own settings."""
    paths = [PROJECT, ROOT, os.environ.get("PYTHONPATH", "")]
    env = dict(os.environ, PYTHONPATH=os.pathsep.join(filter(None, paths)))
    env.pop("DJANGO_SETTINGS_MODULE", None)
    return run_module("reusable.check", env=env)


@pytest.mark.parametrize("part", sorted(EXPECTED))
def test_part_of_the_app_works(facts, part):
    """Models, routes, commands, middleware, templates, form and admin work."""
    assert facts[part] == EXPECTED[part]


def test_each_fact_has_an_expected_value(facts):
    """No result of the app is left unchecked."""
    assert set(facts) == set(EXPECTED)


def test_app_has_no_version_test():
    """The app asks for no release and catches no ImportError; check.py may do so."""
    forbidden = re.compile(r"VERSION|version_info|except ImportError|hasattr|getattr")
    for parent, _, files in os.walk(os.path.join(PROJECT, "reusable")):
        for name in files:
            if name.endswith(".py") and name not in ("check.py", "facts.py"):
                with open(os.path.join(parent, name)) as file:
                    assert forbidden.findall(file.read()) == [], name
