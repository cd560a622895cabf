"""dramatiq: a middleware with a scope for each message; it is listed first.

``"django_compat.contrib.dramatiq.ConnectionsMiddleware"`` in the ``MIDDLEWARE`` of
django_dramatiq's ``DRAMATIQ_BROKER``, instead of ``DbConnectionsMiddleware``; without
django_dramatiq ``broker.add_middleware(ConnectionsMiddleware(), before=...)``.
"""

from __future__ import absolute_import

import threading

from dramatiq import Middleware

from django_compat._db.closing import close_all_connections
from django_compat._db.scopes import fresh_connections

__all__ = ["ConnectionsMiddleware"]


class ConnectionsMiddleware(Middleware):
    """Give each message a ``fresh_connections()`` scope.

    An actor, and each middleware that is listed later, finds connections that work, and
    CONN_MAX_AGE counts between messages. The scope sees the actor's exception: after a
    time limit or a shutdown that interrupted a query, the next message gets another
    connection. A thread of a worker that ends closes its connections. An actor that is
    called as a function runs in its caller's transaction, as ever. A coroutine has its
    ORM in other threads: decorate its function.

    .. versionadded:: 1.0
    """

    def __init__(self):
        self._local = threading.local()  # .scope: of the message that runs

    def before_process_message(self, broker, message):
        """Begin the scope of a message."""
        self._local.scope = fresh_connections()
        self._local.scope.__enter__()

    def after_process_message(self, broker, message, result=None, exception=None):
        """End the scope of a message."""
        scope = self._local.__dict__.pop("scope", None)
        if scope is None:  # an earlier middleware skipped the message
            return
        kind = None if exception is None else type(exception)
        # On Python 2 there is no traceback: the server is asked.
        scope.__exit__(kind, exception, getattr(exception, "__traceback__", None))

    after_skip_message = after_process_message

    def before_worker_thread_shutdown(self, broker, thread):
        """Close the connections of a thread that ends."""
        close_all_connections()

    # Only the middlewares and the results that a consumer looks after open any.
    before_consumer_thread_shutdown = before_worker_thread_shutdown
