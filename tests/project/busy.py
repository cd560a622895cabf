"""A page that keeps a session busy for a moment; its errors are its text."""

from __future__ import absolute_import

import django.db
from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse

from support.sql import SLEEP

try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

# Django 1.4 and 1.5 connect for each request: all threads are at work at once only if
# a page takes much longer than that.
SECONDS = 1.5 if hasattr(django.db, "close_old_connections") else 6


def page(request):
    try:
        cursor = connection.cursor()
        cursor.execute(SLEEP[connection.vendor] % SECONDS)
        cursor.close()
    except Exception as error:  # until Django 1.5 it may be the driver's own
        return HttpResponse(repr(error), status=500)
    return HttpResponse("done")


urlpatterns = [re_path(r"^$", page)]
application = get_wsgi_application()
