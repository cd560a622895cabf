"""Validators, with arguments for message and code.

``EmailValidator`` and ``URLValidator`` are needed before Django 1.6, those that compare
with a limit before 1.8, ``ProhibitNullCharactersValidator`` before 2.0, and
``ip_address_validators`` before 5.1. Django has ``email_re`` until 1.5.
"""

from __future__ import absolute_import

import re

import six
from django.core import validators
from django.core.exceptions import ValidationError

try:
    from django.utils.deconstruct import deconstructible
except ImportError:  # before Django 1.7

    def deconstructible(validator):
        """Return the class unchanged: this Django has no migrations."""
        return validator


__all__ = [
    "EmailValidator",
    "MaxLengthValidator",
    "MaxValueValidator",
    "MinLengthValidator",
    "MinValueValidator",
    "ProhibitNullCharactersValidator",
    "URLValidator",
    "email_re",
    "ip_address_validators",
]

# The pattern of Django 1.5; the last character of an address is no line end.
email_re = re.compile(
    r"(^[-!#$%&'*+/=?^_`{}|~0-9A-Z]+(\.[-!#$%&'*+/=?^_`{}|~0-9A-Z]+)*"
    r'|^"([\001-\010\013\014\016-\037!#-\[\]-\177]|\\[\001-\011\013\014\016-\177])*"'
    r")@((?:[A-Z0-9](?:[A-Z0-9-]{0,61}[A-Z0-9])?\.)+"
    r"(?:[A-Z]{2,6}\.?|[A-Z0-9-]{2,}\.?)\Z)"
    r"|\[(25[0-5]|2[0-4]\d|[0-1]?\d?\d)(\.(25[0-5]|2[0-4]\d|[0-1]?\d?\d)){3}\]\Z",
    re.IGNORECASE,
)


def ip_address_validators(protocol, unpack_ipv4):
    """Return the list of validators for a protocol: "both", "IPv4" or "IPv6".

    Django until 5.0 returns a pair of this list and an error message.

    .. versionadded:: 1.0
    """
    return validators.ip_address_validators(protocol, unpack_ipv4)[0]


class _WithMessage(object):
    """A validator that compares with a limit, and has the argument ``message``."""

    def __init__(self, limit_value, message=None):
        super(_WithMessage, self).__init__(limit_value)
        if message:
            self.message = message


class MaxValueValidator(_WithMessage, validators.MaxValueValidator):
    """Refuse a value greater than ``limit_value``.

    .. versionadded:: 1.0
    """

    __module__ = "django_compat"  # where migrations import the class


class MinValueValidator(_WithMessage, validators.MinValueValidator):
    """Refuse a value less than ``limit_value``.

    .. versionadded:: 1.0
    """

    __module__ = "django_compat"  # where migrations import the class


class MaxLengthValidator(_WithMessage, validators.MaxLengthValidator):
    """Refuse a value longer than ``limit_value``.

    .. versionadded:: 1.0
    """

    __module__ = "django_compat"  # where migrations import the class


class MinLengthValidator(_WithMessage, validators.MinLengthValidator):
    """Refuse a value shorter than ``limit_value``.

    .. versionadded:: 1.0
    """

    __module__ = "django_compat"  # where migrations import the class


@deconstructible
class ProhibitNullCharactersValidator(object):
    """Refuse a text with a null character.

    .. versionadded:: 1.0
    """

    __module__ = "django_compat"  # where migrations import the class
    message = u"Null characters are not allowed."
    code = "null_characters_not_allowed"

    def __init__(self, message=None, code=None):
        self.message = self.message if message is None else message
        self.code = self.code if code is None else code

    def __call__(self, value):
        """Raise ValidationError if the value's text has a null character."""
        if u"\x00" in six.text_type(value):
            raise ValidationError(self.message, code=self.code)

    def __eq__(self, other):
        if not isinstance(other, type(self)):
            return False
        return (self.message, self.code) == (other.message, other.code)

    def __ne__(self, other):
        return not self == other

    __hash__ = None


class URLValidator(validators.URLValidator):
    """Django's URLValidator with the arguments ``message`` and ``code``.

    .. versionadded:: 1.0
    """

    def __init__(self, message=None, code=None, **kwargs):
        super(URLValidator, self).__init__(**kwargs)
        if message is not None:
            self.message = message
        if code is not None:
            self.code = code


class EmailValidator(validators.EmailValidator):
    """Django's EmailValidator with ``whitelist``, and without the argument ``regex``.

    .. versionadded:: 1.0
    """

    domain_whitelist = ["localhost"]

    def __init__(self, message=None, code=None, whitelist=None):
        message = validators.validate_email.message if message is None else message
        super(EmailValidator, self).__init__(email_re, message, code)
        if whitelist is not None:
            self.domain_whitelist = whitelist

    def __call__(self, value):
        """Raise ValidationError unless the value is an e-mail address."""
        if u"@" in (value or u""):
            user, domain = value.rsplit("@", 1)
            if domain in self.domain_whitelist:
                value = user + "@example.com"  # then only the user's part is checked
        super(EmailValidator, self).__call__(value)
