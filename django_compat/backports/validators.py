"""Validators that take their message. Needless from Django 1.6 on."""

from __future__ import absolute_import

from django.core import validators

__all__ = ["EmailValidator", "URLValidator"]


class URLValidator(validators.URLValidator):
    """Django's, with ``message`` and ``code``.

    .. versionadded:: 1.0
    """

    def __init__(self, message=None, code=None, **kwargs):
        super(URLValidator, self).__init__(**kwargs)
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code


class EmailValidator(validators.EmailValidator):
    """Django's, without the pattern that it wants here, and with ``whitelist``.

    .. versionadded:: 1.0
    """

    domain_whitelist = ["localhost"]

    def __init__(self, message=None, code=None, whitelist=None):
        message = validators.validate_email.message if message is None else message
        super(EmailValidator, self).__init__(validators.email_re, message, code)
        if whitelist is not None:
            self.domain_whitelist = whitelist

    def __call__(self, value):
        """Raise ValidationError unless the value is an address."""
        if u"@" in (value or u""):
            user, domain = value.rsplit("@", 1)
            if domain in self.domain_whitelist:
                value = user + "@example.com"  # to ask for the user's part only
        super(EmailValidator, self).__call__(value)
