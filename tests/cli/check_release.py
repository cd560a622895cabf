"""The release script on real repositories, run by the tox environment ``package``."""

from __future__ import absolute_import

import json
import os
import re
import subprocess
import sys
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from check_packaging import ADDRESS, ROOT, copy_sources, git, run, set_string

NAMES = ["one", "two", "three"]
TOX_INI = """
[tox]
env_list = one, two, three
skip_missing_interpreters = true
[testenv]
skip_install = true
commands = python -c "%s"
[testenv:three]
base_python = %s
"""
CHANGES = """Changes
=======

9.8.7 (2026-11-29)
------------------

- All is new.

9.8.6 (2026-11-28)
------------------

- All is old.
"""
IDENTITY = {
    "GIT_AUTHOR_NAME": "A",
    "GIT_AUTHOR_EMAIL": "a@example.com",
    "GIT_COMMITTER_NAME": "A",
    "GIT_COMMITTER_EMAIL": "a@example.com",
    "GIT_CONFIG_GLOBAL": os.devnull,
}


@pytest.fixture(autouse=True)
def clean_environ(monkeypatch):
    """Git knows an author; tox knows nothing of the tox that runs these tests."""
    for name in [name for name in os.environ if name.startswith("TOX_")]:
        monkeypatch.delenv(name)
    for name, value in IDENTITY.items():
        monkeypatch.setenv(name, value)


@pytest.fixture
def repository(tmp_path):
    """Return a repository of these sources that are fit for a release."""
    root = tmp_path / "repository"
    root.mkdir()
    copy_sources(root)
    set_string(root / "setup.py", "URL", ADDRESS)
    set_string(root / "django_compat" / "__init__.py", "__version__", "9.8.7")
    (root / "CHANGES.rst").write_text(CHANGES)
    (root / "tox.ini").write_text(TOX_INI % ("pass", "python"))
    run("git", "init", "-q", cwd=root)
    commit(root)
    return root


def edit(root, name, old, new):
    text = (root / name).read_text(encoding="utf-8")
    assert old in text
    (root / name).write_text(text.replace(old, new, 1), encoding="utf-8")


def commit(root):
    """Commit all files, and write the results of a green run."""
    run("git", "add", "-A", cwd=root)
    run("git", "commit", "-q", "-m", "Change", cwd=root)
    passed = {"result": {"success": True}, "test": []}
    write_results(root, dict.fromkeys(NAMES, passed))


def results(root):
    """Return the path of the results of the last commit."""
    head = run("git", "rev-parse", "HEAD", cwd=root).strip()
    return root / ".tox" / "results" / (head + ".json")


def write_results(root, testenvs):
    results(root).parent.mkdir(parents=True, exist_ok=True)
    results(root).write_text(json.dumps({"testenvs": testenvs}))


