"""``python -m django_compat retire``: the way out, and what still needs the package."""

from __future__ import absolute_import

import os

import pytest

from support.processes import run as run_python
from support.repository import ROOT

pytest.importorskip("libcst", reason="needs Python 3.10+, and LibCST")

from django_compat._cli.adopt import Shared  # noqa: E402
from django_compat._cli.places import Places, parse_range  # noqa: E402
from django_compat._cli.retire import Retirer  # noqa: E402

PLACES = {}


def retire(text, versions=">=2.2", path="app/models.py"):
    """Return the new text of a module, and the texts of what still needs the shim."""
    if versions not in PLACES:
        PLACES[versions] = Places(parse_range(versions))
    retirer = Retirer(PLACES[versions], Shared())
    new, left = retirer.rewrite(path, text.encode("utf-8"))
    again, _ = retirer.rewrite(path, new)
    assert again == new, "a second run changes it"
    return new.decode("utf-8"), [text for _, text in left]


def run(*arguments):
    """Run the command; return exit code, stdout and stderr."""
    command = ["-m", "django_compat", "retire"] + list(map(str, arguments))
    return run_python(command, dict(os.environ, PYTHONPATH=ROOT))


# Range, before, after.
REWRITTEN = {
    "one name": (
        ">=2.0",
        "from django_compat import reverse\n",
        "from django.urls import reverse\n",
    ),
    "alias": (
        ">=2.0",
        "from django_compat import reverse as r\n",
        "from django.urls import reverse as r\n",
    ),
    "an old name becomes the new one, and keeps its own": (
        ">=2.0",
        "from django_compat import force_text\n",
        "from django.utils.encoding import force_str as force_text\n",
    ),
    "close_old_connections": (
        ">=1.6",
        "from django_compat import close_old_connections, connections\n",
        "from django.db import close_old_connections, connections\n",
    ),
    "several places": (
        ">=2.0",
        "from django_compat import gettext_lazy as _, path, six\n",
        "from django.utils.translation import gettext_lazy as _\n"
        "from django.urls import path\nimport six\n",
    ),
    "comments": (
        ">=2.0",
        "from django_compat import (  # noqa\n    # routes\n    path,\n"
        "    force_str,  # text\n)\n",
        "from django.urls import (  # noqa\n    # routes\n    path,\n)\n"
        "from django.utils.encoding import (  # noqa\n    force_str,  # text\n)\n",
    ),
    "module": (
        ">=2.0",
        "import django_compat\n\n"
        "x = django_compat.reverse('x'), django_compat.six.PY3\n",
        "from django.urls import reverse\nimport six\n\nx = reverse('x'), six.PY3\n",
    ),
    "module with an alias": (
        ">=2.0",
        "import django_compat as dc\n\nx = dc.reverse('x')\n",
        "from django.urls import reverse\n\nx = reverse('x')\n",
    ),
    "names of Python": (
        ">=2.0",
        "from django_compat import OrderedDict, import_module, mock\n",
        "from collections import OrderedDict\nfrom importlib import import_module\n"
        "from unittest import mock\n",
    ),
    "a warning that the whole range has": (
        ">=4.2,<5",
        "from django_compat import RemovedInDjango51Warning\n",
        "from django.utils.deprecation import RemovedInDjango51Warning\n",
    ),
    "a module of the app itself with the same name": (
        ">=2.0",
        "from . import django_compat\n\nx = django_compat.reverse('x')\n",
        "from . import django_compat\n\nx = django_compat.reverse('x')\n",
    ),
    "merge": (
        ">=2.0",
        "from django.urls import path\nfrom django_compat import reverse\n",
        "from django.urls import path, reverse\n",
    ),
    "inside a function": (
        ">=2.0",
        "def f():\n    from django_compat import reverse\n    return reverse\n",
        "def f():\n    from django.urls import reverse\n    return reverse\n",
    ),
    "a relative re-export": (
        ">=2.0",
        "from django_compat import reverse  # noqa: F401\n\n__all__ = ['reverse']\n",
        "from django.urls import reverse  # noqa: F401\n\n__all__ = ['reverse']\n",
    ),
}


