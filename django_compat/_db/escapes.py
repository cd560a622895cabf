"""Turn the texts of servers, files, settings and drivers into texts to show.

Such a text may hold escape sequences, which a terminal obeys, line breaks, and format
characters, which reorder or hide what stands beside them.
"""

from __future__ import absolute_import

import re
import unicodedata

import six

__all__ = ["clip", "describe", "escape", "printable", "text_of"]

# A surrogate pair is one character, on a narrow build of Python 2.7.
_CHARACTERS = re.compile(u"[\ud800-\udbff][\udc00-\udfff]|.", re.DOTALL)
# A driver, or a module of settings, may repeat a DSN or a URL in its error.
_SECRETS = (
    (re.compile(r"(://)[^\s/@:]*:\S*@"), r"\1***@"),
    # Python's urlsplit() takes what follows a ":" in a password for a port.
    (re.compile(r"(?s)(?<=integer value as ).*|(?<=netloc ).*(?= contains)"), "***"),
    (
        re.compile(
            r"""(?i)((?:pass|passwd|password|pwd)(?:\s*=|["']\s*[:,])\s*)"""
            r"""(u?'[^']*'|u?"[^"]*"|[^\s,;&)]+)"""
        ),
        r"\1***",
    ),
)


def printable(value):
    """Return the text of any value, with every character escaped that is not printed.

    Escaped are control and format characters, separators other than the space, and
    what this Python's Unicode does not assign: format characters of a newer Unicode,
    such as U+2066 on Python 2.7. The text of bytes is UTF-8.
    """
    return u"".join(map(_printable, _CHARACTERS.findall(text_of(value))))


def escape(value):
    """Return what ``printable`` returns as a ``str``, for a message of an error.

    On Python 2.7 the ``str`` is ASCII: an error's text may not hold anything else.
    """
    text = printable(value)
    return text if isinstance(text, str) else text.encode("ascii", "backslashreplace")


def describe(error, password=""):
    """Return the class and the text of an error, in one line; without the password.

    Left out are a password in a URL or a DSN, too.
    """
    text = text_of(error)
    if len(text_of(password or "")) > 3:
        text = text.replace(text_of(password), u"***")
    for pattern, replacement in _SECRETS:
        text = pattern.sub(replacement, text)
    return u"%s: %s" % (type(error).__name__, clip(text, 2000) or "no message")


def clip(value, width):
    """Return what ``printable`` returns, as one line of at most ``width`` characters.

    Line breaks and tabs become spaces.
    """
    text = printable(u" ".join(text_of(value).split()))
    return text if len(text) <= width else text[: width - 3] + u"..."


def _printable(character):
    if character == u" " or unicodedata.category(character)[0] not in "CZ":
        return character
    return character.encode("unicode_escape").decode("ascii")


def text_of(value):
    """Return the text of any value; its ``__str__`` may raise anything."""
    if not isinstance(value, (bytes, six.text_type)):
        for convert in (str, six.text_type, repr):
            try:
                value = convert(value)
                break
            except Exception:
                continue  # on Python 2.7 an error with a non-ASCII text has no str()
        else:
            value = "<%s>" % type(value).__name__
    return six.ensure_text(value, "utf-8", "replace")
