"""``python -m django_compat audit``: what it finds, and in which form."""

from __future__ import absolute_import

import io
import json
import os
import subprocess
import sys
import textwrap

import pytest

from django_compat._cli.main import main
from django_compat._cli.places import Places, parse_range
from django_compat._cli.sources import find_templates
from support.repository import ROOT

IS_NEW = sys.version_info >= (3, 10)
if IS_NEW:
    from django_compat._cli.audit import Reader, describe_finding, read_file

needs_310 = pytest.mark.skipif(not IS_NEW, reason="audit needs Python 3.10 or newer")

# Programs: a range, the source, and the findings: lines with what the finding names.
CASES = {
    "an import that vanished": (
        ">=2.0",
        "from django.core.urlresolvers import reverse, resolve",
        ["1 django.core.urlresolvers.resolve", "1 django.core.urlresolvers.reverse"],
    ),
    "an import that is not there yet": (
        ">=1.8",
        "from django.urls import (\n    reverse,\n    path,\n)",
        ["2 django.urls.reverse", "3 django.urls.path"],
    ),
    "an import that only warns": (
        ">=1.10,<2",
        "from django.core.urlresolvers import reverse",
        ["1 django.core.urlresolvers.reverse"],
    ),
    "an import of the whole range": (
        ">=1.10",
        "from django.urls import reverse\nfrom django.db import models as m\nm.Model",
        [],
    ),
    "a module": (
        ">=2.0",
        "import django.core.urlresolvers, django.db\nimport django.utils.six as s",
        ["1 django.core.urlresolvers", "2 django.utils.six"],
    ),
    "a name that no Django has": (
        ">=4.2",
        "from django.db import nonsense\nimport django.nonsense",
        ["1 django.db.nonsense", "2 django.nonsense"],
    ),
    "other packages": (
        ">=4.2",
        "from djangorestframework import x\nfrom .django import y\nimport djangox.z",
        [],
    ),
    "an attribute of an alias": (
        ">=3.0",
        """
        from django.utils import encoding
        import django.db.models as m
        encoding.smart_text("x"), encoding.smart_str("x")
        class Thing(m.NullBooleanField): pass
        """,
        ["4 django.utils.encoding.smart_text", "5 django.db.models.NullBooleanField"],
    ),
    "an attribute of a package": (
        ">=2.0",
        "import django\ndjango.utils.translation.ugettext\ndjango.utils.timezone.now",
        ["2 django.utils.translation.ugettext"],
    ),
    "an alias that is rebound": (
        ">=3.0",
        """
        from django.utils import encoding
        def f(encoding):
            return encoding.smart_text
        def g():
            encoding = object()
            return encoding.smart_text
        def h():
            return encoding.smart_text
        encoding = None
        """,
        [],
    ),
    "an attribute in a function": (
        ">=4.0",
        "from django.utils import encoding as e\ndef f():\n    return e.smart_text",
        ["3 django.utils.encoding.smart_text"],
    ),
    "getattr": (
        ">=4.0",
        "from django.utils import encoding as e\n"
        "getattr(e, 'smart_text')\ngetattr(e, 'smart_text', None)",
        ["2 django.utils.encoding.smart_text"],
    ),
    "getattr with a name from elsewhere": (
        ">=4.0",
        "from django.utils import encoding as e\nx = [getattr(e, n) for n in names]",
        [],
    ),
    "defaults of functions, keys of a dict, and parts of an f-string": (
        ">=4.0",
        """
        from django.utils import encoding as e
        def f(a, b=e.smart_text, *, c, d=e.force_text): pass
        g = lambda a, b=e.smart_text, *, c, d=e.force_text: a
        x = {e.smart_text: 1, **y}
        z = f"{e.smart_text} or django.utils.six"
        """,
        [
            "3 django.utils.encoding.smart_text",
            "3 django.utils.encoding.force_text",
            "4 django.utils.encoding.smart_text",
            "4 django.utils.encoding.force_text",
            "5 django.utils.encoding.smart_text",
            "6 django.utils.encoding.smart_text",
        ],
    ),
    "a ladder of imports": (
        ">=1.4",
        """
        try:
            from django.urls import reverse
        except ImportError:
            from django.core.urlresolvers import reverse
        """,
        [],
    ),
    "a ladder with the old place first": (
        ">=1.4",
        """
        try:
            from django.core.urlresolvers import reverse
        except ImportError:
            from django.urls import reverse
        """,
        ["3 django.core.urlresolvers.reverse"],  # it warns in 1.10 and 1.11
    ),
    "a ladder of three": (
        ">=1.4",
        """
        try:
            from django.apps import apps
            get_model = apps.get_model
        except ImportError:
            try:
                from django.db.models.loading import get_model
            except ImportError:
                from django.db.models import get_model
        """,
        ["8 except"],  # each Django without django.apps has loading
    ),
    "a ladder with a hole": (
        ">=1.4",
        """
        try:
            from django.urls import path
        except ImportError:
            from django.urls import re_path as path
        """,
        ["5 django.urls.re_path"],
    ),
    "a ladder that no Django of the range needs": (
        ">=2.0",
        """
        try:
            from django.urls import reverse
        except ImportError:
            from django.core.urlresolvers import reverse
        """,
        ["4 except"],
    ),
    "a ladder whose first branch no Django of the range has": (
        ">=2.0",
        """
        try:
            from django.core.urlresolvers import reverse
        except (ImportError, AttributeError):
            from django.urls import reverse
        """,
        ["3 try"],
    ),
    "a ladder on a library that may be missing": (
        ">=1.9",
        """
        try:
            from django.contrib.postgres import fields
        except ImportError:
            fields = None
        """,
        [],
    ),
    "a ladder that ends with None": (
        ">=1.4",
        "try:\n    from django.urls import path\nexcept ImportError:\n    path = None",
        [],
    ),
    "a ladder that raises again": (
        ">=1.4",
        "try:\n    from django.urls import path\n"
        "except ImportError:\n    raise RuntimeError('old')",
        ["2 django.urls.path"],
    ),
    "a ladder that catches another error": (
        ">=1.4",
        "try:\n    from django.urls import path\nexcept ValueError:\n    path = None",
        ["2 django.urls.path"],
    ),
    "an except without an error catches each": (
        ">=1.4",
        "try:\n    from django.urls import path\nexcept:\n    path = None",
        [],
    ),
    "a ladder on names of Python and of objects": (
        ">=2.0",
        """
        import os
        from django.db.models import Model
        try:
            text = unicode
        except Exception:
            text = str
        try:
            manager = Model.objects
            size = unknown.size
        except AttributeError:
            manager = None
        try:
            nice = os.nice
        except AttributeError:
            nice = None
        """,
        [],
    ),
    "a ladder of paths that are imported at run time": (
        ">=1.10",
        """
        from importlib import import_module
        try:
            urls = import_module("django.nonsense")
        except ImportError:
            urls = import_module("django.core.urlresolvers")
        """,
        ["6 django.core.urlresolvers"],
    ),
    "a path that a ladder hands on": (
        ">=2.0",
        """
        try:
            later("django.utils.six")
        except ImportError:
            pass
        """,
        ["3 django.utils.six"],
    ),
    "ModuleNotFoundError catches no missing name": (
        ">=1.10",
        """
        try:
            from django.urls import path
        except ModuleNotFoundError:
            path = None
        """,
        ["3 django.urls.path", "4 except"],
    ),
    "a ladder of attributes": (
        ">=1.4",
        """
        from django.utils import timezone
        try:
            utc = timezone.utc
        except AttributeError:
            from datetime import timezone as tz
            utc = tz.utc
        """,
        ["4 django.utils.timezone.utc"],  # it warns in 4.1 and 4.2
    ),
    "a ladder on another package": (
        ">=2.0",
        """
        try:
            import psycopg2
        except ImportError:
            from django.core.urlresolvers import reverse
        """,
        ["5 django.core.urlresolvers.reverse"],
    ),
    "an alias that a ladder binds": (
        ">=1.4",
        """
        try:
            from django.utils import six
        except ImportError:
            import six
        six.text_type, six.nonsense
        """,
        ["6 django.utils.six.nonsense"],
    ),
    "a ladder in a ladder": (
        ">=1.4",
        """
        try:
            try:
                from django.urls import path
            except ValueError:
                pass
        except ImportError:
            path = None
        """,
        [],
    ),
    "a long sum": (
        ">=4.0",
        "from django.utils import encoding\nx = encoding.smart_text"
        + " + encoding.smart_str" * 900,
        ["2 django.utils.encoding.smart_text"],
    ),
    "else of a ladder": (
        ">=1.4",
        """
        try:
            from django.urls import path
        except ImportError:
            path = None
        else:
            from django.urls import re_path
        """,
        [],
    ),
    "suppress": (
        ">=1.4",
        """
        from contextlib import suppress
        with suppress(ImportError):
            from django.urls import path
        """,
        [],
    ),
    "a version": (
        ">=1.4",
        """
        import django
        if django.VERSION >= (2, 0):
            from django.urls import path
        elif django.VERSION[:2] >= (1, 10):
            from django.urls import reverse
        else:
            from django.core.urlresolvers import reverse
        """,
        [],
    ),
    "a version the wrong way round": (
        ">=1.10",
        """
        from django import VERSION
        if VERSION < (2, 0):
            from django.urls import path
        else:
            from django.core.urlresolvers import reverse
        """,
        ["4 django.urls.path", "6 django.core.urlresolvers.reverse"],
    ),
    "a version that has a name": (
        ">=1.4",
        """
        import django
        IS_NEW = django.VERSION[0] >= 2
        if not IS_NEW:
            from django.core.urlresolvers import reverse
        if IS_NEW and True:
            from django.urls import path
        from django.urls import path if False else None
        """.replace("        from django.urls import path if False else None\n", ""),
        ["5 django.core.urlresolvers.reverse"],  # it warns in 1.10 and 1.11
    ),
    "a version as a text": (
        ">=1.4",
        """
        import django
        from distutils.version import LooseVersion
        if LooseVersion(django.get_version()) >= LooseVersion("1.10"):
            from django.urls import reverse
        """,
        [],
    ),
    "a version in two parts": (
        ">=1.4",
        """
        import django
        major, minor = django.VERSION[:2]
        old, new = 1, django.VERSION[0]
        if major >= 2 or (major, minor) >= (1, 10):
            from django.urls import reverse
        if new > old:
            from django.urls import path
        """,
        [],
    ),
    "a version in parts that audit does not follow": (
        ">=1.4",
        """
        import django
        major, *rest = django.VERSION
        if major >= 2:
            from django.urls import path
        major, minor = (*django.VERSION[:2],)
        if major >= 2:
            from django.urls import re_path
        settings.MAJOR, minor = django.VERSION[:2]
        if minor >= 9:
            from django.urls import get_resolver
        """,
        ["5 django.urls.path", "8 django.urls.re_path", "11 django.urls.get_resolver"],
    ),
    "methods of a version as a text": (
        ">=1.4,<1.10",
        """
        import django
        if not django.get_version().startswith("1.4"):
            from django.db.models.constants import LOOKUP_SEP
        if int(django.get_version().split(".")[1]) >= 8:
            from django.core.checks import Error
            from django.template import engines
        if ".".join(map(str, django.VERSION[:2])) == "1.4":
            from django.core.checks import Warning
        if float(".".join(django.get_version().split(".")[:2])) >= 1.7:
            from django.core.checks import Tags
        """,
        ["9 django.core.checks.Warning"],
    ),
    "a version as the text __version__": (
        ">=1.8",
        """
        import django
        from django import __version__ as version
        if not django.__version__.startswith("1."):
            from django.urls import path
        if tuple(map(int, version.split(".")[:2])) >= (2, 0):
            from django.urls import path
        """,
        [],
    ),
    "conditions that audit cannot tell": (
        ">=1.8",
        """
        import django
        from django.conf import settings
        from .versions import find_oldest
        if django.VERSION[0] * 100 + django.VERSION[1] >= 200:
            from django.urls import path
        if tuple(map(parse_part, django.VERSION)) >= (2, 0):
            from django.urls import path
        if django.VERSION.startswith("2."):
            from django.urls import path
        if django.VERSION >= oldest:
            from django.urls import path
        if django.VERSION >= find_oldest():
            from django.urls import path
        if django.VERSION is None:
            from django.urls import path
        is_new = find_oldest() != 1
        if is_new:
            from django.urls import path
        if hasattr(settings, "OLDEST") and django.VERSION:
            from django.urls import path
        if hasattr(parse_part, "oldest"):
            from django.urls import path
        if +django.VERSION[0] >= 2:
            from django.urls import path
        """,
        [
            "%d django.urls.path" % line
            for line in (6, 8, 10, 12, 14, 16, 19, 21, 23, 25)
        ],
    ),
    "a version, counted from its end": (
        ">=1.4",
        """
        import django
        if django.VERSION[:-3] >= (2, 0):
            from django.urls import path
        """,
        [],
    ),
    "a version, or something else": (
        ">=1.8",
        """
        import django
        from .settings import is_new
        IS_NEW = is_new or django.VERSION >= (2, 0)
        if not IS_NEW:
            from django.core.urlresolvers import nonsense
        if IS_NEW:
            from django.urls import path
        """,
        ["6 django.core.urlresolvers.nonsense", "8 django.urls.path"],
    ),
    "a name that stands for itself": (
        ">=1.8",
        """
        import django
        flag = flag or not flag or django.VERSION < (1, 8)
        if flag:
            from django.core.urlresolvers import nonsense
        """,
        ["5 django.core.urlresolvers.nonsense"],
    ),
    "a condition that chooses a value": (
        ">=1.10",
        """
        import django, sys
        from django.utils import six
        NAME = django.VERSION >= (2, 0) and "new" or "old"
        if NAME == "new":
            from django.urls import path
        if (sys.version_info[0] == 2 and 2 or 3) == 2:
            from django.utils.encoding import smart_unicode
        if (django.VERSION[0] or 1) >= 2:
            from django.urls import path
        if bool(not django.VERSION < (2, 0)):
            from django.urls import path
        """,
        ["3 django.utils.six"],
    ),
    "assert": (
        ">=1.4",
        """
        import django
        def f():
            assert django.VERSION >= (2, 0)
            from django.urls import path
        from django.urls import path
        """,
        ["6 django.urls.path"],
    ),
    "and, or, and a conditional expression": (
        ">=1.4",
        """
        import django
        from django.utils import encoding as e
        text = e.smart_text if django.VERSION < (3, 0) else e.smart_str
        old = django.VERSION < (3,) and e.smart_text
        new = django.VERSION >= (3,) or e.smart_text
        either = django.VERSION >= (2,) or e.smart_text is e.nonsense
        """,
        ["7 django.utils.encoding.nonsense"],
    ),
    "a chain": (
        ">=1.4",
        """
        import django
        if (1, 10) <= django.VERSION < (2, 0):
            from django.urls import get_callable, RegexURLPattern
        """,
        [],
    ),
    "a version that the range decides": (
        ">=3.2",
        """
        import django
        if django.VERSION >= (2, 0):
            from django.urls import path
        if django.VERSION < (1, 10):
            from django.core.urlresolvers import reverse
        """,
        ["3 if", "5 if"],
    ),
    "after an exit": (
        ">=1.4",
        """
        import django
        if django.VERSION < (2, 0):
            raise ImportError("too old")
        from django.urls import path
        def f():
            if django.VERSION < (4, 0):
                return None
            from django.utils.encoding import smart_text
        """,
        ["9 django.utils.encoding.smart_text"],
    ),
    "after an exit in else, and after one that the whole range takes": (
        ">=1.8",
        """
        import django
        if django.VERSION >= (2, 0):
            new = True
        else:
            raise ImportError("too old")
        from django.urls import path
        def f():
            if django.VERSION >= (1, 8):
                return None
            from django.nonsense import x
        """,
        ["9 if"],
    ),
    "a part of a condition that no Django reaches": (
        ">=4.0",
        """
        import django
        from django.utils import encoding as e
        text = django.VERSION < (3,) and e.smart_text
        """,
        [],
    ),
    "hasattr": (
        ">=1.4",
        """
        import django
        from django.db import models
        if hasattr(django, "setup"):
            django.setup()
        if hasattr(models, "JSONField"):
            models.JSONField
        if hasattr(models, "nonsense"):
            models.JSONField
        """,
        ["8 if"],
    ),
    "hasattr of a module that has two places": (
        ">=1.8",
        """
        try:
            from django import urls
        except ImportError:
            from django.core import urlresolvers as urls
        if hasattr(urls, "path"):
            urls.path
        """,
        [],
    ),
    "hasattr of other packages": (
        ">=1.8",
        """
        import json
        if hasattr(json, "JSONDecodeError"):
            from django.urls import path
        """,
        ["4 django.urls.path"],
    ),
    "the major version of Python": (
        ">=1.4,<2",
        """
        import sys
        if sys.version_info.major == 2:
            from django.utils.encoding import smart_unicode
        if sys.version_info.major < 2:
            from django.utils.encoding import nonsense
        """,
        [],
    ),
    "Python 2": (
        ">=1.4",
        """
        from django.utils import six
        import sys
        if six.PY2:
            from django.utils.encoding import smart_unicode
        if sys.version_info[0] == 2:
            from django.utils.encoding import force_unicode
        if sys.version_info >= (3, 10):
            from django.core.validators import URLValidator, nonsense
        """,
        ["2 django.utils.six", "9 django.core.validators.nonsense"],
    ),
    "Python 2 by the six of django_compat": (
        ">=1.4",
        """
        from django_compat import six
        if six.PY2:
            from django.utils.encoding import smart_unicode
        """,
        [],
    ),
    "TYPE_CHECKING": (
        ">=2.2",
        """
        import typing
        from typing import TYPE_CHECKING
        if TYPE_CHECKING:
            from django.nonsense import X
        if typing.TYPE_CHECKING:
            from django.nonsense import Y
        else:
            from django.nonsense import Z
        """,
        ["9 django.nonsense.Z"],
    ),
    "TYPE_CHECKING under another name": (
        ">=2.2",
        """
        from typing import TYPE_CHECKING as TC
        if TC:
            from django.nonsense import X
        if not TC:
            from django.nonsense import Y
        """,
        ["6 django.nonsense.Y"],
    ),
    "TYPE_CHECKING of an unknown place": (
        ">=2.2",
        """
        from .types import *
        if TYPE_CHECKING:
            from django.nonsense import X
        else:
            from django.nonsense import Y
        """,
        ["6 django.nonsense.Y"],
    ),
    "tests that are skipped": (
        ">=1.4",
        """
        import django, unittest
        from django.db import models
        class T(unittest.TestCase):
            @unittest.skipIf(django.VERSION < (3, 1), "no JSONField")
            def test_new(self):
                models.JSONField
            @unittest.skipUnless(django.VERSION < (3, 1), "JSONField")
            def test_old(self):
                models.JSONField
        """,
        ["10 django.db.models.JSONField"],
    ),
    "a test that is skipped on the whole range": (
        ">=1.4",
        """
        import django, unittest
        from django.db import models
        @unittest.skipIf(django.VERSION >= (1, 4), "broken")
        def test_x():
            models.nonsense
        """,
        [],
    ),
    "tests that skip themselves, or by a decorator with a name": (
        ">=1.4",
        """
        import django, pytest, unittest
        from django.db import models
        needs_31 = pytest.mark.skipif(django.VERSION < (3, 1), reason="no JSONField")
        class T(unittest.TestCase):
            def test_new(self):
                if django.VERSION < (3, 1):
                    self.skipTest("no JSONField")
                models.JSONField
            @needs_31
            def test_newer(self):
                models.JSONField
            def test_old(self):
                models.JSONField
        if django.VERSION < (2, 0):
            pytest.skip("no path", allow_module_level=True)
        from django.urls import path
        """,
        ["14 django.db.models.JSONField"],
    ),
    "a star": (
        ">=1.4",
        """
        from django.conf.urls.defaults import *
        urls = patterns("", url("x", include("y")), len([]))
        """,
        ["2 django.conf.urls.defaults"],
    ),
    "names of a star": (
        ">=1.4",
        "from django.conf.urls import *\nx = patterns(), handler500, include, print()",
        ["2 django.conf.urls.patterns"],
    ),
    "a name of the second of two stars": (
        ">=4.0",
        """
        from django.conf.urls import *
        from django.utils.encoding import *
        x = smart_text("x")
        """,
        ["4 django.utils.encoding.smart_text"],
    ),
    "names of two stars": (
        ">=1.4",
        "from django.conf.urls import *\nfrom .urls import *\nurls = patterns()",
        [],
    ),
    "settings": (
        ">=2.0",
        """
        MIDDLEWARE = ["django.middleware.common.CommonMiddleware",
            "django.contrib.auth.middleware.SessionAuthenticationMiddleware"]
        DATABASES = {"x": {"ENGINE": "django.db.backends.postgresql_psycopg2"}}
        PROCESSORS = ["django.core.context_processors.debug"]
        BACKEND = "django.core.cache.backends.memcached.MemcachedCache"
        LOGGERS = {"django.request": 1, "django.security.DisallowedHost": 2}
        """,
        [
            "3 django.contrib.auth.middleware.SessionAuthenticationMiddleware",
            "4 django.db.backends.postgresql_psycopg2",
            "5 django.core.context_processors.debug",
            "6 django.core.cache.backends.memcached.MemcachedCache",
        ],
    ),
    "texts that nobody imports": (
        ">=2.0",
        '"""django.core.urlresolvers"""\n'
        'if x == "django.core.urlresolvers" or x in ("django.utils.six",): pass\n'
        'f"django.utils.six"\n"see django.utils.six"',
        [],
    ),
    "texts that name nothing of any Django": (
        ">=2.0",
        "x = 'django.nonsense', 'django.db.nonsense', 'django.nonsense.x.y'",
        [],
    ),
    "names of loggers, and what the test runner sets": (
        ">=2.0",
        """
        import logging
        from django.core import mail
        logging.getLogger("django.db.backends.schema")
        LOGGERS = {"django.db.backends.schema": {}}
        mail.outbox
        """,
        [],
    ),
    "a template in a program": (
        ">=4.0",
        'Template("""\n{% load static %}\n{% load url from future %}\n""")',
        ["3 {% load future %}"],
    ),
    "a template for the Djangos that have its library": (
        ">=1.4",
        """
        import django
        if django.VERSION < (1, 9):
            Template("{% load url from future %}")
        """,
        [],
    ),
    "a scope above a task": (
        ">=4.2",
        """
        from django_compat import fresh_connections, closing_connections as closing
        @fresh_connections
        @shared_task
        def wrong(): pass
        @closing()
        @app.task(bind=True)
        def wrong_too(self): pass
        @app.task
        @fresh_connections
        def right(): pass
        @fresh_connections
        @cached
        def right_too(): pass
        from celery import shared_task as tasks
        @fresh_connections
        @tasks
        def wrong_as_well(): pass
        @fresh_connections
        @background(schedule=60)
        def wrong_for_background_tasks(): pass
        @fresh_connections
        @scheduler.scheduled_job("interval", minutes=1)
        def wrong_for_apscheduler(): pass
        """,
        [
            "3 django_compat.fresh_connections",
            "6 django_compat.closing",
            "16 django_compat.fresh_connections",
            "19 django_compat.fresh_connections",
            "22 django_compat.fresh_connections",
        ],
    ),
    "close_connection": (
        ">=1.4",
        """
        from django.db import close_connection
        from django_compat import close_connection
        import django.db, django_compat
        django.db.close_connection()
        django_compat.close_connection()
        """,
        [
            "2 django.db.close_connection",
            "3 django_compat.close_connection",
            "5 django.db.close_connection",
            "6 django_compat.close_connection",
        ],
    ),
    "a comment": (
        ">=2.0",
        """
        from django.utils.six import text_type  # django-compat: ignore
        from django.utils.six import (
            text_type,  # noqa, django-compat: ignore
            # django-compat: ignore
            binary_type,
        )
        from django.utils.six import (  # django-compat: ignore
            StringIO,
        )
        from django.utils.six import (
            StringIO,
        )  # django-compat: ignore
        """,
        ["6 django.utils.six.binary_type"],
    ),
    "a comment below a form feed, and below a text with a line separator": (
        ">=2.0",
        "x = '\u2028'\n\x0c\n"
        "from django.utils.six import text_type  # django-compat: ignore\n"
        "from django.utils.six import StringIO\n",
        ["4 django.utils.six.StringIO"],
    ),
}


