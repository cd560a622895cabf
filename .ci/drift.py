"""Compare django_compat/matrix.py with the package index: ``tox -e drift``.

Exit code 1 and a line for each row that differs. An index that cannot be reached is
said, and is no failure.
"""

from __future__ import absolute_import

import sys
from concurrent.futures import ThreadPoolExecutor

import index

from django_compat.matrix import DATE, SERIES


def differences(found, pythons_of):
    """Yield what to change, by the releases of each series and their Pythons."""
    rows = {row.django: row for row in SERIES}
    oldest = index.numbers(SERIES[0].django)
    for series in found:
        if series not in rows and index.numbers(series) >= oldest:
            yield "add a row of Django %s" % series
    known = [series for series in rows if series in found]
    with ThreadPoolExecutor(4) as pool:
        lasts = [found[series][-1] for series in known]
        declared = dict(zip(known, pool.map(pythons_of, lasts)))
    for series, row in rows.items():
        if series not in known:
            yield "row %s: the index has no such series" % series
            continue
        releases = found[series]
        for name, value in (("first", releases[0]), ("last", releases[-1])):
            if getattr(row, name) != value:
                text = "row %s: %s is %s, in the index %s"
                yield text % (series, name, getattr(row, name), value)
        pythons = declared[series]
        if pythons is None:
            print("Django %s has no wheel: its Pythons are not compared" % releases[-1])
        elif pythons != row.pythons:
            text = "row %s: pythons are %s, in the index %s"
            yield text % (series, " ".join(row.pythons), " ".join(pythons))


def main():
    try:
        lines = list(differences(index.releases(), index.pythons))
    except index.Unreachable as error:
        print("the package index cannot be reached, nothing is compared: %s" % error)
        return 0
    for line in lines:
        print("django_compat/matrix.py: %s; then set DATE" % line)
    if not lines:
        print("django_compat/matrix.py is true; its date is %s" % DATE)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
