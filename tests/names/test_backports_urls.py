"""path(), include() and converters: ours (before Django 2.0), and Django's own."""

from __future__ import absolute_import

import itertools
import types
import uuid

import django
import pytest
from django.core.exceptions import ImproperlyConfigured
from django.views.generic import View

import django_compat
from support.variants import find, variants

pytestmark = pytest.mark.contract

reverse = find("django.urls:reverse") or find("django.core.urlresolvers:reverse")
resolve = find("django.urls:resolve") or find("django.core.urlresolvers:resolve")
Resolver404 = find("django.urls:Resolver404") or find(
    "django.core.urlresolvers:Resolver404"
)
NoReverseMatch = find("django.urls:NoReverseMatch") or find(
    "django.core.urlresolvers:NoReverseMatch"
)
includes = variants(
    "routes:include",
    "django.urls:include",
    "django.conf.urls:include",
    since=(1, 9),
    until=(1, 9),
)
include = includes[-1].values[0]  # ours, if this Django can import it
# Our functions cannot be imported where Django has its own.
path = variants("routes:path", "django.urls:path")[0].values[0]
register_converter = variants(
    "routes:register_converter", "django.urls:register_converter"
)[0].values[0]
UUID = uuid.UUID("11111111-2222-3333-4444-555555555555")
numbers = itertools.count()
# Until 3.0, path() of Django accepted a final line end, and white space in a parameter,
# and raised the ValueError of to_url().
IS_SETTLED = not (2, 0) <= django.VERSION < (3, 1)


def view(request, **kwargs):
    """Any view."""


def urlconf(*routes, **names):
    """Return a new module with these routes as its urlpatterns."""
    module = types.ModuleType("routes_%d" % next(numbers))
    module.urlpatterns = list(routes)
    module.__dict__.update(names)
    return module


