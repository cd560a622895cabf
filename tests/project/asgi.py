"""The pages of an ASGI server: each tells the database sessions that it had."""

import asyncio

from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.http import JsonResponse
from django.urls import path

import queries
from django_compat import fresh_connections

waiting_pages = {}  # the event that a page waits for, by the page's session
session = sync_to_async(queries.session)


async def ours(request):
    async with fresh_connections():
        return JsonResponse({"session": await session()})


async def two_units(request):
    """Wait between two units of work for a request of go_on."""
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
    waiting_pages[number] = asyncio.Event()
    await waiting_pages[number].wait()


async def waiting(request):
    return JsonResponse({"sessions": list(waiting_pages)})


async def go_on(request, number):
    waiting_pages.pop(number).set()
    return JsonResponse({})


urlpatterns = [
    path("ours/", ours),
    path("two-units/", two_units),
    path("two-bare/", two_bare),
    path("waiting/", waiting),
    path("go-on/<int:number>/", go_on),
]
application = get_asgi_application()
