"""Names that some Django lacks, a file for each area.

The docstring of a file says which Django needs its names. The table of moved names
refers to them as ``django_compat._names.backports.<file>:<name>``. A file is imported
when a name in it is first used. Two rules follow: a file imports on every Django that
needs one of its names, and loads nothing heavy that its other names do without.
"""

from __future__ import absolute_import

__all__ = []
