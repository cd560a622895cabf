"""The application of ``INSTALLED_APPS += ["django_compat"]``, and ``install()``."""

from __future__ import absolute_import

import os
import sys

from django import db
from django.core import signals
from django.core.exceptions import ImproperlyConfigured

from django_compat._db.closing import close_stale_connections, discard_connections
from django_compat._db.goodbyes import (
    say_goodbye_when_forked,
    say_goodbye_when_started,
)
from django_compat._db.guard import (
    GUARDED_COMMANDS,
    guard_connections,
    guarded_commands,
    look_at_old_connections,
)

try:
    from django.apps import AppConfig
except ImportError:  # up to Django 1.6
    AppConfig = object

__all__ = ["GUARDED_COMMANDS", "DjangoCompatConfig", "guarded_commands", "install"]

default_app_config = "django_compat.apps.DjangoCompatConfig"  # Django 1.7 to 3.1

_installed = []  # the Installations that are on
_watches_forks = False


class DjangoCompatConfig(AppConfig):
    """The application, from Django 1.7 on; up to 1.6 call ``install()`` instead."""

    name = "django_compat"

    def ready(self):
        from django_compat import checks  # Django 1.7+ has system checks

        install()
        checks.register()
        command, guarded = _command(), ()
        try:
            guarded = guarded_commands()
        except ImproperlyConfigured:
            # These two say it without a traceback.
            if command not in ("check", "dbconnections"):
                raise
        if command in guarded or _is_notebook():
            guard_connections()


def _command():
    """Return the management command of this process, None without one."""
    if "django_dramatiq.setup" in sys.argv:
        return "rundramatiq"  # which replaces itself by the program dramatiq
    return sys.argv[1] if sys.argv[1:] else None


def _is_notebook():
    """Tell whether this process is a kernel of Jupyter's, or an IPython shell."""
    ipython = sys.modules.get("IPython")
    return getattr(ipython, "get_ipython", lambda: None)() is not None


class Installation(object):
    """The result of ``install()``: ``undo()`` takes it back."""

    def __init__(self):
        self.look = look_at_old_connections()
        _installed.append(self)

    def undo(self):
        """Take this installation back; the last one takes all away."""
        self.look.undo()
        if self in _installed:
            _installed.remove(self)
        if not _installed:  # a receiver that is not there is no error
            signals.request_started.disconnect(_begin_request)


def install():
    """Let Django's own ``close_old_connections`` find what the server hung up.

    From now on that function, which Django calls where a request begins and ends, and
    task runners around each task, first closes what is stale, as
    ``close_stale_connections`` does: for each open connection outside of a transaction
    at the cost of one ``poll()``. The function itself stays Django's own object; what
    changes is the method ``close_if_unusable_or_obsolete`` of connections, whatever
    their backend. And a new connection is taken from a psycopg pool (Django 5.1+) only
    after the pool's dead sessions are gone.

    A forked child begins with ``discard_connections``: from Python 3.7 on after every
    fork that Python knows of, before 3.7 only after the forks of ``multiprocessing``.
    A child that ends by itself, also by ``os._exit()``, closes the connections that
    its last thread opened, so the server counts no aborted client. Opens no connection.

    Django 1.7 and later call ``install()`` for ``INSTALLED_APPS``. Up to 1.6 call it
    once in each process, after the settings are complete, for example in ``wsgi.py``.
    Returns an object whose ``undo()`` takes the call back.

    .. versionadded:: 1.0
    """
    if not hasattr(db, "close_old_connections"):  # Django 1.4, 1.5 do not look
        signals.request_started.connect(_begin_request)
    _watch_forks()
    say_goodbye_when_started()
    return Installation()


def _begin_request(**kwargs):
    close_stale_connections()


def _watch_forks():
    global _watches_forks
    if _watches_forks:
        return
    _watches_forks = True
    if hasattr(os, "register_at_fork"):  # Python 3.7+
        os.register_at_fork(after_in_child=_begin_child)
        return
    from multiprocessing import util

    for library in (util, sys.modules.get("billiard.util")):  # celery's
        if library is not None:
            # The library calls the second argument with the first, and forgets both
            # when the first is garbage: a function of a module is not.
            library.register_after_fork(_begin_child, _begin_child)


def _begin_child(_=None):
    if _installed:
        discard_connections()
        say_goodbye_when_forked()
