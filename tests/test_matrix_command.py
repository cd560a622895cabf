"""``python -m django_compat matrix``: what it selects, how it prints it, its errors."""

from __future__ import absolute_import

import json
import os
import re
import subprocess
import sys

import pytest
from test_matrix import environment, read

from django_compat.matrices import FORMATS, parse_arguments, select, unknown
from django_compat.matrix import PYTHONS, SERIES, pairs
from django_compat.ranges import BadRange, Range

try:
    from configparser import RawConfigParser
except ImportError:  # Python 2
    from ConfigParser import RawConfigParser

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

RANGES = {  # a range: what is in it, and what is not
    ">=3.2": ("3.2 3.2.0 3.2.1 10.0", "3.1 3.1.14 2.2"),
    ">3.2": ("3.2.1 3.10", "3.2 3.2.0 3.1"),
    "<=3.2": ("3.2 3.2.0 1.11", "3.2.1 4"),
    "<3.10": ("3.2 3.9.9", "3.10 3.11 4"),
    "==3.2": ("3.2 3.2.0", "3.2.1 3.20"),
    "==3.2.*": ("3.2 3.2.25", "3.20 3.1 4.2"),
    "==3.*": ("3.0 3.2.25", "4.0 2.2 30"),
    "!=4.0.*": ("3.2 4.1 4.10", "4.0 4.0.10"),
    "!=4.0": ("4.0.1 4.1", "4.0 4.0.0"),
    "~=3.2": ("3.2 3.3.1 3.10", "3.1 4.0"),
    "~=3.2.5": ("3.2.5 3.2.25", "3.2.4 3.3 4"),
    " >= 3.2 , < 5 , ": ("3.2 4.2.30", "3.1 5.0"),
    ">=4,!=4.1.*,!=5.0.1": ("4.0 5.0 5.0.2", "3.2 4.1.3 5.0.1"),
}


@pytest.mark.parametrize("text", sorted(RANGES))
def test_range_holds_what_pep_440_says(text):
    """Numbers are compared as numbers, and missing ones are 0."""
    within, without = RANGES[text]
    found = Range(text, "--django")
    assert [each for each in within.split() if each not in found] == []
    assert [each for each in without.split() if each in found] == []


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "3.2", "=3.2", "=>3.2", "===3.2", ">=3.2 <4", ">=", ">=3.x", "^3.2"]
    + [">=3.2.*", "~=3.2.*", "~=3", ">=4.0a1", ">=3.2,,<", "==*", "all", ">=3.2;x"],
)
def test_malformed_range_is_named(text):
    """With the argument, its value and what is allowed."""
    with pytest.raises(BadRange) as caught:
        Range(text, "--django")
    assert str(caught.value).startswith("--django ")
    assert "such as" in str(caught.value) or "only == and !=" in str(caught.value)


def names(found):
    return [(row["python"], row["django"]) for row in found]


def test_without_ranges_all_pairs_are_there():
    """Those that the tests of this package run on."""
    assert names(select()) == pairs()


def test_series_is_selected_by_its_releases():
    """What pip is told is narrowed to the releases in the range."""
    found = dict((row["django"], row["requirement"]) for row in select(">=3.2.5,<=4.0"))
    assert found == {"3.2": "Django==3.2.*,>=3.2.5,<=4.0", "4.0": "Django==4.0"}
    everything = dict((row["django"], row["requirement"]) for row in select(">=4"))
    assert everything["4.2"] == "Django==4.2.*"
    assert sorted(set(everything)) == [s.django for s in SERIES if s.django >= "4"]


def test_both_ranges_hold():
    """A pair is in both of them."""
    found = names(select("<=2.2.28", ">=3.6,<3.9"))
    assert found == [
        (python, django)
        for python, django in pairs()
        if django in ("1.11", "2.0", "2.1", "2.2") and python in ("3.6", "3.7", "3.8")
    ]


@pytest.mark.parametrize(
    "django, python",
    [(">6.1.99", None), (">=6.0", "<3.12"), ("==3.2.99", None), (None, ">=4")],
)
def test_empty_selection_is_an_error(django, python):
    """It says what is known."""
    with pytest.raises(BadRange) as caught:
        select(django, python)
    assert "no pair" in str(caught.value)
    assert "Django 1.4 to %s" % SERIES[-1].last in str(caught.value)
    assert ", ".join(PYTHONS) in str(caught.value)


def test_python_is_given_as_two_numbers():
    """The data know no more of it."""
    with pytest.raises(BadRange) as caught:
        select(None, ">=3.8.1")
    assert "3.8.1" in str(caught.value)
    assert names(select("==4.0.*", "<=3.9")) == [("3.8", "4.0"), ("3.9", "4.0")]


