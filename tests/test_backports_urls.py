"""path(), include() and converters: ours before Django 2.0, and Django's own."""

from __future__ import absolute_import

import itertools
import types
import uuid

import django
import pytest
from django.core.exceptions import ImproperlyConfigured
from variants import find, variants

reverse = find("django.urls:reverse") or find("django.core.urlresolvers:reverse")
resolve = find("django.urls:resolve") or find("django.core.urlresolvers:resolve")
Resolver404 = find("django.urls:Resolver404") or find(
    "django.core.urlresolvers:Resolver404"
)
NoReverseMatch = find("django.urls:NoReverseMatch") or find(
    "django.core.urlresolvers:NoReverseMatch"
)
includes = variants(
    "includes:include",
    "django.urls:include",
    "django.conf.urls:include",
    since=(1, 9),
    until=(1, 9),
)
include = includes[-1].values[0]  # ours, if it can be had
# Ours do not import where Django has them.
path = variants("routes:path", "django.urls:path")[0].values[0]
register_converter = variants(
    "converters:register_converter", "django.urls:register_converter"
)[0].values[0]
UUID = uuid.UUID("11111111-2222-3333-4444-555555555555")
numbers = itertools.count()
# In its first releases path() let a line end and white space pass, and an error.
IS_SETTLED = not (2, 0) <= django.VERSION < (3, 1)


def view(request, **kwargs):
    """Any view."""


def urlconf(*routes, **names):
    """Return a module with these routes."""
    module = types.ModuleType("routes_%d" % next(numbers))
    module.urlpatterns = list(routes)
    module.__dict__.update(names)
    return module


# A route, the path that asks for it, the value, and the URL that reverse() makes of it.
FOUND = [
    ("<name>/", "a b/", u"a b", "/a%20b/"),
    ("<name>/", u"\xe9/", u"\xe9", "/%C3%A9/"),
    ("<str:name>/", "x.y/", u"x.y", "/x.y/"),
    ("<int:name>/", "007/", 7, "/7/"),
    ("<int:name>/", "0/", 0, "/0/"),
    ("<slug:name>/", "a-B_9/", u"a-B_9", "/a-B_9/"),
    ("<uuid:name>/", str(UUID) + "/", UUID, "/%s/" % UUID),
    ("<path:name>/", "a/b/c/", u"a/b/c", "/a/b/c/"),
    ("n/<int:name>.html", "n/5.html", 5, "/n/5.html"),
]
MISSES = {
    "<str:name>/": ["a/b/", "/", "", "a"],
    "<int:name>/": ["x/", "-1/", "1.0/", "/"],
    "<slug:name>/": ["a b/", u"\xe9/", "a.b/"],
    "<uuid:name>/": [str(UUID).replace("-", "") + "/", str(UUID)[:-1] + "A/", "x/"],
    "n/<int:name>.html": ["n/5xhtml", "n/5.html/"] + ["n/5.html\n"] * IS_SETTLED,
    "": ["x"],
    "a.c+$^()/": ["abc+$^()/", "a.c+$^()/x"],
}


@pytest.mark.parametrize("text, asked, value, url", FOUND)
def test_value_is_converted_and_reversed(text, asked, value, url):
    """The view gets the type that the route says; reverse() takes it."""
    conf = urlconf(path(text, view, {"extra": 1}, name="found"))
    match = resolve(u"/" + asked, conf)
    assert match.func is view
    assert match.args == ()
    assert match.kwargs == {"name": value, "extra": 1}
    assert type(match.kwargs["name"]) is type(value)
    assert match.url_name == "found"
    assert reverse("found", conf, kwargs={"name": value}) == url
    assert reverse("found", conf, args=[value]) == url


@pytest.mark.parametrize("text", sorted(MISSES))
def test_other_text_is_no_match(text):
    """What the type does not take is not found, and nothing but the whole path is."""
    conf = urlconf(path(text, view))
    for part in MISSES[text]:
        with pytest.raises(Resolver404):
            resolve("/" + part, conf)


def test_route_is_no_pattern():
    """What means something in a regular expression means itself."""
    text = "a.c+$^()/[x]{2}|\\d/"
    conf = urlconf(path(text, view, name="odd"))
    assert resolve("/" + text, conf).func is view


def test_several_parameters():
    """They are arguments by name; all of them are converted."""
    conf = urlconf(path("<int:year>/<slug:title>/<path:rest>", view, name="all"))
    match = resolve("/2024/x-y/a/b.html", conf)
    assert match.kwargs == {"year": 2024, "title": "x-y", "rest": "a/b.html"}
    assert reverse("all", conf, kwargs=match.kwargs) == "/2024/x-y/a/b.html"
    assert reverse("all", conf, args=[2024, "x-y", "a/b.html"]) == "/2024/x-y/a/b.html"


