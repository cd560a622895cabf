"""Small backports: the same tests for ours and for Django's own object."""

from __future__ import absolute_import

import copy
import datetime
import decimal
import functools
import json
import optparse
import os
import pickle
import re
import threading
import uuid
import warnings

import django
import django.core.validators
import django.http
import pytest
import six
from django.core.exceptions import ImproperlyConfigured, ValidationError
from django.http import HttpResponse
from django.test.utils import override_settings
from django.utils.functional import Promise, lazy

import django_compat
from django_compat._names.backports import backends, models, utils
from support.variants import find, variants

pytestmark = pytest.mark.contract

urlpatterns = []  # this module is the URLconf of test_resolve_url


def both(name, backport, *places, **releases):
    """Return a mark that runs a test with the backport and with Django's own object."""
    return pytest.mark.parametrize(name, variants(backport, *places, **releases))


def lazy_text(text):
    """Return a lazy text."""
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
def test_encoder_writes_dates_numbers_keys_and_durations(encoder, value, expected):
    """Each value becomes the text that the newest Django writes."""
    assert json.loads(json.dumps([value], cls=encoder)) == [expected]


@encoder
def test_encoder_refuses_other_values(encoder):
    """A time with a zone raises ValueError, an unknown object TypeError."""

    class Zone(datetime.tzinfo):
        def utcoffset(self, moment):
            return datetime.timedelta(hours=1)

    with pytest.raises(ValueError):
        json.dumps(datetime.time(3, 4, 5, tzinfo=Zone()), cls=encoder)
    with pytest.raises(TypeError):
        json.dumps(object(), cls=encoder)


@both("JsonResponse", "json_responses:JsonResponse", "django.http:JsonResponse")
def test_json_response_is_a_response(JsonResponse):
    """JsonResponse has a type, a status and JSON content; its keys become texts."""
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
    since=(1, 11),
)
@pytest.mark.parametrize("value, expected", VALUES)
def test_json_response_writes_what_the_encoder_writes(JsonResponse, value, expected):
    """The default encoder is the newest one: a UUID needs no other."""
    response = JsonResponse({"a": value})
    assert json.loads(response.content.decode("utf-8")) == {"a": expected}
    assert isinstance(response, getattr(django.http, "JsonResponse", HttpResponse))


@both(
    "JsonResponse",
    "json_responses:JsonResponse",
    "django.http:JsonResponse",
    since=(1, 9),
)
def test_json_response_passes_parameters_on(JsonResponse):
    """json.dumps gets ``json_dumps_params`` and ``encoder``."""

    class Encoder(json.JSONEncoder):
        def default(self, o):
            return "any"

    response = JsonResponse(
        {"b": object(), "a": 1}, encoder=Encoder, json_dumps_params={"sort_keys": True}
    )
    assert response.content == b'{"a": 1, "b": "any"}'


@both(
    "Mixin", "http:MiddlewareMixin", "django.utils.deprecation:MiddlewareMixin"
)
def test_middleware_is_called_in_order(Mixin):
    """process_request, the view, process_response; a first response skips the view."""
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
    "utils:import_string",
    "django.utils.module_loading:import_string",
)
def test_import_string(import_string):
    """A wrong path, module or attribute raises ImportError."""
    assert import_string("django.http.HttpResponse") is HttpResponse
    for path in ("no.such", "django.http.Absent", "django", "", "unittest.nothing.x"):
        with pytest.raises(ImportError):
            import_string(path)


@both(
    "import_by_path",
    "utils:import_by_path",
    "django.utils.module_loading:import_by_path",
)
def test_import_by_path(import_by_path):
    """A wrong path raises ImproperlyConfigured, which starts with the prefix."""
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


@both("slugify", "text:slugify", "django.utils.text:slugify", since=(1, 9))
@pytest.mark.parametrize("text, allow_unicode, expected", SLUGS)
def test_slugify(slugify, text, allow_unicode, expected):
    """A slug has letters, digits, underscores and single hyphens."""
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
    """Ours take texts and lazy texts; from 2.0 on Django's own take no lazy texts."""
    for param in variants("http:" + name, "django.utils.http:" + name):
        if param.id == "ours" and six.PY2:  # needed from Django 4.0 on
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
    "utils:classproperty",
    "django.utils.functional:classproperty",
    "django.utils.decorators:classproperty",
)
def test_property_of_a_class(classproperty):
    """A class, its subclass and its instances read the property."""

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


