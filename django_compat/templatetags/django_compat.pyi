from django.template import Library
from django.template.defaulttags import verbatim as verbatim

__all__ = ["register", "verbatim"]

register: Library
