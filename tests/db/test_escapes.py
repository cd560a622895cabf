# -*- coding: utf-8 -*-
"""What is shown of others' texts: escaped, in one line, without a password."""

from __future__ import absolute_import

from importlib import import_module

import django
import pytest
from django.db import connections

from django_compat._capacity.rules import Finding
from django_compat._capacity.text import render, table
from django_compat._db.escapes import clip, describe, escape, printable

SHOWN = {
    u"zw\xf6lf, \u65e5\u672c": u"zw\xf6lf, \u65e5\u672c",
    u"\x1b[2J": u"\\x1b[2J",
    u"\x00\x07\x08\x7f": u"\\x00\\x07\\x08\\x7f",
    u"\x85\x90\x9b\x9d": u"\\x85\\x90\\x9b\\x9d",
    u"a\nb\r\tc": u"a\\nb\\r\\tc",
    u"\u2028\u2029": u"\\u2028\\u2029",
    u"\u202a\u202e\u2066\u2069\u200e\u061c": (
        u"\\u202a\\u202e\\u2066\\u2069\\u200e\\u061c"
    ),
    u"\u200b\u200d\ufeff\xad": u"\\u200b\\u200d\\ufeff\\xad",
    u"\U000e0001\U000e0041": u"\\U000e0001\\U000e0041",
    u"\ud800": u"\\ud800",
    u"\xa0\u3000": u"\\xa0\\u3000",
}


@pytest.mark.parametrize("text", sorted(SHOWN))
def test_character_that_is_not_printed_is_escaped(text):
    """Printable ones stay; a text that is escaped is not escaped again."""
    assert printable(text) == SHOWN[text]
    assert printable(SHOWN[text]) == SHOWN[text]
    assert printable(text.encode("utf-8", "replace")) == SHOWN[text].replace(
        u"\\ud800", u"?" if u"\ud800".encode("utf-8", "replace") == b"?" else u"\\ud800"
    )


def test_message_of_an_error_is_a_str():
    """On Python 2.7 it is ASCII: an error with another text cannot be shown."""
    for value in (u"zw\xf6lf\x1b", u"zw\xf6lf\x1b".encode("utf-8")):
        assert type(escape(value)) is str
        str(ValueError(escape(value)))
        assert escape(value).endswith("lf\\x1b")


class Broken(object):
    """An object that cannot be shown."""

    def __str__(self):
        raise RuntimeError("never")

    __repr__ = __unicode__ = __str__


VALUES = [None, 3, u"\x1b", b"\xff\x1b", ValueError(u"\xf6\x1b"), Broken(), {"\x1b": 1}]


@pytest.mark.parametrize("value", VALUES, ids=lambda value: type(value).__name__)
def test_any_value_can_be_shown(value):
    """A value whose own methods fail is shown as its type."""
    for function in (printable, escape, describe, lambda value: clip(value, 100)):
        assert u"\x1b" not in function(value)
        assert function(value)


SECRETS = {
    "could not parse mysql://clerk:sesame@host/name": "mysql://***@host/name",
    "bad DSN postgres://clerk:ses@me@host": "postgres://***@host",
    "dsn 'host=h password=sesame dbname=n'": "password=*** dbname=n",
    "dsn \"password='ses ame' port=1\"": "password=*** port=1",
    "{'PASSWORD': 'sesame', 'USER': 'clerk'}": "'PASSWORD': ***, 'USER': 'clerk'",
    "{'passwd': u'sesame'}": "'passwd': ***",
    "told sesame open": "told ***",
    "Port could not be cast to integer value as 'ses'": "value as ***",
    u"netloc 'u:sesame\u2100@h' contains invalid characters": "netloc *** contains",
}


@pytest.mark.parametrize("text", sorted(SECRETS))
def test_error_is_described_without_the_password(text):
    """A driver, or a module of settings, may repeat a DSN or a URL."""
    described = describe(ValueError(text), "sesame open")
    assert SECRETS[text] in described
    assert "ses" not in described


def test_error_that_has_no_secret_is_described_as_it_is():
    """MySQL's note on the password is none."""
    text = "(1045, \"Access denied for user 'u'@'h' (using password: YES)\")"
    assert describe(ValueError(text), "u") == "ValueError: " + text


def test_error_is_described_in_one_line():
    """Line breaks and tabs become spaces, and the length has a limit."""
    assert describe(ValueError("a\r\n\tb\x1b")) == "ValueError: a b\\x1b"
    assert len(describe(ValueError("x" * 10**6))) < 2100
    assert describe(ValueError()) == "ValueError: no message"


def test_table_has_no_raw_character():
    """Columns stay aligned around what is escaped."""
    lines = table([(u"\x1b[2J", u"a"), (u"\u65e5", u"\u2028b\x9b")])
    assert lines == [u"  \\x1b[2J  a", u"  \u65e5        \\u2028b\\x9b"]


@pytest.mark.parametrize("field", ["account", "host", "program", "state"])
def test_holder_has_no_raw_character(field):
    """Any client may set the name of its program."""
    holder = {"sessions": 1, "idle": 2, "state": "idle"}
    holder.update(account="a", host="h", program="p")
    holder[field] = u"\x1b]0;x\x07\u202e\nnext" * 20
    facts = {
        "alias": u"\x1b[2J",
        "vendor": "sqlite",
        "error": None,
        "server": u"S\x9b",
        "version": u"1\u2066",
        "proxy": None,
        "settings": dict.fromkeys(
            ["CONN_MAX_AGE", "CONN_MAX_IDLE", "CONN_HEALTH_CHECKS", "pool"]
        ),
        "demand": None,
        "findings": [],
        "holders": [holder],
    }
    text = u"\n".join(render([facts]))
    assert [c for c in u"\x1b\x07\u202e\x9b\u2066" if c in text] == []
    assert u"\\x1b]0;x\\x07" in text
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.skipif(not hasattr(django, "setup"), reason="no system checks before 1.7")
def test_system_check_has_no_raw_character():
    """An alias and the texts of a server are escaped in a check's message."""
    checks = import_module("django_compat.checks")
    finding = Finding(u"\x1bz\xf6", "x.W001", "WARNING", {}, u"\u202e told", "hint")
    message = checks._message(finding)
    assert u"\x1b" not in u"%s" % message and u"\u202e" not in u"%s" % message
    assert "\\u202e told" in str(message)
    connections.databases["default"]["CONN_MAX_IDLE"] = u"\x1b[2J\u202e"
    (error,) = checks.check_max_idle()
    assert "\x1b" not in str(error) and u"\u202e" not in u"%s" % error
    assert "\\u202e" in str(error)
