"""Coroutines in tests, on the Djangos that have asgiref (3.0 and newer)."""

from __future__ import absolute_import

import asyncio

from asgiref.sync import sync_to_async


def in_orm(function, *arguments):
    """Run a function in the thread that holds the ORM's connections."""
    return sync_to_async(function, thread_sensitive=True)(*arguments)


def run_async(coroutine):
    """Do what asyncio.run does, which came with Python 3.7."""
    loop = asyncio.new_event_loop()
    try:
        return loop.run_until_complete(coroutine)
    finally:
        loop.run_until_complete(loop.shutdown_asyncgens())
        loop.close()
