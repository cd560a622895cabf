"""``python -m django_compat adopt``: what it rewrites, and what it leaves alone."""

from __future__ import absolute_import

import io
import os
import subprocess

import pytest

from support.processes import interrupt, run as run_python
from support.repository import ROOT

pytest.importorskip("libcst", reason="needs Python 3.10+, and LibCST")

from django_compat._cli.adopt import Adopter, Shared  # noqa: E402
from django_compat._cli.places import Places, parse_range  # noqa: E402

PLACES = {}


def places_of(versions):
    """Return the places of a range; each is read once."""
    if versions not in PLACES:
        PLACES[versions] = Places(parse_range(versions))
    return PLACES[versions]


def adopt(text, versions=">=2.2", path="app/models.py", shared=None):
    """Return the new text of a module, and the texts of what is left."""
    adopter = Adopter(places_of(versions), shared or Shared())
    new, left = adopter.rewrite(path, text.encode("utf-8"))
    again, _ = adopter.rewrite(path, new)
    assert again == new, "a second run changes it"
    return new.decode("utf-8"), [text for _, text in left]


def run(*arguments, **options):
    """Run the command; return exit code, stdout and stderr."""
    environment = dict(os.environ, PYTHONPATH=ROOT, PYTHONIOENCODING="utf-8")
    environment.update(options.get("environment", {}))
    name = options.get("command", "adopt")
    command = ["-m", "django_compat", name] + list(map(str, arguments))
    return run_python(command, environment)


