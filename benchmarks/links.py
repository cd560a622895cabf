"""Private servers for the benchmarks, near, and far: behind a proxy that delays.

Run as a script, this file is the proxy. The proxy has a process of its own, because its
threads must not share an interpreter with the measured loop. The proxy ends when its
stdin is closed.
"""

from __future__ import absolute_import, print_function

import json
import os
import subprocess
import sys
from contextlib import contextmanager

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, os.pardir, "tests"))

from support import servers  # noqa: E402
from support.proxy import Proxy  # noqa: E402

LATENCY = 0.0005  # seconds in each direction, as in the network of one data centre
MORE_CONNECTIONS = {  # for 100 aliases
    "mysql": ["--max-connections=250"],
    "postgresql": ["-c", "max_connections=250"],
}
TITLES = {"mysql": "MariaDB", "postgresql": "PostgreSQL"}


@contextmanager
def running_server(vendor):
    """Start a server, and yield the settings of a database on it."""
    server = servers.Server(vendor)
    try:
        server.start(*MORE_CONNECTIONS[vendor])
        yield {
            "ENGINE": "django.db.backends." + vendor,
            "HOST": server.host,
            "PORT": str(server.port),
            "USER": server.user,
            "NAME": server.name,
            "CONN_MAX_AGE": None,
        }
    finally:
        server.stop()


@contextmanager
def far(database):
    """Start a proxy that delays, and yield the settings of the database behind it."""
    command = [sys.executable, os.path.join(HERE, "links.py")]
    process = subprocess.Popen(
        command + [database["HOST"], database["PORT"]],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    try:
        yield dict(database, PORT=process.stdout.readline().decode().strip())
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def run_child(script, database, *arguments):
    """Run a script of this folder in a fresh process; return its JSON output."""
    command = [sys.executable, "-W", "ignore", os.path.join(HERE, script)]
    command += [json.dumps(database)] + [json.dumps(argument) for argument in arguments]
    return json.loads(subprocess.check_output(command).decode().splitlines()[-1])


def configure(database, aliases=1):
    """Set Django up with so many aliases of one database; return the aliases."""
    import django
    from django.conf import settings

    names = ["default"] + ["other%d" % number for number in range(1, aliases)]
    databases = {name: dict(database) for name in names}
    settings.configure(DATABASES=databases, USE_TZ=True, TIME_ZONE="UTC")
    django.setup()
    return names


def main(host, port):
    with Proxy(host, int(port)) as proxy:
        proxy.latency = LATENCY
        print(proxy.port)
        sys.stdout.flush()
        sys.stdin.read()


if __name__ == "__main__":
    main(*sys.argv[1:])
