"""Let a child process say goodbye to its own sessions when it ends.

A child that was forked by ``multiprocessing``, ``billiard`` (celery's) or RQ ends with
``os._exit()``, which runs no destructor. A child that ``multiprocessing`` starts by
spawn or forkserver runs the finalizers of that library. Without a goodbye MySQL counts
an aborted client.
"""

from __future__ import absolute_import

import os
import sys

from django_compat._db.closing import close
from django_compat._db.forks import is_inherited
from django_compat._db.versions import used_connections

__all__ = ["say_goodbye_when_forked", "say_goodbye_when_started"]

_really_exit = os._exit


def say_goodbye_when_forked():
    """Close the connections of this process, a forked child, when it ends."""
    global _really_exit
    if os._exit is not _close_and_exit:
        _really_exit, os._exit = os._exit, _close_and_exit


def _close_and_exit(status):
    try:
        _close_own()
    finally:
        _really_exit(status)


def say_goodbye_when_started():
    """Do so in a process that multiprocessing or billiard started anew."""
    for name in ("multiprocessing", "billiard"):
        util, library = sys.modules.get(name + ".util"), sys.modules.get(name)
        # Its name is known while its main module is imported, its parent (3.8+) later.
        if util is None or library.current_process().name == "MainProcess":
            continue
        # Before the target begins, the library forgets its finalizers, and then calls
        # the functions that are registered.
        util.register_after_fork(_add_finalizer, _add_finalizer)
        _add_finalizer(None)


def _add_finalizer(_):
    for name in ("multiprocessing.util", "billiard.util"):
        if name in sys.modules:
            # Finalizers of the program, which may use the database, run from 0 on.
            sys.modules[name].Finalize(None, _close_own, exitpriority=-100)


def _close_own():
    for connection in used_connections().values():
        if not is_inherited(connection):
            close(connection)
