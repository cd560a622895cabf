"""What a template loads or uses that some Django of a range has not."""

from __future__ import absolute_import

import re

__all__ = ["read_template"]

COMMENTS = re.compile(
    r"\{%\s*comment\b.*?%\}.*?\{%\s*endcomment\s*%\}"
    r"|\{%\s*verbatim\b.*?%\}.*?\{%\s*endverbatim\s*%\}"
    r"|\{#(?!\s*django-compat:).*?#\}",
    re.DOTALL,
)
TAG = re.compile(r"\{%\s*(\w+)\s*(.*?)%\}|\{\{(.*?)\}\}")
FILTER = re.compile(r"\|\s*(\w+)")
# The tags and filters that Django dropped, and what to write instead.
TAGS = {
    "ifequal": "{% if a == b %}",
    "ifnotequal": "{% if a != b %}",
    "ssi": "{% include %}",
}
FILTERS = {
    "fix_ampersands": "nothing: escaping does it",
    "length_is": "{% if value|length == 1 %}",
    "removetags": "the package bleach or nh3",
}
# Libraries that went, and the library or the rule that has their tags.
LIBRARIES = {
    "adminmedia": "{% load static %}",
    "admin_static": "{% load static %}",
    "future": "nothing: its tags are built in",
    "staticfiles": "{% load static %}",
    "webdesign": "nothing: lorem is built in",
}
# Packages of their own have these libraries now.
NOT_DJANGO = {"comments", "markup"}


def read_template(text, places):
    """Yield ``(line from 0, kind, name, facts)`` of what some Django lacks."""
    text = COMMENTS.sub(lambda match: "\n" * match.group().count("\n"), text)
    for match in TAG.finditer(text):
        tag, rest, variable = match.groups()
        line = text.count("\n", 0, match.start())
        found = []
        if tag == "load":
            words = rest.split()
            libraries = words[-1:] if "from" in words else words
            found += [_library(name, places) for name in libraries]
        elif tag in TAGS:
            module = "django.template.defaulttags"
            found.append(
                _facts("{% " + tag + " %}", [(module, tag)], TAGS[tag], places)
            )
        for name in FILTER.findall(rest or variable or ""):
            if name in FILTERS:
                module = "django.template.defaultfilters"
                shown = "{{ |" + name + " }}"
                found.append(_facts(shown, [(module, name)], FILTERS[name], places))
        for name, facts in filter(None, found):
            yield line, "template", name, facts


def _library(name, places):
    """Return the facts of a library of tags that only Django has, or had."""
    modules = [
        (module, None) for module in places.modules_called("templatetags." + name)
    ]
    if not modules or name in NOT_DJANGO:
        return None
    return _facts("{% load " + name + " %}", modules, LIBRARIES.get(name), places)


def _facts(shown, modules, instead, places):
    from django_compat._cli.places import NO_ADVICE, Advice

    has, warned, ever = frozenset(), frozenset(), set()
    for module, name in modules:
        if name is None:
            has |= places.module(module)
            warned |= places.module_warned(module)
            ever |= places.ever_module(module)
        else:
            has |= places.having(module, name)
            warned |= places.warned(module, name)
            ever |= places.ever(module, name)
    missing = places.range - has
    if not missing and not warned:
        return None
    advice = Advice("text", None, None, instead) if instead else NO_ADVICE
    return shown, {
        "missing": missing,
        "warned": warned,
        "first_last": (min(ever), max(ever)),
        "advice": advice,
    }
