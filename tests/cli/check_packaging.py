"""The sdist and the wheel, built and installed by the tox environment ``package``."""

from __future__ import absolute_import

import os
import re
import shutil
import subprocess
import sys
import zipfile
from email import message_from_bytes
from functools import partial
from pathlib import Path

import pytest
import readme_renderer.rst

ROOT = Path(__file__).resolve().parents[2]
ADDRESS = "https://example.com/django-compat-shim"


def run(*command, **options):
    """Run a program; fail with what it printed."""
    result = subprocess.run(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, **options
    )
    assert result.returncode == 0, result.stdout
    return result.stdout


def git(*arguments):
    """Ask the repository of these sources, whoever owns it; skip if there is none."""
    if not (ROOT / ".git").exists():
        pytest.skip("the sources are not those of a git repository")
    return run("git", "-c", "safe.directory=%s" % ROOT, *arguments, cwd=ROOT)


def copy_sources(folder):
    """Copy the files of the repository, as they are now; return their paths."""
    names = git("ls-files").splitlines()
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, folder / name)
    return names


@pytest.fixture(scope="module")
def tree(tmp_path_factory):
    """Return a copy of the sources, with the address of a public repository."""
    copy = tmp_path_factory.mktemp("tree")
    copy_sources(copy)
    set_string(copy / "setup.py", "URL", ADDRESS)
    return copy


def set_string(path, name, value):
    """Give a name of a module another value."""
    text = path.read_text(encoding="utf-8")
    line = '%s = "%s"' % (name, value)
    text, count = re.subn('^%s = ".*"' % name, line, text, flags=re.MULTILINE)
    assert count == 1
    path.write_text(text, encoding="utf-8")


@pytest.fixture(scope="module")
def dists(tree, tmp_path_factory):
    """Build the sdist, and the wheel from the sdist; return both paths."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "-o", str(folder), str(tree))
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def test_wheel_is_for_both_pythons(dists):
    """One wheel serves 2.7 and 3."""
    assert dists[1].name.endswith("-py2.py3-none-any.whl")


def test_wheel_has_the_package_only(dists):
    """The wheel has the package, the stubs and the licence; no tests, nothing else."""
    sources = git("ls-files").splitlines()
    with zipfile.ZipFile(dists[1]) as archive:
        names = set(archive.namelist())
    package = {name for name in names if ".dist-info/" not in name}
    assert package == {name for name in sources if name.startswith("django_compat/")}
    assert any(name.endswith("LICENSE") for name in names)


def test_wheel_declares_the_pytest_plugin(dists):
    """pytest finds the module that the entry point names."""
    with zipfile.ZipFile(dists[1]) as archive:
        (path,) = [name for name in archive.namelist() if "entry_points" in name]
        text = archive.read(path).decode("utf-8")
        assert "django_compat/contrib/pytest.py" in archive.namelist()
    assert "[pytest11]\ndjango_compat = django_compat.contrib.pytest" in text


def test_dists_are_fit_for_upload(dists):
    """The index accepts the metadata, and can show the README."""
    run(sys.executable, "-m", "twine", "check", "--strict", *map(str, dists))


def test_links_of_readme_work_on_the_index(dists):
    """The index gets README with absolute links, at the tag of the version."""
    with zipfile.ZipFile(dists[1]) as archive:
        (path,) = [name for name in archive.namelist() if name.endswith("METADATA")]
        metadata = message_from_bytes(archive.read(path))
    html = readme_renderer.rst.render(metadata.get_payload())
    links = re.findall('href="([^#"][^"]*)"', html)
    start = "%s/blob/%s/" % (ADDRESS, metadata["Version"])
    assert len(links) > 20
    assert [link for link in links if not link.startswith(start)] == []
    paths = [link[len(start) :] for link in links]
    assert [path for path in paths if not (ROOT / path).is_file()] == []


def interpreter(name):
    """Return the path of a Python on PATH; skip the test where there is none."""
    path = shutil.which(name)
    if path is None:
        is_required = os.environ.get("DJANGO_COMPAT_REQUIRE_SERVERS") == "1"
        (pytest.fail if is_required else pytest.skip)("there is no %s on PATH" % name)
    return path


def install(python, dist, folder):
    """Install a file into a new environment; return what runs a program of it."""
    options = ["-q", "--no-periodic-update", "-p", python, str(folder)]
    if python.endswith("3.15"):
        # The pip of the pinned virtualenv cannot install on 3.15.
        options[:0] = ["--pip", "26.3"]
    run(sys.executable, "-m", "virtualenv", *options)
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("DJANGO_", "PYTHON"))
    }
    python = str(folder / "bin" / "python")
    run(python, "-m", "pip", "install", "-q", str(dist), env=clean, cwd=str(folder))
    return partial(run, python, env=clean, cwd=str(folder))


def assert_works(python, folder):
    """Fail if the package is not that of the environment, or does not run."""
    where = "import django_compat; print(django_compat.__file__)"
    assert python("-c", where).startswith(str(folder))
    assert "All is well" in python("-m", "django_compat")


def test_wheel_works_without_the_source_tree(dists, tmp_path):
    """In a new environment the wheel and its dependencies run the command line."""
    assert_works(install(sys.executable, dists[1], tmp_path), tmp_path)


@pytest.mark.parametrize("name", ["python2.7", "python3.15"])
def test_sdist_works_on_the_oldest_and_the_newest_python(name, dists, tmp_path):
    """pip builds and installs the sdist there, with that Python's own tools."""
    assert_works(install(interpreter(name), dists[0], tmp_path), tmp_path)


def readme_commands():
    """Return README's commands that a new user runs: not tox, not manage.py."""
    lines = (ROOT / "README.rst").read_text(encoding="utf-8").splitlines()
    commands = [line.strip() for line in lines if line.startswith("    python")]
    return [line for line in commands if not re.search("tox|manage.py", line)]


def test_readme_commands_run_as_written(tree):
    """Each command succeeds and prints the text that README promises."""
    path = os.pathsep.join(["try/bin", os.environ["PATH"]])
    options = {"cwd": str(tree), "env": dict(os.environ, PATH=path)}
    printed = [run("bash", "-c", line, **options) for line in readme_commands()]
    assert len(printed) == 3
    assert "All is well" in printed[0]
    assert "done" in printed[-1]
