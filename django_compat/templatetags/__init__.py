"""Template tags, for ``INSTALLED_APPS += ["django_compat"]``."""

from __future__ import absolute_import

__all__ = []
