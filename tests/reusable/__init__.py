"""An app for any Django of the matrix: what moved is imported from django_compat."""
