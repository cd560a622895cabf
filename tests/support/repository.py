"""The files of the repository, and the names that tox.ini gives to pairs."""

from __future__ import absolute_import

import io
import os
import re
import textwrap

TESTS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ROOT = os.path.dirname(TESTS)


def read(*path):
    """Return the text of a file, by its path from the root of the repository."""
    with io.open(os.path.join(ROOT, *path), encoding="utf-8") as stream:
        return stream.read()


def pages():
    """Return the paths of README and of the pages of docs, without the recipes'.

    Each recipe has a test of its own in tests/contrib.
    """
    found = [("README.rst",)]
    for folder in ["", "explanation", "guides", "reference"]:
        names = sorted(os.listdir(os.path.join(ROOT, "docs", folder)))
        found += [("docs", folder, name) for name in names if name.endswith(".rst")]
    return found


def code_blocks(language):
    """Return the pages' different code blocks of a language, without indentation."""
    block = r"^\.\. code-block:: %s\n\n((?:    .*\n|\n)+)" % language
    texts = []
    for page in pages():
        for text in re.findall(block, read(*page), re.MULTILINE):
            if text.strip("\n") not in texts:
                texts.append(text.strip("\n"))
    return [textwrap.dedent(text).strip() for text in texts]


def tox_name(python, series):
    """Return the name of a pair's tox environment, as ``py27-django14``."""
    return "py%s-django%s" % (python.replace(".", ""), series.replace(".", ""))