@both("keep_lazy", "utils:keep_lazy", "django.utils.functional:keep_lazy")
def test_keep_lazy(keep_lazy):
    """The result is lazy if an argument is lazy, and else it is not."""
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
    "utils:keep_lazy_text",
    "django.utils.functional:keep_lazy_text",
)
def test_keep_lazy_text(keep_lazy_text):
    """The decorator has no parentheses; the text is lazy if an argument is lazy."""

    @keep_lazy_text
    def shout(text):
        return text.upper()

    assert shout(u"a") == u"A"
    later = shout(lazy_text(u"b"))
    assert isinstance(later, Promise)
    assert six.text_type(later) == u"B"


@both("allow_lazy", "utils:allow_lazy", "django.utils.functional:allow_lazy")
@pytest.mark.filterwarnings("ignore")
def test_allow_lazy(allow_lazy):
    """The returned function is lazy if an argument is lazy."""
    function = allow_lazy(lambda text: text * 2, six.text_type)
    assert function(u"a") == u"aa"
    assert isinstance(function(lazy_text(u"a")), Promise)


@both("curry", "utils:curry", "django.utils.functional:curry")
def test_curry(curry):
    """A curried method gets its instance after the first arguments."""

    class Thing(object):
        call = curry(lambda *args, **kwargs: (args, kwargs), 1, a=2)

    thing = Thing()
    assert thing.call(3, b=4) == ((1, thing, 3), {"a": 2, "b": 4})
    assert curry(max, 5)(3) == 5


@both("lru_cache", "utils:lru_cache", "functools:lru_cache")
def test_lru_cache(lru_cache):
    """The cache drops its oldest result, counts its hits, and refuses lists."""
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


@both("is_iterable", "utils:is_iterable", "django.utils.itercompat:is_iterable")
@pytest.mark.filterwarnings("ignore")
def test_is_iterable(is_iterable):
    """The argument is iterable if iter() takes it."""

    class Sequence(object):
        def __getitem__(self, index):
            raise IndexError

    for value in ([], (), {}, "x", iter([]), Sequence()):
        assert is_iterable(value) is True
    for value in (5, None, object()):
        assert is_iterable(value) is False


def test_query_terms():
    """QUERY_TERMS has the lookups of every field and of dates."""
    place = "django.db.models.sql.constants:QUERY_TERMS"
    terms = find(place) or find("django_compat._names.backports.models:QUERY_TERMS")
    known = "exact iexact contains in gt gte lt range year month isnull regex".split()
    assert set(known) <= set(terms)
    assert "no_such" not in terms


@both(
    "mark",
    "placeholders:login_not_required",
    "django.contrib.auth.decorators:login_not_required",
)
def test_login_not_required(mark):
    """The view is marked, and stays the same function."""

    def view(request):
        """Any view."""

    assert mark(view) is view
    assert view.login_required is False


@both("async_unsafe", "placeholders:async_unsafe", "django.utils.asyncio:async_unsafe")
def test_async_unsafe(async_unsafe):
    """Outside async code the function runs; the decorator may have a message."""

    @async_unsafe
    def plain():
        return 1

    @async_unsafe("not here")
    def with_message():
        return 2

    assert (plain(), with_message()) == (1, 2)


@both(
    "URLValidator",
    "validators:URLValidator",
    "django.core.validators:URLValidator",
    since=(1, 6),
)
def test_url_validator_takes_a_message(URLValidator):
    """The ValidationError has the message and the code."""
    validator = URLValidator(message=u"bad url", code="bad")
    validator(u"http://example.com/x?y=1")
    with pytest.raises(ValidationError) as caught:
        validator(u"example")
    assert caught.value.messages == [u"bad url"]
    assert caught.value.code == "bad"
    with pytest.raises(ValidationError) as caught:
        URLValidator()(u"example")
    assert caught.value.messages != [u"bad url"]
    assert caught.value.code == "invalid"


with_email_validators = pytest.mark.parametrize(
    "EmailValidator",
    variants(
        "validators:EmailValidator",
        "django.core.validators:EmailValidator",
        since=(1, 6),
        until=(1, 6),
    ),
)


