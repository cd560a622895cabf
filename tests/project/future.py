"""Use every function in a process whose Django has lost one private name.

The name is hidden from ``django_compat`` alone: in a future Django it is another one.
Prints a line for each AttributeError of a function, and what was logged.
"""

from __future__ import absolute_import, print_function

import logging
import sys
import tempfile
import traceback


def hide(cls, name):
    """Hide an attribute of a class's instances from the modules of django_compat."""
    get, put = cls.__getattribute__, cls.__setattr__

    def is_ours():
        return sys._getframe(2).f_globals["__name__"].startswith("django_compat")

    def look(self, key):
        if key == name and is_ours():
            raise AttributeError("%r has no attribute %r" % (type(self).__name__, name))
        return get(self, key)

    def change(self, key, value):
        if key != name or not is_ours():
            put(self, key, value)

    cls.__getattribute__, cls.__setattr__ = look, change


def main(name):
    import django
    from django.conf import settings

    if name == "VERSION":
        django.VERSION = (2028, 0, 0, "final", 0)
    folder = tempfile.mkdtemp()
    engine = {"ENGINE": "django.db.backends.sqlite3", "NAME": folder + "/file"}
    settings.configure(
        DATABASES={"default": dict(engine, CONN_MAX_AGE=None)},
        INSTALLED_APPS=[],
        USE_TZ=True,
    )
    django.setup()
    from django.db import connection, connections, transaction
    from django.db.backends.base.base import BaseDatabaseWrapper

    if name == "close_old_connections":
        del django.db.close_old_connections
    elif name != "VERSION":
        hide(BaseDatabaseWrapper, name)
        hide(type(connections), name)
    logging.basicConfig(stream=sys.stdout, format="LOG %(message)s")

    from importlib import import_module

    from asgiref.sync import async_to_sync

    import django_compat

    apps = import_module("django_compat.apps")

    def query():
        with connections["default"].cursor() as cursor:
            cursor.execute("SELECT 1")
        return cursor

    def in_block():
        with transaction.atomic():
            query()
            django_compat.close_stale_connections()

    def lost():
        connections["default"].errors_occurred = True
        django_compat.close_stale_connections()

    uses = [
        django_compat.close_old_connections,
        django_compat.close_stale_connections,
        django_compat.fresh_connections(query),
        django_compat.closing_connections(query),
        django_compat.fresh_connections(django_compat.fresh_connections(query)),
        django_compat.fresh_connections(in_block),
        lambda: django_compat.ThreadPoolExecutor(1).submit(query).result(),
        lambda: django_compat.retry_on_disconnect()(query)(),
        django_compat.discard_connections,
        lost,
        apps.install,
        django_compat.close_old_connections,
        django_compat.guard_connections,
        query,
        in_block,
        async_to_sync(django_compat.aclose_old_connections),
        django_compat.close_all_connections,
    ]
    for number, use in enumerate(uses):
        query()
        try:
            use()
        except AttributeError as error:
            print("ERROR %d %s" % (number, error))
            traceback.print_exc(file=sys.stdout)
    print("done " + connection.vendor)  # in one piece: pools log at any time


if __name__ == "__main__":
    main(sys.argv[1])
