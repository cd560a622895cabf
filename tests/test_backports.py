"""Small backports, each with the same test as Django's own where this Django has it."""

from __future__ import absolute_import

import copy
import datetime
import decimal
import functools
import json
import pickle
import threading
import uuid
import warnings

import django
import pytest
import six
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpResponse
from django.utils.functional import Promise, lazy
from variants import find, variants

from django_compat.backports import models, storages


def both(name, backport, *places, **releases):
    """Return a mark that gives a test ours and Django's own."""
    return pytest.mark.parametrize(name, variants(backport, *places, **releases))


def lazy_text(text):
    """Return a text that is not there yet."""
    return lazy(lambda: text, six.text_type)()


VALUES = [
    (datetime.datetime(2024, 1, 2, 3, 4, 5, 678901), "2024-01-02T03:04:05.678"),
    (datetime.date(2024, 1, 2), "2024-01-02"),
    (datetime.time(3, 4, 5), "03:04:05"),
    (decimal.Decimal("1.10"), "1.10"),
    (uuid.UUID(int=5), "00000000-0000-0000-0000-000000000005"),
    (datetime.timedelta(days=1, hours=2, seconds=3), "P1DT02H00M03S"),
    (datetime.timedelta(seconds=-1.5), "-P0DT00H00M01.500000S"),
    (datetime.timedelta(0), "P0DT00H00M00S"),
    (lazy_text("later"), "later"),
]
encoder = both(
    "encoder",
    "json_responses:DjangoJSONEncoder",
    "django.core.serializers.json:DjangoJSONEncoder",
    since=(1, 11),
)


@encoder
@pytest.mark.parametrize("value, expected", VALUES)
def test_encoder_knows_dates_numbers_keys_and_durations(encoder, value, expected):
    """Each becomes a text, as the newest Django writes it."""
    assert json.loads(json.dumps([value], cls=encoder)) == [expected]


@encoder
def test_encoder_refuses_the_rest(encoder):
    """A time with a zone is ValueError, an object that nobody knows TypeError."""

    class Zone(datetime.tzinfo):
        def utcoffset(self, moment):
            return datetime.timedelta(hours=1)

    with pytest.raises(ValueError):
        json.dumps(datetime.time(3, 4, 5, tzinfo=Zone()), cls=encoder)
    with pytest.raises(TypeError):
        json.dumps(object(), cls=encoder)


@both("JsonResponse", "json_responses:JsonResponse", "django.http:JsonResponse")
def test_json_response_is_a_response(JsonResponse):
    """With its type, status and headers; keys become texts."""
    response = JsonResponse({"a": [1, None], 2: u"\xe9"}, status=201)
    assert isinstance(response, HttpResponse)
    assert response.status_code == 201
    assert response["Content-Type"] == "application/json"
    content = json.loads(response.content.decode("utf-8"))
    assert content == {"a": [1, None], "2": u"\xe9"}
    other = JsonResponse({"a": 1}, content_type="application/x")
    assert other["Content-Type"] == "application/x"


@both(
    "JsonResponse",
    "json_responses:JsonResponse",
    "django.http:JsonResponse",
    since=(1, 9),
)
def test_json_response_passes_parameters_on(JsonResponse):
    """To json.dumps, and an encoder of one's own."""

    class Encoder(json.JSONEncoder):
        def default(self, o):
            return "any"

    response = JsonResponse(
        {"b": object(), "a": 1}, encoder=Encoder, json_dumps_params={"sort_keys": True}
    )
    assert response.content == b'{"a": 1, "b": "any"}'


@both(
    "Mixin", "middlewares:MiddlewareMixin", "django.utils.deprecation:MiddlewareMixin"
)
def test_middleware_is_called_in_order(Mixin):
    """Before, inside, after; a response from before ends it."""
    done = []

    class Middleware(Mixin):
        def process_request(self, request):
            done.append("before")
            return HttpResponse("short") if request == "stop" else None

        def process_response(self, request, response):
            done.append("after")
            return response

    def inside(request):
        done.append("inside")
        return HttpResponse(request)

    middleware = Middleware(inside)
    assert middleware("go").content == b"go"
    assert done == ["before", "inside", "after"]
    del done[:]
    assert middleware("stop").content == b"short"
    assert done == ["before", "after"]
    assert Mixin(inside)("go").content == b"go"


