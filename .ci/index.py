"""What the package index has of Django, asked through pip, with pip's own settings."""

from __future__ import absolute_import

import json
import re
import subprocess
import sys


class Unreachable(Exception):
    """The index did not answer; the message is pip's."""


def releases():
    """Return ``{series: its final releases, oldest first}``, such as "1.4"."""
    output = _pip("index", "versions", "Django", "--ignore-requires-python")
    (line,) = re.findall("^Available versions: (.+)$", output, re.MULTILINE)
    found = {}
    for release in sorted(line.split(", "), key=numbers):
        found.setdefault(".".join(release.split(".")[:2]), []).append(release)
    return found


def pythons(release):
    """Return the Pythons that the classifiers of a release name, or None.

    None: the release has no wheel, and to build the classifiers takes an old Python.
    """
    words = "install -q --dry-run --no-deps --ignore-installed --only-binary :all:"
    words += " --ignore-requires-python --report - Django==" + release
    try:
        (entry,) = json.loads(_pip(*words.split()))["install"]
    except Unreachable as error:
        if "No matching distribution" in str(error):
            return None
        raise
    names = "\n".join(entry["metadata"]["classifier"])
    pattern = r"^Programming Language :: Python :: (\d+\.\d+)$"
    return sorted(re.findall(pattern, names, re.MULTILINE), key=numbers)


def numbers(release):
    """Return what releases and series are sorted by."""
    return [int(number) for number in release.split(".")]


def _pip(*words):
    command = [sys.executable, "-m", "pip", "--disable-pip-version-check"]
    process = subprocess.run(
        command + list(words), capture_output=True, text=True, check=False
    )
    if process.returncode:
        raise Unreachable(process.stderr.strip()[-1000:])
    return process.stdout