def audit(source, django):
    """Return the lines and names of the findings in a source."""
    reader = Reader(Places(parse_range(django)), "module.py", source.encode("utf-8"))
    return ["%d %s" % (f.line, f.name) for f in reader.findings]


@needs_310
@pytest.mark.parametrize("case", sorted(CASES))
def test_findings(case):
    """Audit finds what the case lists, and nothing else."""
    django, source, expected = CASES[case]
    assert sorted(audit(textwrap.dedent(source), django)) == sorted(expected)


@pytest.mark.skipif(sys.version_info < (3, 12), reason="Python 3.12+ has this syntax")
def test_type_parameters_are_read():
    """The bounds of type parameters are uses, too."""
    source = """
from django.utils import translation as t
def f[T: t.ugettext](): pass
class C[T: t.ugettext]: pass
type X = t.ugettext
"""
    name = "django.utils.translation.ugettext"
    assert audit(source, ">=4") == ["%d %s" % (line, name) for line in (3, 4, 5)]


@pytest.mark.skipif(sys.version_info < (3, 14), reason="no t-strings before 3.14")
def test_template_strings_are_read_like_f_strings():
    """Their parts of text name no module."""
    source = """
from django.utils import encoding as e
t"django.utils.six"
x = t"{e.smart_text} or django.utils.six"
"""
    assert audit(source, ">=4.0") == ["4 django.utils.encoding.smart_text"]