@with_email_validators
def test_email_validator_needs_no_pattern(EmailValidator):
    """The validator takes a message and a code; localhost is allowed as a domain."""
    EmailValidator()(u"a@example.com")
    EmailValidator()(u"a@localhost")
    validator = EmailValidator(message=u"bad address", code="bad")
    for value in u" a a@ @example.com ab(@example.com a(b@localhost".split(u" "):
        with pytest.raises(ValidationError) as caught:
            validator(value)
        assert caught.value.messages == [u"bad address"]
        assert caught.value.code == "bad"


@with_email_validators
@pytest.mark.skipif(django.VERSION >= (4, 1), reason="Django has an allowlist")
@pytest.mark.filterwarnings("ignore")
def test_email_validator_takes_other_domains(EmailValidator):
    """``whitelist`` takes the place of localhost."""
    validator = EmailValidator(whitelist=["intranet"])
    validator(u"a@intranet")
    with pytest.raises(ValidationError):
        validator(u"a@localhost")


@both(
    "resolve_url",
    "http:resolve_url",
    "django.shortcuts:resolve_url",
    since=(1, 8),
    until=(1, 10),
)
@pytest.mark.usefixtures("own_urls")
def test_resolve_url(resolve_url):
    """A model gives its URL, a URL stays the same, another text is an error."""

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


@both(
    "OutputWrapper",
    "argparsing:OutputWrapper",
    "django.core.management.base:OutputWrapper",
)
def test_output_wrapper_ends_each_line(OutputWrapper):
    """A line ends once, unless ``ending`` is empty; a style function is applied."""
    stream = six.StringIO()
    output = OutputWrapper(stream, ending="\n")
    output.write("a")
    output.write("b\n")
    output.write("c", ending="")
    output.write("d", lambda text: "<%s>" % text.strip())
    assert stream.getvalue().replace("\n>", ">\n") in ("a\nb\nc<d>", "a\nb\nc<d>\n")
    assert output.getvalue() == stream.getvalue()


def test_output_wrapper_styles_lines_of_a_terminal():
    """Ours takes a style function, as Django 1.5 does, and leaves files plain."""
    OutputWrapper = find("django_compat._names.backports.argparsing:OutputWrapper")

    class Terminal(six.StringIO):
        def isatty(self):
            return True

    for stream, expected in (Terminal(), "<a>"), (six.StringIO(), "a"):
        OutputWrapper(stream, lambda text: "<%s>" % text, ending="").write("a")
        assert stream.getvalue() == expected


def test_clean_manytomany_helptext():
    """The help text loses the sentence that old Djangos append, and nothing else."""
    appended = ' Hold down "Control", or "Command" on a Mac, to select more than one.'
    assert models.clean_manytomany_helptext("Help." + appended) == "Help."
    assert models.clean_manytomany_helptext("Help.") == "Help."


def test_storages_by_alias():
    """``storages`` has two storages; the error names an unknown alias."""
    from django.contrib.staticfiles.storage import staticfiles_storage
    from django.core.files.storage import default_storage

    assert backends.storages["default"] is default_storage
    assert backends.storages["staticfiles"] is staticfiles_storage
    with pytest.raises(backends.InvalidStorageError) as caught:
        backends.storages["no such"]
    assert "no such" in str(caught.value)
    if django.VERSION < (5, 1):
        assert backends.get_storage_class().__name__ == "FileSystemStorage"
    path = "django.core.files.storage.FileSystemStorage"
    assert backends.get_storage_class(path).__name__ == "FileSystemStorage"


@pytest.mark.skipif(not find("django.template:engines"), reason="Django 1.8+")
@pytest.mark.filterwarnings("ignore:add_to_builtins")
def test_engines_without_loaders_are_passed_over():
    """Engines that are not Django's have neither loaders nor built-in tags."""
    from django.template import engines

    other = {"BACKEND": "django.template.backends.dummy.TemplateStrings"}
    ours = {"BACKEND": "django.template.backends.django.DjangoTemplates", "NAME": "x"}
    module = "django.templatetags.tz"
    with override_settings(TEMPLATES=[other]):
        assert django_compat.get_template_loaders() == []
    with override_settings(TEMPLATES=[other, ours]):
        for _ in range(2):
            django_compat.add_to_builtins(module)
        tags = engines["x"].from_string("{% localtime on %}{% endlocaltime %}")
        assert tags.render({}) == ""


