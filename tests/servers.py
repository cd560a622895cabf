"""Start private MariaDB and PostgreSQL servers that never outlive the tests.

Run as a script, this file is the supervisor of one server: at the end of its stdin, so
also when the tests were killed, it stops the server and removes the folder.
"""
from __future__ import absolute_import

import glob
import json
import os
import pwd
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
SCRIPT = os.path.splitext(os.path.abspath(__file__))[0] + ".py"
ACCOUNTS = {  # user, database, and whom to run as when the tests run as root
    "mysql": ("root", "django_compat", "mysql"),
    "postgresql": ("postgres", "postgres", "postgres"),
}
SCHEMES = {
    "mysql": ("mysql", 3306),
    "postgres": ("postgresql", 5432),
    "postgresql": ("postgresql", 5432),
}
# mariadb-install-db takes them too: the small log is half of its speed.
MYSQL_OPTIONS = """--innodb-log-file-size=4M --innodb-buffer-pool-size=16M
    --innodb-flush-log-at-trx-commit=0 --skip-log-bin --performance-schema=off
    --max-connections=100 --character-set-server=utf8mb4""".split()
# Dynamic memory in the data folder: a killed server leaves nothing in /dev/shm.
POSTGRESQL_OPTIONS = """-c fsync=off -c synchronous_commit=off -c full_page_writes=off
    -c autovacuum=off -c shared_buffers=16MB -c max_connections=100
    -c dynamic_shared_memory_type=mmap -c listen_addresses=127.0.0.1""".split()


class MissingServer(Exception):
    """Say which program was not found, and where it was looked for."""


class Server(object):
    """A private server in a temporary folder, on a free port of 127.0.0.1."""

    def __init__(self, vendor):
        self.vendor, self.host, self.port = vendor, "127.0.0.1", None
        self.user, self.name, self.password = ACCOUNTS[vendor][:2] + ("",)
        self.folder = self._supervisor = self._owner = None
        self.options, self.since = (), 0.0  # those of the last start, and its time
        self._binaries = find_binaries(vendor)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *exc_info):
        self.stop()

    def start(self, *options):
        """Start with these options: anew, or after ``kill`` with the old data."""
        if self._supervisor is None:
            # Popen's pipes are close-on-exec, on 2.7 too: no other supervisor has ours.
            self._supervisor = subprocess.Popen(
                [sys.executable, SCRIPT, self.vendor] + self._binaries,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                close_fds=True,
            )
            self._owner = os.getpid()
        self._begin("start", options)

    def restart(self, *options):
        """Stop in good order, then start on the same port with the same data."""
        self._begin("restart", options)

    def _begin(self, command, options):
        self.options = options
        self._ask(command, *options)
        self.since = time.time()

    def kill(self):
        """End the server as a crash does; the data stay for ``start``."""
        self._ask("kill")

    def is_running(self):
        """Tell whether the server's process lives."""
        return self._supervisor is not None and self._ask("poll")

    def stop(self):
        """Stop for good and remove the folder; in a forked child do nothing."""
        if self._supervisor is None or os.getpid() != self._owner:
            return
        # Said, not only closed: a forked child may hold the pipe as well.
        supervisor, self._supervisor = self._supervisor, None
        try:
            os.write(supervisor.stdin.fileno(), b'["stop"]\n')
        except OSError:
            pass  # The supervisor has ended, and cleaned up, already.
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
    """A server that others run: used, never controlled."""

    def __init__(self, **values):
        self.__dict__.update(values, since=0.0, _supervisor=None, _owner=None)

    def start(self, *options):
        """Do nothing: it runs."""

    def is_running(self):
        """Tell whether its port accepts a connection."""
        try:
            socket.create_connection((self.host, self.port), 5).close()
        except socket.error:
            return False
        return True