@needs_310
def test_name_that_no_django_has_gets_no_advice():
    """``django_compat.django`` is Django itself, and does not help."""
    reader = Reader(Places(), "module.py", b"from django import nonsense")
    assert reader.findings[0].advice.kind == "none"


# A range, a name of Django, and how the sentence begins.
SENTENCES = [
    (">=1.4", "django.db.nonsense", "in no Django"),
    (">=1.11", "django.urls.path", "not in Django 1.11 (only from 2.0 on). Instead: "),
    (
        ">=1.4,<1.7",
        "django.conf.import_by_path",
        "not in Django 1.4 to 1.5 (only 1.6 has it). Instead: ",
    ),
    (
        ">=1.11,<2.1",
        "django.core.urlresolvers.reverse",
        "not in Django 2.0 (1.4 to 1.11 have it); warns in Django 1.11. Instead: ",
    ),
]


@needs_310
@pytest.mark.parametrize(("django", "name", "start"), SENTENCES)
def test_sentence_tells_which_djangos_have_a_name(django, name, start):
    """A reader sees which release is in the way."""
    source = "from %s import %s" % tuple(name.rsplit(".", 1))
    reader = Reader(Places(parse_range(django)), "module.py", source.encode("ascii"))
    (sentence,) = map(describe_finding, reader.findings)
    assert sentence.startswith("%s: %s" % (name, start))


