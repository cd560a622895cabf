"""What the README shows is what there is."""

from __future__ import absolute_import

import io
import os
import re
import textwrap

import pytest

import django_compat

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def read(*path):
    with io.open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def code_blocks(language):
    """Return the blocks of a language, without their indentation."""
    block = r"^\.\. code-block:: %s\n\n((?:    .*\n|\n)+)" % language
    found = re.findall(block, read("README.rst"), re.MULTILINE)
    return [textwrap.dedent(text).strip() for text in found]


def test_first_example_is_the_core_of_the_worker():
    """The loop that the README shows stands in the example, word for word."""
    lines = code_blocks("python")[0].splitlines()
    core = "\n".join(lines[lines.index("") :]).strip()
    assert core.startswith("def run(")
    assert core in read("examples", "worker.py")


@pytest.mark.parametrize("name", [n for n in django_compat._NAMES if n[0].islower()])
def test_each_function_has_a_place(name):
    """No public function is missing."""
    assert "``%s" % name in read("README.rst")


def test_each_check_has_a_heading():
    """Its id, and below it what it means, why, and the fix."""
    sources = read("django_compat", "checks.py") + read("django_compat", "findings.py")
    ids = set(re.findall(r'"""([EWI]\d{3}): ', sources))
    assert len(ids) == 9
    pattern = r"^django_compat\.([EWI]\d{3})\n~~~~~~~~~~~~~~~~~~\n\n"
    parts = re.split(pattern, read("README.rst"), flags=re.MULTILINE)
    headings = parts[1::2]
    assert sorted(headings) == sorted(ids)
    for heading, text in zip(headings, parts[2::2]):
        for word in ("Why:", "Fix:", "ilence"):
            assert word in text, heading


@pytest.mark.parametrize("name", ["PROCESSES", "THREADS", "HOSTS"])
def test_each_setting_has_a_place(name):
    """With its default."""
    settings = read("README.rst").split("\nSettings\n")[1].split("\nChecks\n")[0]
    text = settings.split("``DJANGO_COMPAT_%s``\n" % name)[1].split("\n\n")[0]
    assert "Default: " in text