# Range, before, after.
REWRITTEN = {
    "place": (
        ">=2.0",
        "from django.core.urlresolvers import reverse\n",
        "from django.urls import reverse\n",
    ),
    "shim": (
        ">=1.8",
        "from django.core.urlresolvers import reverse\n",
        "from django_compat import reverse\n",
    ),
    "new name in the same module, alias kept": (
        ">=2.0",
        "from django.utils.translation import ugettext_lazy as _\n",
        "from django.utils.translation import gettext_lazy as _\n",
    ),
    "the module keeps the names it binds": (
        ">=2.0",
        "from django.utils.encoding import force_text\n",
        "from django.utils.encoding import force_str as force_text\n",
    ),
    "some names stay": (
        ">=2.0",
        "from django.db import models, close_connection\n",
        "from django.db import models\n"
        "from django_compat import close_all_connections as close_connection\n",
    ),
    "comments of names move with them": (
        ">=2.0",
        "from django.conf.urls import (\n"
        "    handler404,  # pages\n"
        "    # routes\n"
        "    url,  # old\n"
        "    include,\n"
        ")\n",
        "from django.conf.urls import (\n"
        "    handler404,  # pages\n"
        "    include,\n"
        ")\n"
        "from django.urls import (\n"
        "    # routes\n"
        "    re_path as url,  # old\n"
        ")\n",
    ),
    "layout of a statement that moves as a whole": (
        ">=2.0",
        "from django.core.urlresolvers import (\n    reverse, resolve,\n"
        "    # last\n)\n",
        "from django.urls import (\n    reverse, resolve,\n    # last\n)\n",
    ),
    "merge into the import beside it": (
        ">=2.0",
        "from django.urls import include, path\n"
        "from django.core.urlresolvers import NoReverseMatch\n",
        "from django.urls import NoReverseMatch, include, path\n",
    ),
    "merge what an import with several names in a line lacks": (
        ">=2.0",
        "from django.urls import (\n    include, path, reverse,\n)\n"
        "from django.core.urlresolvers import reverse, resolve\n",
        "from django.urls import (\n    include, path, reverse, resolve,\n)\n",
    ),
    "merge into an import that has the name": (
        ">=2.0",
        "from django.urls import resolve, reverse\n"
        "from django.core.urlresolvers import reverse\n",
        "from django.urls import resolve, reverse\n",
    ),
    "merge into an import with several names in a line": (
        ">=2.0",
        "from django.urls import (\n    include, path, resolve,\n)\n"
        "from django.core.urlresolvers import get_resolver, reverse\n",
        "from django.urls import (\n    include, path, resolve, get_resolver, reverse,"
        "\n)\n",
    ),
    "merge into an import without an order": (
        ">=2.0",
        "from django.urls import path, include\n"
        "from django.core.urlresolvers import get_resolver\n",
        "from django.urls import path, include, get_resolver\n",
    ),
    "merge into an import whose order ignores the case": (
        ">=2.0",
        "from django.urls import include, NoReverseMatch, path\n"
        "from django.core.urlresolvers import get_resolver, Resolver404\n",
        "from django.urls import get_resolver, include, NoReverseMatch, path, "
        "Resolver404\n",
    ),
    "merge into an import in the order of isort": (
        ">=3.1",
        "from django.db.models import SET_NULL, Avg, signals\n"
        "from django.contrib.postgres.fields import JSONField\n",
        "from django.db.models import SET_NULL, Avg, JSONField, signals\n",
    ),
    "a statement that is too long for a line": (
        ">=1.8",
        "from django.core.urlresolvers import NoReverseMatch, Resolver404, resolve, "
        "reverse, ResolverMatch as M\n",
        "from django_compat import (\n    NoReverseMatch,\n    Resolver404,\n"
        "    resolve,\n    reverse,\n    ResolverMatch as M,\n)\n",
    ),
    "a comment before the closing parenthesis": (
        ">=2.0",
        "from django.conf.urls import (handler404, url, include  # all\n)\n",
        "from django.conf.urls import (\n    handler404,\n    include,  # all\n)\n"
        "from django.urls import re_path as url\n",
    ),
    "other statements in the line": (
        ">=2.0",
        "import os; from django.core.urlresolvers import reverse; x = 1\n",
        "import os\nfrom django.urls import reverse\nx = 1\n",
    ),
    "noqa goes to each part": (
        ">=2.0",
        "from django.utils.encoding import smart_str, python_2_unicode_compatible"
        "  # noqa\n",
        "from django.utils.encoding import smart_str  # noqa\n"
        "from six import python_2_unicode_compatible  # noqa\n",
    ),
    "bytes stay bytes": (
        ">=1.4",
        "from django.utils.encoding import force_bytes\n",
        "from django_compat import force_bytes\n",
    ),
    "six": (
        ">=2.0",
        "from django.utils import six\nfrom django.utils.six.moves import range\n"
        "x = six.text_type\n",
        "import six\nfrom six.moves import range\nx = six.text_type\n",
    ),
    "attribute, same module": (
        ">=2.0",
        "from django.utils import translation\nx = translation.ugettext('x')\n",
        "from django.utils import translation\nx = translation.gettext('x')\n",
    ),
    "attribute, other place": (
        ">=4.0",
        "from django.utils import timezone\nx = timezone.now(), timezone.utc\n",
        "from django.utils import timezone\nfrom django_compat import utc\n"
        "x = timezone.now(), utc\n",
    ),
    "attribute, several uses, in each kind of place": (
        ">=5.0",
        "from django.utils import timezone\n"
        "@timezone.utc\ndef f(a: timezone.utc = timezone.utc):\n    global x\n"
        "x = f(timezone=timezone.utc), timezone.now()\n",
        "from django.utils import timezone\nfrom django_compat import utc\n"
        "@utc\ndef f(a: utc = utc):\n    global x\n"
        "x = f(timezone=utc), timezone.now()\n",
    ),
    "attribute, its new place is imported": (
        ">=5.0",
        "from django_compat import utc\nfrom django.utils import timezone\n"
        "x = timezone.now(), timezone.utc, utc\n",
        "from django_compat import utc\nfrom django.utils import timezone\n"
        "x = timezone.now(), utc, utc\n",
    ),
    "attribute, its module is imported in two branches": (
        ">=1.8",
        "if x:\n    from django.utils import encoding\nelse:\n"
        "    from django.utils import encoding\ny = encoding.smart_text('a')\n",
        "if x:\n    from django_compat import smart_str\nelse:\n"
        "    from django_compat import smart_str\ny = smart_str('a')\n",
    ),
    "module that goes, imported in two branches": (
        ">=1.8",
        "if x:\n    from django.db.models import loading\nelse:\n"
        "    from django.db.models import loading\ny = loading.get_model('a', 'B')\n",
        "if x:\n    from django_compat import get_model\nelse:\n"
        "    from django_compat import get_model\ny = get_model('a', 'B')\n",
    ),
    "attribute, its new place is imported where it may not run": (
        ">=5.0",
        "if x:\n    from django_compat import utc\n"
        "from django.utils import timezone\ny = timezone.utc\n",
        "if x:\n    from django_compat import utc\n"
        "from django_compat import utc\ny = utc\n",
    ),
    "attribute, its new place is imported after the use": (
        ">=5.0",
        "from django.utils import timezone\ny = timezone.utc\n"
        "from django_compat import utc\n",
        "from django_compat import utc\ny = utc\nfrom django_compat import utc\n",
    ),
    "attribute, its new place is imported in the function, after the use": (
        ">=5.0",
        "from django_compat import utc\ndef f():\n"
        "    from django.utils import timezone\n    y = timezone.utc\n"
        "    from django_compat import utc\n",
        "from django_compat import utc\ndef f():\n"
        "    from django_compat import utc\n    y = utc\n"
        "    from django_compat import utc\n",
    ),
    "attribute, beside the star of a module that lacks the name": (
        ">=5.0",
        "from django.db.models import *\nfrom django.utils import timezone\n"
        "x = timezone.utc\n",
        "from django.db.models import *\nfrom django_compat import utc\nx = utc\n",
    ),
    "is_safe_url with hosts": (
        ">=1.11",
        "from django.utils.http import is_safe_url as f\n"
        "x = f(u, h), f(u, allowed_hosts=h, require_https=True)\n",
        "from django_compat import url_has_allowed_host_and_scheme as f\n"
        "x = f(u, h), f(u, allowed_hosts=h, require_https=True)\n",
    ),
    "is_safe_url since Django 2.1": (
        ">=2.1",
        "from django.utils.http import is_safe_url\nx = is_safe_url(u, h, True)\n",
        "from django_compat import url_has_allowed_host_and_scheme as is_safe_url\n"
        "x = is_safe_url(u, h, True)\n",
    ),
    "attributes that go to the same place": (
        ">=2.0",
        "from django.db import models\n"
        "x = models.get_model('a', 'B'), models.get_models(), models.Model\n",
        "from django.db import models\n"
        "from django_compat import get_model, get_models\n"
        "x = get_model('a', 'B'), get_models(), models.Model\n",
    ),
    "attribute that the six of Django never had": (
        ">=2.0",
        "from django.utils import six\nx = six.ensure_str('x'), six.text_type\n",
        "import six\nx = six.ensure_str('x'), six.text_type\n",
    ),
    "attribute, the last use of its module": (
        ">=4.0",
        "from django.utils import timezone\nx = timezone.utc\n",
        "from django_compat import utc\nx = utc\n",
    ),
    "module": (
        ">=2.0",
        "from django.core import urlresolvers\nx = urlresolvers.reverse('x')\n",
        "from django import urls as urlresolvers\nx = urlresolvers.reverse('x')\n",
    ),
    "module with dots": (
        ">=2.0",
        "import django.core.urlresolvers\nx = django.core.urlresolvers.reverse('x')\n",
        "import django.urls\nx = django.urls.reverse('x')\n",
    ),
    "module with dots, beside another one": (
        ">=2.0",
        "import django.core.urlresolvers\nimport django.db\n"
        "x = django.core.urlresolvers.reverse('x'), django.db.connection\n",
        "import django.urls\nimport django.db\n"
        "x = django.urls.reverse('x'), django.db.connection\n",
    ),
    "module with dots, now from the shim": (
        ">=1.8",
        "import django.core.urlresolvers\nx = django.core.urlresolvers.reverse('x')\n",
        "from django_compat import urlresolvers\nx = urlresolvers.reverse('x')\n",
    ),
    "module with dots whose names went to several places": (
        ">=2.0",
        "import django.db.models.loading\n"
        "x = django.db.models.loading.get_model('a', 'B')\n",
        "from django_compat import get_model\nx = get_model('a', 'B')\n",
    ),
    "module that Django had only where Python lacked it": (
        ">=1.4",
        "from django.utils import importlib\nx = importlib.import_module('x')\n",
        "from django_compat import importlib\nx = importlib.import_module('x')\n",
    ),
    "module whose new place lacks one of its names": (
        ">=1.8",
        "from django.core import urlresolvers\n"
        "x = urlresolvers.reverse('x'), urlresolvers.RegexURLResolver\n",
        "from django_compat import reverse, URLResolver\n"
        "x = reverse('x'), URLResolver\n",
    ),
    "module of which a name was missing earlier": (
        ">=1.4",
        "from django.contrib.contenttypes import generic\n"
        "x = generic.GenericForeignKey(), generic.GenericRel()\n",
        "from django_compat import GenericForeignKey, GenericRel\n"
        "x = GenericForeignKey(), GenericRel()\n",
    ),
    "module whose names went to several places": (
        ">=2.0",
        "from django.db.models import loading\nx = loading.get_model('a', 'B')\n",
        "from django_compat import get_model\nx = get_model('a', 'B')\n",
    ),
    "import inside a function": (
        ">=2.0",
        "def f():\n    from django.core.urlresolvers import reverse\n"
        "    return reverse\n",
        "def f():\n    from django.urls import reverse\n    return reverse\n",
    ),
    "ladder, the whole range has the first": (
        ">=2.0",
        "try:\n    from django.urls import reverse  # new\nexcept ImportError:\n"
        "    from django.core.urlresolvers import reverse\n",
        "from django.urls import reverse  # new\n",
    ),
    "ladder, the range needs both": (
        ">=1.8",
        "try:\n    from django.urls import reverse, resolve\nexcept ImportError:\n"
        "    from django.core.urlresolvers import reverse, resolve\n",
        "from django_compat import reverse, resolve\n",
    ),
    "ladder of three": (
        ">=1.4",
        "try:\n    from django.contrib.contenttypes.fields import GenericForeignKey\n"
        "except ImportError:\n"
        "    try:\n"
        "        from django.contrib.contenttypes.generic import GenericForeignKey\n"
        "    except ImportError:\n        GenericForeignKey = None\n",
        "from django_compat import GenericForeignKey\n",
    ),
    "ladder that catches a missing module": (
        ">=2.0",
        "try:\n    from django.core.urlresolvers import reverse\n"
        "except ModuleNotFoundError:\n    from django.urls import reverse\n",
        "from django.urls import reverse\n",
    ),
    "ladder with renamed objects": (
        ">=1.4",
        "try:\n    from django.utils.encoding import force_text\nexcept ImportError:\n"
        "    from django.utils.encoding import force_unicode as force_text\n",
        "from django_compat import force_str as force_text\n",
    ),
    "ladder of an attribute": (
        ">=1.4",
        "try:\n    from django.apps import apps\n    get_model = apps.get_model\n"
        "except ImportError:\n    from django.db.models.loading import get_model\n",
        "from django_compat import get_model\n",
    ),
    "ladder whose Django went": (
        ">=1.8",
        "try:\n    from django.utils import simplejson as json\n"
        "except ImportError: import json\n\n"
        "try:\n    from collections import OrderedDict\nexcept ImportError:\n"
        "    from django.utils.datastructures import SortedDict as OrderedDict\n",
        "import json\n\nfrom collections import OrderedDict\n",
    ),
    "ladder that no release needs and that passes": (
        ">=2.0",
        "try:\n    from django.urls import reverse\nexcept ImportError:\n    pass\n",
        "from django.urls import reverse\n",
    ),
    "ladder that catches two errors, one by one": (
        ">=1.8",
        "try:\n    from django.urls import reverse\nexcept AttributeError:\n"
        "    reverse = None\nexcept ImportError:\n"
        "    from django.core.urlresolvers import reverse\n",
        "from django_compat import reverse\n",
    ),
    "ladder that catches another error: its parts move": (
        ">=1.8",
        "try:\n    from django.urls import reverse\nexcept ValueError:\n"
        "    reverse = None\n",
        "try:\n    from django_compat import reverse\nexcept ValueError:\n"
        "    reverse = None\n",
    ),
    "ladder that misses the error: its parts move, and the first serves all": (
        ">=1.8",
        "try:\n    from django.urls import reverse\nexcept AttributeError:\n"
        "    reverse = None\n",
        "from django_compat import reverse\n",
    ),
    "ladder that raises another error: its parts move, and the first serves all": (
        ">=1.8",
        "try:\n    from django.core.urlresolvers import reverse\n"
        "except ImportError:\n    raise RuntimeError('no Django')\n",
        "from django_compat import reverse\n",
    ),
    "ladder with a missing package: its parts move": (
        ">=1.8",
        "try:\n    import psycopg2\nexcept ImportError:\n"
        "    from django.urls import reverse\n",
        "try:\n    import psycopg2\nexcept ImportError:\n"
        "    from django_compat import reverse\n",
    ),
    "ladder with a relative import: its parts move": (
        ">=1.8",
        "try:\n    from .urls import reverse\nexcept ImportError:\n"
        "    from django.urls import reverse\n",
        "try:\n    from .urls import reverse\nexcept ImportError:\n"
        "    from django_compat import reverse\n",
    ),
    "ladder with texts as comments": (
        ">=1.8",
        "try:\n    'new'\n    from django.urls import reverse\nexcept ImportError:\n"
        "    from django.core.urlresolvers import reverse\n",
        "from django_compat import reverse\n",
    ),
    "ladder with a comment for a tool": (
        ">=1.8",
        "try:\n    from django.urls import reverse  # noqa: F401\n"
        "except ImportError:\n"
        "    from django.core.urlresolvers import reverse  # noqa: F401\n",
        "from django_compat import reverse  # noqa: F401\n",
    ),
    "ladder whose import is long": (
        ">=1.8",
        "try:\n    from django.urls import (\n        NoReverseMatch, Resolver404,"
        " get_script_prefix, resolve, reverse)\nexcept ImportError:\n"
        "    from django.core.urlresolvers import (\n        NoReverseMatch,"
        " Resolver404, get_script_prefix, resolve, reverse)\n",
        "from django_compat import (\n    NoReverseMatch,\n    Resolver404,\n"
        "    get_script_prefix,\n    resolve,\n    reverse,\n)\n",
    ),
    "ladder that assigns what it imports": (
        ">=1.8",
        "try:\n    from django.urls import reverse as r\n    reverse = r\n"
        "except ImportError:\n    from django.core.urlresolvers import reverse\n",
        "from django_compat import reverse\n",
    ),
    "ladder that assigns what is imported above it": (
        ">=1.8",
        "from django.core.urlresolvers import reverse as old\n"
        "try:\n    from django.urls import reverse\nexcept ImportError:\n"
        "    reverse = old\n",
        "from django_compat import reverse\n",
    ),
    "ladder of an attribute that went": (
        ">=2.0",
        "from django.utils import translation\n"
        "try:\n    _ = translation.ugettext\nexcept AttributeError:\n"
        "    _ = translation.gettext\n",
        "from django.utils.translation import gettext as _\n",
    ),
    "ladder of an attribute of datetime": (
        ">=1.8",
        "from django.utils import timezone\n"
        "try:\n    utc = timezone.utc\nexcept AttributeError:\n"
        "    from datetime import timezone as tz\n    utc = tz.utc\n",
        "from django_compat import utc\n",
    ),
    "ladder of modules": (
        ">=1.8",
        "try:\n    from django import urls\nexcept ImportError:\n"
        "    from django.core import urlresolvers as urls\nx = urls.reverse('x')\n",
        "from django_compat import urlresolvers as urls\nx = urls.reverse('x')\n",
    ),
    "ladder of six": (
        ">=2.0",
        "try:\n    from django.utils import six\nexcept ImportError:\n    import six\n"
        "x = six.PY2\n",
        "import six\nx = six.PY2\n",
    ),
    "ladder of six, with an alias": (
        ">=2.0",
        "try:\n    from django.utils import six as s\nexcept ImportError:\n"
        "    import six as s\nx = s.PY2\n",
        "import six as s\nx = s.PY2\n",
    ),
    "middleware": (
        ">=1.8",
        "try:\n    from django.utils.deprecation import MiddlewareMixin\n"
        "except ImportError:\n    MiddlewareMixin = object\n",
        "from django_compat import MiddlewareMixin\n",
    ),
    "version, both branches": (
        ">=1.8",
        "import django\n\nif django.VERSION >= (1, 10):\n"
        "    from django.urls import reverse\nelse:\n"
        "    from django.core.urlresolvers import reverse\n",
        "from django_compat import reverse\n",
    ),
    "version, a module in a package": (
        ">=2.0",
        "import django\nif django.VERSION >= (3, 0):\n    import six.moves as moves\n"
        "else:\n    from django.utils.six import moves\nx = moves\n",
        "from six import moves\nx = moves\n",
    ),
    "version, an attribute of six": (
        ">=2.0",
        "import django, six\nif django.VERSION >= (3, 0):\n    text = six.text_type\n"
        "else:\n    from django.utils.six import text_type as text\n",
        "import six\nfrom six import text_type as text\n",
    ),
    "version, the new name is on the whole range": (
        ">=2.0",
        "import django\nif django.VERSION >= (3, 0):\n"
        "    from django.utils.translation import gettext as _\nelse:\n"
        "    from django.utils.translation import ugettext as _\n",
        "from django.utils.translation import gettext as _\n",
    ),
    "version, a name that nobody uses": (
        ">=1.8",
        "import django\nif django.VERSION < (1, 10):\n"
        "    from django.core.urlresolvers import reverse\nx = 1\n",
        "x = 1\n",
    ),
    "version, always": (
        ">=2.0",
        "import django\nif django.VERSION >= (1, 8):\n    x = 1\n    y = 2\n",
        "x = 1\ny = 2\n",
    ),
    "version, never": (
        ">=2.0",
        "import django\nif django.VERSION < (1, 8):\n    x = 1\nelse:\n    x = 2\n",
        "x = 2\n",
    ),
    "a module of Django that a part of the range has": (
        ">=2.0",
        "from django import utils\nif hasattr(utils.six, 'text_type'):\n"
        "    from django.utils.six import text_type\nelse:\n"
        "    from six import text_type\n",
        "from six import text_type\n",
    ),
    "version of something else: the parts move": (
        ">=2.0",
        "if find()[0].VERSION > (1,):\n"
        "    from django.core.urlresolvers import reverse\nelse:\n    reverse = None\n",
        "if find()[0].VERSION > (1,):\n    from django.urls import reverse\n"
        "else:\n    reverse = None\n",
    ),
    "version, one branch": (
        ">=2.0",
        "from django import VERSION\n\n# routes\nif VERSION < (2, 0):\n    x = 1\n"
        "elif VERSION < (3, 0):\n    x = 2\nelse:\n    x = 3\n",
        "from django import VERSION\n\n# routes\nif VERSION < (3, 0):\n    x = 2\n"
        "else:\n    x = 3\n",
    ),
    "version, the last use of django": (
        ">=2.0",
        "import django\nx = 0\nif django.VERSION < (1, 8):\n    x = 1\n",
        "x = 0\n",
    ),
    "version, the last use of another package": (
        ">=2.0",
        "import django\nimport json\n"
        "if django.VERSION < (1, 8):\n    x = json.dumps(1)\n",
        "import json\n",
    ),
    "the first import goes, and the line between the imports with it": (
        ">=1.8",
        "# License\n\nfrom django.utils.encoding import smart_text\n\n# routes\n"
        "try:\n    from django.urls import reverse\n"
        "except ImportError:\n    from django.core.urlresolvers import reverse\n",
        "# License\n\n# routes\n"
        "from django_compat import reverse, smart_str as smart_text\n",
    ),
    "version, an empty body": (
        ">=2.0",
        "import django\ndef f():\n    if django.VERSION < (1, 8):\n        return 1\n",
        "def f():\n    pass\n",
    ),
    "a version in a try that may fail for another reason": (
        ">=1.8",
        "import django\ntry:\n    if django.VERSION >= (1, 8):\n"
        "        import psycopg2\n        from django.urls import reverse\n"
        "    HAS = True\nexcept ImportError:\n    HAS = False\n",
        "try:\n    import psycopg2\n    from django.urls import reverse\n"
        "    HAS = True\nexcept ImportError:\n    HAS = False\n",
    ),
    "version, a yield that is not the only one": (
        ">=2.0",
        "import django\ndef f():\n    if django.VERSION < (1, 8):\n        yield 1\n"
        "    yield 2\n",
        "def f():\n    yield 2\n",
    ),
    "django-compat": (
        ">=1.8",
        "from compat import JsonResponse, get_model, six\n"
        "from compat.models import GenericForeignKey\n",
        "from django_compat import JsonResponse, get_model\nimport six\n"
        "from django.contrib.contenttypes.fields import GenericForeignKey\n",
    ),
    "django_six": (
        ">=1.8",
        "from django_six import CompatibilityBaseCommand, MiddlewareMixin\n",
        "from django_compat import CompatibilityBaseCommand, MiddlewareMixin\n",
    ),
    "close_connection of others is close_old_connections": (
        ">=1.8",
        "from django_six import close_connection\n",
        "from django.db import close_old_connections as close_connection\n",
    ),
    "close_connection of others, before Django had close_old_connections": (
        ">=1.4",
        "from django_six import close_connection\n",
        "from django_compat import close_old_connections as close_connection\n",
    ),
    "path of django_six with regular expressions": (
        ">=1.8",
        "from django_six import path\nx = [path('^a/$', f), path(r'b/\\d+', f)]\n",
        "from django_compat import re_path as path\n"
        "x = [path('^a/$', f), path(r'b/\\d+', f)]\n",
    ),
    "path of django_six with routes": (
        ">=1.8",
        "from django_six import path\nx = [path('a/', f)]\n",
        "from django_compat import path\nx = [path('a/', f)]\n",
    ),
    "windows": (
        ">=2.0",
        "from django.utils.encoding import smart_str, python_2_unicode_compatible\r\n"
        "x = 1\r\n",
        "from django.utils.encoding import smart_str\r\n"
        "from six import python_2_unicode_compatible\r\nx = 1\r\n",
    ),
}


