"""A page that is at work in the database for a moment, and says what went wrong."""

from __future__ import absolute_import

from django.core.wsgi import get_wsgi_application
from django.db import connection
from django.http import HttpResponse

try:
    from django.urls import re_path
except ImportError:  # before Django 2.0
    from django.conf.urls import url as re_path

WORK = {"mysql": "SELECT SLEEP(0.4)", "postgresql": "SELECT pg_sleep(0.4)"}


def page(request):
    try:
        cursor = connection.cursor()
        cursor.execute(WORK[connection.vendor])
        cursor.close()
    except Exception as error:  # until Django 1.5 it may be the driver's own
        return HttpResponse(repr(error), status=500)
    return HttpResponse("done")


urlpatterns = [re_path(r"^$", page)]
application = get_wsgi_application()