def test_secret_settings_are_cleansed():
    """Stars replace a value if the setting's name says that the value is secret."""
    from django_compat import (
        CLEANSED_SUBSTITUTE,
        HIDDEN_SETTINGS,
        cleanse_setting,
        get_safe_settings,
    )

    shown = get_safe_settings()
    assert shown["SECRET_KEY"] == CLEANSED_SUBSTITUTE != ""
    assert shown["LANGUAGE_CODE"] == django.conf.settings.LANGUAGE_CODE
    assert cleanse_setting("MAIL_PASSWORD", "open sesame") == CLEANSED_SUBSTITUTE
    assert cleanse_setting("LANGUAGE_CODE", "en") == "en"
    assert HIDDEN_SETTINGS.search("MAIL_PASSWORD")
    assert not HIDDEN_SETTINGS.search("LANGUAGE_CODE")


@both("caches", "backends:caches", "django.core.cache:caches", until=(1, 7))
@pytest.mark.filterwarnings("ignore")
def test_caches_by_alias(caches):
    """Each thread has its own cache; get_cache() with settings makes a new one."""
    from django.core import cache

    default = caches["default"]
    assert default is caches["default"]
    if hasattr(caches, "all"):  # before Django 1.7 ours, from 1.8 on Django's
        assert default in caches.all()
    others = []
    thread = threading.Thread(target=lambda: others.append(caches["default"]))
    thread.start()
    thread.join()
    assert others[0] is not default
    with pytest.raises(cache.InvalidCacheBackendError):
        caches["no such"]
    if django.VERSION >= (1, 7):
        assert backends.get_cache("default") is default
        path = "django.core.cache.backends.locmem.LocMemCache"
        new = backends.get_cache(path, LOCATION="elsewhere", TIMEOUT=5)
        assert new.default_timeout == 5
        assert new is not default


@both(
    "NoArgsCommand",
    "commands:NoArgsCommand",
    "django.core.management.base:NoArgsCommand",
)
@pytest.mark.filterwarnings("ignore")
def test_no_args_command_calls_its_handler(NoArgsCommand):
    """handle_noargs() gets the options."""

    class Command(NoArgsCommand):
        def handle_noargs(self, **options):
            return "%(a)s" % options

    assert Command().handle(a=1) == "1"
    with pytest.raises(NotImplementedError):
        NoArgsCommand().handle()


def test_proxy_parser_makes_options():
    """add_argument() adds to option_list; a positional argument raises ValueError."""
    from django_compat._names.backports.commands import ProxyParser

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


@both("zone", "utils:FixedOffset", "django.utils.timezone:FixedOffset")
def test_fixed_offset(zone):
    """The offset is in minutes east of UTC; a zone can be copied and pickled."""
    moment = datetime.datetime(2024, 7, 1, 12, tzinfo=zone(-90, "there"))
    for same in moment, copy.deepcopy(moment), pickle.loads(pickle.dumps(moment)):
        assert same.utcoffset() == datetime.timedelta(minutes=-90)
        assert same.dst() == datetime.timedelta(0)
        assert same.tzname() == "there"
    utc = datetime.datetime(2024, 7, 1, 13, 30, tzinfo=zone(0))
    assert moment == utc


@both(
    "string_concat",
    "text:string_concat",
    "django.utils.translation:string_concat",
)
def test_string_concat(string_concat):
    """The texts are evaluated at each use, because the language may change."""
    words = [u"old"]
    last = lazy(lambda: words[0], six.text_type)()
    joined = string_concat(u"\xe9 ", 7, " ", last)
    words[0] = u"new"
    assert isinstance(joined, Promise)
    assert six.text_type(joined) == u"\xe9 7 new"


@both(
    "available_attrs",
    "placeholders:available_attrs",
    "django.utils.decorators:available_attrs",
    until=(0,) if six.PY2 else (9999,),  # a Django without it runs on Python 3
)
def test_available_attrs(available_attrs):
    """functools.wraps() works with a callable that lacks a function's attributes."""
    partial = functools.partial(int, "7")
    wrapped = functools.wraps(partial, assigned=available_attrs(partial))(lambda: 8)
    assert wrapped() == 8