# A range, a name of Django, and how the sentence ends.
ADVICE = [
    (">=1.8", "django.utils.datetime_safe", "in Django 4.0 to 4.2. Instead: datetime"),
    (">=5", "django.utils.datetime_safe.datetime", "have it). Instead: datetime"),
    (">=2.2", "django.db.models.loading", "have it). Instead: apps"),
    (">=2.2", "django.db.models.loading.AppCache", "have it). Instead: apps"),
    (">=1.4", "django.db.migrations.Migration", "from 1.7 on). Instead: use South"),
    (
        ">=1.4",
        "django.core.context_processors.debug",
        "Instead: from django_compat import context_processors, then "
        "context_processors.debug",
    ),
    (
        ">=2.0",
        "django.contrib.formtools.preview.FormPreview",
        "have it). A package of its own since 1.8: django-formtools.",
    ),
    (">=1.4", "django.db.models.expressions.Func", "(only from 1.8 on)"),
]


@needs_310
@pytest.mark.parametrize(("django", "name", "end"), ADVICE)
def test_sentence_ends_with_advice_or_without(django, name, end):
    """What a row or a reason says, unless it says only that older Djangos lack it."""
    source = "from %s import %s" % tuple(name.rsplit(".", 1))
    reader = Reader(Places(parse_range(django)), "module.py", source.encode("ascii"))
    (sentence,) = map(describe_finding, reader.findings)
    assert sentence.endswith(end)