@both(
    "import_string",
    "importing:import_string",
    "django.utils.module_loading:import_string",
)
def test_object_is_imported_by_its_path(import_string):
    """ImportError for a module, a name or a path that is none."""
    assert import_string("django.http.HttpResponse") is HttpResponse
    for path in ("no.such", "django.http.Absent", "django", "", "unittest.nothing.x"):
        with pytest.raises(ImportError):
            import_string(path)


@both(
    "import_by_path",
    "importing:import_by_path",
    "django.utils.module_loading:import_by_path",
)
def test_object_is_imported_by_its_path_or_settings_are_wrong(import_by_path):
    """ImproperlyConfigured, with the prefix."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert import_by_path("django.http.HttpResponse") is HttpResponse
        for path in ("no.such", "django.http.Absent", "django"):
            with pytest.raises(ImproperlyConfigured) as caught:
                import_by_path(path, error_prefix="Here: ")
            assert str(caught.value).startswith("Here: ")


SLUGS = [
    (u"Hello, World!", False, u"hello-world"),
    (u"  spaces   and--dashes  ", False, u"spaces-and-dashes"),
    (u"under_score", False, u"under_score"),
    (u"\xe9t\xe9", False, u"ete"),
    (u"\xe9t\xe9 \u4f60\u597d!", True, u"\xe9t\xe9-\u4f60\u597d"),
    (u"\u4f60\u597d", False, u""),
    (123, False, u"123"),
]


@both("slugify", "texts:slugify", "django.utils.text:slugify", since=(1, 9))
@pytest.mark.parametrize("text, allow_unicode, expected", SLUGS)
def test_slug_of_a_text(slugify, text, allow_unicode, expected):
    """Letters, digits, underscores and single hyphens."""
    assert slugify(text, allow_unicode=allow_unicode) == expected
    assert six.text_type(slugify(lazy_text(u"A b"))) == u"a-b"


@pytest.mark.parametrize(
    "name, value, expected",
    [
        ("urlquote", u"Paris & Orl\xe9ans/", u"Paris%20%26%20Orl%C3%A9ans/"),
        ("urlquote_plus", u"Paris & Orl\xe9ans", u"Paris+%26+Orl%C3%A9ans"),
        ("urlunquote", u"Paris%20%26%20Orl%C3%A9ans/", u"Paris & Orl\xe9ans/"),
        ("urlunquote_plus", u"Paris+%26+Orl%C3%A9ans", u"Paris & Orl\xe9ans"),
    ],
)
@pytest.mark.filterwarnings("ignore")
def test_urls_are_quoted_and_unquoted(name, value, expected):
    """Texts and lazy texts; on Python 3 Django's own take no lazy ones."""
    for param in variants("quoting:" + name, "django.utils.http:" + name):
        if param.id == "ours" and six.PY2:  # it is for Django 4.0+
            continue
        function = param.values[0]
        assert function(value) == expected
        if param.id == "ours" or django.VERSION < (2, 0):
            later = function(lazy_text(value))
            assert isinstance(later, Promise)
            assert six.text_type(later) == expected
        if name == "urlquote":
            assert function("a/b&c", safe="&") == "a%2Fb&c"


@both(
    "classproperty",
    "functional:classproperty",
    "django.utils.functional:classproperty",
    "django.utils.decorators:classproperty",
)
def test_property_of_a_class(classproperty):
    """Read from the class, a subclass and an instance."""

    class Thing(object):
        @classproperty
        def name(cls):
            return cls.__name__

        other = classproperty()

        @other.getter
        def other(cls):
            return 5

    class Special(Thing):
        pass

    assert (Thing.name, Special.name, Special().name) == ("Thing", "Special", "Special")
    assert Thing.other == 5


@both("keep_lazy", "functional:keep_lazy", "django.utils.functional:keep_lazy")
def test_result_of_a_lazy_argument_is_lazy(keep_lazy):
    """And of others it is not."""
    calls = []

    @keep_lazy(six.text_type)
    def shout(text, end=u"!"):
        calls.append(text)
        return text.upper() + end

    assert shout.__name__ == "shout"
    assert shout(u"a") == u"A!"
    later = shout(lazy_text(u"b"))
    assert isinstance(later, Promise)
    assert calls == [u"a"]
    assert six.text_type(later) == u"B!"
    assert isinstance(shout(u"a", end=lazy_text(u"?")), Promise)
    with pytest.raises(TypeError):
        keep_lazy()


