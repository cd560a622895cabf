from typing import NamedTuple

__all__ = ["DATE", "PYTHONS", "SERIES", "Series", "pairs"]

class Series(NamedTuple):
    django: str
    pythons: list[str]
    first: str
    last: str

DATE: str
PYTHONS: tuple[str, ...]
SERIES: tuple[Series, ...]

def pairs() -> list[tuple[str, str]]: ...