@pytest.mark.parametrize("case", sorted(REWRITTEN))
def test_adopt_rewrites(case):
    """Each kind of use becomes what the range has; a second run changes nothing."""
    versions, before, after = REWRITTEN[case]
    new, left = adopt(before, versions)
    assert new == after
    assert left == []


KEPT = {
    "what the range has": (">=2.0", "from django.urls import reverse\n"),
    "what an older range has": (
        "<1.10",
        "from django.core.urlresolvers import reverse\n",
    ),
    "other packages": (">=2.0", "from flask import url_for\nimport django\n"),
    "relative": (">=2.0", "from .compat import reverse\nfrom .utils import six\n"),
    "ignored": (
        ">=2.0",
        "from django.core.urlresolvers import reverse  # django-compat: ignore\n",
    ),
    "ignored in a ladder": (
        ">=2.0",
        "try:\n    from django.urls import reverse  # django-compat: ignore\n"
        "except ImportError:  # django-compat: ignore\n"
        "    from django.core.urlresolvers import reverse\n",
    ),
    "ignored at the closing parenthesis": (
        ">=2.0",
        "from django.utils.six import (\n    text_type,\n)  # django-compat: ignore\n",
    ),
    "a library may be missing": (
        ">=2.0",
        "try:\n    from django.contrib.postgres import fields\nexcept ImportError:\n"
        "    fields = None\n",
    ),
    "a ladder of other packages": (
        ">=2.0",
        "try:\n    import json\nexcept ImportError:\n    import simplejson as json\n",
    ),
    "a name that one branch lacks": (
        ">=1.8",
        "try:\n    from django.urls import resolve, reverse\nexcept ImportError:\n"
        "    from django.core.urlresolvers import reverse\nx = resolve\n",
    ),
    "a ladder that imports with dots": (
        ">=1.8",
        "try:\n    import django.urls\nexcept ImportError:\n"
        "    import django.core.urlresolvers\n",
    ),
    "a ladder of stars": (
        ">=1.8",
        "try:\n    from django.urls import *\nexcept ImportError:\n"
        "    from django.core.urlresolvers import *\n",
    ),
    "a ladder that assigns to an attribute": (
        ">=1.8",
        "try:\n    from django.urls import reverse\n    app.reverse = reverse\n"
        "except ImportError:\n    from django.core.urlresolvers import reverse\n",
    ),
    "a ladder that assigns an attribute of an unknown name": (
        ">=1.8",
        "try:\n    from django.urls import reverse\n    x = app.x\n"
        "except ImportError:\n    from django.core.urlresolvers import reverse\n",
    ),
    "a ladder that assigns an attribute of another package": (
        ">=1.8",
        "import os\ntry:\n    from django.urls import reverse\n    sep = os.sep\n"
        "except ImportError:\n    from django.core.urlresolvers import reverse\n",
    ),
    "a ladder that assigns an unknown name": (
        ">=1.8",
        "try:\n    from django.urls import reverse\n    x = app\n"
        "except ImportError:\n    from django.core.urlresolvers import reverse\n",
    ),
    "a ladder that passes, and a name that it may not bind": (
        ">=1.8",
        "try:\n    from django.urls import reverse\nexcept ImportError:\n    pass\n"
        "x = reverse\n",
    ),
    "a ladder with else": (
        ">=1.8",
        "try:\n    from django.urls import reverse\nexcept ImportError:\n"
        "    from django.core.urlresolvers import reverse\nelse:\n    x = reverse\n",
    ),
    "a ladder that assigns different constants": (
        ">=1.8",
        "try:\n    from django.urls import reverse\n    new = True\n"
        "except ImportError:\n    from django.core.urlresolvers import reverse\n"
        "    new = False\n",
    ),
    "a ladder that inherits from object or from something else": (
        ">=1.4",
        "try:\n    from django.http import JsonResponse as Base\nexcept ImportError:\n"
        "    Base = object\n",
    ),
    "objects without a row": (
        ">=1.8,<1.10",
        "import django\nif django.VERSION >= (1, 9):\n"
        "    from django.forms import Field as Base\nelse:\n"
        "    from django.db.models import Field as Base\n",
    ),
    "a fallback of its own": (
        ">=1.4",
        "try:\n    from django.http import JsonResponse\nexcept ImportError:\n"
        "    class JsonResponse(object):\n        pass\n",
    ),
    "absence is told": (
        ">=1.8",
        "try:\n    from django.urls import path\n"
        "except ImportError:\n    path = None\n",
    ),
    "different objects": (
        ">=1.8",
        "try:\n    from django.urls import path as route\nexcept ImportError:\n"
        "    from django.conf.urls import url as route\n",
    ),
    "a branch that does more": (
        ">=1.8",
        "import django\nif django.VERSION >= (1, 10):\n"
        "    from django.urls import reverse\n    print(reverse)\nelse:\n"
        "    from django.core.urlresolvers import reverse\n",
    ),
    "a branch that returns a text": (
        ">=1.8",
        "import django\ndef f():\n    if django.VERSION >= (1, 10):\n"
        "        from django.urls import reverse\n        return 'new'\n"
        "    from django.core.urlresolvers import reverse\n    return 'old'\n",
    ),
    "a branch that adds to a text": (
        ">=1.8",
        "import django\nif django.VERSION >= (1, 10):\n"
        "    from django.urls import reverse\n    x += 'new'\nelse:\n"
        "    from django.core.urlresolvers import reverse\n",
    ),
    "absence is told, and the name exported": (
        ">=1.8",
        "try:\n    from django.urls import path\nexcept ImportError:\n    pass\n"
        "__all__ = ['path']\n",
    ),
    "a try in a try, whose handler may fail": (
        ">=1.8,<3.1",
        "try:\n    try:\n        from django.urls import re_path\n"
        "    except ImportError:\n        from backport import re_path\n"
        "except ImportError:\n    from django.conf.urls import url as re_path\n",
    ),
    "a version in a try, whose branch may fail": (
        ">=1.8,<3.1",
        "import django\ntry:\n    if django.VERSION >= (2, 0):\n"
        "        from backport import re_path\n    else:\n"
        "        from django.conf.urls import url as re_path\nexcept ImportError:\n"
        "    from django.conf.urls import url as re_path\n",
    ),
    "a branch that imports another package": (
        ">=1.8,!=1.10.*,!=1.11.*",
        "import django\nif django.VERSION >= (2, 0):\n    import plugin\n"
        "    from django.urls import reverse\nelse:\n"
        "    from django.core.urlresolvers import reverse\n",
    ),
    "text": (">=2.0", "x = 'from django.core.urlresolvers import reverse'\n"),
}


