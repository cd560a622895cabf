"""The kinds of values that settings, arguments, files and options may have.

Each kind is checked here and nowhere else; the caller raises its own class of error.
"""

from __future__ import absolute_import

import re

import six

from django_compat._db.escapes import escape

__all__ = [
    "COUNT",
    "ENGINE",
    "FACTOR",
    "LONGEST_WAIT",
    "SECONDS",
    "SIZE",
    "WAIT",
    "WATCH",
    "find_wrong_setting",
    "is_a",
    "refuse_setting",
    "shown",
]

# The most that time.sleep() takes on every platform and Python, in round figures.
LONGEST_WAIT = 10**9
ENGINE = "the name of a backend, such as 'django.db.backends.sqlite3'"
_MAY_BE_SECRET = re.compile("pass|pwd|secret|token|://", re.IGNORECASE)


def shown(value, width=100):
    """Return a wrong value for a message: its ``repr``, escaped and shortened.

    Of a value that may have a password only the type is told.
    """
    kind = type(value).__name__
    if is_a(value, six.integer_types) and not -(2**300) < value < 2**300:
        return "a number of %d bits" % value.bit_length()
    try:
        text = repr(value)
    except Exception:  # a __repr__ of the project's own may raise anything
        return "of type " + kind
    if _MAY_BE_SECRET.search(text):
        return "of type %s, not shown here" % kind
    text = escape(text[: width + 1])
    return text if len(text) <= width else text[: width - 3] + "..."


def is_a(value, types):
    """Tell whether a value is of types itself: no lazy object, and True is no number.

    ``isinstance()`` believes the ``__class__`` of a lazy object, which may raise.
    """
    return issubclass(type(value), types) and type(value) is not bool


class Kind(object):
    """A kind of number with its bounds; ``allowed`` describes the kind."""

    def __init__(self, noun, types, lowest, highest, is_lowest_in=True):
        self.types, self.lowest, self.highest = types, lowest, highest
        self.is_lowest_in = is_lowest_in
        form = "%s, %d or more" if is_lowest_in else "%s above %d"
        kind, limit = form % (noun, lowest), "(at most %s)" % highest
        self.allowed = "%s %s" % (kind, limit)
        self.optional = "%s, or None for no limit %s" % (kind, limit)

    def accepts(self, value):
        """Tell whether a value is of this kind; NaN and infinity never are."""
        if not is_a(value, self.types) or not self.lowest <= value <= self.highest:
            return False
        return self.is_lowest_in or value > self.lowest

    def parse(self, text):
        """Return the number in a text, None if it is no number of this kind."""
        number = None
        if self.types is six.integer_types:
            match = re.match(r"0*([0-9]{1,10})\Z", text)
            number = match and int(match.group(1))
        elif len(text) <= 100:
            try:
                number = float(text)
            except ValueError:  # UnicodeEncodeError on Python 2 is one
                return None
        return number if self.accepts(number) else None


_NUMBERS = six.integer_types + (float,)
COUNT = Kind("a whole number", six.integer_types, 1, 10**9)
FACTOR = Kind("a number", _NUMBERS, 1, 1e300)
SIZE = Kind("a whole number", six.integer_types, 0, 10**9)
SECONDS = Kind("a number of seconds", _NUMBERS, 0, 1e20)
WAIT = Kind("a number of seconds", _NUMBERS, 0, LONGEST_WAIT)
WATCH = Kind("a number of seconds", _NUMBERS, 0, LONGEST_WAIT, is_lowest_in=False)


def refuse_setting(alias, name, value, allowed):
    """Raise ImproperlyConfigured for a setting of an entry of DATABASES."""
    from django.core.exceptions import ImproperlyConfigured  # matrix needs no Django

    message = "DATABASES[%s]['%s'] is %s; it must be %s."
    raise ImproperlyConfigured(message % (shown(alias), name, shown(value), allowed))


def find_wrong_setting(alias, entry):
    """Return a message on the first setting of DATABASES that Django cannot use.

    None for an entry that is right. An entry, which has a password, is never shown.
    """
    if not is_a(alias, six.string_types):
        return "DATABASES has the alias %s: it must be a text" % shown(alias)
    if not is_a(entry, dict):
        message = "DATABASES[%s] is of type %s: it must be a dict"
        return message % (shown(alias), type(entry).__name__)
    engine, options = entry.get("ENGINE", ""), entry.get("OPTIONS", {})
    max_age, test = entry.get("CONN_MAX_AGE"), entry.get("TEST", {})
    for name, value, is_right, allowed in (
        ("ENGINE", engine, is_a(engine, six.string_types), ENGINE),
        ("OPTIONS", options, is_a(options, dict), "a dict"),
        ("TEST", test, is_a(test, dict), "a dict"),
        (
            "CONN_MAX_AGE",
            max_age,
            max_age is None or SECONDS.accepts(max_age),
            "None, or " + SECONDS.allowed,
        ),
    ):
        if not is_right:
            message = "DATABASES[%s]['%s'] is %s: it must be %s"
            return message % (shown(alias), name, shown(value), allowed)
    return None
