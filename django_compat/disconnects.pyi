from collections.abc import Callable, Iterable
from typing import TypeVar, overload

__all__ = ["is_disconnect", "retry_on_disconnect"]

_Function = TypeVar("_Function", bound=Callable[..., object])

class Retry:
    attempts: int
    delay: float
    backoff: float
    using: str | frozenset[str] | None
    def __init__(
        self,
        attempts: int,
        delay: float,
        backoff: float,
        using: str | Iterable[str] | None,
    ) -> None: ...
    def __call__(self, function: _Function) -> _Function: ...
    def begin(self) -> set[str] | None: ...
    def is_retried(
        self, error: Exception, attempt: int, before: set[str] | None
    ) -> bool: ...
    def prepare(
        self,
        function: Callable[..., object],
        error: Exception,
        attempt: int,
        before: set[str],
        delay: float,
    ) -> bool: ...

def is_disconnect(exception: BaseException | None) -> bool: ...
@overload
def retry_on_disconnect(
    attempts: int = 2,
    delay: float = 0,
    backoff: float = 2,
    using: str | Iterable[str] | None = None,
) -> Retry: ...
@overload
def retry_on_disconnect(attempts: _Function) -> _Function: ...
