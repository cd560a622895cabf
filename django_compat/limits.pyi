from collections.abc import Mapping
from typing import NamedTuple

from django.db.backends.base.base import (  # type: ignore[import-untyped]
    BaseDatabaseWrapper,
)

from django_compat.answers import Unknown as Unknown

__all__ = ["Limit", "Limits", "read_limits"]

# A number, None for "no limit", or why it is not known.
_Figure = int | float | None | Unknown

class Limit(NamedTuple):
    scope: str  # whose connections it counts: "server", "account" or "database"
    name: str  # "max_connections", "max_user_connections", "CONNECTION LIMIT of ..."
    value: _Figure  # what is left for this account: the reserve is taken off

class Limits(NamedTuple):
    alias: str
    vendor: str  # Django's connection.vendor: "mysql", "postgresql", "sqlite", ...
    server: str  # "MariaDB", "MySQL", "PostgreSQL", "SQLite", else the vendor
    version: str | Unknown
    proxy: str | None  # "PgBouncer" or "ProxySQL": its limits count, and are Unknown
    idle_timeout: _Figure  # seconds, what this very connection gets
    idle_timeout_name: str | None  # "wait_timeout", "idle_session_timeout"
    idle_in_transaction_timeout: _Figure  # seconds
    max_connections: _Figure
    reserved: _Figure  # of max_connections, for administrators
    extra: _Figure  # on top of max_connections, for administrators (extra port)
    account_limits: tuple[Limit, ...]  # those of scope "account" and "database"
    in_use: _Figure
    highest: _Figure  # since the server started
    variables: Mapping[str, _Figure]  # all that was read, by the server's names
    @property
    def limits(self) -> tuple[Limit, ...]: ...  # the server's, then account_limits
    @property
    def allowed(self) -> _Figure: ...  # the smallest of them

def read_limits(connection: BaseDatabaseWrapper) -> Limits: ...