# A route, a path that matches, the value, and the URL that reverse() returns.
MATCHES = [
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


@pytest.mark.parametrize("route, asked, value, url", MATCHES)
def test_value_is_converted_and_reversed(route, asked, value, url):
    """The view gets a value of the route's type; reverse() takes the value."""
    conf = urlconf(path(route, view, {"extra": 1}, name="name"))
    match = resolve(u"/" + asked, conf)
    assert match.func is view
    assert match.args == ()
    assert match.kwargs == {"name": value, "extra": 1}
    assert type(match.kwargs["name"]) is type(value)
    assert match.url_name == "name"
    assert reverse("name", conf, kwargs={"name": value}) == url
    assert reverse("name", conf, args=[value]) == url


@pytest.mark.parametrize("route", sorted(MISSES))
def test_other_text_does_not_match(route):
    """A text that the type refuses does not match, and neither does a partial match."""
    conf = urlconf(path(route, view))
    for asked in MISSES[route]:
        with pytest.raises(Resolver404):
            resolve("/" + asked, conf)


def test_route_is_no_regular_expression():
    """The special characters of regular expressions stand for themselves."""
    route = "a.c+$^()/[x]{2}|\\d/"
    conf = urlconf(path(route, view, name="odd"))
    assert resolve("/" + route, conf).func is view


def test_several_parameters():
    """The view gets all parameters by name, converted."""
    conf = urlconf(path("<int:year>/<slug:title>/<path:rest>", view, name="all"))
    match = resolve("/2024/x-y/a/b.html", conf)
    assert match.kwargs == {"year": 2024, "title": "x-y", "rest": "a/b.html"}
    assert reverse("all", conf, kwargs=match.kwargs) == "/2024/x-y/a/b.html"
    assert reverse("all", conf, args=[2024, "x-y", "a/b.html"]) == "/2024/x-y/a/b.html"


@pytest.mark.parametrize("value", ["x", -1, 1.5, ""])
def test_value_that_does_not_fit_cannot_be_reversed(value):
    """reverse() refuses a value whose URL the route does not match."""
    conf = urlconf(path("<int:number>/", view, name="number"))
    with pytest.raises(NoReverseMatch):
        reverse("number", conf, kwargs={"number": value})


@pytest.mark.parametrize(
    "route",
    ["<no_such:x>", "<int:9x>"]
    + ["<int: x>", "<int:a-b>", "< x>"] * IS_SETTLED
    + ["<int:x>/<slug:x>"] * (django.VERSION < (2, 0)),  # Django looks at its use
)
def test_wrong_route_is_refused(route):
    """path() raises ImproperlyConfigured, so the traceback shows the route."""
    with pytest.raises(ImproperlyConfigured):
        path(route, view)


@pytest.mark.parametrize("wrong", ["dotted.name", None, 5, View()])
def test_wrong_view_is_refused(wrong):
    """path() raises TypeError, so the traceback shows the route."""
    with pytest.raises(TypeError):
        path("x/", wrong)


@pytest.mark.skipif(
    (2, 0) <= django.VERSION < (4, 1), reason="Django looks from 4.1 on"
)
def test_wrong_arguments_of_a_view_are_refused():
    """The name of a route is no dict of arguments: it comes after them."""
    with pytest.raises(TypeError) as caught:
        path("x/", view, "name")
    assert "dict" in str(caught.value)


def test_included_routes_get_the_values_of_their_parents():
    """The view gets the converted values and the ``kwargs`` of the including route."""
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
    """The namespace is the module's or tuple's app_name, or ``namespace``."""
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


@pytest.mark.skipif(django.VERSION >= (2, 0), reason="Django refuses a triple")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("include", includes)
def test_included_triple_has_both_namespaces(include):
    """As ``admin.site.urls`` until Django 1.8: routes, app_name and namespace."""
    triple = [path("<int:pk>/", view, name="detail")], "polls", "first"
    match = resolve("/a/5/", urlconf(path("a/", include(triple))))
    assert (match.app_name, match.namespace) == ("polls", "first")


@pytest.mark.parametrize("include", includes)
def test_included_list_has_no_namespace(include):
    """A list, and a module without app_name, have no namespace."""
    conf = urlconf(
        path("a/", include([path("", view, name="a")])),
        path("b/", include(urlconf(path("", view, name="b")))),
    )
    assert reverse("a", conf) == "/a/"
    assert resolve("/b/", conf).namespace == ""


def test_regular_expressions_and_routes_mix():
    """path() can include re_path(), and re_path() can include path()."""
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
    """A lazy route is evaluated in the active language, at each use."""
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
    """A number in hexadecimal notation; negative numbers have no URL."""

    regex = "[0-9a-f]+"

    def to_python(self, value):
        if value == "bad":
            raise ValueError(value)
        return int(value, 16)

    def to_url(self, value):
        if value < 0:
            raise ValueError(value)
        return "%x" % value


class Octal(object):
    """A number in octal notation."""

    regex = "[0-7]+"

    def to_python(self, value):
        return int(value, 8)

    def to_url(self, value):
        return "%o" % value


@pytest.fixture(scope="module")
def hexadecimal():
    """Register the converters once."""
    register_converter(Hexadecimal, "hexadecimal")
    register_converter(Octal, "octal")


def test_registered_converter_converts_both_ways(hexadecimal):
    """to_python and to_url are used in each kind of route; ValueError: no match."""
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
    for wrong in [], [255, 255]:
        with pytest.raises(NoReverseMatch):
            reverse("one", conf, args=wrong)


def test_route_may_have_two_registered_converters(hexadecimal):
    """Each converter converts its own value."""
    conf = urlconf(path("<hexadecimal:a>/<octal:b>/", view, name="two"))
    assert resolve("/10/10/", conf).kwargs == {"a": 16, "b": 8}
    assert reverse("two", conf, args=[16, 8]) == "/10/10/"


@pytest.mark.skipif(
    (2, 0) <= django.VERSION < (6, 0),
    reason="Django 2.0 to 5.2 accepts a second converter",
)
@pytest.mark.parametrize("name", ["int", "hexadecimal"])
def test_converter_cannot_be_registered_twice(hexadecimal, name):
    """A second converter of the same name raises ValueError."""
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
    """The active language's code is the prefix, for resolve() and for reverse()."""
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
    """A lazy pattern is evaluated in each language; a text stays the same."""
    from django.utils import translation
    from django.utils.functional import lazy

    lazy_text = lazy(lambda: u"^%s$" % translation.get_language()[:2], type(u""))()
    provider = Provider(lazy_text)
    try:
        for language in ("en", "de", "en"):
            translation.activate(language)
            assert provider.regex.pattern == "^%s$" % language
            assert Provider(u"^a$").regex.search("a")
    finally:
        translation.deactivate()


@pytest.mark.skipif(django.VERSION >= (1, 8), reason="gone with Django 1.10")
def test_rendering_takes_the_arguments_of_old_djangos(tmpdir):
    """``current_app`` selects an instance, and a Context may be the third argument."""
    from django.template import Context
    from django.test.client import RequestFactory
    from django.test.utils import override_settings

    from django_compat import render, render_to_string, set_urlconf

    routes = [path("", view, name="page")], "app"
    second = path("b/", include(routes, namespace="second"))
    text = "{% load url from future %}{% url 'app:page' %} {{ word }}"
    tmpdir.join("page.html").write(text)
    set_urlconf(urlconf(path("a/", include(routes)), second))
    try:
        with override_settings(
            TEMPLATE_CONTEXT_PROCESSORS=[], TEMPLATE_DIRS=[str(tmpdir)]
        ):
            request, context = RequestFactory().get("/"), {"word": "w"}
            response = render(request, "page.html", context, current_app="second")
            texts = [
                response.content.decode("ascii"),
                render_to_string("page.html", context, Context(current_app="second")),
                render_to_string("page.html", context),
            ]
    finally:
        set_urlconf(None)
    assert texts == ["/b/ w", "/b/ w", "/a/ w"]


def a(request, **kwargs):
    """The view that the routes below name."""


def b(request, **kwargs):
    """Another view."""


@pytest.mark.filterwarnings("ignore")  # Django 1.8 and 1.9 warn of patterns()
def test_views_may_be_names():
    """patterns() joins its prefix and the names of views; url() takes a whole name."""
    from django_compat import patterns, url

    included = patterns("", url(r"^x/$", __name__ + ".b", {"k": 1}, "x"))
    module = urlconf()
    module.urlpatterns = patterns(
        __name__,
        url(r"^a/$", "a", name="a"),
        (r"^b/(?P<n>\d+)/$", "b", {"k": 2}),
        url(r"^own/$", b),
        url(r"^in/", django_compat.include(included)),
        url(r"^prefixed/$", "names.a", prefix="a.module.of", name="late"),
    )[:4] + patterns("", url(r"^p/$", "b", prefix=__name__))
    assert resolve("/a/", module).func is a
    assert resolve("/b/5/", module).func is b
    assert resolve("/b/5/", module).kwargs == {"n": "5", "k": 2}
    assert resolve("/own/", module).func is b
    assert resolve("/in/x/", module).func is b
    assert resolve("/in/x/", module).kwargs == {"k": 1}
    assert resolve("/p/", module).func is b
    assert reverse("a", module) == "/a/"
    assert reverse("x", module) == "/in/x/"
    assert type(module.urlpatterns) is list


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["absent.view", __name__ + ".absent"])
def test_wrong_name_of_a_view_is_found_at_its_use(name):
    """A view is imported when a URL is resolved, because it may import the URLconf."""
    from django_compat import url

    module = urlconf(url(r"^a/$", name))
    with pytest.raises(Exception) as caught:
        resolve("/a/", module).func
    assert "absent" in str(caught.value)


