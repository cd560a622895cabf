"""What is uploaded: run in the tox environment ``package`` only, for it builds that."""

from __future__ import absolute_import

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
FOLDERS = [".ci", ".github", "benchmarks", "django_compat", "docs", "examples", "tests"]
FILES = """
    .editorconfig CHANGES.rst LICENSE MANIFEST.in README.rst setup.cfg setup.py tox.ini
    toxfile.py
""".split()
NOT_SOURCES = shutil.ignore_patterns("__pycache__", "*.py[co]")


def run(*command, **options):
    """Run a program; fail with what it printed."""
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a copy of the sources, with nothing in it that a build left behind."""
    copy = tmp_path_factory.mktemp("tree")
    for name in FOLDERS:
        shutil.copytree(ROOT / name, copy / name, ignore=NOT_SOURCES)
    for name in FILES:
        shutil.copy(ROOT / name, copy)
    return copy


@pytest.fixture(scope="module")
def sources(tree):
    """Return the files of the copy, relative to it, before anything is built."""
    return {str(path.relative_to(tree)) for path in tree.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def dists(tree, sources, tmp_path_factory):
    """Return the paths of the sdist, and of the wheel that is built from the sdist."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "-o", str(folder), str(tree))
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def test_sdist_has_every_source(dists, sources):
    """The tests, stubs, licence and changes are all there."""
    with tarfile.open(dists[0]) as archive:
        found = {name.partition("/")[2] for name in archive.getnames()}
    missing = sorted(sources - found)
    assert not missing, "\n".join(missing)


def test_wheel_is_for_both_pythons(dists):
    """One wheel serves 2.7 and 3."""
    assert dists[1].name.endswith("-py2.py3-none-any.whl")


def test_wheel_has_the_package_only(dists, sources):
    """The package with its stubs and its licence; no tests, no folder beside it."""
    with zipfile.ZipFile(dists[1]) as archive:
        names = set(archive.namelist())
    package = {name for name in names if ".dist-info/" not in name}
    assert package == {name for name in sources if name.startswith("django_compat/")}
    assert any(name.endswith("LICENSE") for name in names)


def test_dists_are_fit_for_upload(dists):
    """The index accepts the metadata, and can show the README."""
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, dists))


def test_wheel_works_without_the_source_tree(dists, tmp_path):
    """In a new environment the wheel brings all that the main job needs."""
    run(sys.executable, "-m", "virtualenv", "-q", str(tmp_path / "venv"))
    python = str(tmp_path / "venv" / "bin" / "python")
    run(python, "-m", "pip", "install", "-q", str(dists[1]))
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "PYTHON"))
    }
    where = "import django_compat; print(django_compat.__file__)"
    options = {"cwd": str(tmp_path), "env": clean}
    assert run(python, "-c", where, **options).startswith(str(tmp_path))
    assert "close_old_connections" in run(python, "-m", "django_compat", **options)


def readme_commands():
    """Return the commands that the README gives, without those of the tests."""
    lines = (ROOT / "README.rst").read_text(encoding="utf-8").splitlines()
    found = [line.strip() for line in lines if line.startswith("    python")]
    return [line for line in found if not re.search("tox|manage.py", line)]


def test_readme_commands_run_as_written(tree):
    """A new user who copies them gets what the README says."""
    path = os.pathsep.join(["try/bin", os.environ["PATH"]])
    options = {"cwd": str(tree), "env": dict(os.environ, PATH=path)}
    printed = [run("bash", "-c", line, **options) for line in readme_commands()]
    assert len(printed) == 3
    assert "All is well" in printed[0]
    assert "done" in printed[-1]
