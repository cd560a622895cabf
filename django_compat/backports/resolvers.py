"""URL resolvers that depend on the language. Django has them until 1.11."""

from __future__ import absolute_import

import re

from django.urls.resolvers import LocalePrefixPattern, URLResolver
from django.utils.translation import get_language

__all__ = ["LocaleRegexProvider", "LocaleRegexURLResolver"]


class LocaleRegexProvider(object):
    """A regular expression, translated if it is a lazy text; ``regex`` is it, compiled.

    .. versionadded:: 1.0
    """

    def __init__(self, regex):
        self._regex = regex
        self._regex_dict = {}

    @property
    def regex(self):
        """The one of the active language."""
        language = get_language()
        if language not in self._regex_dict:
            self._regex_dict[language] = re.compile(str(self._regex))
        return self._regex_dict[language]


class LocaleRegexURLResolver(URLResolver):
    """Routes below the code of the active language, as i18n_patterns() makes them.

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