@both("config", "placeholders:AppConfig", "django.apps:AppConfig", until=(1, 7))
def test_app_config(config):
    """A subclass sets the name, and has ``ready``."""

    class Notes(config):
        name = "reusable"
        verbose_name = "Notes"

    assert callable(Notes.ready)
    assert Notes.name == "reusable"


@both(
    "error",
    "placeholders:AppRegistryNotReady",
    "django.core.exceptions:AppRegistryNotReady",
)
def test_app_registry_not_ready(error):
    """The exception can be raised and caught, and has no base but Exception."""
    with pytest.raises(error):
        raise error("Apps are not loaded yet.")
    assert error.__bases__ == (Exception,)


@both("error", "placeholders:FullResultSet", "django.core.exceptions:FullResultSet")
def test_full_result_set(error):
    """The exception can be raised and caught, and has no base but Exception."""
    with pytest.raises(error):
        raise error
    assert error.__bases__ == (Exception,)


@both("cookie_date", "http:cookie_date", "django.utils.http:cookie_date")
def test_cookie_date_has_dashes(cookie_date):
    """The text is the one of Netscape's cookies; http_date has no dashes."""
    assert cookie_date(0) == "Thu, 01-Jan-1970 00:00:00 GMT"
    assert cookie_date(1e9) == "Sun, 09-Sep-2001 01:46:40 GMT"
    assert re.match(r"\w{3}, \d\d-\w{3}-\d{4} [\d:]{8} GMT$", cookie_date())


@both(
    "ip_address_validators",
    "validators:ip_address_validators",
    "django.core.validators:ip_address_validators",
    since=(5, 1),
    until=(5, 1),
)
def test_ip_address_validators_is_a_list(ip_address_validators):
    """The result is the list of validators alone."""
    for protocol, good, bad in [
        ("both", ["127.0.0.1", "::1"], "x"),
        ("IPv4", ["127.0.0.1"], "::1"),
        ("ipv6", ["::1"], "127.0.0.1"),
    ]:
        validator, = ip_address_validators(protocol, False)
        for address in good:
            validator(address)
        with pytest.raises(ValidationError):
            validator(bad)
    for wrong in [("ipv5", False), ("ipv4", True)]:
        with pytest.raises(ValueError):
            ip_address_validators(*wrong)


@both(
    "SortedDict",
    "utils:SortedDict",
    "django.utils.datastructures:SortedDict",
    until=(9999,),
)
@pytest.mark.filterwarnings("ignore:SortedDict")
def test_sorted_dict_keeps_an_order_that_can_be_changed(SortedDict):
    """Until Django 1.6 the class has insert(), value_for_index() and keyOrder."""
    if not hasattr(SortedDict, "insert"):
        pytest.skip("Django 1.7 and 1.8 have a class without insert()")
    names = SortedDict([("a", 1), ("b", 2), ("a", 3)])
    assert list(names.items()) == [("a", 3), ("b", 2)]
    names.insert(0, "c", 4)
    names.insert(2, "c", 5)
    assert list(names) == names.keyOrder == ["a", "c", "b"]
    assert names.value_for_index(1) == names["c"] == 5
    if hasattr(SortedDict, "__reversed__"):  # Django 1.6+
        assert list(reversed(names)) == ["b", "c", "a"]
    assert repr(names) == "{'a': 3, 'c': 5, 'b': 2}"
    for twin in (names.copy(), copy.deepcopy(names)):
        assert twin == names and list(twin) == list(names)
    if SortedDict is utils.SortedDict:  # Django 1.4 and 1.5 have no __copy__
        assert copy.copy(names).keyOrder == ["a", "c", "b"]
    assert list(pickle.loads(pickle.dumps(names, 2)).items()) == list(names.items())
    names.keyOrder.sort()
    assert list(names.values()) == [3, 2, 5]
    del names["b"]
    assert (names.pop("a"), names.pop("a", 0)) == (3, 0)
    assert names.setdefault("d", 6) == 6
    names.update({"c": 7})
    assert json.dumps(names) == '{"c": 7, "d": 6}'
    assert isinstance(names, dict)
    names.clear()
    assert (list(names), names.keyOrder, len(SortedDict()), len(SortedDict(None))) == (
        [],
        [],
        0,
        0,
    )


