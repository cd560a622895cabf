"""The coroutines: the only file with async syntax, imported when one is asked for."""

from asgiref.sync import sync_to_async

from django_compat.connections import close_all_connections

try:
    from django.db import close_old_connections
except ImportError:  # a Django that has it no more
    from django_compat.connections import close_old_connections

__all__ = ["aclose_all_connections", "aclose_old_connections"]


async def aclose_old_connections(**kwargs):
    """Run ``close_old_connections`` in the thread that holds the ORM's connections.

    That is asgiref's thread-sensitive one: the request's under ASGI, the main one or
    asgiref's single worker under ``asyncio.run``. The event loop is not blocked.

    .. versionadded:: 1.0
    """
    await sync_to_async(close_old_connections, thread_sensitive=True)(**kwargs)


async def aclose_all_connections(using=None):
    """Run ``close_all_connections`` in the thread that holds the ORM's connections.

    .. versionadded:: 1.0
    """
    await sync_to_async(close_all_connections, thread_sensitive=True)(using)
