"""Each file that names the supported Djangos and Pythons agrees with matrix.py."""

from __future__ import absolute_import

import itertools
import os
import re
import sys

import django
import pytest

from django_compat.matrix import pairs
from support.repository import read, tox_name

PYTHONS = {python for python, _ in pairs()}


def assert_same(actual, expected):
    """Fail with the expected values that are missing, and with the others."""
    missing, extra = set(expected) - set(actual), set(actual) - set(expected)
    assert not missing | extra, "missing: %s; unexpected: %s" % (
        ", ".join(sorted(missing)) or "nothing",
        ", ".join(sorted(extra)) or "nothing",
    )


def test_tox_runs_every_pair():
    """tox.ini has an environment for each pair, and for no other pair.

    The environments of tests/contrib are named contrib-pair.
    """
    env_list = re.search(r"^env_?list *=((?:\n? +\S+)+)", read("tox.ini"), re.MULTILINE)
    names = [
        "".join(parts)
        for name in env_list.group(1).split()
        for parts in itertools.product(
            *(part.split(",") for part in re.split("[{}]", name))
        )
    ]
    assert_same(
        [name for name in names if name.startswith("py")],
        [tox_name(*pair) for pair in pairs()],
    )


@pytest.mark.contract
def test_tox_environment_runs_its_pair():
    """Under tox, Python and Django are those in the environment's name."""
    running = tox_name("%s.%s" % sys.version_info[:2], "%s.%s" % django.VERSION[:2])
    name = os.environ.get("TOX_ENV_NAME", running)
    name = name.replace("-coverage", "")
    assert name == running or "django" not in name  # tox -e next runs what there is


def test_classifiers_name_every_django_and_python():
    """The classifiers in setup.py are the Djangos and Pythons of the pairs."""
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


def test_page_names_every_pair():
    """The page's table has a row for each Django, with its Pythons in the second."""
    page = read("docs", "reference", "versions.rst")
    row = re.compile(r"^(\d\.\d+) +(\d\.\d+(?: \d\.\d+)*)$", re.MULTILINE)
    assert_same(
        [
            "%s on %s" % (series, python)
            for series, pythons in row.findall(page)
            for python in pythons.split()
        ],
        ["%s on %s" % (series, python) for python, series in pairs()],
    )
