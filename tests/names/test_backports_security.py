"""Redirects, escapes and random strings: the newest Django's rules on every Django.

The first rows of EVIL and GOOD are the cases of Django's own tests.
"""

from __future__ import absolute_import

import re
import string

import pytest
from django.utils.safestring import mark_safe

from django_compat._names.backports import http
from support.variants import find, variants

pytestmark = pytest.mark.contract

allowed = pytest.mark.parametrize(
    "is_allowed",
    variants(
        "http:url_has_allowed_host_and_scheme",
        "django.utils.http:url_has_allowed_host_and_scheme",
        since=(5, 0),
    ),
)
HOSTS = ["testserver", "testserver2"]
EVIL = [
    "http://example.com",
    "http:///example.com",
    "https://example.com",
    "ftp://example.com",
    r"\\example.com",
    r"\\\example.com",
    r"/\\/example.com",
    r"\\//example.com",
    r"/\/example.com",
    r"\/example.com",
    r"/\example.com",
    r"http:/\//example.com",
    r"http:\/example.com",
    r"http:/\example.com",
    'javascript:alert("XSS")',
    "\njavascript:alert(x)",
    "java\nscript:alert(x)",
    "\x08//example.com",
    r"http://otherserver\@example.com",
    r"http:\\testserver\@example.com",
    r"http://testserver\me:pass@example.com",
    r"http://testserver\@example.com",
    r"http:\\testserver\confirm\me@example.com",
    "http:999999999",
    "ftp:9999999999",
    "\n",
    "http://[2001:cdba:0000:0000:0000:0000:3257:9652/",
    "http://2001:cdba:0000:0000:0000:0000:3257:9652]/",
    # Ours.
    "",
    None,
    "   ",
    "///example.com",
    "//example.com",
    "/\t/example.com",
    "ht\ntps://example.com",
    "//testserver@example.com",
    "//testserver:80",
    "http:example.com",
    "data:text/html,x",
    "/" * 2 + "testserver" + "x" * 3000,
    "/" + "x" * 2048,
]
GOOD = [
    "/view/?param=http://example.com",
    "/view/?param=https://example.com",
    "/view?param=ftp://example.com",
    "view/?param=//example.com",
    "https://testserver/",
    "HTTPS://testserver/",
    "//testserver/",
    "http://testserver/confirm?email=me@example.com",
    "/url%20with%20spaces/",
    "path/http:2222222222",
    # Ours.
    "/",
    "x",
    "?next=//example.com",
    "#//example.com",
    " /padded/ ",
    u"/\xe9/",
    "http://testserver2?x",
    "/" + "x" * 2047,
]


@allowed
@pytest.mark.parametrize("url", EVIL, ids=repr)
def test_url_with_another_host_is_refused(is_allowed, url):
    """No spelling of the URL helps, whatever browsers make of it."""
    assert is_allowed(url, set(HOSTS)) is False
    assert is_allowed(url, allowed_hosts=None) is False


@allowed
@pytest.mark.parametrize("url", GOOD, ids=repr)
def test_url_of_an_allowed_host_is_allowed(is_allowed, url):
    """A path and an allowed host are allowed."""
    assert is_allowed(url, set(HOSTS)) is True


@allowed
def test_host_is_compared_as_a_whole(is_allowed):
    """User, password and port are part of a host; a text is one allowed host."""
    assert is_allowed(r"http://user:pass@testserver/", {"user:pass@testserver"})
    assert is_allowed("/confirm/me@example.com", None)
    assert not is_allowed(r"http://testserver\@example.com", None)
    assert is_allowed("http://good.com/good", "good.com")
    assert not is_allowed("http://good.co/evil", "good.com")
    assert is_allowed("//good.com:81/", ["good.com:81"])


@allowed
@pytest.mark.parametrize(
    "url, expected",
    [
        ("https://example.com/p", True),
        ("HTTPS://example.com/p", True),
        ("/view/?param=http://example.com", True),
        ("http://example.com/p", False),
        ("ftp://example.com/p", False),
        ("//example.com/p", False),
    ],
)
def test_https_can_be_required(is_allowed, url, expected):
    """``require_https`` concerns a URL that has a host."""
    assert is_allowed(url, {"example.com"}, require_https=True) is expected


