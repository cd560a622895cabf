"""Which Python runs which Django: the only list of supported and tested pairs."""

from __future__ import absolute_import

from collections import namedtuple

__all__ = ["DATE", "PYTHONS", "SERIES", "Series", "pairs"]

# The day on which the data were compared with the package index: ``tox -e drift``.
DATE = "2026-11-28"

# The Pythons this library supports.
PYTHONS = tuple("2.7 3.6 3.7 3.8 3.9 3.10 3.11 3.12 3.13 3.14 3.15".split())

Series = namedtuple("Series", "django pythons first last")

# ``pythons`` are the Pythons that the classifiers of the series' last release declare.
SERIES = (
    Series("1.4", "2.5 2.6 2.7".split(), "1.4", "1.4.22"),
    Series("1.5", "2.6 2.7 3.2 3.3".split(), "1.5", "1.5.12"),
    Series("1.6", "2.6 2.7 3.2 3.3".split(), "1.6", "1.6.11"),
    Series("1.7", "2.7 3.2 3.3 3.4".split(), "1.7", "1.7.11"),
    Series("1.8", "2.7 3.2 3.3 3.4 3.5".split(), "1.8", "1.8.19"),
    Series("1.9", "2.7 3.4 3.5".split(), "1.9", "1.9.13"),
    Series("1.10", "2.7 3.4 3.5".split(), "1.10", "1.10.8"),
    Series("1.11", "2.7 3.4 3.5 3.6 3.7".split(), "1.11", "1.11.29"),
    Series("2.0", "3.4 3.5 3.6 3.7".split(), "2.0", "2.0.13"),
    Series("2.1", "3.5 3.6 3.7".split(), "2.1", "2.1.15"),
    Series("2.2", "3.5 3.6 3.7 3.8 3.9".split(), "2.2", "2.2.28"),
    Series("3.0", "3.6 3.7 3.8 3.9".split(), "3.0", "3.0.14"),
    Series("3.1", "3.6 3.7 3.8 3.9".split(), "3.1", "3.1.14"),
    Series("3.2", "3.6 3.7 3.8 3.9 3.10".split(), "3.2", "3.2.25"),
    Series("4.0", "3.8 3.9 3.10".split(), "4.0", "4.0.10"),
    Series("4.1", "3.8 3.9 3.10 3.11".split(), "4.1", "4.1.13"),
    Series("4.2", "3.8 3.9 3.10 3.11 3.12".split(), "4.2", "4.2.30"),
    Series("5.0", "3.10 3.11 3.12".split(), "5.0", "5.0.14"),
    Series("5.1", "3.10 3.11 3.12 3.13".split(), "5.1", "5.1.15"),
    Series("5.2", "3.10 3.11 3.12 3.13 3.14".split(), "5.2", "5.2.19"),
    Series("6.0", "3.12 3.13 3.14".split(), "6.0", "6.0.10"),
    Series("6.1", "3.12 3.13 3.14 3.15".split(), "6.1", "6.1.3"),
)


def pairs():
    """Return the supported ``(python, django)`` pairs, by Django, then by Python."""
    return [
        (python, series.django)
        for series in SERIES
        for python in PYTHONS
        if python in series.pythons
    ]