def release(root, *options, **environ):
    """Run the script; return its exit code and what it printed."""
    process = subprocess.run(
        [sys.executable, ".ci/release.py", *options],
        cwd=root,
        env=dict(os.environ, **environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return process.returncode, process.stdout


def assert_refused(root, *reasons):
    """Fail unless the script names the reasons, and leaves no tag and no file."""
    code, printed = release(root)
    assert code == 1, printed
    for reason in reasons:
        assert reason in printed
    assert printed.startswith("not released:")
    assert run("git", "tag", cwd=root) == ""
    assert not list(root.glob("dist/*/*.whl")) or "differ" in printed


def test_sdist_has_every_committed_file(repository):
    """MANIFEST.in takes along each file of the repository, and no other one."""
    run(sys.executable, "-m", "check_manifest", "--no-build-isolation", cwd=repository)


def test_changed_and_new_files_are_refused(repository):
    """The message names the files that the commit does not have."""
    edit(repository, "README.rst", "\n", " \n")
    (repository / "new.py").write_text("")
    assert_refused(repository, "the tree is dirty", "M README.rst", "?? new.py")


def test_changelog_without_a_date_is_refused(repository):
    """The top section is still called unreleased."""
    edit(repository, "CHANGES.rst", "(2026-11-29)", "(unreleased)")
    commit(repository)
    assert_refused(repository, 'the date of 9.8.7 is "unreleased"')


def test_changelog_of_another_version_is_refused(repository):
    """The version was raised, but the changes do not say so."""
    path = repository / "django_compat" / "__init__.py"
    set_string(path, "__version__", "9.9.0")
    commit(repository)
    text = "CHANGES.rst begins with version 9.8.7, django_compat/__init__.py has 9.9.0"
    assert_refused(repository, text)


def test_changelog_without_an_entry_is_refused(repository):
    """A new heading alone is no changelog; a page without headings neither."""
    edit(repository, "CHANGES.rst", "- All is new.\n\n", "")
    commit(repository)
    assert_refused(repository, "the section of 9.8.7 is empty")
    (repository / "CHANGES.rst").write_text("Changes\n")
    assert_refused(repository, "CHANGES.rst has no section", "the tree is dirty")


def test_missing_address_is_refused(repository):
    """README's links need the address of the public repository."""
    set_string(repository / "setup.py", "URL", "")
    commit(repository)
    assert_refused(repository, "setup.py: URL is empty")


def test_results_of_another_commit_are_refused(repository):
    """Only the commit that was tested can be released."""
    results(repository).rename(results(repository).with_name("another.json"))
    head = results(repository).stem
    assert_refused(repository, "no test results of %s: run .ci/run" % head)


def test_results_without_an_environment_are_refused(repository):
    """A run of a part of the matrix is no run of the matrix."""
    passed = {"result": {"success": True}, "test": []}
    write_results(repository, {"one": passed, "three": passed})
    assert_refused(repository, "two did not run on this commit")


def test_results_that_tox_writes_are_understood(repository):
    """A failed environment is named, and so is one whose interpreter is missing."""
    (repository / "tox.ini").write_text(TOX_INI % ("raise SystemExit(3)", "python2.0"))
    commit(repository)
    command = [sys.executable, "-m", "tox", "-q", "--result-json", results(repository)]
    assert subprocess.run(command, cwd=repository).returncode
    code, printed = release(repository)
    assert code == 1
    assert "one failed on this commit\ntwo failed on this commit\n" in printed
    assert "three was skipped on this commit: its interpreter is missing" in printed


def test_builds_that_differ_are_refused(repository):
    """Here the description has the number of the building process."""
    edit(repository, "setup.py", "description=", "description=str(os.getpid()) + ")
    commit(repository)
    assert_refused(repository, "two builds differ")


def test_release_is_built_and_tagged_once(repository):
    """The last line is the command that uploads the two files of dist/VERSION."""
    code, printed = release(repository)
    assert code == 0, printed
    assert printed.count("PASSED") == 2
    *_, push, command = printed.splitlines()
    assert push == "git push origin 9.8.7"
    files = sorted(path.name for path in (repository / "dist" / "9.8.7").iterdir())
    assert [command.count("dist/9.8.7/" + name) for name in files] == [1, 1]
    assert run("git", "rev-list", "-1", "9.8.7", cwd=repository) == run(
        "git", "rev-parse", "HEAD", cwd=repository
    )
    code, printed = release(repository)
    assert code == 1
    assert "the tag 9.8.7 is there already; raise the version" in printed


class Index(BaseHTTPRequestHandler):
    """Takes uploads, as the package index does."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        names = re.findall(rb'name="content"; filename="([^"]+)"', body)
        self.server.uploads += [name.decode() for name in names]
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *args):
        pass


def test_upload_sends_the_files_of_the_release(repository):
    """--upload runs the command; twine's own settings name the index."""
    server = HTTPServer(("127.0.0.1", 0), Index)
    server.uploads = []
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = "http://127.0.0.1:%d/" % server.server_port
    environ = dict(TWINE_REPOSITORY_URL=url, TWINE_USERNAME="a", TWINE_PASSWORD="b")
    environ["NO_PROXY"] = "127.0.0.1"
    try:
        code, printed = release(repository, "--upload", **environ)
    finally:
        server.shutdown()
        server.server_close()
    assert code == 0, printed
    files = sorted(path.name for path in (repository / "dist" / "9.8.7").iterdir())
    assert sorted(server.uploads) == files


def test_builds_are_equal_on_another_day_in_another_place(repository, tmp_path):
    """The bytes depend neither on the checkout nor on time, zone, umask, hash seed."""
    elsewhere = tmp_path / "elsewhere" / "with a longer name"
    elsewhere.parent.mkdir()
    run("git", "clone", "-q", str(repository), str(elsewhere), umask=0o077)
    for path in elsewhere.rglob("*"):
        os.utime(path, (1e9, 1e9))
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "sitecustomize.py").write_text(
        "import time; now = time.time; time.time = lambda: now() + 400 * 86400"
    )
    there = dict(
        PYTHONHASHSEED="7", PYTHONPATH=str(tmp_path / "site"), TZ="Asia/Kathmandu"
    )
    build = "from pathlib import *; import release; release.build(Path('..'), Path(%r))"
    for root, environ, umask in [(repository, {}, 0o002), (elsewhere, there, 0o077)]:
        run(
            *[sys.executable, "-c", build % str(root / "dist")],
            cwd=root / ".ci",
            env=dict(os.environ, **environ),
            umask=umask,
        )
    files = sorted((repository / "dist").iterdir(), key=lambda path: path.suffix)
    assert [path.suffix for path in files] == [".gz", ".whl"]
    for path in files:
        assert path.read_bytes() == (elsewhere / "dist" / path.name).read_bytes()
    assert_normal(*files)


def assert_normal(sdist, wheel):
    """Fail if an archive tells who built it, or lacks a mode."""
    with tarfile.open(sdist) as archive:
        members = archive.getmembers()
    assert {(member.uid, member.gid, member.uname) for member in members} == {
        (0, 0, "")
    }
    assert len({member.mtime for member in members}) == 1
    runnable = [m.name for m in members if m.isfile() and m.mode & 0o111]
    assert [name.partition("/")[2] for name in runnable] == [".ci/newer", ".ci/run"]
    with zipfile.ZipFile(wheel) as archive:
        modes = {info.external_attr >> 16 & 0o777 for info in archive.infolist()}
    assert modes <= {0o644, 0o664}


def test_version_is_in_one_place():
    """No other file repeats it, but the changes, which the script compares."""
    text = (ROOT / "django_compat" / "__init__.py").read_text(encoding="utf-8")
    version = re.search('^__version__ = (".+")', text, re.MULTILINE).group(1)
    found = git("grep", "-lF", version, "--", ":!tests")
    assert found.split() == ["django_compat/__init__.py"]
