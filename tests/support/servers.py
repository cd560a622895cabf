"""Start private MySQL, MariaDB and PostgreSQL servers that never outlive the tests.

``DJANGO_COMPAT_TEST_SERVERS`` names the root of a system that has their programs, such
as a folder of ``.ci/newer``; by default they are those of the machine.

Run as a script, this file is the supervisor of one server. When its stdin ends, as it
does when the tests are killed, the supervisor stops the server and removes its folder.
"""

from __future__ import absolute_import

import glob
import json
import os
import pwd
import random
import re
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

try:
    from urllib.parse import unquote, urlsplit
except ImportError:  # Python 2
    from urllib import unquote

    from urlparse import urlsplit

FOLDERS = ["/usr/lib/postgresql/*/bin", "/usr/sbin"]  # Debian keeps them off PATH
ROOT = os.environ.get("DJANGO_COMPAT_TEST_SERVERS", "")
SCRIPT = os.path.splitext(os.path.abspath(__file__))[0] + ".py"
ACCOUNTS = {  # user, database, and the system's user of a server that root starts
    "mysql": ("root", "django_compat", "mysql"),
    "postgresql": ("postgres", "postgres", "postgres"),
}
URLS = {
    "mysql": "DJANGO_COMPAT_TEST_MYSQL_URL",
    "postgresql": "DJANGO_COMPAT_TEST_POSTGRES_URL",
}
SCHEMES = {
    "mysql": ("mysql", 3306),
    "postgres": ("postgresql", 5432),
    "postgresql": ("postgresql", 5432),
}
# Also for the data folder, which is made in half the time with a small log.
MYSQL_OPTIONS = """--innodb-buffer-pool-size=16M --innodb-flush-log-at-trx-commit=0
    --skip-log-bin --performance-schema=off --max-connections=100
    --character-set-server=utf8mb4""".split()
MARIADB_OPTIONS = MYSQL_OPTIONS + ["--innodb-log-file-size=4M"]
ORACLE_OPTIONS = MYSQL_OPTIONS + [  # loose: MySQL before 8.0 does not know these
    "--loose-innodb-redo-log-capacity=8M",
    "--loose-mysqlx=OFF",
    "--secure-file-priv=",
]
# Without names of hosts MySQL's first account, root@localhost, has the socket only.
INIT = ["CREATE DATABASE IF NOT EXISTS django_compat;\n"]
INIT += [
    INIT[0] + "CREATE USER IF NOT EXISTS root@'127.0.0.1';\n"
    "GRANT ALL ON *.* TO root@'127.0.0.1' WITH GRANT OPTION;\n"
]
# mmap puts the shared memory into the data folder: a killed server leaves none.
POSTGRESQL_OPTIONS = """-c fsync=off -c synchronous_commit=off -c full_page_writes=off
    -c autovacuum=off -c shared_buffers=16MB -c max_connections=100
    -c dynamic_shared_memory_type=mmap -c listen_addresses=127.0.0.1""".split()


class MissingServer(Exception):
    """A program was not found; the message names it and the folders searched."""


class Server(object):
    """A private server in a temporary folder, on a free port of 127.0.0.1."""

    def __init__(self, vendor):
        self.vendor, self.host, self.port = vendor, "127.0.0.1", None
        self.user, self.name, self.password = ACCOUNTS[vendor][:2] + ("",)
        self.folder = self._supervisor = self._owner = None
        self.options, self.since = (), 0.0  # the options and the time of the last start
        self._binaries = find_binaries(vendor)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def start(self, *options):
        """Start with these options; after ``kill`` with the data that were there."""
        if self._supervisor is None:
            # Pipes of Popen are close-on-exec, so no other process inherits these.
            self._supervisor = subprocess.Popen(
                [sys.executable, SCRIPT, self.vendor] + self._binaries,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                close_fds=True,
            )
            self._owner = os.getpid()
        self._begin("start", options)

    def restart(self, *options):
        """Shut down, then start on the same port with the same data."""
        self._begin("restart", options)

    def _begin(self, command, options):
        self.options = options
        self._ask(command, *options)
        self.since = time.time()

    def kill(self):
        """End the server as a crash does; ``start`` finds the data again."""
        self._ask("kill")

    def is_running(self):
        """Return whether the server's process lives."""
        return self._supervisor is not None and self._ask("poll")

    def stop(self):
        """Stop for good and remove the folder; in a forked child do nothing."""
        if self._supervisor is None or os.getpid() != self._owner:
            return
        # Write "stop", because a forked child may hold the pipe open.
        supervisor, self._supervisor = self._supervisor, None
        try:
            os.write(supervisor.stdin.fileno(), b'["stop"]\n')
        except OSError:
            pass  # the supervisor has ended, and has removed the folder
        supervisor.stdin.close()
        supervisor.wait()
        supervisor.stdout.close()

    def _ask(self, *command):
        if self._supervisor is None or os.getpid() != self._owner:
            raise RuntimeError("this process did not start the server")
        line = json.dumps(command) + "\n"
        os.write(self._supervisor.stdin.fileno(), line.encode("ascii"))
        line = self._supervisor.stdout.readline().decode("ascii")
        if not line:
            raise RuntimeError("the supervisor of the server has ended")
        answer = json.loads(line)
        self.port, self.folder = answer["port"], answer["folder"]
        if answer["error"]:
            raise RuntimeError(answer["error"])
        return answer["running"]


