"""Garbage that only the garbage collector frees."""

from __future__ import absolute_import


class Cycle(object):
    """Only the garbage collector ends what this object holds."""

    def __init__(self, held):
        self.itself, self.held = self, held
