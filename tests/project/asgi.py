"""The pages of an ASGI server: each tells the sessions it had on the database."""

import asyncio

from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import connection
from django.http import JsonResponse
from django.urls import path

from django_compat import fresh_connections

SESSION_ID = {
    "mysql": "SELECT CONNECTION_ID()",
    "postgresql": "SELECT pg_backend_pid()",
}
go = {}  # by the session that a page waits with


@sync_to_async
def session():
    with connection.cursor() as cursor:
        cursor.execute(SESSION_ID[connection.vendor])
        return cursor.fetchone()[0]


async def ours(request):
    async with fresh_connections():
        return JsonResponse({"session": await session()})


async def two_units(request):
    """Wait between two units of work until we are told to go on."""
    async with fresh_connections():
        first = await session()
    await pause(first)
    async with fresh_connections():
        return JsonResponse({"first": first, "second": await session()})


async def two_bare(request):
    first = await session()
    await pause(first)
    return JsonResponse({"first": first, "second": await session()})


async def pause(number):
    go[number] = asyncio.Event()
    await go[number].wait()


async def waiting(request):
    return JsonResponse({"sessions": list(go)})


async def go_on(request, number):
    go.pop(number).set()
    return JsonResponse({})


urlpatterns = [
    path("ours/", ours),
    path("two-units/", two_units),
    path("two-bare/", two_bare),
    path("waiting/", waiting),
    path("go-on/<int:number>/", go_on),
]
application = get_asgi_application()
