"""README is short, its links lead somewhere; docs/ name each name, check, setting."""

from __future__ import absolute_import

import os
import re
import sys
from importlib import import_module

import pytest

import django_compat
from django_compat._cli import main
from support.repository import ROOT, code_blocks, read

NAMES = [name for name in django_compat._NAMES if not name.startswith("RemovedIn")]


def test_first_example_is_the_core_of_the_worker():
    """The loop in the docs is the loop of the example, word for word."""
    (block,) = [code for code in code_blocks("python") if "def run(" in code]
    lines = block.splitlines()
    core = "\n".join(lines[lines.index("") :]).strip()
    assert core.startswith("def run(")
    assert core in read("examples", "worker.py")


@pytest.mark.parametrize("name", sorted(NAMES))
def test_each_public_name_has_a_place(name):
    """The reference mentions the name as code."""
    page = read("docs", "reference", "names.rst")
    assert re.search(r"``[^`\n]*\b%s\b" % name, page)


def test_each_check_has_a_heading():
    """The heading, and the anchor, is the id; the text has reason, fix, silence."""
    sources = read("django_compat", "checks.py")
    ids = set(re.findall(r'"""([EWI]\d{3}): ', sources))
    assert len(ids) == 12
    pattern = r"^\.\. _django_compat\.([EWI]\d{3}):\n\ndjango_compat\.\1\n-{18}\n\n"
    page = read("docs", "reference", "checks.rst")
    parts = re.split(pattern, page, flags=re.MULTILINE)
    headings = parts[1::2]
    assert sorted(headings) == sorted(ids)
    for heading, text in zip(headings, parts[2::2]):
        for word in ("Why:", "Fix:", "ilence"):
            assert word in text, heading


@pytest.mark.parametrize("name", ["GUARDED_COMMANDS", "PROCESSES", "THREADS", "HOSTS"])
def test_each_setting_has_a_place(name):
    """The text has the default."""
    settings = read("docs", "reference", "settings.rst")
    text = settings.split("``DJANGO_COMPAT_%s``\n" % name)[1].split("\n\n")[0]
    assert "Default: " in text


def test_each_option_has_a_place():
    """The page of the command line has each option of ``python -m django_compat``."""
    page = read("docs", "reference", "command-line.rst")
    options = set(main._make_parser()._option_string_actions) - {"-h", "--help"}
    assert len(options) > 5
    assert [option for option in options if option not in page] == []


def test_readme_is_short():
    """A stranger reads it in five minutes."""
    assert len(read("README.rst").splitlines()) <= 150


@pytest.mark.parametrize("page", ["README.rst", "CONTRIBUTING.rst"])
def test_links_lead_to_files(page):
    """Each link of the page, which Sphinx does not check, leads to a file."""
    links = re.findall(r"<([\w./-]+)>`_", read(page))
    links += re.findall(r"^\.\. image:: (\S+)", read(page), re.MULTILINE)
    assert links
    paths = [os.path.join(ROOT, link) for link in links]
    assert [path for path in paths if not os.path.isfile(path)] == []


@pytest.mark.skipif(
    sys.version_info < (3,), reason="Python 2.7 cannot parse peers.py, with coroutines"
)
def test_evidence_is_what_was_measured(monkeypatch):
    """Comparison, benchmarks and their picture are the output of docs/evidence.py."""
    monkeypatch.syspath_prepend(os.path.join(ROOT, "docs"))
    try:
        evidence = import_module("evidence")
    finally:
        for name in "evidence", "bars":
            sys.modules.pop(name, None)
    for name, render in evidence.PAGES.items():
        assert read("docs", name) == render(), name


def test_pictures_are_those_of_the_script():
    """docs/pictures has the output of docs/pictures.py."""
    script = {"__name__": "pictures", "__file__": os.path.join(ROOT, "docs", "x.py")}
    exec(read("docs", "pictures.py").encode("utf-8"), script)
    for picture in script["PICTURES"]:
        drawn = read("docs", "pictures", picture.__name__ + ".svg")
        assert drawn == script["render"](picture), picture.__name__