@pytest.mark.parametrize("case", sorted(KEPT))
def test_adopt_keeps(case):
    """What works on the range, and what nobody can tell on paper, stays as it is."""
    versions, text = KEPT[case]
    assert adopt(text, versions) == (text, [])


LEFT = {
    "no successor": (
        ">=2.0", "from django.db.models.fields.subclassing import SubfieldBase\n"
    ),
    "star": (">=2.0", "from django.core.urlresolvers import *\n"),
    "other errors": (
        ">=2.0",
        "try:\n    from django.urls import reverse\nexcept (ImportError, IOError):\n"
        "    reverse = None\n",
    ),
    "a name that no Django has": (
        ">=1.8",
        "try:\n    from django.nonsense import x\nexcept ImportError:\n    x = None\n",
    ),
    "an attribute that no Django has": (
        ">=2.0",
        "from django.utils import translation\n"
        "try:\n    _ = translation.nonsense\nexcept AttributeError:\n"
        "    _ = translation.gettext\n",
    ),
    "a name that django_compat does not have": (
        ">=2.0", "from django_six import nonsense\n"
    ),
    "name taken": (
        ">=5.0",
        "from django.utils import timezone\ndef f(utc):\n"
        "    return timezone.utc, utc\n",
    ),
    "name taken by another import": (
        ">=5.0",
        "from app import utc\nfrom django.utils import timezone\n"
        "x = timezone.utc, utc\n",
    ),
    "name that a star may bind": (
        ">=5.0",
        "from django.utils import timezone\nfrom .models import *\n"
        "x = timezone.utc\n",
    ),
    "name that a star of Django binds": (
        ">=5.0",
        "from django.templatetags.tz import *\nfrom django.utils import timezone\n"
        "x = timezone.utc\n",
    ),
    "name taken in a function, by its own import": (
        ">=5.0",
        "from django.utils import timezone\ndef f():\n    x = timezone.utc\n"
        "    from django_compat import utc\n",
    ),
    "name of a builtin": (
        ">=1.4,<2.0",
        "from django.forms import formsets\nx = formsets.range(3), range(3)\n",
    ),
    "name taken that a module with dots gets": (
        ">=1.8,!=1.10.*,!=1.11.*",
        "import django.core.urlresolvers\nurlresolvers = 1\n"
        "x = django.core.urlresolvers.reverse('x')\n",
    ),
    "name taken that a module's last use needs": (
        ">=2.0",
        "from django.db.models import loading\ndef f(get_model):\n"
        "    return loading.get_model('a', 'B')\n",
    ),
    "module that is used as a whole": (
        ">=2.0", "import django.db.models.loading as l\nx = l\n"
    ),
    "module that warns wherever it is": (
        ">=3.2,<5.0",
        "from django.utils import datetime_safe\nx = datetime_safe.new_date(day)\n",
    ),
    "attribute without a successor": (
        ">=2.0", "from django.db import models\nx = models.SubfieldBase\n"
    ),
    "attribute of one of two modules": (
        ">=5.0",
        "try:\n    from app import timezone\nexcept ImportError:\n"
        "    from django.utils import timezone\nx = timezone.utc\n",
    ),
    "module of which an attribute is written": (
        ">=4.0",
        "from django.utils import encoding\ndef f():\n"
        "    encoding.force_text = str\n    return encoding.force_text('a')\n",
    ),
    "module of which an attribute is written, under another name": (
        ">=4.0",
        "import django.utils.encoding\nfrom django.utils import encoding as e\n"
        "django.utils.encoding.force_text += f\nx = e.force_text('a')\n",
    ),
    "module of which an attribute is deleted": (
        ">=2.0",
        "from django.core import urlresolvers\ndel urlresolvers.reverse\n",
    ),
    "module of which a call writes an attribute": (
        ">=4.0",
        "from django.utils import encoding\n"
        "with mock.patch.object(encoding, 'force_text'):\n"
        "    encoding.force_text('a')\n",
    ),
    "is_safe_url with the argument of Django 1.4": (
        ">=1.11",
        "from django.utils.http import is_safe_url\nx = is_safe_url(url=u, host=h)\n",
    ),
    "is_safe_url without a host": (
        ">=1.11", "from django.utils import http\nx = http.is_safe_url(u)\n"
    ),
    "is_safe_url with both hosts of Django 1.11": (
        ">=1.11",
        "from django.utils.http import is_safe_url\nx = is_safe_url(u, h, hosts)\n",
    ),
    "is_safe_url that is no call": (
        ">=1.11", "from django.utils.http import is_safe_url\nx = is_safe_url\n"
    ),
    "is_safe_url of django-compat": (
        ">=1.11", "from compat import is_safe_url\nx = is_safe_url(u, host=h)\n"
    ),
    "package by its module": (">=2.0", "import compat\nx = compat.six\n"),
    "package by its star": (">=2.0", "from compat import *\n"),
    "name that the package alone has": (">=2.0", "from compat import nonsense\n"),
    "path of django_six, unclear": (
        ">=1.8", "from django_six import path\nx = [path(route, f) for route in y]\n"
    ),
    "a flag beside a name that warns before it goes": (
        ">=1.8",
        "try:\n    from django.core.urlresolvers import reverse\n    OLD = True\n"
        "except ImportError:\n    from django.urls import reverse\n    OLD = False\n",
    ),
    "a flag beside an attribute that warns before it goes": (
        ">=1.8",
        "from django.utils import translation\n"
        "try:\n    f = translation.ugettext\n    OLD = True\n"
        "except AttributeError:\n    f = translation.gettext\n    OLD = False\n",
    ),
    "None instead of a name that warns before it goes": (
        ">=1.8",
        "try:\n    from django.core.urlresolvers import reverse\n"
        "except ImportError:\n    reverse = None\n",
    ),
    "a function instead of a name that warns before it goes": (
        ">=1.8",
        "try:\n    from django.utils.encoding import force_text\n"
        "except ImportError:\n    def force_text(s):\n        return s\n",
    ),
    "else behind a name that warns before it goes": (
        ">=1.8",
        "try:\n    from django.core.urlresolvers import reverse\n"
        "except ImportError:\n    from django.urls import reverse\n"
        "else:\n    x = 1\n",
    ),
    "suppress around a name that warns before it goes": (
        ">=1.8",
        "from contextlib import suppress\nwith suppress(ImportError):\n"
        "    from django.core.urlresolvers import reverse\n",
    ),
    "settings": (">=2.0", "X = ['django.core.context_processors.request']\n"),
}  # fmt: skip


