"""A MySQL Router in front of the MySQL of a run; ``.ci/newer`` unpacks it."""

from __future__ import absolute_import

import contextlib
import os
import subprocess

from support.brokers import is_listening
from support.databases import wait_for
from support.required import skip_or_fail
from support.servers import ROOT, free_port

LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/mysql-router")
CONFIGURATION = """
[DEFAULT]
plugin_folder = {root}/usr/lib/mysqlrouter/plugin
data_folder = {folder}
logging_folder =
runtime_folder = {folder}
[io]
threads = 2
[routing:tests]
bind_address = 127.0.0.1
bind_port = {port}
destinations = {host}:{server_port}
protocol = classic
routing_strategy = first-available
{options}
"""


class Router(object):
    """A MySQL Router that can be stopped and started again on its port."""

    def __init__(self, server, folder, **options):
        self.port = free_port()
        self._path = os.path.join(folder, "router.conf")
        lines = ["%s = %s" % item for item in sorted(options.items())]
        values = {"root": ROOT, "folder": folder, "port": self.port}
        values.update(host=server.host, server_port=server.port)
        with open(self._path, "w") as stream:
            stream.write(CONFIGURATION.format(options="\n".join(lines), **values))

    def start(self):
        path = os.pathsep.join(ROOT + folder for folder in LIBRARIES)
        command = [ROOT + "/usr/bin/mysqlrouter", "-c", self._path]
        self._process = subprocess.Popen(
            command, env=dict(os.environ, LD_LIBRARY_PATH=path), close_fds=True
        )
        process = self._process
        wait_for(lambda: is_listening(self.port) or process.poll() is not None, 20)
        assert self._process.poll() is None

    def stop(self):
        if self._process.poll() is None:
            self._process.terminate()
        self._process.wait()


@contextlib.contextmanager
def running(server, folder, **options):
    """Start a Router with these options of its own; its files are in the folder."""
    if not os.access(ROOT + "/usr/bin/mysqlrouter", os.X_OK):
        skip_or_fail("no mysqlrouter in %s" % (ROOT or "/usr/bin"))
    router = Router(server, folder, **options)
    router.start()
    try:
        yield router
    finally:
        router.stop()
