"""A note with an author."""

from __future__ import absolute_import

import uuid

from django.db import models

from django_compat import (
    get_user_model_path,
    gettext_lazy as _,
    python_2_unicode_compatible,
    reverse,
    slugify,
)


def new_key():
    """Return a key that nobody can guess."""
    return uuid.uuid4().hex


@python_2_unicode_compatible
class Note(models.Model):
    """A text with a title."""

    author = models.ForeignKey(
        get_user_model_path(), null=True, blank=True, on_delete=models.CASCADE
    )
    title = models.CharField(_("title"), max_length=50)
    slug = models.SlugField(editable=False)
    key = models.CharField(max_length=32, default=new_key, editable=False)

    class Meta:
        ordering = ["pk"]
        verbose_name = _("note")

    def __str__(self):
        return self.title

    def save(self, *args, **kwargs):
        self.slug = slugify(self.title)
        super(Note, self).save(*args, **kwargs)

    def get_absolute_url(self):
        """Return the page of this note."""
        return reverse("reusable:detail", kwargs={"pk": self.pk})
