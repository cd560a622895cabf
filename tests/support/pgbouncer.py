"""A PgBouncer in front of the PostgreSQL of a run."""

from __future__ import absolute_import

import contextlib
import os
import subprocess
import sys

from support.brokers import is_listening
from support.databases import wait_for
from support.required import skip_or_fail
from support.servers import free_port

BINARY = "/usr/sbin/pgbouncer"


@contextlib.contextmanager
def running(server, folder, port=None, **options):
    """Start a PgBouncer with these options of its own; give its port.

    :param port: that of another PgBouncer which has ended; else any free port.
    """
    if not os.access(BINARY, os.X_OK):
        skip_or_fail("pgbouncer is not installed: no %s" % BINARY)
    port = port or free_port()
    ini = folder.join("pgbouncer.ini")
    values = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "auth_type": "any",
        "unix_socket_dir": "",
        "server_lifetime": 0,
        "ignore_startup_parameters": "extra_float_digits",
        "pool_mode": "transaction",
        "admin_users": "postgres",
    }
    values.update(options)
    lines = ["[databases]", "* = host=%s port=%s user=postgres"]
    lines[1] %= server.host, server.port
    lines += ["[pgbouncer]"] + ["%s = %s" % item for item in sorted(values.items())]
    ini.write("\n".join(lines) + "\n")
    log = folder.join("pgbouncer.log")
    command = [BINARY, str(ini)]
    if os.getuid() == 0:  # PgBouncer refuses to run as root
        command += ["-u", "nobody"]
    with log.open("w") as stream:
        process = subprocess.Popen(command, stderr=stream, close_fds=True)
    try:
        wait_for(lambda: process.poll() is not None or is_listening(port))
        assert process.poll() is None, log.read()
        yield port
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait()


def show(port, what):
    """Return the rows of the console's SHOW, without those of the console itself."""
    driver = sys.modules.get("psycopg2") or sys.modules["psycopg"]
    console = driver.connect(
        dbname="pgbouncer", host="127.0.0.1", port=port, user="postgres"
    )
    try:
        console.autocommit = True  # the console knows no BEGIN
        cursor = console.cursor()
        cursor.execute("SHOW " + what)
        names = [column[0] for column in cursor.description]
        rows = [dict(zip(names, row)) for row in cursor.fetchall()]
        return [row for row in rows if row["database"] != "pgbouncer"]
    finally:
        console.close()