@pytest.mark.parametrize("value", ["x", -1, 1.5, ""])
def test_value_that_does_not_fit_cannot_be_reversed(value):
    """reverse() refuses what resolve() would not find."""
    conf = urlconf(path("<int:number>/", view, name="number"))
    with pytest.raises(NoReverseMatch):
        reverse("number", conf, kwargs={"number": value})


@pytest.mark.parametrize(
    "text",
    ["<no_such:x>", "<int:9x>"] + ["<int: x>", "<int:a-b>", "< x>"] * IS_SETTLED,
)
def test_wrong_route_is_told_at_once(text):
    """ImproperlyConfigured, where the route stands."""
    with pytest.raises(ImproperlyConfigured):
        path(text, view)


@pytest.mark.parametrize("wrong", ["dotted.name", None, 5])
def test_wrong_view_is_told_at_once(wrong):
    """TypeError, where the route stands."""
    with pytest.raises(TypeError):
        path("x/", wrong)


def test_included_routes_get_what_their_parents_captured():
    """Converted, too; a parent's own arguments count."""
    inner = urlconf(path("<slug:title>/", view, name="inner"), path("", view))
    conf = urlconf(path("<int:year>/", include(inner), {"extra": 2}))
    match = resolve("/2024/x/", conf)
    assert match.kwargs == {"year": 2024, "title": "x", "extra": 2}
    assert resolve("/2024/", conf).kwargs == {"year": 2024, "extra": 2}
    assert reverse("inner", conf, kwargs={"year": 2024, "title": "x"}) == "/2024/x/"
    assert reverse("inner", conf, args=[2024, "x"]) == "/2024/x/"
    with pytest.raises(Resolver404):
        resolve("/year/x/", conf)


@pytest.mark.parametrize("include", includes)
def test_included_application_has_a_namespace(include):
    """From the module's app_name, or a tuple's; an instance may have another."""
    inner = urlconf(path("<int:pk>/", view, name="detail"), app_name="polls")
    pair = ([path("<int:pk>/", view, name="detail")], "pairs")
    conf = urlconf(
        path("a/", include(inner)),
        path("b/", include(inner, namespace="second")),
        path("c/", include(pair)),
        path("<slug:which>/d/", include(pair, namespace="fourth")),
    )
    match = resolve("/a/5/", conf)
    assert (match.namespace, match.app_name) == ("polls", "polls")
    assert resolve("/b/5/", conf).namespace == "second"
    assert reverse("polls:detail", conf, args=[5]) == "/a/5/"
    assert reverse("second:detail", conf, args=[5]) == "/b/5/"
    assert reverse("pairs:detail", conf, kwargs={"pk": 5}) == "/c/5/"
    parameters = {"which": "x", "pk": 5}
    assert reverse("fourth:detail", conf, kwargs=parameters) == "/x/d/5/"


@pytest.mark.parametrize("include", includes)
def test_included_list_has_no_namespace(include):
    """A list or a module without app_name."""
    conf = urlconf(
        path("a/", include([path("", view, name="a")])),
        path("b/", include(urlconf(path("", view, name="b")))),
    )
    assert reverse("a", conf) == "/a/"
    assert resolve("/b/", conf).namespace == ""


def test_regular_expressions_and_routes_mix():
    """re_path() below path() and the other way round."""
    re_path = find("django.urls:re_path") or find("django.conf.urls:url")
    inner = [re_path(r"^(?P<code>[a-z]{2})/$", view, name="regex")]
    conf = urlconf(
        path("<int:number>/", include(inner)),
        re_path(r"^x(?P<code>\d)/", include([path("<int:n>/", view, name="route")])),
    )
    assert resolve("/5/ab/", conf).kwargs == {"number": 5, "code": "ab"}
    assert reverse("regex", conf, kwargs={"number": 5, "code": "ab"}) == "/5/ab/"
    assert resolve("/x1/7/", conf).kwargs == {"code": "1", "n": 7}
    assert reverse("route", conf, kwargs={"code": 1, "n": 7}) == "/x1/7/"