@both(
    "keep_lazy_text",
    "functional:keep_lazy_text",
    "django.utils.functional:keep_lazy_text",
)
def test_text_of_a_lazy_argument_is_lazy(keep_lazy_text):
    """The same, for a function that returns a text, without parentheses."""

    @keep_lazy_text
    def shout(text):
        return text.upper()

    assert shout(u"a") == u"A"
    later = shout(lazy_text(u"b"))
    assert isinstance(later, Promise)
    assert six.text_type(later) == u"B"


@both("allow_lazy", "functional:allow_lazy", "django.utils.functional:allow_lazy")
@pytest.mark.filterwarnings("ignore")
def test_function_is_made_lazy(allow_lazy):
    """The older spelling of the same."""
    function = allow_lazy(lambda text: text * 2, six.text_type)
    assert function(u"a") == u"aa"
    assert isinstance(function(lazy_text(u"a")), Promise)


@both("curry", "functional:curry", "django.utils.functional:curry")
def test_curried_function_has_its_first_arguments(curry):
    """As a method it gets the instance after them."""

    class Thing(object):
        call = curry(lambda *args, **kwargs: (args, kwargs), 1, a=2)

    thing = Thing()
    assert thing.call(3, b=4) == ((1, thing, 3), {"a": 2, "b": 4})
    assert curry(max, 5)(3) == 5


@both("lru_cache", "caching:lru_cache", "functools:lru_cache")
def test_last_results_are_kept(lru_cache):
    """The oldest goes; counts are told; an error is not kept."""
    calls = []

    @lru_cache(maxsize=2)
    def double(number, **options):
        calls.append(number)
        return number * 2

    assert [double(n) for n in (1, 2, 1, 3, 1, 2)] == [2, 4, 2, 6, 2, 4]
    assert calls == [1, 2, 3, 2]
    assert tuple(double.cache_info()) == (2, 4, 2, 2)
    double.cache_clear()
    assert tuple(double.cache_info()) == (0, 0, 2, 0)
    assert double(1, a=1) == double(1, a=1)
    assert double.cache_info().hits == 1
    with pytest.raises(TypeError):
        double([])

    @lru_cache(maxsize=None, typed=True)
    def kind(value):
        return type(value)

    assert (kind(1), kind(1.0), kind(1)) == (int, float, int)
    assert [kind(n) for n in range(300)] and kind.cache_info().currsize == 301


@both("is_iterable", "iterables:is_iterable", "django.utils.itercompat:is_iterable")
@pytest.mark.filterwarnings("ignore")
def test_what_can_be_looped_over(is_iterable):
    """Anything that iter() takes."""

    class Sequence(object):
        def __getitem__(self, index):
            raise IndexError

    for each in ([], (), {}, "x", iter([]), Sequence()):
        assert is_iterable(each) is True
    for each in (5, None, object()):
        assert is_iterable(each) is False


def test_lookups_are_known():
    """Those of every field and of dates."""
    place = "django.db.models.sql.constants:QUERY_TERMS"
    terms = find(place) or find("django_compat.backports.lookups:QUERY_TERMS")
    known = "exact iexact contains in gt gte lt range year month isnull regex".split()
    assert set(known) <= set(terms)
    assert "no_such" not in terms


@both(
    "mark",
    "decorators:login_not_required",
    "django.contrib.auth.decorators:login_not_required",
)
def test_view_is_marked_as_open(mark):
    """And stays the same function."""

    def view(request):
        """Any view."""

    assert mark(view) is view
    assert view.login_required is False


@both("async_unsafe", "decorators:async_unsafe", "django.utils.asyncio:async_unsafe")
def test_unsafe_function_runs_where_nothing_is_asynchronous(async_unsafe):
    """With and without a message."""

    @async_unsafe
    def one():
        return 1

    @async_unsafe("not here")
    def two():
        return 2

    assert (one(), two()) == (1, 2)


@both(
    "URLValidator",
    "validators:URLValidator",
    "django.core.validators:URLValidator",
    since=(1, 6),
)
def test_url_validator_takes_a_message(URLValidator):
    """And accepts what it did."""
    validator = URLValidator(message=u"bad url", code="bad")
    validator(u"http://example.com/x?y=1")
    with pytest.raises(ValidationError) as caught:
        validator(u"example")
    assert caught.value.messages == [u"bad url"]
    assert caught.value.code == "bad"