@pytest.mark.parametrize("case", sorted(REWRITTEN))
def test_retire_rewrites(case):
    """A name comes from the place that the whole range has."""
    versions, before, after = REWRITTEN[case]
    assert retire(before, versions) == (after, [])


# Range, text, what is left.
LEFT = {
    "until": (
        ">=1.8",
        "from django_compat import reverse\n",
        "django_compat.reverse: needs the shim until >=1.10, which has "
        "django.urls.reverse",
    ),
    "the connection API": (
        ">=4.2",
        "from django_compat import fresh_connections\n",
        "django_compat.fresh_connections: needs the shim, which alone has it",
    ),
    "a name that django_compat lacks": (
        ">=4.2",
        "from django_compat import nonsense\n",
        "django_compat.nonsense: django_compat has no such name",
    ),
    "an attribute that django_compat lacks": (
        ">=4.2",
        "import django_compat\n\nx = django_compat.nonsense\n",
        "django_compat.nonsense: django_compat has no such name",
    ),
    "a module that django_compat lacks": (
        ">=4.2",
        "import django_compat.nonsense as x\nfrom django_compat.nothing import y\n",
        "django_compat.nonsense: django_compat has no such name",
        "django_compat.nothing: django_compat has no such name",
    ),
    "the version": (
        ">=4.2",
        "from django_compat import __version__\n",
        "django_compat.__version__: needs the shim, which alone has it",
    ),
    "a module of django_compat": (
        ">=4.2",
        "from django_compat import contrib\n",
        "django_compat.contrib: needs the shim, which alone has it",
    ),
    "close_old_connections before 1.6": (
        ">=1.4",
        "from django_compat import close_old_connections\n",
        "django_compat.close_old_connections: needs the shim until >=1.6, which has "
        "django.db.close_old_connections",
    ),
    "force_bytes before 1.5, whose smart_str returns text later": (
        ">=1.4",
        "from django_compat import force_bytes\n",
        "django_compat.force_bytes: needs the shim until >=1.5, which has "
        "django.utils.encoding.force_bytes",
    ),
    "an attribute of an object": (
        ">=2.0",
        "from django_compat import get_model\n",
        "django_compat.get_model: the whole range has django.apps.apps.get_model, "
        "write that by hand",
    ),
    "star": (
        ">=4.2",
        "from django_compat import *\n",
        "django_compat: the star needs it",
    ),
    "settings": (
        ">=4.2",
        "INSTALLED_APPS = ['django_compat']\n",
        'the text "django_compat" needs it',
    ),
    "other modules": (
        ">=4.2",
        "from django_compat.apps import install\n",
        "django_compat.apps: needed",
    ),
    "other modules, with dots": (
        ">=4.2",
        "import django_compat.apps\n\ndjango_compat.apps.install()\n",
        "django_compat.apps: needed",
    ),
    "the module itself": (
        ">=4.2",
        "import django_compat\n\nx = django_compat\n",
        "django_compat: the module itself is used",
    ),
    "an import that nothing uses": (
        ">=4.2",
        "import django_compat\n",
        "import django_compat: not used here",
    ),
    "a name of Python 3 alone": (
        ">=1.11",
        "from django_compat import mock\n",
        "django_compat.mock: needs the shim until >=2.0, which has unittest.mock",
    ),
    "a name of another module on Python 3": (
        ">=1.11",
        "from django_compat import HTMLParser\n",
        "django_compat.HTMLParser: needs the shim until >=2.0, which has "
        "html.parser.HTMLParser",
    ),
    "a name that Django dropped": (
        ">=4.2",
        "from django_compat import patterns\n",
        "django_compat.patterns: no Django of the range has it. Instead: a plain list",
    ),
    "a warning that the range starts without": (
        ">=4.2",
        "from django_compat import RemovedInDjango60Warning\n",
        "django_compat.RemovedInDjango60Warning: needs the shim, which alone has it",
    ),
    "ignored": (
        ">=4.2",
        "from django_compat import reverse  # django-compat: ignore\n",
        "django_compat.reverse: its new name is taken in this module, or the line says "
        "ignore",
    ),
    "a name that is taken": (
        ">=4.2",
        "import django_compat\n\n\n"
        "def f(reverse):\n    django_compat.reverse(reverse)\n",
        "django_compat.reverse: its new name is taken in this module, or the line says "
        "ignore",
    ),
}


