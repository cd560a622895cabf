"""Use the database in greenlets, and tell as JSON how it went."""

from __future__ import absolute_import, print_function

import json

from gevent import monkey

monkey.patch_all()

import django  # noqa: E402
import gevent.pool  # noqa: E402
from django.db import connection  # noqa: E402

from django_compat import closing_connections, fresh_connections  # noqa: E402
from django_compat._versions import used_connections  # noqa: E402
from django_compat.liveness import ALIVE, liveness  # noqa: E402

if hasattr(django, "setup"):
    django.setup()

SESSION_ID = {
    "mysql": "SELECT CONNECTION_ID()",
    "postgresql": "SELECT pg_backend_pid()",
}
KILL = {"mysql": "KILL %d", "postgresql": "SELECT pg_terminate_backend(%d)"}

in_use, seen, errors = set(), set(), []


def run(sql):
    cursor = connection.cursor()
    cursor.execute(sql)
    row = cursor.fetchone() if cursor.description else None
    cursor.close()
    return row and row[0]


def session():
    return run(SESSION_ID[connection.vendor])


def unit(number):
    """One of many: every other keeps its session for a second unit."""
    try:
        with closing_connections():
            for _ in range(1 + number % 2):
                with fresh_connections():
                    mine = session()
                    assert mine not in in_use, "shared"
                    in_use.add(mine)
                    gevent.sleep(0.001)
                    assert session() == mine, "replaced"
                    in_use.remove(mine)
                    seen.add(mine)
        assert not any(each.connection for each in used_connections().values())
    except BaseException as error:
        errors.append(repr(error))


def end(number):
    """End the session of another greenlet."""
    with closing_connections():
        run(KILL[connection.vendor] % number)


def outlive():
    """Lose the session between two units; tell whether the probe saw it."""
    with fresh_connections():
        first = session()
    if connection.connection is None:  # until Django 1.5 each unit ends with a close
        session()
    doomed = session()
    states = [liveness(connection)]
    gevent.spawn(end, doomed).join()
    while liveness(connection) is ALIVE:
        gevent.sleep(0.001)
    states.append(liveness(connection))
    with closing_connections():
        second = session()
    return {"first": first, "second": second, "states": states}


if __name__ == "__main__":
    pool = gevent.pool.Pool(20)
    found = gevent.spawn(outlive).get()
    for _ in pool.imap_unordered(unit, range(1000)):
        pass
    print(json.dumps(dict(found, errors=errors[:3], sessions=len(seen))))