@pytest.mark.parametrize(
    "EmailValidator",
    variants(
        "validators:EmailValidator",
        "django.core.validators:EmailValidator",
        since=(1, 6),
        until=(1, 6),
    ),
)
def test_email_validator_needs_no_pattern(EmailValidator):
    """Takes its message; localhost is a host."""
    EmailValidator()(u"a@example.com")
    EmailValidator()(u"a@localhost")
    validator = EmailValidator(message=u"bad address", code="bad")
    for value in u" a a@ @example.com ab(@example.com a(b@localhost".split(u" "):
        with pytest.raises(ValidationError) as caught:
            validator(value)
        assert caught.value.messages == [u"bad address"]
        assert caught.value.code == "bad"


@both(
    "resolve_url",
    "shortcuts:resolve_url",
    "django.shortcuts:resolve_url",
    since=(1, 8),
    until=(1, 10),
)
def test_thing_has_a_url(resolve_url):
    """A model's own, a view's, or the URL that it is."""

    class Model(object):
        def get_absolute_url(self):
            return "/model/"

    NoReverseMatch = find("django.urls:NoReverseMatch") or find(
        "django.core.urlresolvers:NoReverseMatch"
    )
    assert resolve_url(Model()) == "/model/"
    for url in ("/a/", "http://example.com/", "../up", "./here", "x.html"):
        assert resolve_url(url) == url
        assert six.text_type(resolve_url(lazy_text(url))) == url
    for wrong in ("no_such_view", lambda request: None):
        with pytest.raises(NoReverseMatch):
            resolve_url(wrong)


def test_output_ends_its_lines():
    """Once; a style is for terminals."""
    for param in variants(
        "output:OutputWrapper", "django.core.management.base:OutputWrapper"
    ):
        stream = six.StringIO()
        output = param.values[0](stream, ending="\n")
        output.write("a")
        output.write("b\n")
        output.write("c", ending="")
        output.write("d", lambda text: "<%s>" % text.strip())
        assert stream.getvalue().replace("\n>", ">\n") in ("a\nb\nc<d>", "a\nb\nc<d>\n")
        assert output.getvalue() == stream.getvalue()


def test_help_text_loses_what_old_djangos_append():
    """And only that."""
    appended = ' Hold down "Control", or "Command" on a Mac, to select more than one.'
    assert models.clean_manytomany_helptext("Help." + appended) == "Help."
    assert models.clean_manytomany_helptext("Help.") == "Help."


def test_storages_by_alias():
    """The default one; an unknown alias is named."""
    from django.core.files.storage import default_storage

    assert storages.storages["default"] is default_storage
    with pytest.raises(storages.InvalidStorageError) as caught:
        storages.storages["no such"]
    assert "no such" in str(caught.value)
    if django.VERSION < (5, 1):
        assert storages.get_storage_class().__name__ == "FileSystemStorage"
    path = "django.core.files.storage.FileSystemStorage"
    assert storages.get_storage_class(path).__name__ == "FileSystemStorage"


def test_settings_are_shown_without_what_is_secret():
    """All of them, or one; what is secret is told by its name."""
    from django_compat import CLEANSED_SUBSTITUTE, HIDDEN_SETTINGS
    from django_compat import cleanse_setting, get_safe_settings

    shown = get_safe_settings()
    assert shown["SECRET_KEY"] == CLEANSED_SUBSTITUTE != ""
    assert shown["LANGUAGE_CODE"] == django.conf.settings.LANGUAGE_CODE
    assert cleanse_setting("MAIL_PASSWORD", "open sesame") == CLEANSED_SUBSTITUTE
    assert cleanse_setting("LANGUAGE_CODE", "en") == "en"
    assert HIDDEN_SETTINGS.search("MAIL_PASSWORD")
    assert not HIDDEN_SETTINGS.search("LANGUAGE_CODE")


@pytest.mark.filterwarnings("ignore")
def test_caches_by_alias():
    """One for each thread; settings of its own make a new one."""
    from django.core import cache

    from django_compat.backports.caches import caches, get_cache

    found = caches["default"]
    assert found is caches["default"]
    others = []
    thread = threading.Thread(target=lambda: others.append(caches["default"]))
    thread.start()
    thread.join()
    assert others[0] is not found
    with pytest.raises(cache.InvalidCacheBackendError):
        caches["no such"]
    if django.VERSION >= (1, 7):
        assert get_cache("default") is found
        path = "django.core.cache.backends.locmem.LocMemCache"
        new = get_cache(path, LOCATION="elsewhere", TIMEOUT=5)
        assert new.default_timeout == 5
        assert new is not found


