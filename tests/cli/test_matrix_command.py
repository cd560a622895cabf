"""``python -m django_compat matrix``: the selected pairs, the formats, the errors."""

from __future__ import absolute_import

import json
import os
import re
import sys

import pytest

from django_compat._cli.main import main
from django_compat._cli.matrix import (
    FORMATS,
    BadRange,
    Range,
    select,
    unknown_releases,
)
from django_compat.matrix import PYTHONS, SERIES, pairs
from support import processes
from support.repository import ROOT, read, tox_name

try:
    from configparser import RawConfigParser
except ImportError:  # Python 2
    from ConfigParser import RawConfigParser

RANGES = {  # a range: the releases in the range, and releases outside
    ">=3.2": ("3.2 3.2.0 3.2.1 10.0", "3.1 3.1.14 2.2"),
    ">3.2": ("3.2.1 3.10", "3.2 3.2.0 3.1"),
    "<=3.2": ("3.2 3.2.0 1.11", "3.2.1 4"),
    "<3.10": ("3.2 3.9.9", "3.10 3.11 4"),
    "==3.2": ("3.2 3.2.0", "3.2.1 3.20"),
    "==3.2.0.0.0": ("3.2 3.2.0", "3.2.1 3.20"),
    "!=3.2.0.0.0": ("3.2.1 3.20", "3.2 3.2.0"),
    ">=\n3.2,<\t5": ("3.2 4.2.30", "3.1 5.0"),
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
    """Parts of a release compare as numbers; a missing part is 0."""
    inside, outside = RANGES[text]
    releases = Range(text, "--django")
    assert [release for release in inside.split() if release not in releases] == []
    assert [release for release in outside.split() if release in releases] == []


@pytest.mark.parametrize(
    "text",
    ["", " ", ",", "3.2", "=3.2", "=>3.2", "===3.2", ">=3.2 <4", ">=", ">=3.x", "^3.2"]
    + [">=3.2.*", "~=3.2.*", "~=3", ">=4.0a1", ">=3.2,,<", "==*", "all", ">=3.2;x"]
    + [">=" + "9" * 5000, "==3" + ".2" * 5000, u">=\u0663", u">=3.\xb2", "<4\x1b[2J"],
    ids=lambda text: text.encode("unicode_escape").decode("ascii")[:20],
)
def test_malformed_range_is_named(text):
    """The message has the option, its value and what is allowed."""
    with pytest.raises(BadRange) as caught:
        Range(text, "--django")
    assert str(caught.value).startswith("--django ")
    assert len(str(caught.value)) < 400 and "\x1b" not in str(caught.value)
    assert "such as" in str(caught.value) or "only == and !=" in str(caught.value)


def pairs_of(rows):
    return [(row["python"], row["django"]) for row in rows]


def requirements(range_):
    return dict((row["django"], row["requirement"]) for row in select(range_))


def test_without_ranges_all_pairs_are_selected():
    """The pairs are those that this package is tested on."""
    assert pairs_of(select()) == pairs()


def test_series_is_selected_by_its_releases():
    """The requirement for pip allows only the releases in the range."""
    assert requirements(">=3.2.5,<=4.0") == {
        "3.2": "Django==3.2.*,>=3.2.5,<=4.0",
        "4.0": "Django==4.0",
    }
    assert requirements(">=4")["4.2"] == "Django==4.2.*"
    assert sorted(requirements(">=4")) == [s.django for s in SERIES if s.django >= "4"]


def test_both_ranges_hold():
    """Each selected pair is in both ranges."""
    assert pairs_of(select("<=2.2.28", ">=3.6,<3.9")) == [
        (python, django)
        for python, django in pairs()
        if django in ("1.11", "2.0", "2.1", "2.2") and python in ("3.6", "3.7", "3.8")
    ]


@pytest.mark.parametrize(
    "django, python",
    [(">6.1.99", None), (">=6.0", "<3.12"), ("==3.2.99", None), (None, ">=4")],
)
def test_empty_selection_is_an_error(django, python):
    """The message names the known Djangos and Pythons."""
    with pytest.raises(BadRange) as caught:
        select(django, python)
    assert "no pair" in str(caught.value)
    assert "Django 1.4 to %s" % SERIES[-1].last in str(caught.value)
    assert ", ".join(PYTHONS) in str(caught.value)


def test_missing_library_is_named(monkeypatch):
    """The range is read by packaging; without it the error says what to install."""
    monkeypatch.setitem(sys.modules, "packaging.specifiers", None)
    with pytest.raises(BadRange) as caught:
        Range(">=3.2", "--django")
    assert "--django needs the library packaging: " in str(caught.value)


def test_requirement_has_no_space():
    """The range in the requirement stays in one line of a tox.ini."""
    assert requirements(" >=\n3.2.5 , <3.3 ,") == {"3.2": "Django==3.2.*,>=3.2.5,<3.3"}


def test_python_is_given_as_two_numbers():
    """A range of Pythons with three numbers is an error: the data have two."""
    with pytest.raises(BadRange) as caught:
        select(None, ">=3.8.1")
    assert "3.8.1" in str(caught.value)
    assert pairs_of(select("==4.0.*", "<=3.9")) == [("3.8", "4.0"), ("3.9", "4.0")]


def test_unknown_releases_of_a_range():
    """A release is unknown if the range names it and the data do not have it."""
    assert unknown_releases(">=3.2,<5") == []
    assert unknown_releases(">=4.2,<=6.1.3") == []
    assert unknown_releases(">=3.2,<7.0") == ["7.0"]
    assert unknown_releases("<7,!=4.3.*") == ["7", "4.3"]


def expand(text):
    """Return the environments that a line of a tox env_list names."""
    head, pythons, tail = re.match(r"(py)(?:\{(.+)\}|\d+)(-django\d+)$", text).groups()
    if pythons is None:
        return [text]
    return [head + python + tail for python in pythons.split(",")]


@pytest.mark.parametrize("django", [">=1.4", ">=3.2.5,<5", "==6.1.*"])
def test_tox_output_is_a_configuration(tmpdir, django):
    """The file parses; each pair has its environment, and each factor its Django."""
    rows = select(django, None)
    path = tmpdir.join("tox.ini")
    path.write(FORMATS["tox"](rows))
    parser = RawConfigParser()
    parser.read(str(path))
    environments = [
        name
        for line in parser.get("tox", "envlist").split()
        for name in expand(line.strip())
    ]
    assert sorted(environments) == sorted(tox_name(*pair) for pair in pairs_of(rows))
    factors = dict(
        line.split(": ") for line in parser.get("testenv", "deps").strip().split("\n")
    )
    assert factors == dict(
        ("django" + row["django"].replace(".", ""), row["requirement"]) for row in rows
    )
    needs_old_tox = bool({"2.7", "3.6", "3.7"} & set(row["python"] for row in rows))
    assert parser.has_option("tox", "requires") is needs_old_tox
    if needs_old_tox:  # the same releases as in our own tox.ini
        lines = parser.get("tox", "requires").split()
        assert [line for line in lines if line not in read("tox.ini")] == []


def test_json_outputs_load():
    """Both documents have the rows; the document for GitHub is one line."""
    rows = select(">=5")
    assert json.loads(FORMATS["json"](rows)) == rows
    line = FORMATS["github"](rows)
    assert "\n" not in line
    assert json.loads(line) == {"include": rows}


def test_table_has_a_line_for_each_django():
    """The line has the Pythons; the last line has the number of pairs."""
    lines = FORMATS["table"](select("~=4.2.0")).splitlines()
    assert lines == ["Django  Python", "4.2     3.8 3.9 3.10 3.11 3.12", "", "5 pairs"]
    assert FORMATS["table"](select("==3.2.*", "==3.6")).splitlines()[-1] == "1 pair"


@pytest.mark.contract
@pytest.mark.parametrize(
    "arguments, format",
    [((">=3.2,<5", None), "table"), ((">=4.2,<6", ">=3.12"), "tox")],
)
def test_page_shows_the_output(arguments, format):
    """The page for reusable apps shows the output of two commands word for word."""
    lines = FORMATS[format](select(*arguments)).splitlines()
    shown = "\n".join("    " + line if line else "" for line in lines)
    page = read("docs", "guides", "reusable-apps.rst")
    assert shown in page
    assert "--django '%s'" % arguments[0] in page or format == "tox"


def run(*arguments):
    """Run the command where Django cannot be imported; return as ``processes.run``."""
    code = (
        "import sys, runpy; sys.modules['django'] = None; "
        "sys.argv[0] = 'django_compat'; "
        "runpy.run_module('django_compat', run_name='__main__')"
    )
    env = dict(os.environ, PYTHONPATH=ROOT)
    env.pop("DJANGO_SETTINGS_MODULE", None)
    return processes.run(["-c", code] + list(arguments), env)


@pytest.mark.contract
def test_command_needs_no_django():
    """The command prints the pairs, and names the releases that it does not know."""
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
    """The message names the argument and says what is wrong."""
    with pytest.raises(SystemExit) as caught:
        main(arguments)
    assert caught.value.code == 2
    assert reason in capsys.readouterr()[1]