class ExistingServer(Server):
    """A server that somebody else runs; the tests do not start or stop it."""

    def __init__(self, **values):
        self.__dict__.update(values, since=0.0, _supervisor=None, _owner=None)

    def start(self, *options):
        """Do nothing: the server runs."""

    def is_running(self):
        """Return whether its port accepts a connection."""
        try:
            socket.create_connection((self.host, self.port), 5).close()
        except socket.error:
            return False
        return True


def url_of(vendor):
    """Return the URL of a running server, unless a folder of programs is named."""
    return None if ROOT else os.environ.get(URLS[vendor])


def from_url(url):
    """Return the running server at ``scheme://user:password@host:port/name``."""
    try:
        parts = urlsplit(url)
        (vendor, port), name = SCHEMES[parts.scheme], unquote(parts.path[1:])
        port = parts.port or port
    except (KeyError, ValueError):  # urlsplit's port is not a number
        name = None
    if not name or not parts.hostname:
        # The URL is not shown: any part of it may be a password.
        text = "the URL is not scheme://user:password@host:port/name with a scheme of "
        raise ValueError(text + ", ".join(sorted(SCHEMES)))
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    return ExistingServer(
        vendor=vendor,
        host=parts.hostname,
        port=port,
        user=user or ACCOUNTS[vendor][0],
        password=password,
        name=name,
    )


def find_binaries(vendor):
    """Return the paths of the program that makes the data folder and of the server."""
    folders = [] if ROOT else os.environ.get("PATH", "").split(os.pathsep)
    for pattern in FOLDERS + ["/usr/bin"] * bool(ROOT):
        versions = glob.glob(ROOT + pattern)
        versions.sort(key=lambda folder: [int(n) for n in re.findall(r"\d+", folder)])
        folders += reversed(versions)

    def find(names, folders, where):
        for path in [os.path.join(f, name) for f in folders for name in names]:
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return os.path.realpath(path)
        raise MissingServer("no %s %s" % (" or ".join(names), where))

    where = "in " + ROOT if ROOT else "on PATH or in " + ", ".join(FOLDERS)
    if vendor == "mysql":
        binary = find(["mariadbd", "mysqld"], folders, where)
        if "MariaDB" not in version_of(binary):
            return [binary, binary]
        names = ["mariadb-install-db", "mysql_install_db"]
        return [find(names, folders, where), binary]
    installer = find(["initdb"], folders, where)
    # From the folder of initdb: a postgres on PATH may be of another version.
    folder = os.path.dirname(installer)
    return [installer, find(["postgres"], [folder], "in " + folder)]


def version_of(binary):
    """Return what a server's program says of its version."""
    output = subprocess.check_output([binary, "--version"]).decode("utf-8", "replace")
    return output.replace(binary, "").partition(" for ")[0].strip()


