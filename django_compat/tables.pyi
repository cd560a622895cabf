from collections.abc import Sequence

__all__ = ["WIDTH", "clip", "table"]

WIDTH: int

def table(rows: Sequence[Sequence[str]], indent: int = 2) -> list[str]: ...
def clip(text: str, width: int) -> str: ...