@needs_310
def test_app_config_is_told_where_django_warns_of_it(tmp_path):
    """Django 3.2 and 4.0 warn of default_app_config; 4.1 ignores it."""
    path = tmp_path / "__init__.py"
    path.write_text("default_app_config = 'app.apps.Config'\n")
    found = {
        django: [f.name for f in read_file(str(path), Places(parse_range(django)))]
        for django in ("<3.2", "<4", ">=4.1")
    }
    told = ["default_app_config"]
    assert found == {"<3.2": [], "<4": told, ">=4.1": told}


@needs_310
def test_templates(tmp_path):
    """Audit names the libraries, tags and filters that went, outside of comments."""
    path = tmp_path / "page.html"
    path.write_text(
        "{% load i18n static staticfiles own %}\n"
        "{% load url from future %}{# {% load future %} #}\n"
        "{% comment %}\n{% load future %}\n{% endcomment %}\n"
        "{% ifequal a b %}{{ x|length_is:1 }}{{ x|length }}\n"
        "{% load future %}{# django-compat: ignore #}\n"
    )
    found = read_file(str(path), Places(parse_range(">=3.0")))
    assert ["%d %s" % (f.line, f.name) for f in found] == [
        "1 {% load staticfiles %}",
        "2 {% load future %}",
        "6 {% ifequal %}",
        "6 {{ |length_is }}",
    ]


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Make a small program, and go to its folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "app").mkdir()
    text = "import os\nfrom django.core.urlresolvers import reverse\n"
    (tmp_path / "app" / "views.py").write_text(text)
    (tmp_path / "app" / "good.py").write_text("from django.db import models\n")
    (tmp_path / "app" / "notes.txt").write_text("{% load future %}\n")
    hidden = tmp_path / "app" / ".hidden"
    hidden.mkdir()
    (hidden / "views.py").write_text(text)
    return tmp_path