@pytest.mark.filterwarnings("ignore")
def test_empty_name_of_a_view_is_refused():
    """A view without a name is a mistake in the URLconf."""
    from django_compat import url

    with pytest.raises(ImproperlyConfigured):
        url(r"^a/$", "")


@pytest.mark.filterwarnings("ignore")
def test_classes_of_regular_expressions_take_a_text():
    """RegexURLPattern and RegexURLResolver match as they did until Django 1.11."""
    from django_compat import RegexURLPattern, RegexURLResolver, re_path

    pattern = RegexURLPattern(r"^a/(?P<n>\d+)/$", a, {"k": 1}, name="n")
    match = pattern.resolve("a/5/")
    assert (match.func, match.kwargs) == (a, {"n": "5", "k": 1})
    assert pattern.resolve("b/") is None
    assert pattern.regex.pattern == r"^a/(?P<n>\d+)/$"
    resolver = RegexURLResolver(r"^in/", [pattern], namespace="space", app_name="app")
    match = resolver.resolve("in/a/5/")
    assert (match.func, match.namespaces, match.app_name) == (a, ["space"], "app")
    assert RegexURLResolver(r"^/", urlconf(pattern)).reverse("n", n=7) == "a/7/"
    assert resolver.regex.search("in/")
    route, included = re_path(r"^a/$", a), re_path(r"^b/", django_compat.include([]))
    assert isinstance(route, RegexURLPattern) and isinstance(pattern, RegexURLPattern)
    assert isinstance(included, RegexURLResolver)
    assert not isinstance(route, RegexURLResolver)

    class Mine(RegexURLPattern):
        """A class of a project."""

    assert isinstance(Mine(r"^a/$", a), Mine) and not isinstance(route, Mine)
    assert Mine(r"^a/$", a).resolve("a/").func is a
    if django.VERSION >= (2, 0):
        from django.urls.resolvers import RegexPattern

        assert RegexURLPattern(RegexPattern(r"^a/$"), a).resolve("a/").func is a
