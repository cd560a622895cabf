"""A web process; the server loads it, with open connections, and forks workers."""

from __future__ import absolute_import

import django
from django.conf import settings
from django.core.wsgi import get_wsgi_application

import pages

application = get_wsgi_application()
if "django_compat" in settings.INSTALLED_APPS and django.VERSION < (1, 7):
    from django_compat.apps import install

    install()

pages.inherited = pages.sessions()
