"""Whoever names the supported Djangos and Pythons names those of matrix.py."""

from __future__ import absolute_import

import io
import itertools
import os
import re
import sys

import django
import pytest

from django_compat.matrix import pairs

pytestmark = pytest.mark.everywhere
ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PYTHONS = {python for python, _ in pairs()}


def environment(python, series):
    """Return the tox environment of a pair: ``py27-django14``."""
    return "py%s-django%s" % (python.replace(".", ""), series.replace(".", ""))


def read(*path):
    """Return the text of a file of the tree."""
    with io.open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def assert_same(found, expected):
    """Fail with what ``found`` has not, and what it has too much."""
    missing, extra = set(expected) - set(found), set(found) - set(expected)
    assert not missing | extra, "missing: %s; too much: %s" % (
        ", ".join(sorted(missing)) or "nothing",
        ", ".join(sorted(extra)) or "nothing",
    )


def test_tox_runs_every_pair():
    """tox.ini has an environment for each pair, and none for another."""
    env_list = re.search(r"^env_?list *=((?:\n? +\S+)+)", read("tox.ini"), re.MULTILINE)
    names = [
        "".join(parts)
        for name in env_list.group(1).split()
        for parts in itertools.product(
            *(part.split(",") for part in re.split("[{}]", name))
        )
    ]
    assert_same(
        [name for name in names if "django" in name],
        [environment(*pair) for pair in pairs()],
    )


def test_tox_environment_runs_its_pair():
    """Under tox, Python and Django are the ones in the environment's name."""
    running = environment(
        "%s.%s" % sys.version_info[:2], "%s.%s" % django.VERSION[:2]
    )
    assert os.environ.get("TOX_ENV_NAME", running) == running


def test_classifiers_name_every_django_and_python():
    """setup.py's classifiers are the Djangos and Pythons of the pairs."""
    classifier = r'"Framework :: Django :: (\d.*)"'
    assert_same(re.findall(classifier, read("setup.py")), [pair[1] for pair in pairs()])
    classifier = r'"Programming Language :: Python :: (\d.*)"'
    assert_same(re.findall(classifier, read("setup.py")), PYTHONS)


def test_workflow_runs_every_python():
    """The workflow has a job for each Python; tox knows its Djangos."""
    workflow = read(".github", "workflows", "tests.yml")
    assert_same(
        re.search(r"^ +python: \[(.+)\]", workflow, re.MULTILINE).group(1).split(", "),
        ['"%s"' % python for python in PYTHONS],
    )


def test_readme_names_every_pair():
    """README's table has a row for each Django, with its Pythons in the second cell."""
    row = re.compile(r"^(\d\.\d+) +(\d\.\d+(?: \d\.\d+)*)$", re.MULTILINE)
    assert_same(
        [
            "%s on %s" % (series, python)
            for series, pythons in row.findall(read("README.rst"))
            for python in pythons.split()
        ],
        ["%s on %s" % (series, python) for python, series in pairs()],
    )
