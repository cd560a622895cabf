"""A time zone at a distance from UTC. Django has ``FixedOffset`` until 3.0."""

from __future__ import absolute_import

from datetime import timedelta, tzinfo

__all__ = ["FixedOffset"]


class FixedOffset(tzinfo):
    """A time zone that is ``offset`` minutes east of UTC, with no daylight saving.

    .. versionadded:: 1.0
    """

    def __init__(self, offset=0, name=None):
        self._offset = timedelta(minutes=offset)
        self._name = name

    def utcoffset(self, dt):
        return self._offset

    def tzname(self, dt):
        return self._name

    def dst(self, dt):
        return timedelta(0)
