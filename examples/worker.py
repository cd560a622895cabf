"""A worker: a loop without requests, which looks after its connections by itself.

    python worker.py add "say hello" "sleep 2" "fail on purpose"
    python worker.py run     # until Ctrl-C or SIGTERM; with --once until none is left

The jobs are in worker.sqlite3 in the current directory, or in the database that
DATABASE_URL names: mysql://user:password@host:port/name or
postgres://user:password@host:port/name?sslmode=require. Several workers may run at
once. When a worker is killed, its job stays "running".
"""

from __future__ import absolute_import

import argparse
import logging
import os
import re
import signal
import sys
import time
import traceback

import django
import six
from django.conf import settings
from six.moves.urllib.parse import parse_qsl, unquote_to_bytes, urlsplit

logger = logging.getLogger("worker")

# Django 1.9 renamed the second backend to "postgresql", and still takes the old name.
ENGINES = {"mysql": "mysql", "postgres": "postgresql_psycopg2"}
ENGINES["postgresql"] = ENGINES["postgres"]
# The parameters behind "?" that are passed on to the driver, and their values.
PARAMETERS = {"mysql": {"charset": r"\w+", "connect_timeout": r"[1-9]\d{0,5}"}}
PARAMETERS["postgresql_psycopg2"] = {
    "connect_timeout": r"[1-9]\d{0,5}",
    "sslmode": "disable|allow|prefer|require|verify-ca|verify-full",
    "sslrootcert": ".+",
}


def read_database_url(url):
    """Return the DATABASES entry of a URL; no URL means SQLite, in worker.sqlite3.

    ValueError tells which part of the URL is wrong. The message has nothing of the URL:
    where a URL is malformed, any part of it may be the password.
    """
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": "worker.sqlite3"}
    require(not re.search(r"[\x00-\x20\x7f]", url), "it has a blank or the like")
    parts = part_of("it", lambda: urlsplit(url))
    require(parts.scheme in ENGINES, "it must begin with mysql:// or postgres://")
    backend = ENGINES[parts.scheme]
    require(not parts.fragment, "it has a '#'")
    # parts.port is None for 99999 on Python 2.7.
    port = re.sub(r"^(\[[^]]*\]|[^:]*):?", "", parts.netloc.rpartition("@")[2])
    is_right = not port or re.match("[1-9][0-9]{0,4}$", port) and int(port) < 65536
    require(is_right, "the port is no number from 1 to 65535")
    name = parts.path[1:]
    require(not re.search("[/@]", name), "the name has a '/' or '@'")
    database = {
        "ENGINE": "django.db.backends." + backend,
        "HOST": decoded("the host", parts.hostname),
        "NAME": decoded("the name", name),
        "OPTIONS": read_parameters(parts.query, PARAMETERS[backend]),
        "PASSWORD": decoded("the password", parts.password),
        "PORT": port,
        "USER": decoded("the user", parts.username),
    }
    require(database["HOST"], "the host is missing")
    require(database["NAME"], "the name of the database is missing")
    return database


def read_parameters(query, allowed):
    """Return OPTIONS from the part of a URL behind "?"."""
    options = {}
    for name, value in parse_qsl(query, keep_blank_values=True):
        require(name in allowed, "behind '?' it may have " + ", ".join(sorted(allowed)))
        require(name not in options, name + " is there twice")
        is_right = re.match("(?:%s)$" % allowed[name], value)
        require(is_right, "the value of %s is wrong" % name)
        options[name] = int(value) if name == "connect_timeout" else value
    return options


def decoded(part, text):
    """Return a part of a URL without its percent-encoding."""
    text = part_of(part, lambda: six.ensure_str(unquote_to_bytes(text or ""), "utf-8"))
    require(not re.search(r"[\x00-\x1f\x7f]", text), part + " has a control character")
    return text


def part_of(part, read):
    """Return what a function reads from a part of a URL."""
    try:
        return read()
    except ValueError:  # its text would show the part
        pass
    raise ValueError("%s is malformed" % part)


def require(is_right, problem):
    if not is_right:
        raise ValueError(problem)


try:
    DATABASE = read_database_url(os.environ.get("DATABASE_URL"))
except ValueError as error:
    sys.stderr.write(
        "DATABASE_URL, which is not shown here, is wrong: %s. It must be "
        "mysql://user:password@host:port/name or the same with postgres:// (user, "
        "password and port may be left out), or empty for SQLite. Write characters of "
        "the user and the password other than letters and digits as %%2F and the "
        "like.\n" % error
    )
    sys.exit(2)
settings.configure(DATABASES={"default": dict(DATABASE, CONN_MAX_AGE=60)}, USE_TZ=True)
if hasattr(django, "setup"):  # Django 1.7+
    django.setup()

# Import django.db late: Django 1.4 and 1.5 then read the settings.
from django.db import connection, models  # noqa: E402

from django_compat import close_all_connections, close_old_connections  # noqa: E402


class Job(models.Model):
    id = models.AutoField(primary_key=True)
    text = models.TextField()
    state = models.CharField(max_length=10, default="new")  # running, done, failed
    error = models.TextField(default="")

    class Meta:
        app_label = "worker"
        db_table = "worker_job"


