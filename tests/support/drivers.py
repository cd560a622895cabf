"""The database drivers of a run: Django takes one driver a vendor in a process.

``DJANGO_COMPAT_TEST_DRIVERS`` names them: "mysqlclient psycopg2", the default, or
"PyMySQL psycopg". A run of other drivers than the default ones, or with other servers
(DJANGO_COMPAT_TEST_SERVERS), repeats only the tests that ask for the fixture
``driver_set``, as each fixture of a server does. Processes that tests start choose the
same drivers by ``choose``.
"""

from __future__ import absolute_import

import os
import sys
from importlib import import_module

VENDORS = {"mysql": ("mysqlclient", "PyMySQL"), "postgresql": ("psycopg2", "psycopg")}
MODULES = {
    "mysqlclient": "MySQLdb",
    "PyMySQL": "pymysql",
    "psycopg2": "psycopg2",
    "psycopg": "psycopg",
}
DEFAULT = ["mysqlclient", "psycopg2"]
DRIVERS = os.environ.get("DJANGO_COMPAT_TEST_DRIVERS", " ".join(DEFAULT)).split()
IS_REPEAT = DRIVERS != DEFAULT or bool(os.environ.get("DJANGO_COMPAT_TEST_SERVERS"))
# The servers of this run, which are also the names of their aliases.
SERVERS = [vendor for vendor in sorted(VENDORS) if set(VENDORS[vendor]) & set(DRIVERS)]
ALIASES = ([] if IS_REPEAT else ["default"]) + SERVERS
missing = {}  # server: the reason why its driver cannot be imported


def choose():
    """Make Django import the drivers of this run, and fill ``missing``."""
    for driver in DRIVERS:
        try:
            module = import_module(MODULES[driver])
        except ImportError as error:
            (vendor,) = [name for name in VENDORS if driver in VENDORS[name]]
            missing[vendor] = "%s is not installed: %s" % (driver, error)
            continue
        if driver == "PyMySQL":
            module.install_as_MySQLdb()
    if "psycopg" not in DRIVERS:
        sys.modules["psycopg"] = None  # Django 4.2+ prefers psycopg to psycopg2


def code_of_choice():
    """Return code for the same choice in a process without tests/ on its path."""
    tests = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
    return "import sys; sys.path.append(%r)\n" % tests + (
        "from support import drivers; drivers.choose()\n"
    )


def versions():
    """Return the drivers that were imported, each with its version."""
    versions = []
    for driver in DRIVERS:
        module = sys.modules.get(MODULES[driver])
        if module:
            # mysqlclient 2 has only a tuple.
            version = getattr(module, "__version__", None) or module.version_info
            if driver == "psycopg":  # there may be no wheel of it: "python"
                version += " (%s)" % module.pq.__impl__
            versions.append("%s %s" % (driver, version))
    return versions