@pytest.mark.parametrize("case", sorted(LEFT))
def test_adopt_lists_what_it_cannot_do(case):
    """What needs a decision stays as it is, and is listed."""
    versions, text = LEFT[case]
    new, left = adopt(text, versions)
    assert new == text
    assert len(left) == 1


def test_adopt_moves_what_is_beside_a_star():
    """The star stays, and is listed."""
    star = "from django.core.urlresolvers import *\n"
    new, left = adopt(star + "from django.utils import six\n", ">=2.0")
    assert new == star + "import six\n"
    assert len(left) == 1


def test_adopt_lists_each_reason_with_its_line_in_the_new_module():
    """No reason hides another one, and lines that went do not count."""
    text = (
        "import django\n"
        "from compat import nonsense, six, sense\n"
        "import compat; from django.db import nowhere\n"
        "if django.VERSION < (1, 8):\n    six = None\n"
    )
    adopter = Adopter(places_of(">=2.0"), Shared())
    new, left = adopter.rewrite("app/models.py", text.encode("ascii"))
    assert new.decode("ascii") == (
        "from compat import nonsense, sense\n"
        "import six\n"
        "import compat; from django.db import nowhere\n"
    )
    assert [(line, text.split(":")[0]) for line, text in left] == [
        (1, "compat.nonsense"),
        (1, "compat.sense"),
        (3, "compat"),
        (3, "django.db.nowhere"),
    ]