PRIMARY_KEYS = {
    "mysql": "integer AUTO_INCREMENT",
    "postgresql": "serial",
    "sqlite": "integer",
}


def create_table():
    """Create the table of jobs if it is missing."""
    cursor = connection.cursor()
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS worker_job (id %s PRIMARY KEY, text text NOT NULL, "
        "state varchar(10) NOT NULL, error text NOT NULL)"
        % PRIMARY_KEYS[connection.vendor]
    )
    cursor.close()
    connection.connection.commit()  # Django 1.4 and 1.5 have no autocommit


class Stop(object):
    """A flag that Ctrl-C and SIGTERM set; the running job is finished first."""

    def __init__(self):
        self.requested = False
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self.request)

    def request(self, signum, frame):
        self.requested = True

    def wait(self, seconds):
        """Wait for so many seconds, or until a stop is requested."""
        end = time.time() + seconds
        while not self.requested:
            time.sleep(0.05)
            if time.time() >= end:
                break


def run(stop, idle, once=False):
    """Do jobs until a stop is requested; with ``once``, until no job is left."""
    while not stop.requested:
        try:
            close_old_connections()  # broken ones, and those past CONN_MAX_AGE
            job = take_job()
            if job is not None:
                do(job)
            elif once:
                break
            else:
                stop.wait(idle)
        except Exception:  # up to Django 1.5 a driver raises its own class
            logger.exception("no database just now, the worker goes on")
            close_all_connections()
            stop.wait(idle)


def take_job():
    """Take the next job, for this worker alone; return its id, None without a job."""
    new_jobs = Job.objects.filter(state="new").order_by("id")
    while True:
        ids = list(new_jobs.values_list("id", flat=True)[:1])
        if not ids:
            return None
        # The update matches no row if another worker was faster.
        if Job.objects.filter(id=ids[0], state="new").update(state="running"):
            return ids[0]


def do(job_id):
    """Run a job and record how it ended."""
    result = {"state": "done"}
    try:
        text = Job.objects.get(id=job_id).text  # raises if it is no UTF-8
        logger.info("job %d runs: %s", job_id, text)
        name, _, argument = text.partition(" ")
        TASKS[name](argument)
    except Exception:
        error = six.ensure_text(traceback.format_exc(), errors="replace")
        result = {"state": "failed", "error": error}
    try:
        close_old_connections()  # the job may have broken its connection
        Job.objects.filter(id=job_id).update(**result)
    except Exception:  # connection lost while the job ran: record the result again
        close_all_connections()
        Job.objects.filter(id=job_id).update(**result)
    logger.info("job %d is %s", job_id, result["state"])


def say(text):
    logger.info("%s", text)


def sleep(seconds):
    end = time.time() + float(seconds)
    while time.time() < end:  # on Python 2.7 a signal ends time.sleep() early
        time.sleep(0.05)


def fail(text):
    raise RuntimeError(text)


TASKS = {"say": say, "sleep": sleep, "fail": fail}


def idle_time(text):
    seconds = float(text)
    if not 0 <= seconds <= 86400:
        raise ValueError(text)
    return seconds


def utf8(text):
    """Return an argument with a replacement for each byte that is no UTF-8."""
    data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
    return data.decode("utf-8", "replace")


class Formatter(logging.Formatter):
    """Escape what a terminal would obey: jobs and errors come from elsewhere."""

    def format(self, record):
        text = six.ensure_text(logging.Formatter.format(self, record), errors="replace")
        is_plain = getattr(six.text_type, "isprintable", lambda c: u" " <= c <= u"~")
        return u"".join(
            c
            if is_plain(c) or c == u"\n"
            else c.encode("unicode_escape").decode("ascii")
            for c in text
        )


def main():
    parser = argparse.ArgumentParser(description="Run the jobs in a database.")
    commands = parser.add_subparsers(dest="command")
    commands.required = True
    add = commands.add_parser("add", help="add jobs")
    add.add_argument("text", nargs="+", help="say WORDS, sleep SECONDS or fail WORDS")
    work = commands.add_parser("run", help="run jobs until Ctrl-C or SIGTERM")
    work.add_argument("--once", action="store_true", help="end when no job is left")
    work.add_argument(
        "--idle", type=idle_time, default=1, help="seconds between two looks"
    )
    arguments = parser.parse_args()
    handler = logging.StreamHandler()
    handler.setFormatter(Formatter("%(asctime)s %(message)s"))
    logging.getLogger().addHandler(handler)
    logging.getLogger().setLevel(logging.INFO)
    stop = Stop()
    try:
        try:
            create_table()
        except Exception:  # another worker may have created the table at that moment
            close_all_connections()
            create_table()
        if arguments.command == "run":
            logger.info("the worker has started")
            run(stop, arguments.idle, arguments.once)
        else:
            for text in arguments.text:
                Job.objects.create(text=utf8(text))
    finally:
        close_all_connections()


if __name__ == "__main__":
    main()
