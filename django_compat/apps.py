"""What ``INSTALLED_APPS += ["django_compat"]`` adds."""

from __future__ import absolute_import

import os
import sys

from django.core import signals

from django_compat.connections import close_stale_connections, discard_connections
from django_compat.guard import guard_connections

try:
    from django.apps import AppConfig
except ImportError:  # until Django 1.6
    AppConfig = object

__all__ = ["DjangoCompatConfig", "install"]

default_app_config = "django_compat.apps.DjangoCompatConfig"  # Django 1.7 to 3.1

_watches_forks = False


class DjangoCompatConfig(AppConfig):
    """The application that Django 1.7+ finds; until 1.6 call ``install()``."""

    name = "django_compat"

    def ready(self):
        from django_compat import checks  # until Django 1.6 there are none

        install()
        checks.register()
        if sys.argv[1:2] in (["shell"], ["shell_plus"]):
            guard_connections()


def install():
    """Do what ``INSTALLED_APPS`` does: let requests and forked children begin well.

    From now on each request begins with ``close_stale_connections``, after what Django
    does then. And a forked child begins with ``discard_connections``: after every fork
    of Python's from Python 3.7, before that only with ``multiprocessing``. Opens
    nothing, and does it once, however often it is called.

    Django 1.7 and newer call it for ``INSTALLED_APPS``. Until 1.6 call it once in each
    process, where the settings are complete: in ``wsgi.py``, say.

    .. versionadded:: 1.0
    """
    signals.request_started.connect(_begin_request)
    _watch_forks()


def _begin_request(**kwargs):
    close_stale_connections()


def _watch_forks():
    global _watches_forks
    if _watches_forks:
        return
    _watches_forks = True
    if hasattr(os, "register_at_fork"):  # Python 3.7+
        os.register_at_fork(after_in_child=discard_connections)
        return
    from multiprocessing import util

    # It calls the second with the first, and forgets both when the first ends.
    util.register_after_fork(_begin_child, _begin_child)


def _begin_child(_):
    discard_connections()
