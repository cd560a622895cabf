"""An object by its dotted path.

``import_string`` is needless from Django 1.7 on; Django has ``import_by_path``, which
raises another exception, from 1.5 to 1.8.
"""

from __future__ import absolute_import

import sys
from importlib import import_module

import six
from django.core.exceptions import ImproperlyConfigured

__all__ = ["import_by_path", "import_string"]


def import_string(dotted_path):
    """Return the attribute of a module, given as ``"package.module.attribute"``.

    Raises ImportError if there is no such module or attribute.

    .. versionadded:: 1.0
    """
    module, dot, name = dotted_path.rpartition(".")
    if not dot:
        text = "import_string(%r): it must be a dotted path, such as 'module.name'"
        raise ImportError(text % (dotted_path,))
    try:
        return getattr(import_module(module), name)
    except AttributeError:
        raise ImportError("import_string(%r): no %r in it" % (dotted_path, name))


def import_by_path(dotted_path, error_prefix=""):
    """Return the same, but raise ImproperlyConfigured, with ``error_prefix`` before it.

    .. versionadded:: 1.0
    """
    try:
        return import_string(dotted_path)
    except ImportError as error:
        wrong = ImproperlyConfigured("%s%s" % (error_prefix, error))
        six.reraise(ImproperlyConfigured, wrong, sys.exc_info()[2])