@pytest.mark.parametrize("case", sorted(LEFT))
def test_retire_lists_what_needs_the_package(case):
    """What the range does not have in one place stays, and is listed."""
    versions, text = LEFT[case][:2]
    assert retire(text, versions) == (text, list(LEFT[case][2:]))


def test_retire_splits_what_stays_from_what_goes():
    """The rest of a statement stays."""
    text = "from django_compat import fresh_connections, reverse\n"
    new, left = retire(text)
    assert new == (
        "from django_compat import fresh_connections\nfrom django.urls import reverse\n"
    )
    assert len(left) == 1


def test_retire_undoes_adopt():
    """What adopt wrote for an old range, retire brings to Django's own places."""
    from django_compat._cli.adopt import Adopter

    old = (
        "from django.core.urlresolvers import reverse\n"
        "from django.utils.encoding import force_text\n"
        "try:\n    from django.utils.deprecation import MiddlewareMixin\n"
        "except ImportError:\n    MiddlewareMixin = object\n"
    )
    adopter = Adopter(Places(parse_range(">=1.8")), Shared())
    adopted, _ = adopter.rewrite("a.py", old.encode("ascii"))
    new, left = retire(adopted.decode("ascii"))
    assert left == []
    assert new == (
        "from django.utils.deprecation import MiddlewareMixin\n"
        "from django.utils.encoding import force_str as force_text\n"
        "from django.urls import reverse\n"
    )


def test_command_tells_that_the_dependency_can_go(tmpdir):
    """When nothing needs the package, the command says so."""
    file = tmpdir.join("a.py")
    file.write("from django_compat import reverse\n")
    code, out, err = run(tmpdir, "--django", ">=2.0")
    assert code == 1 and "+from django.urls import reverse" in out
    assert "after --write: the dependency can go" in err
    code, out, err = run(tmpdir, "--django", ">=2.0", "--write")
    assert (code, out, file.read()) == (0, "", "from django.urls import reverse\n")
    assert "Nothing needs django_compat any more: the dependency can go" in err
    code, out, err = run(tmpdir, "--django", ">=2.0", "--write")
    assert code == 0 and "the dependency can go" in err


def test_command_lists_lines_and_templates(tmpdir):
    """File, line and reason are on stderr; the dependency stays."""
    tmpdir.join("a.py").write("x = 1\nfrom django_compat import fresh_connections\n")
    template = tmpdir.mkdir("templates").join("a.html")
    template.write("\n{% load static django_compat %}\n")
    code, out, err = run(tmpdir, "--django", ">=4.2", "--write")
    assert (code, out) == (1, "")
    assert "a.py:2: django_compat.fresh_connections: needs the shim" in err
    assert "a.html:2: {% load django_compat %} needs it" in err
    assert "can go" not in err


def test_command_names_files_that_it_cannot_read(tmpdir):
    """The exit code is 2, and the dependency stays: nobody knows what they need."""
    tmpdir.join("a.py").write("print 'x'\nimport django_compat\n")
    code, out, err = run(tmpdir, "--django", ">=4.2")
    assert (code, out) == (2, "")
    assert "a.py: skipped: not Python 3" in err
    assert "can go" not in err


def test_path_that_does_not_exist_is_an_error(tmpdir):
    """The exit code is 2, too."""
    code, out, err = run(tmpdir.join("nowhere"))
    assert (code, out) == (2, "")
    assert "error: " in err and "no such file or folder" in err