def test_unknown_release_is_told():
    """One that the range names, and the data have not."""
    assert unknown(">=3.2,<5") == []
    assert unknown(">=4.2,<=6.1.3") == []
    assert unknown(">=3.2,<7.0") == ["7.0"]
    assert unknown("<7,!=4.3.*") == ["7", "4.3"]


def expand(text):
    """Return the environments that a line of a tox env_list names."""
    head, pythons, tail = re.match(r"(py)(?:\{(.+)\}|\d+)(-django\d+)$", text).groups()
    if pythons is None:
        return [text]
    return [head + python + tail for python in pythons.split(",")]


@pytest.mark.parametrize("django", [">=1.4", ">=3.2.5,<5", "==6.1.*"])
def test_tox_output_is_a_configuration(tmpdir, django):
    """It parses; its environments are the pairs, each with the Django it names."""
    found = select(django, None)
    path = tmpdir.join("tox.ini")
    path.write(FORMATS["tox"](found))
    parser = RawConfigParser()
    parser.read(str(path))
    listed = [
        name
        for line in parser.get("tox", "envlist").split()
        for name in expand(line.strip())
    ]
    assert sorted(listed) == sorted(environment(*pair) for pair in names(found))
    factors = dict(
        line.split(": ") for line in parser.get("testenv", "deps").strip().split("\n")
    )
    assert factors == dict(
        ("django" + row["django"].replace(".", ""), row["requirement"]) for row in found
    )
    needs_old = bool({"2.7", "3.6", "3.7"} & set(row["python"] for row in found))
    assert parser.has_option("tox", "requires") is needs_old
    if needs_old:  # and then the ones that this package's own runs need
        lines = parser.get("tox", "requires").split()
        assert [line for line in lines if line not in read("tox.ini")] == []


def test_json_outputs_load():
    """The one for GitHub is one line, its rows are the same."""
    found = select(">=5")
    assert json.loads(FORMATS["json"](found)) == found
    line = FORMATS["github"](found)
    assert "\n" not in line
    assert json.loads(line) == {"include": found}


def test_table_has_a_line_for_each_django():
    """With its Pythons, and the count."""
    lines = FORMATS["table"](select("~=4.2.0")).splitlines()
    assert lines == ["Django  Python", "4.2     3.8 3.9 3.10 3.11 3.12", "", "5 pairs"]
    assert FORMATS["table"](select("==3.2.*", "==3.6")).splitlines()[-1] == "1 pair"


@pytest.mark.parametrize(
    "arguments, format",
    [((">=3.2,<5", None), "table"), ((">=4.2,<6", ">=3.12"), "tox")],
)
def test_readme_shows_what_is_printed(arguments, format):
    """Word for word."""
    lines = FORMATS[format](select(*arguments)).splitlines()
    shown = "\n".join("    " + line if line else "" for line in lines)
    assert shown in read("README.rst")
    assert "--django '%s'" % arguments[0] in read("README.rst") or format == "tox"


def run(*arguments):
    """Run the command without site packages' Django; return code and both outputs."""
    # A folder with a django that cannot be imported comes first.
    code = (
        "import sys, runpy; sys.modules['django'] = None; "
        "sys.argv[0] = 'django_compat'; "
        "runpy.run_module('django_compat', run_name='__main__')"
    )
    env = dict(os.environ, PYTHONPATH=ROOT)
    env.pop("DJANGO_SETTINGS_MODULE", None)
    process = subprocess.Popen(
        [sys.executable, "-c", code] + list(arguments),
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    output, errors = [stream.decode("utf-8") for stream in process.communicate()]
    return process.returncode, output, errors


def test_command_needs_no_django():
    """It prints what is asked for, and tells of what it does not know."""
    arguments = ["matrix", "--django", ">=5.2,<7.0", "--python", ">=3.12"]
    code, output, errors = run(*(arguments + ["--format", "json"]))
    assert (code, json.loads(output)) == (0, select(">=5.2", ">=3.12"))
    assert errors.startswith("Django 7.0: not known here")


@pytest.mark.parametrize(
    "arguments, reason",
    [
        (["matrix", "--django", ">=7"], "no pair"),
        (["matrix", "--python", "3"], "no clause"),
        (["matrix", "--format", "yaml"], "yaml"),
        (["matrix", "--json"], "--json goes without"),
        (["--django", ">=3"], "--django goes with"),
        (["matrices"], "matrices"),
    ],
)
def test_bad_usage_exits_with_2(capsys, arguments, reason):
    """And says what is wrong with which argument."""
    import argparse

    parser = argparse.ArgumentParser()
    for name in ("--settings", "--pythonpath"):
        parser.add_argument(name)
    parser.add_argument("--json", action="store_true")
    with pytest.raises(SystemExit) as caught:
        parse_arguments(parser, arguments)
    assert caught.value.code == 2
    assert reason in capsys.readouterr()[1]
