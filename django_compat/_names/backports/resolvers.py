"""URL resolvers of regular expressions. Django has these classes until 1.11."""

from __future__ import absolute_import

import re

import six
from django.urls.resolvers import (
    LocalePrefixPattern,
    RegexPattern,
    URLPattern,
    URLResolver,
)
from django.utils.translation import get_language

__all__ = [
    "LocaleRegexProvider",
    "LocaleRegexURLResolver",
    "RegexURLPattern",
    "RegexURLResolver",
]


class _Renamed(type):
    """Make isinstance() count each object of Django's class, ``renamed_to``."""

    def __instancecheck__(cls, instance):
        django_class = cls.__dict__.get("renamed_to")  # a subclass has its own objects
        if django_class is None:
            return super(_Renamed, cls).__instancecheck__(instance)
        return isinstance(instance, django_class)


def _as_pattern(regex, **options):
    """Return a pattern object; a text, which may be lazy, is a regular expression."""
    return regex if hasattr(regex, "match") else RegexPattern(regex, **options)


class RegexURLPattern(six.with_metaclass(_Renamed, URLPattern)):
    """A route that ends at a view. Django's URLPattern takes no text.

    .. versionadded:: 1.0
    """

    renamed_to = URLPattern

    def __init__(self, regex, callback, default_args=None, name=None):
        pattern = _as_pattern(regex, name=name, is_endpoint=True)
        super(RegexURLPattern, self).__init__(pattern, callback, default_args, name)

    @property
    def regex(self):
        """The compiled pattern in the active language."""
        return self.pattern.regex


class RegexURLResolver(six.with_metaclass(_Renamed, URLResolver)):
    """A route that includes other routes. Django's URLResolver takes no text.

    .. versionadded:: 1.0
    """

    renamed_to = URLResolver

    def __init__(self, regex, urlconf_name, *args, **kwargs):
        pattern = _as_pattern(regex, is_endpoint=False)
        parent = super(RegexURLResolver, self)
        parent.__init__(pattern, urlconf_name, *args, **kwargs)

    @property
    def regex(self):
        """The compiled pattern in the active language."""
        return self.pattern.regex


class LocaleRegexProvider(object):
    """A regular expression that may be a lazy text; ``regex`` is its compiled pattern.

    .. versionadded:: 1.0
    """

    def __init__(self, regex):
        self._regex = regex
        self._regex_dict = {}

    @property
    def regex(self):
        """The pattern in the active language."""
        language = get_language()
        if language not in self._regex_dict:
            self._regex_dict[language] = re.compile(str(self._regex))
        return self._regex_dict[language]


class LocaleRegexURLResolver(URLResolver):
    """Routes with the active language's code as prefix, as in i18n_patterns().

    .. versionadded:: 1.0
    """

    def __init__(
        self,
        urlconf_name,
        default_kwargs=None,
        app_name=None,
        namespace=None,
        prefix_default_language=True,
    ):
        prefix = LocalePrefixPattern(prefix_default_language=prefix_default_language)
        parent = super(LocaleRegexURLResolver, self)
        parent.__init__(prefix, urlconf_name, default_kwargs, app_name, namespace)
        self.prefix_default_language = prefix_default_language
