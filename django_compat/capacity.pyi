from collections.abc import Iterable, Sequence
from typing import Any

from django_compat.demand import Figure

__all__ = ["collect", "render"]

def collect(
    aliases: Iterable[str],
    with_holders: bool = False,
    *,
    processes: int | Figure | None = ...,
    threads: int | Figure | None = ...,
    hosts: int | Figure | None = ...,
) -> list[dict[str, Any]]: ...
def render(facts: Sequence[dict[str, Any]], style: object = None) -> list[str]: ...
