"""Texts of durations. Needed before Django 1.8."""

from __future__ import absolute_import

import datetime
import re

__all__ = ["duration_string", "parse_duration"]

# Each pattern: Django's own format, ISO 8601 without years and months, PostgreSQL's.
_FORMATS = [
    re.compile(pattern)
    for pattern in (
        r"^(?:(?P<days>-?\d+) (days?, )?)?(?P<sign>-?)"
        r"((?:(?P<hours>\d+):)(?=\d+:\d+))?(?:(?P<minutes>\d+):)?(?P<seconds>\d+)"
        r"(?:[.,](?P<microseconds>\d{1,6})\d{0,6})?$",
        r"^(?P<sign>[-+]?)P(?:(?P<weeks>\d+([.,]\d+)?)W)?(?:(?P<days>\d+([.,]\d+)?)D)?"
        r"(?:T(?:(?P<hours>\d+([.,]\d+)?)H)?(?:(?P<minutes>\d+([.,]\d+)?)M)?"
        r"(?:(?P<seconds>\d+([.,]\d+)?)S)?)?$",
        r"^(?:(?P<days>-?\d+) (days? ?))?(?:(?P<sign>[-+])?(?P<hours>\d+):"
        r"(?P<minutes>\d\d):(?P<seconds>\d\d)(?:\.(?P<microseconds>\d{1,6}))?)?$",
    )
]


def parse_duration(value):
    """Return the timedelta of a text such as "3 04:05:06" or "P3DT4H", or None.

    .. versionadded:: 1.0
    """
    for pattern in _FORMATS:
        match = pattern.match(value)
        if match:
            break
    else:
        return None
    parts = match.groupdict()
    sign = -1 if parts.pop("sign") == "-" else 1
    if parts.get("microseconds"):
        parts["microseconds"] = parts["microseconds"].ljust(6, "0")
    numbers = dict(
        (name, float(parts[name].replace(",", "."))) for name in parts if parts[name]
    )
    days = datetime.timedelta(numbers.pop("days", 0))
    if pattern is _FORMATS[1]:  # the sign of ISO 8601 is for the days as well
        days *= sign
    return days + sign * datetime.timedelta(**numbers)


def duration_string(duration):
    """Return the text of a timedelta in Django's own format, "3 04:05:06.000007".

    .. versionadded:: 1.0
    """
    minutes, seconds = divmod(duration.seconds, 60)
    text = "%02d:%02d:%02d" % (divmod(minutes, 60) + (seconds,))
    if duration.days:
        text = "%d %s" % (duration.days, text)
    if duration.microseconds:
        text += ".%06d" % duration.microseconds
    return text
