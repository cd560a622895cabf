"""Findings about the program that runs Django: the development server, or ASGI."""

from __future__ import absolute_import

import sys

from django.conf import settings

from django_compat._versions import ASGI_THREAD_A_REQUEST
from django_compat.findings import finding, seconds

__all__ = ["find_asgi", "find_runserver", "is_asgi", "is_runserver"]


def is_runserver(argv=None):
    """Tell whether this process is ``runserver``, and has many threads."""
    argv = sys.argv if argv is None else argv
    return argv[1:2] == ["runserver"] and "--nothreading" not in argv


def is_asgi():
    """Tell whether the settings say that ASGI serves this project.

    That is what ASGI_APPLICATION is for, and the application "daphne", which needs it
    and makes of ``runserver`` an ASGI server. A project has an ``asgi.py`` whether it
    uses it or not, and no server of ASGI runs checks: they tell nothing.
    """
    is_set = getattr(settings, "ASGI_APPLICATION", None)
    return bool(is_set) or "daphne" in settings.INSTALLED_APPS


def find_runserver(policy):
    """Find persistent connections under runserver.

    It has a thread for each client connection, whose database connections no other one
    uses and nobody closes, on every Django: the ThreadedWSGIServer that does, from 4.0
    on, is that of LiveServerTestCase.
    """
    if not policy.is_persistent or policy.vendor == "sqlite":
        return None
    return finding(
        3,
        policy.alias,
        "CONN_MAX_AGE is %s under runserver, which has a thread for each client "
        "connection and leaves open what such a thread had open."
        % seconds(policy.max_age),
        "Set CONN_MAX_AGE to 0 in the settings of development, or start runserver "
        "with --nothreading.",
        max_age=policy.max_age,
    )


def find_asgi(policy):
    """Find persistent connections under ASGI."""
    if not policy.is_persistent or policy.vendor == "sqlite":
        return None
    return finding(
        4,
        policy.alias,
        "CONN_MAX_AGE is %s under ASGI, where no request finds the connection of "
        "another one: they stay open, unused." % seconds(policy.max_age),
        "Set CONN_MAX_AGE to 0. To save connects use a pool: OPTIONS['pool'] with "
        "psycopg (Django 5.1+), or PgBouncer or ProxySQL.",
        max_age=policy.max_age,
    )
