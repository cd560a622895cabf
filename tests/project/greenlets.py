"""Use the database in greenlets, and print a report as JSON."""

from __future__ import absolute_import, print_function

import json

from gevent import monkey

monkey.patch_all()

import django  # noqa: E402
import gevent.pool  # noqa: E402
from django.conf import settings  # noqa: E402

from django_compat import closing_connections, fresh_connections  # noqa: E402
from django_compat._db.probe import ALIVE, liveness  # noqa: E402
from django_compat._db.versions import used_connections  # noqa: E402
from queries import connections, session  # noqa: E402
from support.sql import KILL  # noqa: E402

if hasattr(django, "setup"):
    django.setup()

aliases = sorted(settings.DATABASES)
in_use, seen, errors = set(), set(), []


def work(number):
    """Work in one session; every second greenlet of an alias does two units of work."""
    greenlet, index = divmod(number, len(aliases))
    alias = aliases[index]
    try:
        with closing_connections():
            for _ in range(1 + greenlet % 2):
                with fresh_connections():
                    own = alias, session(alias)
                    assert own not in in_use, "shared"
                    in_use.add(own)
                    gevent.sleep(0.001)
                    assert session(alias) == own[1], "replaced"
                    in_use.remove(own)
                    seen.add(own)
        opened = [c for c in used_connections().values() if c.connection is not None]
        assert opened == []
    except BaseException as error:
        errors.append(repr(error))


def end(alias, number):
    """End the session of another greenlet, by its number."""
    with closing_connections():
        connections[alias].cursor().execute(KILL[connections[alias].vendor] % number)


def outlive(alias):
    """Lose the session between two units; return the probe's states around the loss."""
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
    for _ in pool.imap_unordered(work, range(1000)):
        pass
    report = {"errors": errors[:3], "outlived": outlived, "sessions": len(seen)}
    print(json.dumps(report))
