"""The coroutines, on the Djangos that have asgiref (3.0+)."""

from __future__ import absolute_import

import asyncio
import threading

import django
import django_compat
import pytest
from databases import run, session_id, sessions, wait_for
from django.db import connections

if django.VERSION >= (3, 0):
    from asgiref.sync import sync_to_async
    from django_compat import aclose_all_connections, aclose_old_connections

    def in_the_orms_thread(function, *arguments):
        return sync_to_async(function, thread_sensitive=True)(*arguments)

    def open_there(alias, max_age):
        """Open an alias in the thread of the ORM; return its session and thread."""
        connection = connections[alias]
        connection.settings_dict["CONN_MAX_AGE"] = max_age
        session = None
        if connection.vendor == "sqlite":
            run(connection, "SELECT 1")
        else:
            session = session_id(connection)
        return connection, session, threading.current_thread()

    def run_async(coroutine):
        loop = asyncio.new_event_loop()
        try:
            return loop.run_until_complete(coroutine)
        finally:
            loop.close()

    @pytest.mark.parametrize("max_age", [0, None])
    def test_aclose_old_keeps_the_young(alias, max_age):
        """The coroutine does in the ORM's thread what the function does in its own."""

        async def main():
            connection, _, _ = await in_the_orms_thread(open_there, alias, max_age)
            await aclose_old_connections()
            closed = connection.connection is None
            await aclose_all_connections()
            return closed

        assert run_async(main()) is (max_age == 0)

    def test_aclose_all_closes_in_the_thread_that_holds_them(server_alias):
        """The session on the server is gone; this thread's own connection is not."""

        async def main():
            connection, session, thread = await in_the_orms_thread(
                open_there, server_alias, None
            )
            await aclose_all_connections([server_alias])
            return connection.connection, session, thread

        raw, session, thread = run_async(main())
        assert raw is None
        assert thread is not None
        wait_for(lambda: session not in sessions(server_alias))

    def test_aclose_all_raises_djangos_error_for_an_unknown_alias():
        """What the function raises comes out of the coroutine."""
        with pytest.raises(Exception) as caught:
            run_async(aclose_all_connections("nowhere"))
        assert type(caught.value).__name__ == "ConnectionDoesNotExist"

else:

    def test_coroutines_are_not_to_be_had():
        """Before Django 3.0 the error says since when, and what to do instead."""
        with pytest.raises(ImportError) as caught:
            django_compat.aclose_old_connections
        assert "Django 3.0" in str(caught.value)