VIEWS = (
    "django.core.urlresolvers.reverse: not in Django 2.0 to 6.1 (1.4 to 1.11 have it)"
    ". Instead: from django.urls import reverse"
)


@needs_310
def test_text_names_file_line_releases_and_successor(program, capsys):
    assert main(["audit", "app", "--django", ">=2.0"]) == 1
    out, err = capsys.readouterr()
    place = os.path.join("app", "views.py") + ":2:38: "
    last = "1 found, in 1 of 2 files, for Django 2.0 to 6.1"
    assert out.splitlines() == [place + VIEWS, last]
    assert err == ""  # no progress bar: stderr is no terminal


@needs_310
def test_nothing_found_is_exit_code_0(program, capsys):
    assert main(["audit", "app/good.py"]) == 0
    assert capsys.readouterr().out.startswith("Nothing found in 1 files")


@needs_310
def test_json_has_the_facts(program, capsys):
    assert main(["audit", "app", "--django", ">=1.11,<3", "--format", "json"]) == 1
    report = json.loads(capsys.readouterr().out)
    (finding,) = report["findings"]
    assert report["files"] == 2 and report["skipped"] == []
    assert report["range"] == ["1.11", "2.0", "2.1", "2.2"]
    assert finding["missing"] == ["2.0", "2.1", "2.2"]
    assert finding["warned"] == ["1.11"]
    assert (finding["first"], finding["last"]) == ("1.4", "1.11")
    assert (finding["line"], finding["column"], finding["kind"]) == (2, 38, "import")
    assert finding["at_import"] is True
    assert finding["instead"] == {
        "kind": "place",
        "module": "django.urls",
        "name": "reverse",
        "text": "from django.urls import reverse",
    }


