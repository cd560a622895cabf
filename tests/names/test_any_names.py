"""Names, URLs, durations and keys that nobody would write: properties hold for all."""

from __future__ import absolute_import

import datetime

import pytest
import six

import django_compat
from django_compat._names.backports import durations, http, utils
from django_compat._names.table import NAMES
from support.variants import find

hypothesis = pytest.importorskip("hypothesis", reason="hypothesis is not installed")
st = hypothesis.strategies
settings = hypothesis.settings(deadline=None, derandomize=True, max_examples=200)

URL_PARTS = ["http", "https", "java", "script", "a.example", "b", "@", "%", "[", "]"]
URL_PARTS += list(":/\\?#. \t\r\n\x00\x08\x7f") + [u"\xa0", u"\u2028", u"\u202e"]
urls = st.lists(st.sampled_from(URL_PARTS), max_size=9).map(u"".join)


@settings
@hypothesis.given(st.text())
def test_unknown_name_is_an_attribute_error(name):
    """The error shows the name without control characters; nothing is bound."""
    hypothesis.assume(name not in dir(django_compat) and name not in NAMES)
    bound = dict(vars(django_compat))
    with pytest.raises(AttributeError) as caught:
        getattr(django_compat, name)
    assert six.text_type(caught.value).isprintable()
    assert not hasattr(django_compat, name)
    assert vars(django_compat) == bound


@settings
@hypothesis.given(urls)
def test_allowed_url_is_allowed_by_the_newest_django(url):
    """Our rules are at least as strict as Django's, and never raise."""
    newest = find("django.utils.http:url_has_allowed_host_and_scheme")
    for hosts in (None, "a.example", {"a.example", "b"}):
        allowed = http.url_has_allowed_host_and_scheme(url, hosts)
        assert allowed in (True, False)
        assert not allowed or newest(url, hosts)


@settings
@hypothesis.given(st.text("0123456789:.,+-PTDHMSW days\n", max_size=20))
def test_duration_is_read_as_django_reads_it(text):
    """Ours returns what Django's own function returns, from 6.1 on with weeks."""
    expected = django_compat.parse_duration(text)
    if "W" not in text:
        assert durations.parse_duration(text) == expected


@settings
@hypothesis.given(st.timedeltas(datetime.timedelta(-999), datetime.timedelta(999)))
def test_duration_comes_back(duration):
    """parse_duration() reads the text that duration_string() writes."""
    text = durations.duration_string(duration)
    assert durations.parse_duration(text) == duration


@settings
@hypothesis.given(
    st.lists(st.tuples(st.integers(0, 5), st.integers(-9, 9))),
    st.integers(-9, 9),
    st.integers(0, 5),
)
def test_key_is_inserted_before_the_key_of_its_index(pairs, index, key):
    """insert() moves a key that exists, and leaves the order of the others."""
    names = utils.SortedDict(pairs)
    others = [name for name in names if name != key]
    before = names.keyOrder[index:]
    names.insert(index, key, "new")
    assert names[key] == "new" and len(names) == len(others) + 1
    assert [name for name in names if name != key] == others
    following = [name for name in before if name != key]
    if index >= 0 and following:
        assert names.keyOrder[names.keyOrder.index(key) + 1] == following[0]
