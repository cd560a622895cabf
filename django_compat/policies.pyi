from collections.abc import Mapping
from typing import NamedTuple

from django.db.backends.base.base import (  # type: ignore[import-untyped]
    BaseDatabaseWrapper,
)

__all__ = ["Policy", "policy", "pool_size"]

# How Django keeps an alias's connections: its settings as this Django takes them.
class Policy(NamedTuple):
    alias: str
    vendor: str
    max_age: float | None  # seconds; 0: not persistent; None: for ever
    max_idle: float | None  # seconds; None: no limit
    health_checks: bool  # False before Django 4.1
    pool_size: int | None  # connections of a psycopg pool at most (Django 5.1+)
    @property
    def is_persistent(self) -> bool: ...

def policy(connection: BaseDatabaseWrapper) -> Policy: ...
def pool_size(settings: Mapping[str, object]) -> int | None: ...
