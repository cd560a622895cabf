"""atomic(): ours on Django 1.4 and 1.5, and Django's own, on the same databases."""

from __future__ import absolute_import

import django
import pytest
from django.db import connections
from variants import find, variants

HAS_OWN = django.VERSION >= (1, 6)
atomics = pytest.mark.parametrize(
    "atomic", variants("atomic:atomic", "django.db.transaction:atomic", until=(1, 6))
)


class Table(object):
    """A table of numbers, on one alias."""

    def __init__(self, alias):
        self.alias = alias
        self.connection = connections[alias]

    def run(self, text):
        """Execute; until 1.5 Django commits raw SQL when it is told to."""
        cursor = self.connection.cursor()
        cursor.execute(text)
        if not HAS_OWN:
            self.connection.commit_unless_managed()
        return cursor

    def add(self, number):
        """Insert one."""
        self.run("INSERT INTO django_compat_atomic VALUES (%d)" % number)

    def numbers(self):
        """Return those that another session would see, once all is ended."""
        self.connection.close()
        return [
            row[0]
            for row in self.run(
                "SELECT n FROM django_compat_atomic ORDER BY n"
            ).fetchall()
        ]


@pytest.fixture
def table(alias):
    """A table that is gone after the test."""
    found = Table(alias)
    found.run("CREATE TABLE django_compat_atomic (n integer)")
    yield found
    found.connection.close()
    found.run("DROP TABLE django_compat_atomic")
    found.connection.close()


def has_savepoints(table):
    """Tell whether this Django knows of savepoints here."""
    table.run("SELECT 1").fetchall()
    return table.connection.features.uses_savepoints


def fail(table, number):
    """Insert, and raise."""
    table.add(number)
    raise ValueError("on purpose")


@atomics
def test_block_commits_or_rolls_back(atomic, table):
    """As a context manager."""
    with atomic(using=table.alias):
        table.add(1)
    with pytest.raises(ValueError):
        with atomic(using=table.alias):
            fail(table, 2)
    with pytest.raises(KeyboardInterrupt):
        with atomic(table.alias):
            table.add(3)
            raise KeyboardInterrupt
    with atomic(table.alias):
        table.add(4)
    assert table.numbers() == [1, 4]


@atomics
def test_decorated_function_commits_or_rolls_back(atomic, table):
    """Each call, and calls within calls."""

    @atomic(using=table.alias)
    def add(number, depth=0):
        """Insert it."""
        table.add(number)
        if depth:
            add(number + 1, depth - 1)
        return number

    assert add(1) == 1
    assert add.__doc__ == "Insert it."
    assert add(10, depth=2) == 10
    with pytest.raises(ValueError):
        atomic(table.alias)(fail)(table, 5)
    assert table.numbers() == [1, 10, 11, 12]


@atomics
def test_default_alias_needs_no_parentheses(atomic):
    """@atomic is @atomic() on the default database."""
    table = Table("default")
    table.run("CREATE TABLE django_compat_atomic (n integer)")
    try:
        atomic(table.add)(1)
        with pytest.raises(ValueError):
            atomic(fail)(table, 2)
        with atomic():
            table.add(3)
        assert table.numbers() == [1, 3]
    finally:
        table.run("DROP TABLE django_compat_atomic")
        table.connection.close()


@atomics
def test_inner_error_leaves_the_outer_block_whole(atomic, table):
    """It is a savepoint; where this Django knows of none, all of it is undone."""
    nested = has_savepoints(table)
    with atomic(using=table.alias):
        table.add(1)
        with atomic(using=table.alias):
            table.add(2)
        with pytest.raises(ValueError):
            with atomic(using=table.alias):
                table.add(3)
                with atomic(using=table.alias):
                    table.add(4)
                raise ValueError
        if nested:
            table.add(5)
    assert table.numbers() == ([1, 2, 5] if nested else [])
    with atomic(using=table.alias):
        table.add(6)
    assert 6 in table.numbers()


@atomics
def test_outer_error_undoes_the_inner_block(atomic, table):
    """However well that ended."""
    with pytest.raises(ValueError):
        with atomic(using=table.alias):
            with atomic(using=table.alias):
                table.add(1)
            raise ValueError
    assert table.numbers() == []


@atomics
def test_block_without_savepoint_undoes_the_outer_one(atomic, table):
    """Even if its error is caught."""
    with atomic(using=table.alias):
        table.add(1)
        with atomic(using=table.alias, savepoint=False):
            pass
        with pytest.raises(ValueError):
            with atomic(using=table.alias, savepoint=False):
                raise ValueError
    assert table.numbers() == []


@atomics
def test_database_error_is_undone(atomic, table):
    """In the inner block; the outer goes on."""
    nested = has_savepoints(table)
    with atomic(using=table.alias):
        table.add(1)
        with pytest.raises(Exception):  # until Django 1.5 a driver's own
            with atomic(using=table.alias):
                table.run("SELECT 1 FROM django_compat_no_such_table")
        if nested:
            table.add(2)
    assert table.numbers() == ([1, 2] if nested else [])


@atomics
def test_durable_block_must_be_the_outermost(atomic, table):
    """RuntimeError, from Django 3.2 on."""
    if (1, 6) <= django.VERSION < (3, 2):
        return
    with atomic(using=table.alias, durable=True):
        table.add(1)
    with pytest.raises(RuntimeError):
        with atomic(using=table.alias):
            with atomic(using=table.alias, durable=True):
                table.add(2)

    @atomic(using=table.alias, durable=True)
    def add():
        table.add(3)

    add()
    assert table.numbers() == [1, 3]


if not HAS_OWN:

    def test_block_in_this_djangos_own_is_a_savepoint(table):
        """commit_on_success() commits or undoes all of it."""
        from django.db import transaction

        atomic = find("django_compat.backports.atomic:atomic")
        with transaction.commit_on_success(using=table.alias):
            table.add(1)
            with atomic(using=table.alias):
                table.add(2)
        with pytest.raises(ValueError):
            with transaction.commit_on_success(using=table.alias):
                with atomic(using=table.alias):
                    table.add(3)
                raise ValueError
        assert table.numbers() == [1, 2]


@pytest.mark.filterwarnings("ignore")
def test_commit_and_rollback_may_stand_in_a_block(table):
    """As in django-compat: the block commits; rollback() undoes it, or a part."""
    from django.db import transaction

    from django_compat.backports.transactions import commit, rollback

    atomic = variants(
        "atomic:atomic", "django.db.transaction:atomic", until=(1, 6)
    )[0].values[0]
    if HAS_OWN:
        with atomic(using=table.alias):
            table.add(1)
            commit(using=table.alias)
        with atomic(using=table.alias):
            table.add(2)
            rollback(using=table.alias)
    else:
        with transaction.commit_on_success(using=table.alias):
            table.add(1)
            commit(using=table.alias)
            table.add(2)
            rollback(using=table.alias)
    if has_savepoints(table):
        with atomic(using=table.alias):
            sid = transaction.savepoint(using=table.alias)
            table.add(3)
            rollback(using=table.alias, sid=sid)
            table.add(4)
        assert table.numbers() == [1, 4]
    assert 1 in table.numbers()
    assert not {2, 3} & set(table.numbers())
