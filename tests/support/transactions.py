"""Every kind of transaction block in Django 1.4 to 6.1, and a table to write to."""

from __future__ import absolute_import

import contextlib

import django
import pytest
from django.db import connections, transaction

from django_compat import closing_connections
from support.databases import in_a_thread, run
from support.losses import PERSISTS


def new_block(alias):
    """Return a block that is a transaction: atomic(), or what was before Django 1.6."""
    make = getattr(transaction, "atomic", None) or transaction.commit_on_success
    return make(using=alias)


def leave_block_open(alias):
    """Begin a transaction and do not end it, as a faulty job does."""
    if PERSISTS:
        transaction.atomic(using=alias).__enter__()
    else:
        transaction.enter_transaction_management(using=alias)
        transaction.managed(True, using=alias)


def atomic(alias):
    return transaction.atomic(using=alias)


@contextlib.contextmanager
def nested_atomic(alias):
    with atomic(alias):
        with atomic(alias):
            yield


def durable_atomic(alias):
    return transaction.atomic(using=alias, durable=True)


def commit_on_success(alias):
    return transaction.commit_on_success(using=alias)


@contextlib.contextmanager
def commit_manually(alias):
    with transaction.commit_manually(using=alias):
        yield
        transaction.commit(using=alias)


@contextlib.contextmanager
def enter_transaction_management(alias):
    transaction.enter_transaction_management(using=alias)
    if not PERSISTS:
        transaction.managed(True, using=alias)
    yield
    transaction.commit(using=alias)
    transaction.leave_transaction_management(using=alias)


BLOCKS = []
if PERSISTS:
    BLOCKS += [atomic, nested_atomic]
if django.VERSION >= (3, 2):
    BLOCKS.append(durable_atomic)
if django.VERSION < (1, 8):
    BLOCKS += [commit_on_success, commit_manually, enter_transaction_management]
# Blocks that do not roll back by themselves when their body raises.
COMMIT_ALWAYS = [commit_manually, enter_transaction_management]


def in_all_blocks(test):
    """Run a test with each kind of block; the old kinds warn that they are old."""
    for category in ("DeprecationWarning", "PendingDeprecationWarning"):
        test = pytest.mark.filterwarnings("ignore::" + category)(test)
    return pytest.mark.parametrize("block", BLOCKS)(test)


@contextlib.contextmanager
def table(connection):
    """Make an empty table ``numbers``, and a new session that has done nothing yet."""
    with new_block(connection.alias):
        run(connection, "CREATE TABLE IF NOT EXISTS numbers (n INTEGER PRIMARY KEY)")
        run(connection, "DELETE FROM numbers")
    connection.close()
    run(connection, "SELECT 1")
    yield


def insert(connection, number):
    """Write a number to the table."""
    cursor = connection.cursor()
    cursor.execute("INSERT INTO numbers VALUES (%d)" % number)
    if not PERSISTS and connection.is_managed():
        connection.set_dirty()
    cursor.close()


def numbers(alias):
    """Return the numbers that another session sees in the table."""

    @closing_connections
    def look():
        cursor = connections[alias].cursor()
        cursor.execute("SELECT n FROM numbers ORDER BY n")
        return [row[0] for row in cursor.fetchall()]

    return in_a_thread(look)
