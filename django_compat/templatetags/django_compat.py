"""``{% load django_compat %}``: the tags ``url`` and ``verbatim`` for Django 1.4.

Django 1.5 and later have both tags without ``{% load %}``.
"""

from __future__ import absolute_import

from django import template
from django.template import defaulttags

__all__ = ["register", "verbatim"]

register = template.Library()

try:
    # Django 1.4: here, as from 1.5 on, the name of the URL is an expression.
    from django.templatetags.future import url
except ImportError:  # Django 1.9+
    from django.template.defaulttags import url


class _Text(template.Node):
    """The text between two tags, unchanged."""

    def __init__(self, text):
        self.text = text

    def render(self, context):
        return self.text


def verbatim(parser, token):
    """Keep the text up to ``{% endverbatim %}`` as the template has it.

    A tag in the text is printed with one space inside each bracket.
    """
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
    raise template.TemplateSyntaxError("verbatim: no %r follows" % end)


verbatim = getattr(defaulttags, "verbatim", verbatim)  # Django 1.5+
register.tag("url", url)
register.tag("verbatim", verbatim)
