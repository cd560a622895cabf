"""Exceptions that arrive from outside while a job, or this package, is at work."""

from __future__ import absolute_import

import contextlib
import gc
import os
import signal
import threading
import time

try:
    from gevent import Timeout
except ImportError:
    Timeout = None


class SoftTimeLimitExceeded(Exception):
    """Celery's, of billiard.exceptions: an Exception without a base of ours."""

    __module__ = "billiard.exceptions"


LIMITS = [SoftTimeLimitExceeded, KeyboardInterrupt]
if Timeout is not None:
    LIMITS.append(Timeout)


@contextlib.contextmanager
def limit(kind, seconds=0.05):
    """Raise an exception in the main thread, from a signal's handler, after a while.

    Wait for the exception at the end of the body: a driver that waits in C returns
    before Python calls the handler.
    """

    def handle(*_):
        if kind is KeyboardInterrupt:
            os.kill(os.getpid(), signal.SIGINT)
        else:
            raise kind()

    gc.disable()  # a callback of a weak reference would swallow the exception
    before = signal.signal(signal.SIGALRM, handle)
    ctrl_c = signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
        deadline = time.time() + 5
        while time.time() < deadline:
            time.sleep(0.01)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
        signal.signal(signal.SIGINT, ctrl_c)
        gc.enable()


@contextlib.contextmanager
def silent(proxy, seconds=0.3):
    """Let nothing pass a proxy, until the proxy cuts its connections."""
    proxy.stall()
    timer = threading.Timer(seconds, proxy.cut)
    timer.start()
    try:
        yield
    finally:
        timer.join()
        proxy.resume()


@contextlib.contextmanager
def late(proxy, seconds=0.2):
    """Let each answer come late: a question that was given up is answered as well."""
    proxy.latency = seconds / 2.0  # in each direction
    try:
        yield
    finally:
        proxy.latency = 0
