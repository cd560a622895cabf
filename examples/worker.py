"""A worker: no requests come, so it looks after its connections by itself.

    python worker.py add "say hello" "sleep 2" "fail on purpose"
    python worker.py run     # until Ctrl-C or SIGTERM; with --once until none is left

The jobs are in worker.sqlite3 in this directory, or where DATABASE_URL says, which is
mysql://user:password@host:port/name or postgres://user:password@host:port/name. Several
workers may run at once. A job whose worker was killed stays "running".
"""

from __future__ import absolute_import

import argparse
import logging
import os
import signal
import sys
import time
import traceback

import django
import six
from django.conf import settings
from six.moves.urllib.parse import unquote, urlparse

logger = logging.getLogger("worker")

# Django 1.9 renamed the second to "postgresql", and takes its old name to this day.
ENGINES = {"mysql": "mysql", "postgres": "postgresql_psycopg2"}
ENGINES["postgresql"] = ENGINES["postgres"]


def read_database_url(url):
    """Return the entry for DATABASES; without a URL it is SQLite in this directory."""
    if not url:
        return {"ENGINE": "django.db.backends.sqlite3", "NAME": "worker.sqlite3"}
    try:
        parts = urlparse(url)
        database = {
            "ENGINE": "django.db.backends." + ENGINES[parts.scheme],
            "HOST": parts.hostname,
            "NAME": unquote(parts.path[1:]),
            "PASSWORD": unquote(parts.password or ""),
            "PORT": str(parts.port or ""),
            "USER": unquote(parts.username or ""),
        }
    except (KeyError, ValueError):  # the scheme, the port
        database = {}
    if database.get("HOST") and database["NAME"]:
        return database
    sys.stderr.write(
        "DATABASE_URL is %r: it must be mysql://user:password@host:port/name or "
        "postgres://user:password@host:port/name (user, password and port may be left "
        "out), or empty for SQLite\n" % url
    )
    sys.exit(2)


DATABASE = dict(read_database_url(os.environ.get("DATABASE_URL")), CONN_MAX_AGE=60)
settings.configure(DATABASES={"default": DATABASE}, USE_TZ=True)
if hasattr(django, "setup"):  # Django 1.7+
    django.setup()

# Only now: Django 1.4 and 1.5 read the settings when django.db is imported.
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


KEYS = {
    "mysql": "integer AUTO_INCREMENT",
    "postgresql": "serial",
    "sqlite": "integer",
}


def create_table():
    """Create the table of jobs if it is missing."""
    cursor = connection.cursor()
    cursor.execute(
        "CREATE TABLE IF NOT EXISTS worker_job (id %s PRIMARY KEY, text text NOT NULL, "
        "state varchar(10) NOT NULL, error text NOT NULL)" % KEYS[connection.vendor]
    )
    cursor.close()
    connection.connection.commit()  # Django 1.4 and 1.5 have no autocommit


class Stop(object):
    """What Ctrl-C and SIGTERM set; a job that runs is finished first."""

    def __init__(self):
        self.requested = False
        for signum in (signal.SIGINT, signal.SIGTERM):
            signal.signal(signum, self.request)

    def request(self, signum, frame):
        self.requested = True

    def wait(self, seconds):
        """Wait for that long, or until it is set."""
        end = time.time() + seconds
        while not self.requested and time.time() < end:
            time.sleep(0.05)


def run(stop, idle, once=False):
    """Do the jobs until told to stop; with ``once``, until none is left."""
    while not stop.requested:
        try:
            close_old_connections()  # those that broke or grew old meanwhile
            job = take_job()
            if job is not None:
                do(job)
            elif once:
                break
            else:
                stop.wait(idle)
        except Exception:  # until Django 1.5 it may be a driver's own class
            logger.exception("no database just now, the worker goes on")
            close_all_connections()
            stop.wait(idle)


def take_job():
    """Return the next job, which no other worker has, or None."""
    while True:
        found = list(Job.objects.filter(state="new").order_by("id")[:1])
        if not found:
            return None
        # This matches no row if another worker was faster.
        if Job.objects.filter(id=found[0].id, state="new").update(state="running"):
            return found[0]


def do(job):
    """Run a job and record how it ended."""
    logger.info("job %d runs: %s", job.id, job.text)
    name, _, argument = job.text.partition(" ")
    result = {"state": "done"}
    try:
        TASKS[name](argument)
    except Exception:
        error = six.ensure_text(traceback.format_exc(), errors="replace")
        result = {"state": "failed", "error": error}
    try:
        close_old_connections()  # the job may have broken them
        Job.objects.filter(id=job.id).update(**result)
    except Exception:  # lost while the job ran: the result is worth a second try
        close_all_connections()
        Job.objects.filter(id=job.id).update(**result)
    logger.info("job %d is %s", job.id, result["state"])


def say(text):
    logger.info("%s", text)


def sleep(seconds):
    end = time.time() + float(seconds)
    while time.time() < end:  # on Python 2.7 a signal ends time.sleep early
        time.sleep(0.05)


def fail(text):
    raise RuntimeError(text)


TASKS = {"say": say, "sleep": sleep, "fail": fail}


def main():
    parser = argparse.ArgumentParser(description="A worker, its jobs in a database.")
    commands = parser.add_subparsers(dest="command")
    commands.required = True
    add = commands.add_parser("add", help="add jobs")
    add.add_argument("text", nargs="+", help="say WORDS, sleep SECONDS or fail WORDS")
    work = commands.add_parser("run", help="run jobs until Ctrl-C or SIGTERM")
    work.add_argument("--once", action="store_true", help="end when none is left")
    work.add_argument("--idle", type=float, default=1, help="seconds between looks")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    stop = Stop()
    try:
        try:
            create_table()
        except Exception:  # another worker may have been at it; or it fails again
            close_all_connections()
            create_table()
        if arguments.command == "run":
            logger.info("the worker has started")
            run(stop, arguments.idle, arguments.once)
        else:
            for text in arguments.text:
                Job.objects.create(text=six.ensure_text(text))
    finally:
        close_all_connections()


if __name__ == "__main__":
    main()
