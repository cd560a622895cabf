"""Which tests run where: CONTRIBUTING.rst says so, and pytest collects accordingly."""

from __future__ import absolute_import

import os
import re

import pytest

from django_compat.matrix import pairs
from support.processes import output_of
from support.repository import ROOT, read
from support.tiers import FULL_PAIRS, IS_FULL


def test_full_pairs_are_supported_pairs():
    """This test has no mark: a pair that is not full does not collect it."""
    assert set(FULL_PAIRS) <= set(pairs())


@pytest.mark.contract
def test_page_names_the_full_pairs_the_mark_and_the_switch():
    """The paragraph on the tests names each full pair, and no other."""
    page = read("CONTRIBUTING.rst")
    (text,) = re.findall(r"^Each pair runs (?:.+\n)+", page, re.MULTILINE)
    text = " ".join(text.split())
    assert re.findall(r"(\d\.\d+) with (\d\.\d+)", text) == FULL_PAIRS
    assert "``contract``" in text
    assert "``DJANGO_COMPAT_TEST_ALL=1``" in text


@pytest.mark.contract
@pytest.mark.parametrize("switch", ["0", "1"])
def test_only_the_pair_and_the_switch_choose(switch):
    """A test without the mark is collected on a full pair, or with the switch."""
    env = dict(os.environ, DJANGO_COMPAT_TEST_ALL=switch)
    words = "-m pytest --collect-only tests/support/test_tiers.py".split()
    output = output_of(words, env, ROOT)
    assert "test_page_names" in output
    is_collected = "test_full_pairs_are_supported_pairs" in output
    assert is_collected is (IS_FULL or switch == "1")
