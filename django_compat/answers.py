"""Ask a server several questions, any of which it may refuse."""

from __future__ import absolute_import

from collections import namedtuple

__all__ = ["Answers", "Unknown", "is_number"]

# Stands where a figure could not be had; None means that there is no limit.
Unknown = namedtuple("Unknown", "reason")

_SAVEPOINT = "django_compat_question"


def is_number(figure):
    """Tell whether a figure is neither None nor Unknown."""
    return figure is not None and not isinstance(figure, Unknown)


class Answers(object):
    """What a server answered to ``{key: SQL}``: rows, or an Unknown with the reason.

    It is asked by the driver's own cursor: nothing of Django's notices, be it the query
    log or the state of a transaction. With ``savepoints`` each question is in one, so
    that the transaction survives what the server refuses.
    """

    def __init__(self, raw, questions, savepoints=False):
        self._rows = {}
        for key, sql in questions.items():
            self._rows[key] = _ask(raw, sql, savepoints)

    def cell(self, key, column=0):
        """Return a column of the first row, or an Unknown."""
        rows = self._rows[key]
        if isinstance(rows, Unknown):
            return rows
        return rows[0][column] if rows else Unknown("the server has no such row")

    def number(self, key, name, default=None):
        """Return the number in the row of a name; the default if there is no row."""
        rows = self._rows[key]
        if isinstance(rows, Unknown):
            return rows
        found = [value for each, value in rows if each == name]
        if found:
            return int(found[0])
        return Unknown("the server has no %s" % name) if default is None else default

    def numbers(self, key, names):
        """Return ``{name: number or Unknown}``."""
        return {name: self.number(key, name) for name in names}


def _ask(raw, sql, savepoint):
    try:
        cursor = raw.cursor()
        try:
            if not savepoint:
                return _fetch(cursor, sql)
            cursor.execute("SAVEPOINT " + _SAVEPOINT)
            try:
                return _fetch(cursor, sql)
            except Exception:
                cursor.execute("ROLLBACK TO SAVEPOINT " + _SAVEPOINT)
                raise
            finally:
                cursor.execute("RELEASE SAVEPOINT " + _SAVEPOINT)
        finally:
            cursor.close()
    except Exception as error:
        # The driver's own, of which each has another, and MySQLdb's Warnings are none.
        text = " ".join(("%s" % (error,)).split())
        return Unknown("%s: %s" % (type(error).__name__, text))


def _fetch(cursor, sql):
    cursor.execute(sql)
    return list(cursor.fetchall())
