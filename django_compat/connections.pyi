from collections.abc import Iterable

from typing_extensions import deprecated

__all__ = [
    "close_all_connections",
    "close_connection",
    "close_old_connections",
    "close_stale_connections",
    "discard_connections",
]

def close_all_connections(using: str | Iterable[str] | None = None) -> None: ...
def close_old_connections(**kwargs: object) -> None: ...
@deprecated("Use close_old_connections (keeps the young) or close_all_connections.")
def close_connection(**kwargs: object) -> None: ...
def close_stale_connections(
    using: str | Iterable[str] | None = None,
) -> list[tuple[str, str]]: ...
def discard_connections(using: str | Iterable[str] | None = None) -> None: ...
