"""The routes of the app."""

from __future__ import absolute_import

from django_compat import include, path, re_path
from reusable import views

app_name = "reusable"

inner = [path("<slug:word>/", views.below, name="inner")]

urlpatterns = [
    path("", views.index, name="index"),
    path("<int:pk>/", views.detail, name="detail"),
    path("add/", views.add, name="add"),
    path("fail/", views.fail, name="fail"),
    path("answer/<uuid:key>/", views.answer, name="answer"),
    path("below/<int:number>/", include(inner)),
    re_path(r"^regex/(?P<rest>[a-z/]+)$", views.below, name="regex"),
]
