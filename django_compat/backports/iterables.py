"""What can be looped over. Django has it until 5.2."""

from __future__ import absolute_import

__all__ = ["is_iterable"]


def is_iterable(x):
    """Tell whether ``iter(x)`` works.

    .. versionadded:: 1.0
    """
    try:
        iter(x)
    except TypeError:
        return False
    return True
