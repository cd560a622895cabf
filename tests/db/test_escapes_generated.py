"""Whatever a text is, what is shown of it is safe for a terminal."""

from __future__ import absolute_import

import json
import unicodedata

import pytest

from django_compat._capacity.text import WIDTH, table
from django_compat._cli.output import to_json
from django_compat._db.escapes import clip, describe, escape, printable

hypothesis = pytest.importorskip("hypothesis", reason="needs Python 3.10+")
given, st = hypothesis.given, hypothesis.strategies
repeatable = hypothesis.settings(max_examples=60, deadline=None, derandomize=True)

# Hypothesis seldom generates what a terminal obeys.
CONTROLS = st.characters(categories=["Cc", "Cf", "Cs", "Zl", "Zp", "Cn"])
TEXTS = st.text(st.characters() | CONTROLS)
VALUES = TEXTS | st.binary() | st.builds(ValueError, TEXTS) | st.none() | st.floats()


def is_safe(text):
    return all(c == " " or unicodedata.category(c)[0] not in "CZ" for c in text)


@repeatable
@given(VALUES)
def test_shown_value_is_safe(value):
    """Nothing raises, and no character is left that a terminal obeys."""
    for shown in (printable(value), escape(value), describe(value), clip(value, 50)):
        assert is_safe(shown)
        shown.encode("utf-8")
    assert len(clip(value, 50)) <= 50
    assert printable(printable(value)) == printable(value)


@repeatable
@given(st.lists(st.tuples(TEXTS, TEXTS), min_size=1))
def test_table_is_safe(rows):
    """A line of a table is one line."""
    lines = table(rows)
    assert all(map(is_safe, lines))
    width = max(len(printable(head)) for head, _ in rows)
    assert max(map(len, lines)) <= max(WIDTH, width + 5)


@repeatable
@given(TEXTS.filter(lambda text: len(text) > 3), TEXTS)
def test_password_is_not_described(password, text):
    """A driver's error may hold the password anywhere."""
    hypothesis.assume(password not in "ValueError: ***" and password not in text)
    described = describe(ValueError(text + password + text), password)
    assert "***" in described


@repeatable
@given(st.dictionaries(TEXTS, VALUES))
def test_json_is_valid_and_has_no_control_character(document):
    """It is ASCII, and what JSON has no form for is a text."""
    text = to_json({"names": list(document), "values": list(map(repr, document))})
    assert set(text) <= set("\n" + "".join(map(chr, range(32, 127))))
    assert json.loads(text)["names"] == list(document)