class Supervisor(object):
    """Run a server for the process at the other end of stdin."""

    def __init__(self, vendor, installer, binary):
        self.is_mysql = vendor == "mysql"
        self.goodbye = signal.SIGTERM if self.is_mysql else signal.SIGINT
        self.installer, self.binary = installer, binary
        self.is_oracle = self.is_mysql and installer == binary
        self.process = self.port = None
        # Data are created and changed much faster in memory, if it has 1 GiB to spare.
        memory = os.statvfs("/dev/shm") if os.access("/dev/shm", os.W_OK) else None
        has_room = memory and memory.f_bavail * memory.f_frsize > 2**30
        self.folder = tempfile.mkdtemp("", "servers_", "/dev/shm" if has_room else None)
        self.account = None
        if os.getuid() == 0:  # postgres refuses root
            known = dict((entry.pw_name, entry) for entry in pwd.getpwall())
            self.account = known.get(ACCOUNTS[vendor][2]) or known["nobody"]
            os.chown(self.folder, self.account.pw_uid, self.account.pw_gid)
        self.data = os.path.join(self.folder, "data")
        self.log = os.path.join(self.folder, "log")
        self.init_file = os.path.join(self.folder, "init.sql")
        self.pid_file = os.path.join(self.data, "postmaster.pid")  # postgres's name
        self.certificate, self.key = certificate_in(self.data)

    def serve(self):
        """Obey the owner, until it says stop or has ended."""
        owner = os.getppid()
        # Ask for the parent too: a forked child of a dead owner may hold the pipe open.
        while os.getppid() == owner:
            if not select.select([0], [], [], 0.5)[0]:
                continue
            line = os.read(0, 65536)  # one command, as the owner waits for the answer
            command = json.loads(line.decode("ascii")) if line else ["stop"]
            if command[0] == "stop":
                return
            error = None
            try:
                self.obey(*command)
            except (EnvironmentError, RuntimeError) as exc:
                error = str(exc)
            running = self.process is not None and self.process.poll() is None
            answer = dict(port=self.port, folder=self.folder, running=running)
            line = json.dumps(dict(answer, error=error)) + "\n"
            os.write(1, line.encode("ascii"))

    def obey(self, command, *options):
        if command in ("kill", "restart"):
            self.halt(signal.SIGKILL if command == "kill" else self.goodbye)
        if command in ("start", "restart"):
            self.start(list(options))

    def start(self, options):
        """Start the server, first on any free port, and wait until it answers."""
        if self.process is not None and self.process.poll() is None:
            raise RuntimeError("the server is running already")
        self.halt(signal.SIGKILL)
        if self.port is None:
            self.make_data()
        deadline = time.time() + 30
        while True:
            port = self.port or free_port()
            self.process = process = self.spawn(self.command(port) + options)
            while process.poll() is None and not self.is_ready(port):
                if time.time() > deadline:
                    process.kill()
                time.sleep(0.02)
            if process.poll() is None:
                self.port = port
                return
            self.halt(signal.SIGKILL)
            # Another process may have taken the port meanwhile.
            if "Address already in use" not in self.tail() or time.time() > deadline:
                raise RuntimeError("no server: " + self.tail())

    def halt(self, number):
        """Signal the server, and wait for the end of all its processes."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
        # All its processes hold its stdout: end of file means that all have ended.
        while True:
            if not select.select([process.stdout], [], [], 10)[0]:
                process.kill()
                break
            if not os.read(process.stdout.fileno(), 4096):
                break
        process.wait()
        process.stdout.close()

    def clean_up(self):
        """Stop the server, and remove its System V segment."""
        self.halt(self.goodbye)
        if not self.is_mysql and os.path.exists(self.pid_file):
            # A killed postgres leaves the segment; line 7 of the file is "key id".
            import ctypes

            with open(self.pid_file) as stream:
                words = stream.read().split("\n")[6].split()
            ctypes.CDLL(None).shmctl(int(words[1]), 0, None)  # 0 is IPC_RMID

    def make_data(self):
        """Make the data folder, or copy the template in DJANGO_COMPAT_TEST_DATA."""
        shutil.rmtree(self.data, ignore_errors=True)
        if self.is_mysql:
            with open(self.init_file, "w") as script:
                script.write(INIT[self.is_oracle])
        folder = os.environ.get("DJANGO_COMPAT_TEST_DATA")
        if not folder:
            self.initialise()
            return
        # The time of the binary in the name: an upgrade makes another template.
        name = os.path.basename(self.binary), os.stat(self.binary).st_mtime
        template = os.path.join(folder, "%s-%d" % name)
        if os.path.isdir(template):
            subprocess.check_call(["cp", "-a", template, self.data])
            return
        self.initialise()
        new = "%s.%d" % (template, os.getpid())
        subprocess.check_call(["mkdir", "-p", folder])
        subprocess.check_call(["cp", "-a", self.data, new])
        try:
            os.rename(new, template)
        except OSError:  # another run was first
            shutil.rmtree(new)

    def initialise(self):
        if self.is_mysql:
            # Not --user, which as root changes owners in the system's plugin folder.
            options = self.mysql_options()
            if self.is_oracle:
                options += ["--initialize-insecure"]
            else:
                options += ["--auth-root-authentication-method=normal"]
                options += ["--skip-test-db"]
        else:
            options = ["-D", self.data, "-U", "postgres", "-A", "trust"]
            options += ["-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"]
        self.call([self.installer] + options)
        try:
            self.call(certify(self.data))
        except (OSError, RuntimeError):
            pass  # without openssl the server does not encrypt

    def call(self, command):
        process = self.spawn(command, stderr=subprocess.STDOUT)
        output = process.communicate()[0]
        if process.returncode:
            raise RuntimeError(output.decode("utf-8", "replace"))

    def command(self, port):
        if not self.is_mysql:
            options = ["-D", self.data, "-k", self.folder, "-p", str(port)]
            if os.path.exists(self.certificate):
                options += ["-c", "ssl=on", "-c", "ssl_cert_file=" + self.certificate]
                options += ["-c", "ssl_key_file=" + self.key]
            return [self.binary] + options + POSTGRESQL_OPTIONS
        options = self.mysql_options() + ["--skip-name-resolve"]
        options += ["--socket=" + os.path.join(self.folder, "s")]
        # MariaDB removes all temporary tables of its tmpdir when it starts.
        options += ["--tmpdir=" + self.folder]
        options += ["--pid-file=" + self.pid_file, "--init-file=" + self.init_file]
        options += ["--bind-address=127.0.0.1", "--port=%d" % port]
        if os.path.exists(self.certificate):
            options += ["--ssl-cert=" + self.certificate, "--ssl-key=" + self.key]
        return [self.binary] + options

    def mysql_options(self):
        base = os.path.dirname(os.path.dirname(self.binary))
        options = ["--no-defaults", "--basedir=" + base, "--datadir=" + self.data]
        return options + (ORACLE_OPTIONS if self.is_oracle else MARIADB_OPTIONS)

    def spawn(self, command, stderr=None):
        # In a shared TMPDIR MariaDB 10.11 ends with signal 11 on a temporary table of a
        # killed server that had the same process id.
        env = dict(os.environ, TMPDIR=self.folder)
        with open(self.log, "wb") as log, open(os.devnull) as nothing:
            return subprocess.Popen(
                command,
                stdin=nothing,
                stdout=subprocess.PIPE,
                stderr=stderr or log,
                cwd=self.folder,
                env=env,
                close_fds=True,
                preexec_fn=self.account and self.drop_root,
            )

    def drop_root(self):
        # Not earlier: the supervisor's Python may be in a home closed to this user.
        os.setgroups([])
        os.setgid(self.account.pw_gid)
        os.setuid(self.account.pw_uid)

    def is_ready(self, port):
        """Return whether our server, and no other on this port, answers."""
        try:
            with open(self.pid_file) as stream:
                words = stream.read().split()
        except EnvironmentError:
            return False
        if words[:1] != [str(self.process.pid)]:
            return False
        if not self.is_mysql:
            return words[-1] == "ready"  # pg_ctl -w waits for the same word
        # MariaDB writes the file when it has the port, but greets only when it serves.
        client = socket.socket()
        try:
            client.settimeout(5)
            client.connect(("127.0.0.1", port))
            greeting = client.recv(4096)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass  # until MariaDB hangs up: this session must not be counted later
        except socket.error:
            return False
        finally:
            client.close()
        return bool(greeting)

    def tail(self):
        with open(self.log, "rb") as log:
            return log.read()[-2000:].decode("utf-8", "replace")


def certificate_in(folder):
    """Return the paths of the certificate and its key in a folder."""
    return [os.path.join(folder, name) for name in ("test.crt", "test.key")]


def certify(folder):
    """Return the command that makes a certificate for 127.0.0.1 in a folder."""
    command = """openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1
        -nodes -days 3650 -subj /CN=127.0.0.1 -addext subjectAltName=IP:127.0.0.1"""
    certificate, key = certificate_in(folder)
    return command.split() + ["-out", certificate, "-keyout", key]


def free_port():
    """Return a port on which nobody listens.

    The port is below those that the system gives to clients: else a connection of
    another process could take it before the server of this one does.
    """
    while True:
        port = random.SystemRandom().randrange(10000, 32000)
        listener = socket.socket()
        # A child that another thread forks meanwhile holds it a while: all may share.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(("127.0.0.1", port))
            return port
        except socket.error:
            pass
        finally:
            listener.close()


def supervise(vendor, *binaries):
    """Run a supervisor in a session of its own, out of reach of Ctrl-C."""
    os.setsid()
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit())
    for name in list(os.environ):
        if name.startswith(("MYSQL_", "MARIADB_", "PG", "LC_", "LANG")):
            del os.environ[name]
    os.environ["TZ"] = "UTC"
    supervisor = Supervisor(vendor, *binaries)
    try:
        supervisor.serve()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        try:
            supervisor.clean_up()
        finally:
            shutil.rmtree(supervisor.folder, ignore_errors=True)


if __name__ == "__main__":
    supervise(*sys.argv[1:])