def test_lazy_route_is_of_the_active_language():
    """A translated route is found in the language of the moment."""
    from django.utils import translation
    from django.utils.functional import lazy

    texts = {"de": "ueber/<int:n>/", "en": "about/<int:n>/"}
    route = lazy(lambda: texts[translation.get_language()[:2]], type(u""))()
    translation.activate("en")
    try:
        conf = urlconf(path(route, view, name="about"))
        for language, url in [("en", "/about/5/"), ("de", "/ueber/5/")]:
            translation.activate(language)
            assert resolve(url, conf).kwargs == {"n": 5}
            assert reverse("about", conf, args=[5]) == url
    finally:
        translation.deactivate()


class Hexadecimal(object):
    """A number whose text in the path is not str()."""

    regex = "[0-9a-f]+"

    def to_python(self, value):
        if value == "bad":
            raise ValueError(value)
        return int(value, 16)

    def to_url(self, value):
        if value < 0:
            raise ValueError(value)
        return "%x" % value


@pytest.fixture(scope="module")
def hexadecimal():
    """Register the converter once."""
    register_converter(Hexadecimal, "hexadecimal")


def test_registered_converter_converts_both_ways(hexadecimal):
    """Also in an included route and a namespace; a ValueError is no match."""
    inner = ([path("<hexadecimal:low>/", view, name="two")], "app")
    conf = urlconf(
        path("one/<hexadecimal:number>/", view, name="one"),
        path("in/<hexadecimal:high>/", include(inner)),
        path("<hexadecimal:high>/", include([path("<int:n>/", view, name="three")])),
        path("either/<hexadecimal:x>/", view, name="either"),
        path("either/<slug:word>/", view, name="either"),
    )
    assert resolve("/one/ff/", conf).kwargs == {"number": 255}
    assert reverse("one", conf, args=[255]) == "/one/ff/"
    assert reverse("one", conf, kwargs={"number": 256}) == "/one/100/"
    assert resolve("/in/a/b/", conf).kwargs == {"high": 10, "low": 11}
    assert reverse("app:two", conf, kwargs={"high": 16, "low": 17}) == "/in/10/11/"
    assert reverse("app:two", conf, args=[16, 17]) == "/in/10/11/"
    assert reverse("three", conf, args=[255, 5]) == "/ff/5/"
    assert reverse("either", conf, kwargs={"word": "zz"}) == "/either/zz/"
    assert reverse("either", conf, kwargs={"x": 255}) == "/either/ff/"
    with pytest.raises(Resolver404):
        resolve("/one/bad/", conf)
    if IS_SETTLED:
        with pytest.raises(NoReverseMatch):
            reverse("one", conf, args=[-1])
    with pytest.raises(NoReverseMatch):
        reverse("one", conf)


@pytest.mark.parametrize("name", ["int", "hexadecimal"])
def test_converter_cannot_be_registered_twice(hexadecimal, name):
    """Django warns from 5.1 on and refuses from 6.0; ours refuses."""
    if register_converter.__module__.startswith("django_compat"):
        with pytest.raises(ValueError) as caught:
            register_converter(Hexadecimal, name)
        assert repr(name) in str(caught.value)


@pytest.mark.parametrize(
    "Resolver",
    variants(
        "resolvers:LocaleRegexURLResolver",
        "django.urls:LocaleRegexURLResolver",
        "django.core.urlresolvers:LocaleRegexURLResolver",
    ),
)
@pytest.mark.filterwarnings("ignore")
def test_routes_below_the_language(Resolver):
    """The active language's code comes first, both ways."""
    from django.utils import translation

    conf = urlconf(Resolver([path("x/<int:n>/", view, name="x")]))
    try:
        for language, other in [("en", "de"), ("de", "en")]:
            translation.activate(language)
            assert resolve("/%s/x/5/" % language, conf).kwargs == {"n": 5}
            assert reverse("x", conf, args=[5]) == "/%s/x/5/" % language
            with pytest.raises(Resolver404):
                resolve("/%s/x/5/" % other, conf)
    finally:
        translation.deactivate()


@pytest.mark.parametrize(
    "Provider",
    variants(
        "resolvers:LocaleRegexProvider",
        "django.urls.resolvers:LocaleRegexProvider",
        "django.core.urlresolvers:LocaleRegexProvider",
    ),
)
@pytest.mark.filterwarnings("ignore")
def test_pattern_of_the_active_language(Provider):
    """A text is the same in all of them."""
    from django.utils import translation
    from django.utils.functional import lazy

    lazy_text = lazy(lambda: u"^%s$" % translation.get_language()[:2], type(u""))()
    try:
        for language in ("en", "de"):
            translation.activate(language)
            assert Provider(lazy_text).regex.pattern == "^%s$" % language
            assert Provider(u"^a$").regex.search("a")
    finally:
        translation.deactivate()
