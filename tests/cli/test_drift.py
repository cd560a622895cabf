"""tox -e drift: what it finds between matrix.py and an index that the tests make up."""

from __future__ import absolute_import

import os
import sys

import pytest

from django_compat.matrix import SERIES
from support.repository import ROOT

if sys.version_info < (3, 7):
    pytest.skip("the script runs on Python 3.7+", allow_module_level=True)

sys.path.append(os.path.join(ROOT, ".ci"))
import drift  # noqa: E402
import index  # noqa: E402

LAST = SERIES[-1]


def run(monkeypatch, capsys, change=lambda found, pythons: None):
    """Return exit code and output against an index that has been changed."""
    found = {row.django: [row.first, row.last] for row in SERIES}
    pythons = {row.last: row.pythons for row in SERIES}
    change(found, pythons)
    monkeypatch.setattr(index, "releases", lambda: found)
    monkeypatch.setattr(index, "pythons", lambda release: pythons.get(release))
    return drift.main(), capsys.readouterr().out


def test_index_like_the_data_is_no_drift(monkeypatch, capsys):
    """The date of the data is printed."""
    code, output = run(monkeypatch, capsys)
    assert code == 0
    assert drift.DATE in output


CHANGES = {
    "add a row of Django 7.0": lambda found, pythons: found.update({"7.0": ["7.0"]}),
    "row 1.4: the index has no such series": lambda found, pythons: found.pop("1.4"),
    "row %s: last is %s, in the index 99.9"
    % (LAST.django, LAST.last): lambda found, pythons: found[LAST.django].append(
        "99.9"
    ),
    "row %s: pythons are %s, in the index 3.99"
    % (LAST.django, " ".join(LAST.pythons)): lambda found, pythons: pythons.update(
        {LAST.last: ["3.99"]}
    ),
}


@pytest.mark.parametrize("text", sorted(CHANGES))
def test_difference_names_the_row(monkeypatch, capsys, text):
    """Each difference is an error that says which row to change."""
    code, output = run(monkeypatch, capsys, CHANGES[text])
    assert code == 1
    assert "django_compat/matrix.py: %s; then set DATE\n" % text in output


def test_series_before_the_first_row_is_no_drift(monkeypatch, capsys):
    """Django 1.3 and older were never supported."""
    code, _ = run(
        monkeypatch, capsys, lambda found, pythons: found.update({"1.3": ["1.3.7"]})
    )
    assert code == 0


def test_unreachable_index_is_said_and_is_no_failure(monkeypatch, capsys):
    """What pip said is printed."""

    def refuse():
        raise index.Unreachable("no route")

    monkeypatch.setattr(index, "releases", refuse)
    assert drift.main() == 0
    assert "no route" in capsys.readouterr().out
