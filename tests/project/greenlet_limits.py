"""Let gevent's Timeout end a question to a silent server; tell as JSON how it went."""

from __future__ import absolute_import, print_function

import json

from gevent import monkey

monkey.patch_all()

import django  # noqa: E402
import gevent  # noqa: E402

from django_compat import (  # noqa: E402
    close_stale_connections,
    fresh_connections,
    guard_connections,  # noqa: E402
)
from queries import connections, session  # noqa: E402
from support.proxy import Proxy  # noqa: E402

if hasattr(django, "setup"):
    django.setup()


def ask_in_a_scope():
    with fresh_connections():
        pass


def ask_in_the_guard():
    with guard_connections():
        connections["default"].cursor()


def came_out(ask, proxy):
    """Return whether the Timeout came out, and whether the next unit works."""
    session("default")
    connections["default"].errors_occurred = True
    proxy.stall()
    try:
        with gevent.Timeout(0.1):
            ask()
        is_out = False
    except gevent.Timeout:
        is_out = True
    proxy.cut()
    proxy.resume()
    with fresh_connections():
        return is_out, session("default") > 0


settings = connections.databases["default"]
with Proxy(settings["HOST"], int(settings["PORT"])) as proxy:
    settings["PORT"] = str(proxy.port)
    ways = [close_stale_connections, ask_in_a_scope, ask_in_the_guard]
    print(json.dumps([came_out(way, proxy) for way in ways]))
    connections["default"].close()
