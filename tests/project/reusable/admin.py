"""Notes in the admin."""

from __future__ import absolute_import

from django.contrib import admin

from django_compat import format_html, gettext_lazy as _
from reusable.models import Note


class NoteAdmin(admin.ModelAdmin):
    """A list with links."""

    list_display = ["title", "link"]
    search_fields = ["title"]

    def link(self, note):
        """Link to the page of a note."""
        return format_html(u'<a href="{0}">{1}</a>', note.get_absolute_url(), _("page"))

    link.allow_tags = True  # until Django 1.9; later ones believe format_html()


admin.site.register(Note, NoteAdmin)
