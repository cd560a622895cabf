"""Use the database in greenlets, and tell as JSON how it went."""

from __future__ import absolute_import, print_function

import json

from gevent import monkey

monkey.patch_all()

import django  # noqa: E402
import gevent.pool  # noqa: E402
from asked import connections, session  # noqa: E402
from django.conf import settings  # noqa: E402

from django_compat import closing_connections, fresh_connections  # noqa: E402
from django_compat._versions import used_connections  # noqa: E402
from django_compat.liveness import ALIVE, liveness  # noqa: E402

if hasattr(django, "setup"):
    django.setup()

KILL = {"mysql": "KILL %d", "postgresql": "SELECT pg_terminate_backend(%d)"}

aliases = sorted(settings.DATABASES)
in_use, seen, errors = set(), set(), []


def unit(number):
    """One of many: every other of a database keeps its session for a second unit."""
    turn, place = divmod(number, len(aliases))
    alias = aliases[place]
    try:
        with closing_connections():
            for _ in range(1 + turn % 2):
                with fresh_connections():
                    mine = alias, session(alias)
                    assert mine not in in_use, "shared"
                    in_use.add(mine)
                    gevent.sleep(0.001)
                    assert session(alias) == mine[1], "replaced"
                    in_use.remove(mine)
                    seen.add(mine)
        assert not any(each.connection for each in used_connections().values())
    except BaseException as error:
        errors.append(repr(error))


def end(alias, number):
    """End the session of another greenlet."""
    with closing_connections():
        connections[alias].cursor().execute(KILL[connections[alias].vendor] % number)


def outlive(alias):
    """Lose the session between two units; tell whether the probe saw it."""
    connection = connections[alias]
    with fresh_connections():
        first = session(alias)
    if connection.connection is None:  # until Django 1.5 each unit ends with a close
        session(alias)
    doomed = session(alias)
    states = [liveness(connection)]
    gevent.spawn(end, alias, doomed).join()
    while liveness(connection) is ALIVE:
        gevent.sleep(0.001)
    states.append(liveness(connection))
    with closing_connections():
        second = session(alias)
    return {"first": first, "second": second, "states": states}


if __name__ == "__main__":
    pool = gevent.pool.Pool(20)
    outlived = [gevent.spawn(outlive, alias).get() for alias in aliases]
    for _ in pool.imap_unordered(unit, range(1000)):
        pass
    found = {"errors": errors[:3], "outlived": outlived, "sessions": len(seen)}
    print(json.dumps(found))
