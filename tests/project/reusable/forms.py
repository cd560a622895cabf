"""The form of a note."""

from __future__ import absolute_import

from django import forms

from django_compat import force_str, gettext_lazy as _
from reusable.models import Note


class NoteForm(forms.ModelForm):
    """A title; no shouting."""

    class Meta:
        model = Note
        fields = ["title"]

    def clean_title(self):
        """Refuse capitals."""
        title = self.cleaned_data["title"]
        if title.isupper():
            raise forms.ValidationError(_("Do not shout."))
        return force_str(title)