def from_url(url):
    """Return the running server at ``scheme://user:password@host:port/name``."""
    try:
        parts = urlsplit(url)
        (vendor, port), name = SCHEMES[parts.scheme], unquote(parts.path[1:])
        port = parts.port or port
    except (KeyError, ValueError):  # urlsplit's port is not a number
        name = None
    if not name or not parts.hostname:
        text = "%r is not scheme://user:password@host:port/name with a scheme of %s"
        raise ValueError(text % (url, ", ".join(sorted(SCHEMES))))
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
    folders = os.environ.get("PATH", "").split(os.pathsep)
    for pattern in FOLDERS:
        found = glob.glob(pattern)
        found.sort(key=lambda folder: [int(n) for n in re.findall(r"\d+", folder)])
        folders += reversed(found)

    def find(names, folders, where):
        for path in [os.path.join(f, name) for f in folders for name in names]:
            if os.path.isfile(path) and os.access(path, os.X_OK):
                return os.path.realpath(path)
        raise MissingServer("no %s %s" % (" or ".join(names), where))

    where = "on PATH or in " + ", ".join(FOLDERS)
    if vendor == "mysql":
        installer = find(["mariadb-install-db", "mysql_install_db"], folders, where)
        return [installer, find(["mariadbd", "mysqld"], folders, where)]
    installer = find(["initdb"], folders, where)
    # Of one version with initdb: PATH may lead to a postgres of other data files.
    folder = os.path.dirname(installer)
    return [installer, find(["postgres"], [folder], "in " + folder)]


