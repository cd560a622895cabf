"""The parser that django_six hands to ``add_arguments``; no Django has it."""

from __future__ import absolute_import

from optparse import make_option

__all__ = ["ProxyParser"]


class ProxyParser(object):
    """Turn ``add_argument`` into an optparse option of a command's ``option_list``.

    For a command that optparse serves, until Django 1.9. An argument without a dash
    raises ValueError: optparse has none of those.

    .. versionadded:: 1.0
    """

    def __init__(self, command):
        self.command = command

    def add_argument(self, *names, **facts):
        """Append an option; ``type`` may be a type, as argparse has it."""
        if not all(name.startswith("-") for name in names):
            text = "add_argument(%s): optparse takes options only, such as '--name'"
            raise ValueError(text % ", ".join(map(repr, names)))
        kind = facts.get("type")
        if kind is not None and not isinstance(kind, str):
            facts["type"] = {int: "int", float: "float"}.get(kind, "string")
        if facts.get("choices"):
            facts["type"] = "choice"
        option = make_option(*names, **facts)
        self.command.option_list = tuple(self.command.option_list) + (option,)
