"""No pages: a test that needs pages names another ROOT_URLCONF."""

urlpatterns = []
