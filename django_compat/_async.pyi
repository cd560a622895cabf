from collections.abc import Iterable

__all__ = [
    "aclose_all_connections",
    "aclose_old_connections",
    "aclose_stale_connections",
]

async def aclose_old_connections(**kwargs: object) -> None: ...
async def aclose_all_connections(using: str | Iterable[str] | None = None) -> None: ...
async def aclose_stale_connections(
    using: str | Iterable[str] | None = None,
) -> list[tuple[str, str]]: ...