def test_patterns_are_a_list():
    """Of routes, or of what makes one; there are no prefixes."""
    from django_compat.backports.patterns import patterns

    def view(request):
        """Any view."""

    first = object()
    found = patterns("", first, (r"^x/$", view))
    assert found[0] is first
    assert found[1].callback is view
    with pytest.raises(ValueError):
        patterns("views", (r"^x/$", "name"))


@both(
    "NoArgsCommand",
    "no_args:NoArgsCommand",
    "django.core.management.base:NoArgsCommand",
)
@pytest.mark.filterwarnings("ignore")
def test_no_args_command_calls_its_handler(NoArgsCommand):
    """With the options."""

    class Command(NoArgsCommand):
        def handle_noargs(self, **options):
            return "%(a)s" % options

    assert Command().handle(a=1) == "1"
    with pytest.raises(NotImplementedError):
        NoArgsCommand().handle()


def test_proxy_parser_makes_options():
    """As django_six hands it to add_arguments; a positional argument is refused."""
    from django_compat.backports.parsers import ProxyParser

    class Command(object):
        option_list = ()

    command = Command()
    parser = ProxyParser(command)
    parser.add_argument("-n", "--number", type=int, default=1, help="how many")
    parser.add_argument("--kind", choices=["a", "b"])
    parser.add_argument("--flag", action="store_true", dest="is_set")
    options = [(option.dest, option.type) for option in command.option_list]
    assert options == [("number", "int"), ("kind", "choice"), ("is_set", None)]
    with pytest.raises(ValueError) as caught:
        parser.add_argument("name")
    assert "'name'" in str(caught.value)


@both("zone", "timezones:FixedOffset", "django.utils.timezone:FixedOffset")
def test_zone_at_a_fixed_offset(zone):
    """In minutes east of UTC, without daylight saving; it is copied and pickled."""
    moment = datetime.datetime(2024, 7, 1, 12, tzinfo=zone(-90, "there"))
    for each in moment, copy.deepcopy(moment), pickle.loads(pickle.dumps(moment)):
        assert each.utcoffset() == datetime.timedelta(minutes=-90)
        assert each.dst() == datetime.timedelta(0)
        assert each.tzname() == "there"
    utc = datetime.datetime(2024, 7, 1, 13, 30, tzinfo=zone(0))
    assert moment == utc


@both(
    "string_concat",
    "lazy_texts:string_concat",
    "django.utils.translation:string_concat",
)
def test_lazy_texts_are_joined_when_they_are_needed(string_concat):
    """Not before, for a translation may change."""
    words = [u"old"]
    last = lazy(lambda: words[0], six.text_type)()
    joined = string_concat(u"\xe9 ", 7, " ", last)
    words[0] = u"new"
    assert isinstance(joined, Promise)
    assert six.text_type(joined) == u"\xe9 7 new"


@both(
    "available_attrs",
    "wrapping:available_attrs",
    "django.utils.decorators:available_attrs",
    until=(0,) if six.PY2 else (9999,),  # the Djangos that lack it want Python 3
)
def test_partial_function_is_wrapped(available_attrs):
    """Also one that lacks what a function has."""
    partial = functools.partial(int, "7")
    wrapped = functools.wraps(partial, assigned=available_attrs(partial))(lambda: 8)
    assert wrapped() == 8


@both("config", "app_configs:AppConfig", "django.apps:AppConfig", until=(1, 7))
def test_app_has_a_class(config):
    """It is derived from, with a name, and has ``ready``."""

    class Notes(config):
        name = "reusable"
        verbose_name = "Notes"

    assert callable(Notes.ready)
    assert Notes.name == "reusable"


@both(
    "error",
    "errors:AppRegistryNotReady",
    "django.core.exceptions:AppRegistryNotReady",
)
def test_error_of_the_registry_can_be_caught(error):
    """And is nobody else's."""
    with pytest.raises(error):
        raise error("Apps are not loaded yet.")
    assert error.__bases__ == (Exception,)


@both("error", "errors:FullResultSet", "django.core.exceptions:FullResultSet")
def test_error_of_a_full_result_can_be_caught(error):
    """And is no EmptyResultSet."""
    with pytest.raises(error):
        raise error
    assert error.__bases__ == (Exception,)