REBOUND = [
    "MODERN &= connection.vendor == 'postgresql'",
    "MODERN: bool = find()",
    "MODERN, x = find()",
    "[MODERN] = find()",
    "for MODERN in find():\n    pass",
    "with find() as MODERN:\n    pass",
    "print(MODERN := find())",
    "del MODERN",
    "def g():\n    global MODERN\n    MODERN, x = find()",
    "async def MODERN():\n    pass",
    "try:\n    find()\nexcept IOError as MODERN:\n    pass",
    "match find():\n    case [MODERN]:\n        pass",
    "match find():\n    case [*MODERN]:\n        pass",
    "match find():\n    case {**MODERN}:\n        pass",
    "from .local import MODERN",
]


@pytest.mark.parametrize("binding", REBOUND)
def test_adopt_keeps_a_condition_whose_name_is_bound_again(binding):
    """Nobody can tell on paper which value the name has."""
    condition = "import django\nMODERN = django.VERSION >= (1, 8)\n"
    branch = "def f():\n    if MODERN:\n        return 1\n    return 2\n"
    assert adopt(condition + branch)[0] != condition + branch
    text = condition + binding + "\n" + branch
    assert adopt(text)[0] == text


def test_adopt_keeps_a_generator():
    """The last ``yield`` of a function stays, also in a branch that never runs."""
    branch = "    if django.VERSION < (1, 8):\n        yield %d\n"
    inner = "    def g():\n        yield 3\n    return g\n"
    text = "import django\n\ndef f():\n" + branch % 2 + inner
    new, left = adopt(text, ">=2.0")
    assert new == text
    assert len(left) == 1
    twice = text.replace(branch % 2, branch % 1 + branch % 2)
    assert adopt(twice, ">=2.0") == (text, left)


def test_adopt_drops_any_number_of_branches():
    """One run is enough for a ladder with more branches than there are Djangos."""
    versions = ["(1, %d)" % (number % 11) for number in range(30)]
    branches = ["if django.VERSION < %s:\n    x = 1\n" % one for one in versions]
    text = "import django\nx = 0\n" + "el".join(branches)
    assert adopt(text, ">=2.0") == ("x = 0\n", [])


def test_adopt_keeps_names_that_other_modules_take():
    """A module's own compat.py keeps the modules that others import from it."""
    import ast

    text = "from django.utils import timezone\nx = timezone.utc\n"
    shared = Shared()
    shared.add("app/views.py", ast.parse("from .compat import timezone"))
    new, _ = adopt(text, ">=5.0", "app/compat.py", shared)
    assert new == text.replace(
        "timezone\nx = timezone.utc", "timezone\nfrom django_compat import utc\nx = utc"
    )


def test_adopt_keeps_names_that_other_modules_take_from_a_package():
    """An ``__init__.py`` is known by the name of its folder."""
    import ast

    text = "from django.utils import timezone\nx = timezone.utc\n"
    shared = Shared()
    shared.add("other/views.py", ast.parse("from app import timezone"))
    new, _ = adopt(text, ">=5.0", "app/__init__.py", shared)
    assert new.startswith("from django.utils import timezone\n")


@pytest.mark.parametrize(
    "other",
    [
        "from app import views as v\nx = v.timezone.now()",
        "import app.views as v\nx = v.timezone",
        "mock.patch('app.views.timezone.now')",
        "from app import views as v\ngetattr(v.timezone, 'now')",
    ],
)
def test_adopt_keeps_names_that_others_take_by_an_alias_or_a_text(other):
    """``mock.patch()`` finds the import where it was, and so does an alias."""
    import ast

    text = "from django.utils import timezone\nx = timezone.utc\n"
    shared = Shared()
    shared.add("app/tests.py", ast.parse(other))
    new, left = adopt(text, ">=5.0", "app/views.py", shared)
    kept = "from django.utils import timezone\nfrom django_compat import utc\nx = utc\n"
    assert (new, left) == (kept, [])
    assert not adopt(text, ">=5.0", "app/other.py", shared)[0].startswith(kept[:33])


@pytest.mark.parametrize(
    "other",
    [
        "mock.patch('app.views.timezone')",
        "mock.patch('app.views.timezone.utc')",
        "import app.views\nmock.patch.object(app.views, 'timezone')",
        "from app import views as v\nmonkeypatch.setattr(v.timezone, 'utc', 1)",
    ],
)
def test_adopt_lists_what_a_text_elsewhere_patches(other):
    """A test that replaces the module, or its attribute, would miss a new import."""
    import ast

    text = "from django.utils import timezone\nx = timezone.utc\n"
    shared = Shared()
    shared.add("app/tests.py", ast.parse(other))
    new, left = adopt(text, ">=5.0", "app/views.py", shared)
    assert new == text
    assert len(left) == 1


def test_adopt_keeps_a_module_that_a_text_elsewhere_patches_and_that_is_gone():
    """Nothing is replaced, and the import is listed."""
    import ast

    text = "from django.db.models import loading\nx = loading.get_model('a', 'B')\n"
    shared = Shared()
    shared.add("app/tests.py", ast.parse("mock.patch('app.views.loading.get_model')"))
    new, left = adopt(text, ">=2.0", "app/views.py", shared)
    assert new == text
    assert len(left) == 1


@pytest.mark.parametrize(
    "use",
    [
        "def f(a: 'timezone.FixedOffset'): pass",
        "def f(a) -> 'List[timezone.FixedOffset]': pass",
        "def f(a):  # type: (timezone.FixedOffset) -> None\n    pass",
        "y = eval('timezone.now()')",
        "y = globals()['timezone']",
        "def f():\n    \"\"\"Give the time.\n\n    >>> timezone.now()\n    \"\"\"",
        "__all__ = []\nif x:\n    __all__ += ['timezone']",
    ],
)
def test_adopt_keeps_names_that_code_in_a_text_uses(use):
    """Annotations, doctests and eval() find the import where it was."""
    text = "from django.utils import timezone\n%sx = timezone.utc\n" + use + "\n"
    new, left = adopt(text % "", ">=5.0")
    added = "from django_compat import utc\n"
    assert new == (text % added).replace("timezone.utc", "utc")
    assert left == []


def test_adopt_drops_names_that_prose_and_settings_have():
    """A docstring's words use no import, nor do paths and names of packages."""
    text = (
        "\"\"\"A timezone is a zone of django.\"\"\"\n"
        "X = ['django.contrib.auth', 'django-x', 'django/y']\nimport django\n"
        "if django.VERSION < (1, 8):\n    X += ['x']\n"
    )
    assert "import" not in adopt(text, ">=2.0")[0]
    text = "def f(a: 'django.http.HttpRequest'): X = []\n" + text.partition("\n")[2]
    assert "import django\n" in adopt(text, ">=2.0")[0]


def test_adopt_lists_is_safe_url_that_other_modules_call():
    """Who imports it from a compat.py may pass ``host``."""
    import ast

    text = "from django.utils.http import is_safe_url\n"
    shared = Shared()
    shared.add("app/views.py", ast.parse("from .compat import is_safe_url"))
    new, left = adopt(text, ">=1.11", "app/compat.py", shared)
    assert new == text
    assert len(left) == 1


def test_adopt_keeps_names_in_all():
    """What ``__all__`` names stays bound."""
    text = (
        "from django.utils import timezone\n__all__ = ['timezone']\nx = timezone.utc\n"
    )
    assert adopt(text, ">=5.0")[0].startswith("from django.utils import timezone\n")


def test_adopt_leaves_a_local_compat_alone(tmpdir):
    """``from compat import six`` beside a compat.py is the app's own."""
    tmpdir.join("compat.py").write("six = 1\n")
    text = "from compat import six\n"
    assert adopt(text, ">=2.0", str(tmpdir.join("views.py"))) == (text, [])