@needs_310
def test_github_has_a_command_for_each_finding(program, capsys):
    main(["audit", "app", "--django", ">=2.0", "--format", "github"])
    place = os.path.join("app", "views.py")
    expected = "::error file=%s,line=2,col=38::%s" % (place, VIEWS)
    assert capsys.readouterr().out.strip() == expected


@needs_310
@pytest.mark.parametrize(
    ("source", "reason"),
    [
        (b"print 'x'\n", "Python 2's syntax"),
        pytest.param(
            b"try:\n    x\nexcept E, e:\n    pass\n",
            "Python 2's syntax",
            marks=pytest.mark.skipif(
                sys.version_info >= (3, 14), reason="Python 3.14+ has this syntax too"
            ),
        ),
        (b"def f(:\n", "not Python 3: line 1"),
        (b"x = 1\0\n", "not Python 3"),
        (b"# coding: nonsense\n", "not Python 3"),
        (b"\xff\n", "not Python 3"),
        (b"-" * 100000 + b"1\n", "not Python 3"),
        (b"x = " + b"a(" * 90 + b")" * 90 + b".b" * 900 + b"\n", "nested too deeply"),
    ],
)
def test_file_that_cannot_be_parsed_is_named_and_skipped(
    program, capsys, source, reason
):
    """The others are read; the exit code is 2."""
    (program / "app" / "broken.py").write_bytes(source)
    assert main(["audit", "app", "--django", ">=2.0"]) == 2
    out, err = capsys.readouterr()
    assert "broken.py: skipped: " in err and reason in err
    assert VIEWS in out and out.endswith("; skipped: 1\n")


