from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeGuard

__all__ = ["Answers", "Unknown", "is_number"]

class Unknown(NamedTuple):
    reason: str

def is_number(figure: object) -> TypeGuard[float]: ...

class Answers:
    def __init__(
        self, raw: object, questions: Mapping[str, str], savepoints: bool = False
    ) -> None: ...
    def cell(self, key: str, column: int = 0) -> object: ...
    def number(
        self, key: str, name: str, default: int | None = None
    ) -> int | Unknown: ...
    def numbers(self, key: str, names: Iterable[str]) -> dict[str, int | Unknown]: ...
