"""``{% load django_compat %}``: the newer Django's ``url`` and ``verbatim``.

Needless from Django 1.5 on, where both are there without ``{% load %}``.
"""

from __future__ import absolute_import

from django import template
from django.template import defaulttags

__all__ = ["register", "verbatim"]

register = template.Library()

try:
    from django.templatetags.future import url  # Django 1.4: the name is an expression
except ImportError:  # Django 1.9+
    from django.template.defaulttags import url


class _Text(template.Node):
    """What stands between two tags, as it is."""

    def __init__(self, text):
        self.text = text

    def render(self, context):
        return self.text


def verbatim(parser, token):
    """Keep what stands until ``{% endverbatim %}``, with one space in the brackets."""
    brackets = {
        template.TOKEN_BLOCK: "{%% %s %%}",
        template.TOKEN_COMMENT: "{# %s #}",
        template.TOKEN_VAR: "{{ %s }}",
    }
    end = token.contents.replace("verbatim", "endverbatim", 1)
    text = ""
    while parser.tokens:
        token = parser.next_token()
        if token.contents == end and token.token_type == template.TOKEN_BLOCK:
            return _Text(text)
        text += brackets.get(token.token_type, "%s") % token.contents
    raise template.TemplateSyntaxError("verbatim: no %r after it" % end)


verbatim = getattr(defaulttags, "verbatim", verbatim)  # Django 1.5+
register.tag("url", url)
register.tag("verbatim", verbatim)
