"""No pages: those that have any name another module."""

urlpatterns = []
