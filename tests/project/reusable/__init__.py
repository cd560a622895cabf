"""An app for every Django of the matrix: it imports moved names from django_compat."""
