"""Names that some Django of the matrix lacks, a file for each kind.

Each module says until which release it is needed. The table of moved names refers to
them by ``django_compat.backports.<file>:<name>``; nothing here is imported before its
name is asked for.
"""

from __future__ import absolute_import

__all__ = []