DURATIONS = [
    ("30", datetime.timedelta(seconds=30)),
    ("15:30", datetime.timedelta(minutes=15, seconds=30)),
    ("5:30:15.1234567", datetime.timedelta(0, 5 * 3600 + 30 * 60 + 15, 123456)),
    ("4 15:30:00", datetime.timedelta(days=4, minutes=930)),
    ("-4 days, 15:30", datetime.timedelta(days=-4, minutes=15, seconds=30)),
    ("-1:15:30", -datetime.timedelta(hours=1, minutes=15, seconds=30)),
    ("P4DT1H2M3,5S", datetime.timedelta(4, 3723, 500000)),
    ("P2W", datetime.timedelta(14)),
    ("-P1DT1H", -datetime.timedelta(days=1, hours=1)),
    ("3 days -04:05:06", datetime.timedelta(3) - datetime.timedelta(0, 14706)),
    ("1 day", datetime.timedelta(1)),
    ("x", None),
    ("", datetime.timedelta(0)),
    ("1:2:3:4", None),
    ("30s", None),
]


@both(
    "parse_duration",
    "durations:parse_duration",
    "django.utils.dateparse:parse_duration",
    since=(6, 1),
)
@pytest.mark.parametrize("text, expected", DURATIONS)
def test_parse_duration(parse_duration, text, expected):
    """The formats are Django's, ISO 8601's and PostgreSQL's; other texts give None."""
    assert parse_duration(text) == expected


@both(
    "duration_string",
    "durations:duration_string",
    "django.utils.duration:duration_string",
)
@pytest.mark.parametrize(
    "text", ["00:00:00", "4 15:30:00", "-1 23:59:59.999999", "01:02:03.000004"]
)
def test_duration_string(duration_string, text):
    """The text is the one that parse_duration reads."""
    from django_compat import parse_duration

    assert duration_string(parse_duration(text)) == text


@pytest.mark.parametrize(
    "name, good, bad",
    [
        ("MinValueValidator", 3, 2),
        ("MaxValueValidator", 3, 4),
        ("MinLengthValidator", "abc", "ab"),
        ("MaxLengthValidator", "abc", "abcd"),
    ],
)
def test_limit_has_a_message(name, good, bad):
    """The validators that compare with a limit take a message on every Django."""
    Validator = getattr(django_compat, name)
    validator = Validator(3, u"no %(show_value)s")
    validator(good)
    with pytest.raises(ValidationError) as caught:
        validator(bad)
    shown = bad if isinstance(bad, int) else len(bad)
    assert caught.value.messages == [u"no %s" % shown]
    with pytest.raises(ValidationError) as caught:
        Validator(3)(bad)
    assert u"3" in caught.value.messages[0]
    assert isinstance(validator, getattr(django.core.validators, name))
    if hasattr(validator, "deconstruct"):  # Django 1.7+
        home = "django_compat" if django.VERSION < (1, 8) else "django.core.validators"
        place, arguments, _ = validator.deconstruct()
        assert (place, arguments) == (home + "." + name, (3, u"no %(show_value)s"))


@both(
    "Validator",
    "validators:ProhibitNullCharactersValidator",
    "django.core.validators:ProhibitNullCharactersValidator",
)
def test_null_characters_are_prohibited(Validator):
    """A null character anywhere in the text of the value is refused."""
    validator = Validator(message="no", code="c")
    for good in ("", "a", 5, None, u"\xe9"):
        validator(good)
    with pytest.raises(ValidationError) as caught:
        validator(u"a\x00b")
    assert caught.value.messages == [u"no"]
    assert caught.value.code == "c"
    assert validator == Validator("no", "c") and validator != Validator()
    assert validator != "no"
    with pytest.raises(ValidationError):
        Validator()("\x00")


def test_email_re():
    """The pattern takes an address alone, and no line end."""
    email_re = find("django_compat._names.backports.validators:email_re")
    for good in ("a@b.com", '"a.b"@c.example', "a@[127.0.0.1]", "A.b+c@x-y.museum"):
        assert email_re.search(good), good
    for bad in ("a", "a@b", "a@b.com\n", "a b@c.com", "@b.com", "a@[1.2.3.4]\n"):
        assert not email_re.search(bad), bad


