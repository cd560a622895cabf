from typing import NamedTuple

from django.db.backends.base.base import (  # type: ignore[import-untyped]
    BaseDatabaseWrapper,
)

__all__ = ["Holder", "read_holders"]

OWN: str
UNKNOWN: str

class Holder(NamedTuple):
    account: str
    host: str
    program: str
    state: str
    idle: int  # seconds, the longest of the group; 0 for one that is at work
    sessions: int

def read_holders(connection: BaseDatabaseWrapper) -> list[Holder]: ...
