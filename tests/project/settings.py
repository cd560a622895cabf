"""The settings of the project; a test passes its values as JSON."""

from __future__ import absolute_import

import json
import os
import threading

from support import drivers

drivers.choose()
READ_BY = threading.current_thread().name

ALLOWED_HOSTS = ["*"]
MIDDLEWARE_CLASSES = []
ROOT_URLCONF = "urls"
SECRET_KEY = "for tests"
USE_TZ = True

globals().update(json.loads(os.environ["DJANGO_COMPAT_TEST_SETTINGS"]))
