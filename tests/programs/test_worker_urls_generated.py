"""Whatever DATABASE_URL is, the worker's error says nothing of it."""

from __future__ import absolute_import

import re

import pytest
from six.moves.urllib.parse import quote

hypothesis = pytest.importorskip("hypothesis", reason="needs Python 3.10+")
given, st = hypothesis.given, hypothesis.strategies
repeatable = hypothesis.settings(
    max_examples=150,
    deadline=None,
    derandomize=True,
    suppress_health_check=[hypothesis.HealthCheck.function_scoped_fixture],
)

MARK = "SESAME"  # in no message
PIECES = st.sampled_from(list(":/?#[]@%&=;. ") + ["%2F", "%00", "%ff", "1", "\u2100"])
SECRETS = st.lists(PIECES | st.text(max_size=3), max_size=6).map(
    lambda pieces: MARK.join([""] + pieces + [""])
)
SCHEMES = st.sampled_from(["mysql", "postgres", "postgresql", "MYSQL", "oracle", ""])
QUERIES = st.sampled_from(["", "?sslmode=require", "?x=1", "?connect_timeout=9", "?"])
URLS = st.builds(
    lambda scheme, user, secret, host, port, name, query: (
        "%s://%s:%s@%s%s/%s%s" % (scheme, user, secret, host, port, name, query)
    ),
    SCHEMES,
    st.sampled_from(["u", "", "u%40x"]),
    SECRETS,
    st.sampled_from(["h", "[::1]", "", "[::1"]),
    st.sampled_from(["", ":3306", ":", ":0", ":x"]),
    st.sampled_from(["n", "", "a%2Fb"]),
    QUERIES,
)
PARAMETER = re.compile(r"[?&](\w+)=")


@repeatable
@given(URLS | SECRETS | st.text())
def test_url_is_read_whole_or_refused_without_a_word_of_it(read_database_url, url):
    """The only error is ValueError; no parameter is dropped."""
    try:
        database = read_database_url(url)
    except ValueError as error:
        assert MARK not in str(error) and MARK not in repr(error)
        assert error.__context__ is None
        return
    assert set(PARAMETER.findall(url)) == set(database.get("OPTIONS", {}))
    if MARK in url:
        texts = [database[key] for key in database if key != "PASSWORD"]
        assert MARK not in "".join(map(str, texts))


@repeatable
@given(st.text(st.characters(min_codepoint=33, exclude_categories=["Cs"]), max_size=20))
def test_password_that_is_encoded_is_read_back(read_database_url, password):
    """Percent-encoding keeps every password."""
    hypothesis.assume("\x7f" not in password)
    encoded = quote(password, safe="")
    database = read_database_url("postgres://u:%s@h:5432/n" % encoded)
    assert database["PASSWORD"] == password
    assert (database["HOST"], database["NAME"]) == ("h", "n")
