"""Release the commit that is checked out: ``tox -e release``.

Exit code 1, with a line for each reason, if the commit is not fit for a release. Else
dist/VERSION has its sdist and its wheel, the commit has the tag VERSION, and the last
line is the command that uploads the files. With ``--upload`` the command runs.
"""

from __future__ import absolute_import

import argparse
import filecmp
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


class Refused(Exception):
    """The commit is not released; the message has a line for each reason."""


def run(*command, cwd, **options):
    """Run a program in a folder, and return what it printed."""
    process = subprocess.run(
        command, cwd=cwd, stdout=subprocess.PIPE, text=True, check=False, **options
    )
    if process.returncode:
        raise Refused("%s\n%s failed" % (process.stdout, " ".join(map(str, command))))
    return process.stdout.strip()


def version(root):
    """Return the version, whose one place is django_compat/__init__.py."""
    text = (root / "django_compat" / "__init__.py").read_text(encoding="utf-8")
    return re.search('^__version__ = "(.+)"', text, re.MULTILINE).group(1)


def uncommitted(root):
    """Yield a reason if the tree has files that the commit does not have."""
    changed = run("git", "status", "--porcelain", cwd=root)
    if changed:
        yield "the tree is dirty; commit or remove:\n%s" % changed


def unprepared(root):
    """Yield what the changelog, the version and setup.py lack."""
    text = (root / "CHANGES.rst").read_text(encoding="utf-8")
    section = re.search(r"^(\S+) \((.*)\)\n-+\n\n(- )?", text, re.MULTILINE)
    if section is None:
        yield "CHANGES.rst has no section VERSION (DATE)"
        return
    name, date, entry = section.groups()
    if name != version(root):
        text = "CHANGES.rst begins with version %s, django_compat/__init__.py has %s"
        yield text % (name, version(root))
    if not re.match(r"\d{4}-\d\d-\d\d$", date):
        yield 'CHANGES.rst: the date of %s is "%s"; write YYYY-MM-DD' % (name, date)
    if not entry:
        yield "CHANGES.rst: the section of %s is empty" % name
    if run("git", "tag", "--list", version(root), cwd=root):
        yield "the tag %s is there already; raise the version" % version(root)
    if re.search('^URL = ""', (root / "setup.py").read_text("utf-8"), re.MULTILINE):
        yield "setup.py: URL is empty, so README's links lead nowhere on the index"


def red(root):
    """Yield each environment that did not pass on this very commit.

    .ci/run lets tox write the results of a clean tree by the name of the commit.
    """
    commit = run("git", "rev-parse", "HEAD", cwd=root)
    path = root / ".tox" / "results" / (commit + ".json")
    if not path.exists():
        yield "no test results of %s: run .ci/run on a clean tree" % commit
        return
    results = json.loads(path.read_text(encoding="utf-8"))["testenvs"]
    for name in run(sys.executable, "-m", "tox", "-l", cwd=root).split():
        result = results.get(name, {}).get("result")
        if result is None:
            yield "%s did not run on this commit" % name
        elif not result["success"]:
            yield "%s failed on this commit" % name
        elif "test" not in results[name]:
            # tox calls a skipped environment a success.
            yield "%s was skipped on this commit: its interpreter is missing" % name


def build(root, folder):
    """Build the sdist and the wheel of the last commit; return their paths.

    The bytes depend on the commit and on the versions of Python, build and setuptools;
    not on the checkout's folder, time, owner, umask.
    """
    epoch = run("git", "log", "-1", "--format=%ct", cwd=root)
    with tempfile.TemporaryDirectory() as tree:
        archive = "git -c tar.umask=0022 archive --output %s/tree.tar HEAD" % tree
        run(*archive.split(), cwd=root)
        with tarfile.open(tree + "/tree.tar") as sources:
            sources.extractall(tree + "/tree", filter="data")
        run(
            *(sys.executable, "-m", "build", "--no-isolation", "-o", folder, "."),
            cwd=tree + "/tree",
            env=dict(os.environ, SOURCE_DATE_EPOCH=epoch),
            stderr=subprocess.STDOUT,
            umask=0o022,
        )
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    repack(sdist, int(epoch))
    return [sdist, wheel]


def repack(sdist, epoch):
    """Write an sdist once more, without what setuptools takes from the machine.

    setuptools heeds SOURCE_DATE_EPOCH in wheels only:
    https://github.com/pypa/setuptools/issues/2133
    """
    old = sdist.with_suffix(".old")
    sdist.rename(old)
    with tarfile.open(old) as source, sdist.open("wb") as stream:
        with gzip.GzipFile("", "wb", fileobj=stream, mtime=epoch) as packed:
            with tarfile.open(fileobj=packed, mode="w") as target:
                for member in sorted(source, key=lambda member: member.name):
                    member.mtime = epoch
                    member.uid = member.gid = 0
                    member.uname = member.gname = ""
                    member.mode = 0o755 if member.mode & 0o100 else 0o644
                    member.pax_headers = {}
                    target.addfile(member, source.extractfile(member))
    old.unlink()


def build_twice(root, folder):
    """Build in two places; refuse if the bytes differ. Return the paths."""
    with tempfile.TemporaryDirectory() as other:
        shutil.rmtree(folder, ignore_errors=True)
        paths = build(root, folder)
        for first, second in zip(paths, build(root, Path(other))):
            if not filecmp.cmp(first, second, shallow=False):
                raise Refused("%s: two builds differ" % first.name)
    return paths


def release(root, upload):
    """Check, build, tag, and upload or say how."""
    reasons = [*uncommitted(root), *unprepared(root), *red(root)]
    if reasons:
        raise Refused("\n".join(reasons))
    name = version(root)
    paths = build_twice(root, root / "dist" / name)
    print(run(sys.executable, "-m", "twine", "check", "--strict", *paths, cwd=root))
    run("git", "tag", "-a", name, "-m", "Release " + name, cwd=root)
    files = [str(path.relative_to(root)) for path in paths]
    command = ["-m", "twine", "upload", *files]
    if upload:
        print(run(sys.executable, *command, cwd=root))
    print("git push origin", name)
    if not upload:
        print("python", *command)


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--upload", action="store_true", help="upload by twine")
    arguments = parser.parse_args()
    try:
        release(ROOT, arguments.upload)
    except Refused as reasons:
        print("not released:", reasons, sep="\n", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
