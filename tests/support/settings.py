"""Django's settings for the tests: SQLite, and two aliases a server of the run."""

from __future__ import absolute_import

import os
import sys

import django
from django.conf import settings

from support import drivers


def configure(folder):
    """Give Django its settings, with SQLite's files in this folder.

    They come before the first import of django.db: until 1.5 it reads them at once.
    """
    settings.configure(
        ALLOWED_HOSTS=["*"],
        DATABASES=databases(folder),
        INSTALLED_APPS=[],
        MIDDLEWARE_CLASSES=[],
        SECRET_KEY="for tests",
        USE_TZ=True,
    )
    if hasattr(django, "setup"):  # Django 1.7+
        django.setup()


def databases(folder):
    """Return DATABASES; a server's address follows when its fixture starts it."""
    sqlite = {"ENGINE": "django.db.backends.sqlite3"}
    databases = {
        "default": dict(sqlite, NAME=os.path.join(folder, "default.sqlite3")),
        "default_other": dict(sqlite, NAME=os.path.join(folder, "other.sqlite3")),
    }
    for vendor in drivers.SERVERS:
        if vendor not in drivers.missing:
            for alias in (vendor, vendor + "_other"):
                databases[alias] = {"ENGINE": engine(vendor)}
                if "PyMySQL" in drivers.DRIVERS and vendor == "mysql":
                    if sys.version_info >= (3, 9):
                        # PyMySQL 1.2 reads all certificates for each connection.
                        databases[alias]["OPTIONS"] = {"ssl_disabled": True}
    return databases


def engine(vendor):
    """Return the ENGINE; until Django 1.8 PostgreSQL's is named for its driver."""
    # Look for the folder: an import reads the settings until 1.5.
    backends = os.path.join(os.path.dirname(django.__file__), "db", "backends")
    if not os.path.isdir(os.path.join(backends, vendor)):
        vendor += "_psycopg2"
    return "django.db.backends." + vendor