OLD = "from django.core.urlresolvers import reverse\n"
NEW = "from django.urls import reverse\n"


def test_command_prints_a_diff_and_writes_nothing(tmpdir):
    """Without --write a unified diff comes to stdout, with exit code 1."""
    file = tmpdir.join("a.py")
    file.write(OLD)
    code, out, err = run(tmpdir, "--django", ">=2.0")
    assert (code, file.read()) == (1, OLD)
    assert "\n-%s+%s" % (OLD, NEW) in out
    assert "1 files would change, 0 lines left" in err


def test_diff_is_one_that_patch_takes(tmpdir):
    """``patch`` applies the diff."""
    file = tmpdir.join("a.py")
    file.write(OLD + "x = '\u00e9'".encode("utf-8").decode("latin-1"))
    _, out, _ = run(tmpdir, "--django", ">=2.0")
    process = subprocess.Popen(["patch", str(file)], stdin=subprocess.PIPE)
    process.communicate(out.encode("utf-8"))
    assert process.returncode == 0
    assert file.read().startswith(NEW)


def test_diff_of_odd_lines_is_one_that_patch_takes(tmpdir):
    """A BOM, and characters that end a line for Python alone, do no harm."""
    file = tmpdir.join("a.py")
    data = b"\xef\xbb\xbfx = '\xe2\x80\xa8'\n\x0c\n"
    file.write_binary(data + OLD.encode("ascii"))
    _, out, _ = run(tmpdir, "--django", ">=2.0")
    process = subprocess.Popen(["patch", str(file)], stdin=subprocess.PIPE)
    process.communicate(out.encode("utf-8"))
    assert process.returncode == 0
    assert file.read_binary() == data + NEW.encode("ascii")


def test_line_keeps_its_end_among_others(tmpdir):
    """A file with two kinds of line ends keeps each."""
    file = tmpdir.join("a.py")
    file.write_binary(b"x = 1\n" + OLD.encode("ascii").replace(b"\n", b"\r\n"))
    assert run(tmpdir, "--django", ">=2.0", "--write")[0] == 0
    new = NEW.encode("ascii").replace(b"\n", b"\r\n")
    assert file.read_binary() == b"x = 1\n" + new


def test_file_that_libcst_would_change_or_not_read_is_named(tmpdir):
    """LibCST drops a carriage return at the end, and visits each level of nesting.

    For LibCST 1.9 a name in parentheses has no annotation.
    """
    end, deep, odd = [tmpdir.join(name + ".py") for name in ("end", "deep", "odd")]
    end.write_binary(OLD.replace("\n", "\r").encode("ascii"))
    deep.write(OLD + "x = a%s\n" % (" + a" * 3000))
    odd.write(OLD + "(x): int = 1\n")
    olds = [file.read_binary() for file in (end, deep, odd)]
    code, _, err = run(tmpdir, "--django", ">=2.0", "--write")
    assert code == 2 and "Traceback" not in err
    for name in ("end", "deep", "odd"):
        assert name + ".py: skipped: " in err
    assert [file.read_binary() for file in (end, deep, odd)] == olds


@pytest.mark.parametrize("command", ["adopt", "retire"])
@pytest.mark.parametrize(
    "end", [b"# \xe9\n", b"\n\n\n# \xe9\n", b"# coding: utf-8\n# \xe9\n"]
)
def test_file_with_a_byte_of_another_encoding_is_named(tmpdir, command, end):
    """The ast of Python 3.13 takes the byte in a comment, LibCST does not."""
    old = {"adopt": OLD, "retire": "from django_compat import reverse\n"}[command]
    bad, good = tmpdir.join("bad.py"), tmpdir.join("good.py")
    bad.write_binary(end + old.encode("ascii"))
    good.write(old)
    code, _, err = run(tmpdir, "--django", ">=2.0", "--write", command=command)
    assert code == 2 and "bad.py: skipped: " in err
    assert "1 files rewritten" in err
    assert (bad.read_binary(), good.read()) == (end + old.encode("ascii"), NEW)


def test_write_keeps_mode_newlines_bom_and_cookie(tmpdir):
    """--write keeps the mode, CRLF, BOM and encoding of each file."""
    crlf, bom, latin = tmpdir.join("a.py"), tmpdir.join("b.py"), tmpdir.join("c.py")
    crlf.write_binary(OLD.replace("\n", "\r\n").encode("ascii"))
    bom.write_binary(b"\xef\xbb\xbf" + OLD.encode("ascii"))
    latin.write_binary(b"# coding: latin-1\n" + OLD.encode("ascii") + b"x = '\xe9'")
    os.chmod(str(crlf), 0o750)
    code, out, err = run(tmpdir, "--django", ">=2.0", "--write")
    assert (code, out) == (0, ""), err
    assert crlf.read_binary() == NEW.replace("\n", "\r\n").encode("ascii")
    assert os.stat(str(crlf)).st_mode & 0o777 == 0o750
    assert bom.read_binary() == b"\xef\xbb\xbf" + NEW.encode("ascii")
    assert latin.read_binary() == b"# coding: latin-1\n" + NEW.encode() + b"x = '\xe9'"
    assert sorted(os.listdir(str(tmpdir))) == ["a.py", "b.py", "c.py"]


def test_write_leaves_unchanged_files_alone(tmpdir):
    """A file without a change keeps its time; a second run writes nothing."""
    old, good = tmpdir.join("old.py"), tmpdir.join("good.py")
    old.write(OLD)
    good.write(NEW)
    for file in (old, good):
        os.utime(str(file), (1, 1))
    assert run(tmpdir, "--django", ">=2.0", "--write")[0] == 0
    assert os.stat(str(good)).st_mtime == 1 != os.stat(str(old)).st_mtime
    os.utime(str(old), (1, 1))
    code, out, err = run(tmpdir, "--django", ">=2.0", "--write")
    assert (code, out) == (0, "")
    assert "0 files rewritten" in err
    assert os.stat(str(old)).st_mtime == 1


def test_write_follows_links_inside_and_leaves_those_outside(tmpdir):
    """A link stays a link; its file is written if it lies in the folders."""
    inside, outside = tmpdir.mkdir("in"), tmpdir.mkdir("out")
    for folder in (inside, outside):
        folder.join("a.py").write(OLD)
    os.symlink("a.py", str(inside.join("link.py")))
    os.symlink(str(outside.join("a.py")), str(inside.join("other.py")))
    code, _, err = run(inside, "--django", ">=2.0", "--write")
    assert code == 1 and "other.py:1: a link to a file elsewhere" in err
    assert os.path.islink(str(inside.join("link.py")))
    assert inside.join("a.py").read() == NEW
    assert outside.join("a.py").read() == OLD


def test_write_follows_a_link_that_comes_before_its_file(tmpdir):
    """The file is written once, and the link stays."""
    tmpdir.join("b.py").write(OLD)
    os.symlink("b.py", str(tmpdir.join("a.py")))
    code, _, err = run(tmpdir, "--django", ">=2.0", "--write")
    assert code == 0 and "1 files rewritten, 0 lines left" in err
    assert os.path.islink(str(tmpdir.join("a.py")))
    assert tmpdir.join("b.py").read() == NEW


def test_file_that_cannot_be_read_or_written_is_named(tmpdir):
    """A link to nothing, and a name too long for a temporary file beside it."""
    os.symlink("nowhere", str(tmpdir.join("gone.py")))
    long, good = tmpdir.join("x" * 250 + ".py"), tmpdir.join("good.py")
    for file in (long, good):
        file.write(OLD)
    code, _, err = run(tmpdir, "--django", ">=2.0", "--write")
    assert code == 2 and "Traceback" not in err
    assert "gone.py: FileNotFoundError: " in err
    assert "x.py:1: not written: OSError: " in err
    assert "1 files rewritten" in err
    assert (long.read(), good.read()) == (OLD, NEW)