class TooShort(object):
    """A password validator, with an option."""

    def __init__(self, least=2):
        self.least = least

    def validate(self, password, user=None):
        if len(password) < self.least:
            raise ValidationError("least %d, %s" % (self.least, user))


@both(
    "validate_password",
    "auth:validate_password",
    "django.contrib.auth.password_validation:validate_password",
)
def test_validate_password(validate_password, monkeypatch):
    """The validators of the setting are asked; all errors come together."""
    caches = find(
        "django.contrib.auth.password_validation:get_default_password_validators"
    )
    name = __name__ + ".TooShort"
    entries = [{"NAME": name}, {"NAME": name, "OPTIONS": {"least": 3}}]
    with override_settings(AUTH_PASSWORD_VALIDATORS=entries):
        if caches:
            caches.cache_clear()
        assert validate_password("abc") is None
        with pytest.raises(ValidationError) as caught:
            validate_password("a", user="me")
        assert caught.value.messages == ["least 2, me", "least 3, me"]
        assert validate_password("a", None, []) is None
        with pytest.raises(ValidationError):
            validate_password("a", password_validators=[TooShort()])
    with override_settings(AUTH_PASSWORD_VALIDATORS=[]):
        if caches:
            caches.cache_clear()
        assert validate_password("a") is None


def test_session_gets_a_new_key():
    """Ours changes the key: before Django 1.7 a session holds no hash."""
    from django_compat._names.backports.auth import update_session_auth_hash

    class Request(object):
        class session(object):
            cycled = 0

            @classmethod
            def cycle_key(cls):
                cls.cycled += 1

    update_session_auth_hash(Request, None)
    assert Request.session.cycled == 1


def test_response_streams():
    """The texts are produced one by one, and ``streaming`` tells so."""
    made = []

    def texts():
        for text in (b"a", b"b"):
            made.append(text)
            yield text

    response = django_compat.StreamingHttpResponse(
        texts(), content_type="text/x", status=201
    )
    assert (response.streaming, response.status_code) == (True, 201)
    assert response["Content-Type"] == "text/x"
    sent = iter(response)
    assert (made, next(sent), made) == ([b"a"], b"a", [b"a"])
    assert list(sent) == [b"b"]
    response.streaming_content = [b"c"]
    assert b"".join(response.streaming_content) == b"c"


def test_base64_for_urls():
    """Any bytes become a text and come back; a text that is too short raises."""
    for length in range(9):
        source = bytes(bytearray(range(250, 250 + length) if length < 6 else length))
        text = django_compat.urlsafe_base64_encode(source)
        assert isinstance(text, six.text_type)
        assert re.match("[A-Za-z0-9_-]*$", text)
        assert django_compat.urlsafe_base64_decode(text) == source
    with pytest.raises((TypeError, ValueError)):  # Django on Python 2: TypeError
        django_compat.urlsafe_base64_decode("a")


@pytest.mark.filterwarnings("ignore")  # old names warn
def test_small_names_mean_the_same_everywhere():
    """Constants and small functions, ours or Django's."""
    assert len(django_compat.get_random_secret_key()) == 50
    assert django_compat.get_complete_version() == django.VERSION
    assert django_compat.get_complete_version((1, 2, 3, "final", 0))[1] == 2
    timeout = django_compat.DEFAULT_TIMEOUT
    assert timeout is None if django.VERSION < (1, 6) else timeout is not None
    assert django_compat.ALL_FIELDS in (None, "__all__")
    assert django_compat.cc_delim_re.split("a ,b,  c") == ["a", "b", "c"]
    assert django_compat.abspathu(u".") == os.path.abspath(u".")
    assert django_compat.upath("a") == "a" == django_compat.npath("a")
    assert django_compat.make_option is optparse.make_option
    assert "'" not in django_compat.javascript_quote(u"'").replace("\\'", "")
    lazy_one = django_compat.format_lazy(u"{0}-{a}", lazy_text(u"x"), a=1)
    assert isinstance(lazy_one, Promise) and six.text_type(lazy_one) == u"x-1"


def test_preserved_filters_are_forgotten():
    """Ours returns the URL unchanged, because the old admin keeps no filters."""
    from django_compat._names.backports.placeholders import add_preserved_filters

    assert add_preserved_filters({}, "/a/?b", popup=True, to_field="id") == "/a/?b"
