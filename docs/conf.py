"""Sphinx builds the pages: ``tox -e docs``."""

from __future__ import absolute_import

import os
import pkgutil
import re
import sys
from importlib import import_module

sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

import django  # noqa: E402
from django.conf import settings  # noqa: E402
from sphinx.ext.autodoc.mock import mock  # noqa: E402
from sphinx.util import logging  # noqa: E402

import django_compat  # noqa: E402
import django_compat.contrib  # noqa: E402
import django_compat.matrix  # noqa: E402

# Some public names need settings.
settings.configure()
django.setup()

project = "django-compat-shim"
release = version = django_compat.__version__
extensions = ["sphinx.ext.autodoc"]
# The runners, whose classes ours are made of, are not installed here.
autodoc_mock_imports = ["apscheduler", "celery", "dramatiq", "pytest", "rq"]
html_theme = "furo"
html_static_path = ["static"]
html_css_files = ["wide.css"]
html_title = "%s %s" % (project, release)
html_show_copyright = False
pygments_style = "default"  # furo's own shows no colours of a diff
highlight_language = "text"
# Else "--preload" is shown with one dash.
smartquotes = False
exclude_patterns = ["built"]
# Only links inside of the pages are checked: a build asks no other site.
linkcheck_ignore = [r"https?://"]


def setup(app):
    app.connect("include-read", _move_pictures)
    app.connect("source-read", _link_pages)
    app.connect("env-check-consistency", _check_names)


def _move_pictures(app, path, document, texts):
    """The paths of an included file of the root begin there, not in this folder."""
    texts[0] = texts[0].replace(".. image:: docs/", ".. image:: /")


def _link_pages(app, name, texts):
    """Check the links of the first page, which work where the file is shown, too."""
    if name == "index":
        link = r"`([^`<]+) <([\w/-]+)\.rst>`__"
        texts[0] = re.sub(link, r":doc:`\1 </\2>`", texts[0])


def _check_names(app, env):
    """Warn of each public name that the reference does not have."""
    matrix = django_compat.matrix
    names = {"django_compat.apps.install"}
    names.update("django_compat." + name for name in django_compat._NAMES)
    names.update("django_compat.matrix." + name for name in matrix.__all__)
    with mock(autodoc_mock_imports):
        for module in pkgutil.iter_modules(django_compat.contrib.__path__):
            name = "django_compat.contrib." + module.name
            names.add(name)
            names.update(name + "." + one for one in import_module(name).__all__)
    for name in sorted(names - set(env.domains.python_domain.objects)):
        logging.getLogger(__name__).warning("%s is not in the reference", name)