@pytest.mark.parametrize("command", ["adopt", "retire"])
def test_template_that_cannot_be_read_is_named(tmpdir, command):
    """The other files are rewritten, and counted."""
    file = tmpdir.join("good.py")
    file.write({"adopt": OLD, "retire": "from django_compat import reverse\n"}[command])
    os.symlink("nowhere", str(tmpdir.join("gone.html")))
    code, _, err = run(tmpdir, "--django", ">=2.0", "--write", command=command)
    assert code == 2 and "gone.html: FileNotFoundError: " in err
    assert "1 files rewritten" in err and "can go" not in err
    assert file.read() == NEW


def test_write_replaces_the_file_at_once(tmpdir, monkeypatch):
    """A reader sees the old file or the new one; a failure leaves the old one."""
    from django_compat._cli import rewriting

    file = tmpdir.join("a.py")
    file.write(OLD)
    with io.open(str(file)) as reader:
        rewriting.write_atomically(str(file), NEW.encode("ascii"))
        assert reader.read() == OLD
    assert file.read() == NEW

    def fail(*_):
        raise OSError("no")

    monkeypatch.setattr(rewriting.os, "replace", fail)
    with pytest.raises(OSError):
        rewriting.write_atomically(str(file), b"")
    monkeypatch.undo()
    assert file.read() == NEW
    assert os.listdir(str(tmpdir)) == ["a.py"]


@pytest.mark.parametrize("command", ["adopt", "retire"])
def test_interrupt_keeps_what_is_written(tmpdir, command):
    """Ctrl-C while a template is read: the modules are rewritten, no file is left."""
    file, pipe = tmpdir.join("a.py"), str(tmpdir.join("pipe.html"))
    file.write({"adopt": OLD, "retire": "from django_compat import reverse\n"}[command])
    arguments = ["-m", "django_compat", command, str(file), pipe, "--write"]
    environment = dict(os.environ, PYTHONPATH=ROOT)
    result = interrupt(arguments + ["--django", ">=2.0"], pipe, environment)
    assert result == (130, "Interrupted\n")
    assert file.read() == NEW
    assert sorted(os.listdir(str(tmpdir))) == ["a.py", "pipe.html"]


@pytest.mark.skipif(os.getuid() != 0, reason="root alone gives files away")
def test_write_keeps_the_owner(tmpdir):
    """root leaves a user's file to the user."""
    file = tmpdir.join("a.py")
    file.write(OLD)
    os.chown(str(file), 12345, 23456)
    os.chmod(str(file), 0o4640)
    assert run(tmpdir, "--django", ">=2.0", "--write")[0] == 0
    facts = os.stat(str(file))
    assert (facts.st_uid, facts.st_gid) == (12345, 23456)
    assert facts.st_mode & 0o7777 == 0o4640


def test_python_2_syntax_is_named_and_skipped(tmpdir):
    """A file that Python 3 cannot parse is named; the others are rewritten."""
    tmpdir.join("a.py").write("print 'x'\n" + OLD)
    tmpdir.join("b.py").write(OLD)
    code, _, err = run(tmpdir, "--django", ">=2.0", "--write")
    assert code == 2
    assert "a.py: skipped: not Python 3 (Python 2's syntax)" in err
    assert tmpdir.join("b.py").read() == NEW


def test_what_is_left_is_listed_with_its_line(tmpdir):
    """Exit code 1, and file, line and reason on stderr."""
    file = tmpdir.join("a.py")
    file.write("x = 1\nfrom django.core.urlresolvers import *\n")
    code, out, err = run(file, "--django", ">=2.0", "--write")
    assert (code, out) == (1, "")
    assert "%s:2: " % file in err


def test_templates_and_app_configs_are_listed(tmpdir):
    """adopt rewrites neither, but a maintainer has to know of them."""
    tmpdir.join("__init__.py").write("default_app_config = 'app.Config'\n")
    page = tmpdir.join("page.html")
    page.write("{% load staticfiles %}\n")
    code, _, err = run(tmpdir, "--django", ">=2.2", "--write")
    assert code == 1
    assert "__init__.py:1: default_app_config" in err
    assert "%s:1: {%% load staticfiles %%}: not in Django 3.0" % page in err
    code, _, err = run(page, "--django", ">=2.2")
    assert code == 1 and "skipped" not in err


@pytest.mark.parametrize("command", ["adopt", "retire"])
def test_python_does_not_warn_of_the_sources(tmpdir, command):
    """An invalid escape is the program's own: the command tells of imports alone."""
    file = tmpdir.join("a.py")
    ladder = "try:\n    %sexcept ImportError:\n    %s" % (NEW, OLD)
    test = "if re.match('\\d', x):\n    from django_compat import path\n"
    routes = "from django_six import path as url\nurls = [url('^\\d', f)]\n"
    file.write(ladder + test + routes)
    _, _, err = run(tmpdir, "--django", ">=2.0", command=command)
    assert "Warning" not in err
    assert "1 files would change" in err


@pytest.mark.parametrize("arguments", [["nowhere"], [".", "--django", "x"]])
def test_bad_arguments(arguments):
    """A path that does not exist, and a bad range, are errors with exit code 2."""
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "error: " in err and "Traceback" not in err


def test_without_libcst_a_message_says_how_to_install_it(tmpdir):
    """The extra is named."""
    tmpdir.join("libcst.py").write("raise ImportError('no')\n")
    path = os.pathsep.join([str(tmpdir), ROOT])
    code, _, err = run(tmpdir, environment={"PYTHONPATH": path})
    assert code == 2
    assert "pip install 'django-compat-shim[rewrite]'" in err


def test_code_beside_the_imports_stays_the_same():
    """Nothing but the import differs, in each of this project's tests."""
    folder = os.path.join(ROOT, "tests", "project", "reusable")
    for root, _, names in os.walk(folder):
        for name in sorted(names):
            if name.endswith(".py"):
                with io.open(os.path.join(root, name), encoding="utf-8") as file:
                    text = "\n\nx = 1\n" + file.read()
                new, _ = adopt(OLD + text, ">=4.0")
                assert new == NEW + text


IMPORTS = [
    "from django.core.urlresolvers import reverse",
    "from django.core.urlresolvers import (\n    reverse,  # one\n    # two\n"
    "    resolve as r,\n)",
    "from django.urls import NoReverseMatch, include  # noqa",
    "from django.utils.encoding import force_text, smart_str as s",
    "from django.utils import six, translation",
    "from django.utils.translation import (\n    ugettext as _, gettext\n)",
    "import django.core.urlresolvers as urlresolvers, os",
    "from django_compat import path; import re",
    "try:\n    from django.urls import Resolver404\nexcept ImportError:\n"
    "    from django.core.urlresolvers import Resolver404",
]
CODE = [
    "x = [ 1,2 ]  # odd   spacing",
    "def f(a, *b):\n\n    '''Text.'''\n    return  a",
    "class A( object ) :\n    pass ; y = 1",
    "# only a comment",
    "z = '''\nfrom django.utils.six import x\n'''",
]


def test_any_order_of_imports_keeps_names_and_code():
    """Whatever stands where, code stays the same and each name stays bound."""
    hypothesis = pytest.importorskip("hypothesis", reason="needs Python 3.10+")
    lines = hypothesis.strategies.lists(
        hypothesis.strategies.sampled_from(IMPORTS + CODE), max_size=8
    )

    @hypothesis.settings(
        max_examples=30, deadline=None, derandomize=True, database=None
    )
    @hypothesis.given(lines, hypothesis.strategies.sampled_from([">=1.8", ">=2.0"]))
    def check(lines, versions):
        text = "\n".join(lines) + "\n"
        new, _ = adopt(text, versions)
        assert bound(new) == bound(text)
        assert code_of(new) == code_of(text)
        for line in lines:
            assert line in new or line not in CODE

    check()


def bound(text):
    """Return the names that the imports of a module bind."""
    import ast

    return {
        alias.asname or alias.name.split(".")[0]
        for node in ast.walk(ast.parse(text))
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for alias in node.names
    }


def code_of(text):
    """Return the statements of a module but imports and ladders."""
    import ast

    imports = ast.Import, ast.ImportFrom, ast.Try
    return [
        ast.dump(node) for node in ast.parse(text).body if not isinstance(node, imports)
    ]
