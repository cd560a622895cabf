from collections.abc import Iterable, Mapping, Sequence
from typing import Any

__all__ = ["WIDTH", "clip", "name_rows", "table"]

WIDTH: int
KINDS: dict[str, str]

def table(rows: Sequence[Sequence[str]], indent: int = 2) -> list[str]: ...
def clip(text: str, width: int) -> str: ...
def name_rows(names: Iterable[Mapping[str, Any]]) -> list[tuple[str, str, str]]: ...