class Supervisor(object):
    """Run one server for the process at the other end of stdin."""

    def __init__(self, vendor, installer, binary):
        self.is_mysql = vendor == "mysql"
        self.goodbye = signal.SIGTERM if self.is_mysql else signal.SIGINT
        self.installer, self.binary = installer, binary
        self.process = self.port = None
        # In memory, where that is not scarce, data are made and changed much faster.
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
        self.pid_file = os.path.join(self.data, "postmaster.pid")  # as postgres has it
        self.quick_exit = os.path.join(self.data, "exit.so")  # kept with the data
        self.certificate, self.key = certificate_in(self.data)  # so are these

    def serve(self):
        """Do what the owner says, until it says stop or is gone."""
        owner = os.getppid()
        # Watched, because a forked child may hold the pipe longer than the owner lives.
        while os.getppid() == owner:
            if not select.select([0], [], [], 0.5)[0]:
                continue
            line = os.read(0, 65536)  # one command: the owner waits for each answer
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
        """Start and wait until the server answers; the first time on any free port."""
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
            # Somebody else may have taken the port since it was chosen.
            if "Address already in use" not in self.tail() or time.time() > deadline:
                raise RuntimeError("no server: " + self.tail())

    def halt(self, number):
        """Signal the server and wait until the last of its processes has gone."""
        process, self.process = self.process, None
        if process is None:
            return
        if process.poll() is None:
            process.send_signal(number)
        # All of its children hold its stdout too, which nothing else tells us of.
        while True:
            if not select.select([process.stdout], [], [], 10)[0]:
                process.kill()
                break
            if not os.read(process.stdout.fileno(), 4096):
                break
        process.wait()
        process.stdout.close()

    def clean_up(self):
        """Stop the server and leave nothing behind."""
        self.halt(self.goodbye)
        if not self.is_mysql and os.path.exists(self.pid_file):
            # A killed postgres leaves a System V segment: "key id" in its seventh line.
            import ctypes

            with open(self.pid_file) as stream:
                words = stream.read().split("\n")[6].split()
            ctypes.CDLL(None).shmctl(int(words[1]), 0, None)  # 0 is IPC_RMID

    def make_data(self):
        """Make the data folder, or copy one that DJANGO_COMPAT_TEST_DATA keeps."""
        shutil.rmtree(self.data, ignore_errors=True)
        if self.is_mysql:
            with open(self.init_file, "w") as script:
                script.write("CREATE DATABASE IF NOT EXISTS django_compat;\n")
        folder = os.environ.get("DJANGO_COMPAT_TEST_DATA")
        if not folder:
            self.initialise()
            return
        # An upgrade of the binaries makes another.
        name = os.path.basename(self.binary), os.stat(self.binary).st_mtime
        kept = os.path.join(folder, "%s-%d-certified" % name)
        if os.path.isdir(kept):
            subprocess.check_call(["cp", "-a", kept, self.data])
            return
        self.initialise()
        new = "%s.%d" % (kept, os.getpid())
        subprocess.check_call(["mkdir", "-p", folder])
        subprocess.check_call(["cp", "-a", self.data, new])
        try:
            os.rename(new, kept)
        except OSError:  # another run was first
            shutil.rmtree(new)

    def initialise(self):
        if self.is_mysql:
            # No --user: as root it changes owners in the system's plugin folder.
            options = ["--no-defaults", "--datadir=" + self.data, "--skip-test-db"]
            options += ["--auth-root-authentication-method=normal"] + MYSQL_OPTIONS
        else:
            options = ["-D", self.data, "-U", "postgres", "-A", "trust"]
            options += ["-E", "UTF8", "--locale=C", "--no-sync", "--wal-segsize=1"]
        self.call([self.installer] + options)
        if not self.is_mysql:
            self.make_quick_exit()
        try:
            self.call(certify(self.data))
        except (OSError, RuntimeError):  # no openssl that can, no encryption
            pass

    def call(self, command):
        process = self.spawn(command, stderr=subprocess.STDOUT)
        output = process.communicate()[0]
        if process.returncode:
            raise RuntimeError(output.decode("utf-8", "replace"))

    def make_quick_exit(self):
        """Spare a session the destructors of the fifty libraries that postgres loads.

        They touch so many pages that they are a fourth of what a session costs, from
        its fork to its end; those of postgres itself are called before. The tests set
        DJANGO_COMPAT_TEST_QUICK, benchmarks do not. Without a C compiler, so be it.
        """
        command = ["cc", "-w", "-shared", "-fPIC", "-o", self.quick_exit, "-xc", "-"]
        try:
            compiler = subprocess.Popen(command, stdin=subprocess.PIPE)
        except OSError:
            return
        compiler.communicate(b"void _exit(int); void exit(int n) { _exit(n); }")

    def command(self, port):
        if not self.is_mysql:
            options = ["-D", self.data, "-k", self.folder, "-p", str(port)]
            if os.path.exists(self.certificate):
                options += ["-c", "ssl=on", "-c", "ssl_cert_file=" + self.certificate]
                options += ["-c", "ssl_key_file=" + self.key]
            return [self.binary] + options + POSTGRESQL_OPTIONS
        options = ["--no-defaults", "--datadir=" + self.data, "--skip-name-resolve"]
        options += ["--socket=" + os.path.join(self.folder, "s")]
        # In /tmp the next server that starts would remove the temporary tables of all.
        options += ["--tmpdir=" + self.folder]
        options += ["--pid-file=" + self.pid_file, "--init-file=" + self.init_file]
        options += ["--bind-address=127.0.0.1", "--port=%d" % port]
        if os.path.exists(self.certificate):
            options += ["--ssl-cert=" + self.certificate, "--ssl-key=" + self.key]
        return [self.binary] + options + MYSQL_OPTIONS

    def spawn(self, command, stderr=None):
        # In a shared one MariaDB 10.11 ends with signal 11 when it meets the temporary
        # table of a killed one that had the same process id.
        env = dict(os.environ, TMPDIR=self.folder)
        if "DJANGO_COMPAT_TEST_QUICK" in os.environ and os.path.exists(self.quick_exit):
            env["LD_PRELOAD"] = self.quick_exit
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
        # Only in the servers: Python may have to import from a home closed to others.
        os.setgroups([])
        os.setgid(self.account.pw_gid)
        os.setuid(self.account.pw_uid)

    def is_ready(self, port):
        """Ask our own server, not one that won the race for the port."""
        try:
            with open(self.pid_file) as stream:
                words = stream.read().split()
        except EnvironmentError:
            return False
        if words[:1] != [str(self.process.pid)]:
            return False
        if not self.is_mysql:
            return words[-1] == "ready"  # what pg_ctl -w waits for
        # MariaDB writes the file when it has the port, and greets when it serves.
        client = socket.socket()
        try:
            client.settimeout(5)
            client.connect(("127.0.0.1", port))
            greeting = client.recv(4096)
            client.shutdown(socket.SHUT_WR)
            while client.recv(4096):
                pass  # until it hangs up: the probe must not count as a connection
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
    """Return a port that nobody listens on just now."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    listener.close()
    return port


def supervise(vendor, *binaries):
    """Run a supervisor in a session of its own, where Ctrl-C does not reach it."""
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
