"""One import line for Django's database connections, on every Django.

``from django_compat import close_old_connections`` works, means the same and costs
nothing on Django 1.4 to 6.1. Every public name is found when it is first asked for:
``import django_compat`` loads no Django, no driver, no asyncio, and needs no settings.
"""

from __future__ import absolute_import

from django_compat._lazy import Name, install

__version__ = "1.0.0"

_NAMES = {
    "ThreadPoolExecutor": Name(
        "django_compat.executors:ThreadPoolExecutor",
        needs="concurrent",
        instead="pip install futures, the backport to Python 2.7",
    ),
    "aclose_all_connections": Name(
        "django_compat._async:aclose_all_connections",
        since=(3, 0),
        instead="call close_all_connections in the thread that holds the connections",
    ),
    "aclose_old_connections": Name(
        "django_compat._async:aclose_old_connections",
        since=(3, 0),
        instead="call close_old_connections in the thread that holds the connections",
    ),
    "aclose_stale_connections": Name(
        "django_compat._async:aclose_stale_connections",
        since=(3, 0),
        instead="call close_stale_connections in the thread that holds the connections",
    ),
    "close_all_connections": Name("django_compat.connections:close_all_connections"),
    "close_connection": Name(
        "django.db:close_connection",
        "django_compat.connections:close_connection",
        deprecated=(1, 6),
    ),
    "close_old_connections": Name(
        "django.db:close_old_connections",
        "django.db:close_connection",  # Django 1.4 and 1.5
        "django_compat.connections:close_old_connections",
    ),
    "close_stale_connections": Name(
        "django_compat.connections:close_stale_connections"
    ),
    "closing_connections": Name("django_compat.scopes:closing_connections"),
    "discard_connections": Name("django_compat.connections:discard_connections"),
    "fresh_connections": Name("django_compat.scopes:fresh_connections"),
    "guard_connections": Name("django_compat.guard:guard_connections"),
    "is_disconnect": Name("django_compat.disconnects:is_disconnect"),
    "retry_on_disconnect": Name("django_compat.disconnects:retry_on_disconnect"),
}
# Each class that any release from 1.7 to 6.1 defines.
for _release in "18 19 110 20 21 30 31 40 41 50 51 60 61 70 2028".split():
    _NAMES["RemovedInDjango%sWarning" % _release] = Name(
        "django_compat.deprecation:removed_in_warning", factory=True
    )
del _release

_HIDDEN = {
    # From 3.2 Django finds it by itself, and warns of this until 4.0.
    "default_app_config": Name("django_compat.apps:default_app_config", until=(3, 1)),
}

_MOVED = "django_compat.moves"  # the table of the names that Django moved
_SHADOWED = {"apps"}  # Django's registry; our module of the name is in sys.modules

install(__name__, _NAMES)
