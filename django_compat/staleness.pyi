from typing import Final

__all__ = ["FORKED", "HUNG_UP", "IDLE", "UNUSABLE"]

FORKED: Final[str]
HUNG_UP: Final[str]
IDLE: Final[str]
UNUSABLE: Final[str]