@pytest.mark.parametrize("url", ["/\t//example.com", "\r///example.com"], ids=repr)
def test_line_ends_are_dropped_before_slashes_are_counted(url):
    """Browsers drop line ends first; the newest Django allows these two URLs."""
    assert not http.url_has_allowed_host_and_scheme(url, None)


def test_old_name_takes_a_host():
    """is_safe_url() takes ``host`` (Django 1.4) and ``allowed_hosts`` (1.11)."""
    is_safe_url = http.is_safe_url
    assert is_safe_url("http://testserver/", "testserver")
    assert is_safe_url("http://testserver/", host="testserver")
    assert is_safe_url("http://a/", allowed_hosts={"a", "b"}, host="c")
    assert not is_safe_url("http://example.com/", host="testserver")
    assert not is_safe_url("http://a/", {"a"}, require_https=True)
    assert not is_safe_url("http:///example.com")


format_html = pytest.mark.parametrize(
    "format_html", variants("text:format_html", "django.utils.html:format_html")
)


@format_html
def test_values_are_escaped_and_the_string_is_not(format_html):
    """Safe values are not escaped; braces in values stay as they are."""
    html = format_html(
        u"{0} {1} {third} {fourth}",
        u"< Dangerous >",
        mark_safe(u"<b>safe</b>"),
        third=u"< dangerous again '\"& {0}",
        fourth=mark_safe(u"<i>safe again</i>"),
    )
    assert html.replace("&#x27;", "&#39;") == (
        u"&lt; Dangerous &gt; <b>safe</b> &lt; dangerous again &#39;&quot;&amp; {0}"
        u" <i>safe again</i>"
    )
    assert hasattr(html, "__html__") or isinstance(html, type(mark_safe(u"")))
    assert format_html(u"<p>{0}</p>", 5) == u"<p>5</p>"
    assert format_html(u"\xe9{0}", u"\xe9") == u"\xe9\xe9"


@pytest.mark.parametrize(
    "format_html",
    variants("text:format_html", "django.utils.html:format_html", since=(6, 0)),
)
def test_format_html_without_values_is_refused(format_html):
    """The string was formatted before the call, so nothing would be escaped."""
    with pytest.raises(TypeError):
        format_html(u"<p>Dangerous</p>")


@pytest.mark.parametrize(
    "join", variants("text:format_html_join", "django.utils.html:format_html_join")
)
def test_joined_fragments_are_escaped(join):
    """The values and the separator are escaped, unless they are safe."""
    rows = [(u"<a>", 1), (mark_safe(u"<b>"), 2)]
    html = join(mark_safe(u"<br>"), u"{0}={1}", rows)
    assert html == u"&lt;a&gt;=1<br><b>=2"
    assert join(u"<", u"{0}", [(1,), (2,)]) == u"1&lt;2"
    assert join(u"", u"{0}", []) == u""


def test_get_random_string():
    """The strings have the length and the letters; no two strings are equal."""
    get_random_string = find("django.utils.crypto:get_random_string")
    strings = set(get_random_string(20) for _ in range(50))
    assert len(strings) == 50
    letters = set(string.ascii_letters + string.digits)
    assert all(len(text) == 20 and set(text) <= letters for text in strings)
    assert re.match("[ab]{8}$", get_random_string(8, "ab"))
    is_secure = find("django.utils.crypto:using_sysrandom")  # until Django 3.0
    assert is_secure in (None, True)


JsonResponse = pytest.mark.parametrize(
    "JsonResponse", variants("json_responses:JsonResponse", "django.http:JsonResponse")
)


@JsonResponse
@pytest.mark.parametrize("data", [[1], "x", None, 5], ids=repr)
def test_json_response_without_a_dict_needs_safe_false(JsonResponse, data):
    """Scripts of other sites could read an array in old browsers."""
    with pytest.raises(TypeError) as caught:
        JsonResponse(data)
    assert "safe" in str(caught.value)
    assert JsonResponse(data, safe=False).status_code == 200
