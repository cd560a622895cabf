from collections.abc import Callable, Iterable
from types import TracebackType
from typing import TypeVar, overload

__all__ = ["closing_connections", "fresh_connections"]

_Function = TypeVar("_Function", bound=Callable[..., object])

class Scope:
    using: frozenset[str] | None
    closes: bool
    name: str
    def __enter__(self) -> Scope: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    async def __aenter__(self) -> Scope: ...
    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None: ...
    def __call__(self, function: _Function) -> _Function: ...

@overload
def fresh_connections(using: str | Iterable[str] | None = None) -> Scope: ...
@overload
def fresh_connections(using: _Function) -> _Function: ...
@overload
def closing_connections(using: str | Iterable[str] | None = None) -> Scope: ...
@overload
def closing_connections(using: _Function) -> _Function: ...
