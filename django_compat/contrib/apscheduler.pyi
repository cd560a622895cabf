from abc import ABCMeta
from typing import Any

__all__ = ["ThreadPoolExecutor"]

class ThreadPoolExecutor(metaclass=ABCMeta):
    def __init__(
        self, max_workers: int = 10, pool_kwargs: dict[str, Any] | None = None
    ) -> None: ...
    def start(self, scheduler: Any, alias: str) -> None: ...
    def shutdown(self, wait: bool = True) -> None: ...
