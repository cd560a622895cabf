"""atomic() of ours (Django 1.4, 1.5) and of Django, on SQLite and the servers."""

from __future__ import absolute_import

import django
import pytest
from django.db import connections

from support.variants import variants

pytestmark = pytest.mark.contract

HAS_OWN = django.VERSION >= (1, 6)
VARIANTS = variants(
    "transactions:atomic", "django.db.transaction:atomic", until=(1, 6)
)
atomics = pytest.mark.parametrize("atomic", VARIANTS)


class Table(object):
    """A table of numbers, on one alias."""

    def __init__(self, alias):
        self.alias = alias
        self.connection = connections[alias]

    def run(self, text):
        """Execute SQL; until 1.5 Django commits it only on request."""
        cursor = self.connection.cursor()
        cursor.execute(text)
        if not HAS_OWN:
            self.connection.commit_unless_managed()
        return cursor

    def add(self, number):
        """Insert a number."""
        self.run("INSERT INTO django_compat_atomic VALUES (%d)" % number)

    def numbers(self):
        """Return the numbers that another session sees."""
        self.connection.close()
        return [
            row[0]
            for row in self.run(
                "SELECT n FROM django_compat_atomic ORDER BY n"
            ).fetchall()
        ]


@pytest.fixture
def table(alias):
    """An empty table, for one test."""
    table = Table(alias)
    table.run("CREATE TABLE django_compat_atomic (n integer)")
    yield table
    table.connection.close()
    table.run("DROP TABLE django_compat_atomic")
    table.connection.close()


def has_savepoints(table):
    """Return True if this Django uses savepoints on the database."""
    table.run("SELECT 1").fetchall()
    return table.connection.features.uses_savepoints


def fail(table, number):
    """Insert a number, and raise."""
    table.add(number)
    raise ValueError("on purpose")


@atomics
def test_block_commits_or_rolls_back(atomic, table):
    """A block commits at its end, and rolls back after any exception."""
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
    """Each call is a block; a nested call is a block in a block."""

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
    """``@atomic`` means ``@atomic()``, on the default database."""
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
    """The inner block is a savepoint; without savepoints all is rolled back."""
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
    """An error in the outer block rolls back an inner block that succeeded."""
    with pytest.raises(ValueError):
        with atomic(using=table.alias):
            with atomic(using=table.alias):
                table.add(1)
            raise ValueError
    assert table.numbers() == []


@atomics
def test_block_without_savepoint_undoes_the_outer_one(atomic, table):
    """The outer block rolls back even if it catches the inner error."""
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
    """A database error rolls back the inner block; the outer block continues."""
    nested = has_savepoints(table)
    with atomic(using=table.alias):
        table.add(1)
        with pytest.raises(Exception):  # until Django 1.5 the driver's class
            with atomic(using=table.alias):
                table.run("SELECT 1 FROM django_compat_no_such_table")
        if nested:
            table.add(2)
    assert table.numbers() == ([1, 2] if nested else [])


@atomics
@pytest.mark.parametrize("alias", ["postgresql"], indirect=True)
def test_commit_that_fails_is_rolled_back(atomic, table):
    """The error is raised, and the next block begins a new transaction."""
    constraint = "ADD UNIQUE (n) DEFERRABLE INITIALLY DEFERRED"
    table.run("ALTER TABLE django_compat_atomic " + constraint)
    with pytest.raises(Exception) as caught:  # until Django 1.5 the driver's class
        with atomic(using=table.alias):
            table.add(1)
            table.add(1)
    assert "duplicate key" in str(caught.value)
    with atomic(using=table.alias):
        table.add(2)
    assert table.numbers() == [2]


@pytest.mark.skipif(
    (1, 6) <= django.VERSION < (3, 2), reason="Django has durable from 3.2 on"
)
@atomics
def test_durable_block_must_be_the_outermost(atomic, table):
    """A durable block inside another block raises RuntimeError."""
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


@pytest.mark.skipif(HAS_OWN, reason="commit_on_success() is for Django before 1.6")
@atomics
def test_block_in_commit_on_success_is_a_savepoint(atomic, table):
    """commit_on_success() commits or rolls back the block with the rest."""
    from django.db import transaction

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
    """The block commits at its end; rollback() undoes the block or a savepoint."""
    from django.db import transaction

    from django_compat._names.backports.transactions import commit, rollback

    (atomic,) = VARIANTS[0].values
    commit(using=table.alias)  # no transaction is open
    rollback(using=table.alias)
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
