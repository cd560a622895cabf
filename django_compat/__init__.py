"""One import line for Django's database connections, on every Django.

``from django_compat import close_old_connections`` works, means the same and costs
nothing on Django 1.4 to 6.1. Each public name is looked up at its first use, so
``import django_compat`` loads no Django, no driver, no asyncio, and needs no settings.
"""

from __future__ import absolute_import

from django_compat._lazy import Name, install

__version__ = "1.0.0"

_NAMES = {
    "FORKED": Name("django_compat._db.stale:FORKED"),
    "HUNG_UP": Name("django_compat._db.stale:HUNG_UP"),
    "IDLE": Name("django_compat._db.stale:IDLE"),
    "INTERRUPTED": Name("django_compat._db.stale:INTERRUPTED"),
    "ThreadPoolExecutor": Name(
        "django_compat._db.executors:ThreadPoolExecutor",
        needs="concurrent",
        instead="pip install futures, the backport to Python 2.7",
    ),
    "UNUSABLE": Name("django_compat._db.stale:UNUSABLE"),
    "aclose_all_connections": Name(
        "django_compat._db.aio:aclose_all_connections",
        since=(3, 0),
        instead="call close_all_connections in the thread that holds the connections",
    ),
    "aclose_old_connections": Name(
        "django_compat._db.aio:aclose_old_connections",
        since=(3, 0),
        instead="call close_old_connections in the thread that holds the connections",
    ),
    "aclose_stale_connections": Name(
        "django_compat._db.aio:aclose_stale_connections",
        since=(3, 0),
        instead="call close_stale_connections in the thread that holds the connections",
    ),
    "close_all_connections": Name("django_compat._db.closing:close_all_connections"),
    "close_connection": Name(
        "django.db:close_connection",
        "django_compat._db.closing:close_connection",
        deprecated=(1, 6),
    ),
    "close_old_connections": Name(
        "django.db:close_old_connections",
        "django.db:close_connection",  # Django 1.4 and 1.5
        "django_compat._db.closing:close_old_connections",
    ),
    "close_stale_connections": Name(
        "django_compat._db.closing:close_stale_connections"
    ),
    "closing_connections": Name("django_compat._db.scopes:closing_connections"),
    "connection_replaced": Name("django_compat._db.closing:connection_replaced"),
    "connections": Name("django.db:connections"),
    "discard_connections": Name("django_compat._db.closing:discard_connections"),
    "fresh_connections": Name("django_compat._db.scopes:fresh_connections"),
    "guard_connections": Name("django_compat._db.guard:guard_connections"),
    "is_disconnect": Name("django_compat._db.disconnects:is_disconnect"),
    "retry_on_disconnect": Name("django_compat._db.retry:retry_on_disconnect"),
    "stats": Name("django_compat._db.stats:stats"),
}
# The warning classes that Django 1.7 to 6.1 define, each in some release.
for _release in "18 19 110 20 21 30 31 40 41 50 51 60 61 70 2028".split():
    _NAMES["RemovedInDjango%sWarning" % _release] = Name(
        "django_compat._names.deprecation:removed_in_warning", factory=True
    )
del _release

_HIDDEN = {
    # Django 3.2 and later find the AppConfig without this name, and until 4.0 warn if a
    # module has the name.
    "default_app_config": Name("django_compat.apps:default_app_config", until=(3, 1)),
}

# The module with the table of names that Django moved.
_MOVED = "django_compat._names.table"
# Moved names that are also modules of ours: here ``apps`` is Django's registry of apps,
# and sys.modules has our module.
_SHADOWED = {"apps"}

install(__name__, _NAMES)
