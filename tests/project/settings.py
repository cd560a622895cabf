"""The settings of the project that tests run in processes of its own."""

from __future__ import absolute_import

import json
import os
import sys
import threading

# As conftest.py does it.
drivers = os.environ.get("DJANGO_COMPAT_TEST_DRIVERS", "mysqlclient psycopg2").split()
if "PyMySQL" in drivers:
    import pymysql

    pymysql.install_as_MySQLdb()
if "psycopg" not in drivers:
    sys.modules["psycopg"] = None

READ_BY = threading.current_thread().name

ALLOWED_HOSTS = ["*"]
MIDDLEWARE_CLASSES = []
ROOT_URLCONF = "urls"
SECRET_KEY = "for tests"
USE_TZ = True

globals().update(json.loads(os.environ["DJANGO_COMPAT_TEST_SETTINGS"]))