@needs_310
def test_unreadable_file_is_named(program, capsys):
    (program / "app" / "gone.py").symlink_to("nowhere")
    assert main(["audit", "app"]) == 2
    assert "gone.py: " in capsys.readouterr().err


@needs_310
def test_only_files_are_read(program, capsys):
    """A pipe would keep audit waiting; an editor's lock is a link to nothing."""
    os.mkfifo("app/pipe.py")
    os.symlink("user@host.1", "app/.#views.py")
    assert main(["audit", "app/"]) == 1
    assert "1 found, in 1 of 2 files" in capsys.readouterr().out


@needs_310
def test_files_below_templates_are_templates(program, capsys):
    """Also those that are no HTML: a sitemap, the text of a mail."""
    os.mkdir("app/templates")
    for name in ("map.xml", "mail.txt", "page.html", "picture.png"):
        (program / "app" / "templates" / name).write_text("{% load future %}")
    assert main(["audit", "app/templates"]) == 1
    assert "3 found, in 3 of 3 files" in capsys.readouterr().out


# A file that is named, whether it starts as a script does, and what audit reads in it.
KINDS = [
    ("manage", True, "python"),
    ("manage", False, "python"),
    ("manage.cgi", True, "python"),
    ("stub.pyi", False, "python"),
    ("page.html", False, "template"),
    ("mail.txt", False, "template"),
    ("page.jinja2", False, "template"),
    ("README.md", False, "template"),
]


@needs_310
@pytest.mark.parametrize(("name", "is_script", "kind"), KINDS)
def test_named_file_is_python_or_a_template(tmp_path, name, is_script, kind):
    """The suffix tells, or the first line of a script."""
    path = tmp_path / name
    tag = "{% load future %}"
    path.write_text("#!/usr/bin/env python3\n" * is_script + "x = '%s'\n" % tag)
    places = Places(parse_range(">=2"))
    (finding,) = read_file(str(path), places)
    assert finding.column == {"python": 5, "template": 1}[kind]
    assert find_templates([str(path)]) == [str(path)] * (kind == "template")


@needs_310
@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        (["app", "--django", "3"], "--django '3': '3' is no clause"),
        (["app", "--django", ">9"], "--django '>9': no Django is in it"),
        ([], "PATH"),
    ],
)
def test_bad_argument_is_one_error(program, capsys, arguments, text):
    with pytest.raises(SystemExit) as caught:
        main(["audit"] + arguments)
    assert caught.value.code == 2
    assert text in capsys.readouterr().err


@pytest.mark.skipif(IS_NEW, reason="audit runs here")
def test_old_python_gets_a_clear_message(capsys):
    with pytest.raises(SystemExit) as caught:
        main(["audit", "."])
    assert caught.value.code == 2
    assert "audit needs Python 3.10 or newer, this is" in capsys.readouterr()[1]


@needs_310
def test_findings_of_a_path_are_told_once(program, capsys):
    """A file that two paths lead to is read once."""
    main(["audit", "app", "app/views.py", "--django", ">=2"])
    assert capsys.readouterr().out.count("urlresolvers") == 1


@needs_310
def test_progress_bar_is_for_terminals_only(program):
    """On a terminal stderr has a bar; stdout has the report alone."""
    import pty

    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "django_compat", "audit", "app"]
    env = dict(os.environ, PYTHONPATH=ROOT)
    process = subprocess.run(command, stdout=subprocess.PIPE, stderr=follower, env=env)
    os.close(follower)
    with io.open(leader, "rb", buffering=0) as stream:
        assert b"2 of 2 files" in stream.read(1000)
    assert process.returncode == 1
    assert b"files]" not in process.stdout


@needs_310
def test_audit_takes_a_few_times_as_long_as_the_parser(tmp_path):
    """1,000 files of 100 lines take 5 to 8 s: a fifth of that is Python's parser.

    A machine that is busy slows both down, so the test compares them.
    """
    import ast

    path = os.path.join(ROOT, "django_compat", "_names", "table.py")
    files = [os.path.join(ROOT, "tests", "cli", "test_audit.py"), path] * 5
    sources = [io.open(file, "rb").read() for file in files]
    places = Places(parse_range(">=2.2"))

    def measure(function):
        times = []
        for _ in range(3):
            begun = os.times()[0]
            for file, source in zip(files, sources):
                function(file, source)
            times.append(os.times()[0] - begun)
        return min(times)

    parser = measure(lambda file, source: ast.parse(source))
    assert measure(lambda file, source: Reader(places, file, source)) < 15 * parser
