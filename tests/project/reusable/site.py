"""The routes of the project that installs the app."""

from __future__ import absolute_import

from django.contrib import admin

from django_compat import include, path

admin.autodiscover()

urlpatterns = [
    path("admin/", admin.site.urls),
    path("notes/", include("reusable.urls")),
    path("more/", include("reusable.urls", namespace="more")),
]
