"""A dry run of the public workflow, by the tox environment ``package``.

Each script of each job runs in bash; what would install something is a stand-in, and
tox only writes down how it was called.
"""

from __future__ import absolute_import

import json
import re
import subprocess
import sys
from itertools import product
from types import SimpleNamespace

import pytest
import yaml
from check_packaging import ROOT, run

WORKFLOW = yaml.safe_load((ROOT / ".github" / "workflows" / "tests.yml").read_text())
PROGRAMS = {
    "apt-get": "exit 0",
    "pip": "exit 0",
    "sudo": 'exec "$@"',
    "tox": 'echo " $*" >>"$HOME/calls"',
    # -m pip installs; -m virtualenv makes an environment, whose folder comes last.
    "python": 'case "$2" in virtualenv) mkdir -p "${@: -1}" && ln -s "$HOME/bin" '
    '"${@: -1}/bin";; pip) ;; *) exit 2;; esac',
}


def evaluate(expression, matrix):
    """Return the value of what stands between ``${{`` and ``}}`` in a script."""
    source = expression.replace("&&", " and ").replace("||", " or ").strip()
    names = {"contains": lambda text, part: part in text}
    values = json.loads(
        json.dumps(matrix), object_hook=lambda items: SimpleNamespace(**items)
    )
    return eval(source, names, {"matrix": values})


def scripts():
    """Return ``(job, script)`` for each script, with each value of the matrix."""
    found = []
    for job, parts in WORKFLOW["jobs"].items():
        matrix = parts.get("strategy", {}).get("matrix", {})
        for values in product(*matrix.values()):
            filled = [
                re.sub(
                    r"\$\{\{(.+?)\}\}",
                    lambda match: evaluate(match.group(1), dict(zip(matrix, values))),
                    step["run"],
                )
                for step in parts["steps"]
                if "run" in step
            ]
            if (job, filled) not in found:
                found.append((job, filled))
    return found


@pytest.fixture(scope="module")
def calls(tmp_path_factory):
    """Run the scripts of each job; return the arguments of each call of tox."""
    arguments = []
    for job, texts in scripts():
        home = tmp_path_factory.mktemp(job)
        (home / "bin").mkdir()
        for name, text in PROGRAMS.items():
            (home / "bin" / name).write_text("#!/bin/bash\n%s\n" % text)
            (home / "bin" / name).chmod(0o755)
        for text in texts:
            # As GitHub runs it; /opt belongs to the job's own machine.
            command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c"]
            run(
                *[*command, text.replace("/opt", str(home / "opt"))],
                cwd=home,
                env={"HOME": str(home), "PATH": "%s:/usr/bin:/bin" % (home / "bin")},
            )
        lines = (home / "calls").read_text().splitlines()
        assert lines, "%s calls no tox" % job
        arguments += [line.split() for line in lines]
    return arguments


def environments(*options):
    """Return the names of tox's environments."""
    command = [sys.executable, "-m", "tox", "list", "--no-desc", "-q", *options]
    printed = subprocess.check_output(command, cwd=ROOT, text=True)
    return [line for line in printed.split() if re.match("[a-z]", line)]


def test_each_call_of_tox_runs_environments_that_exist(calls):
    """A name that tox does not know would be an environment without commands."""
    known = environments()
    for option, value, *_ in calls:
        if option == "-e":  # tox lists no factor that any environment may have
            names = value.replace("-coverage", "").split(",")
            assert [name for name in names if name not in known] == []
        else:
            assert option == "-f"
            assert [name for name in known if value in name.split("-")], value


def test_jobs_run_the_whole_matrix(calls):
    """Each environment that tox runs by itself runs in a job as well."""
    names = {name for option, value, *_ in calls for name in value.split(",")}
    left_out = [
        name
        for name in run(sys.executable, "-m", "tox", "-l", cwd=ROOT).split()
        if not names & {name, *name.split("-")}
    ]
    assert left_out == []
