"""What type checkers accept and refuse: read by ``mypy --strict``, never run."""

from __future__ import annotations

import warnings
from collections.abc import Coroutine
from typing import Any

import django_compat
from django_compat import (
    RemovedInDjango18Warning,
    RemovedInDjango2028Warning,
    aclose_all_connections,
    aclose_old_connections,
    aclose_stale_connections,
    close_all_connections,
    close_old_connections,
    close_stale_connections,
    closing_connections,
    deprecation,
    discard_connections,
    fresh_connections,
    guard_connections,
    is_disconnect,
    matrix,
    retry_on_disconnect,
)
from django_compat import close_connection  # type: ignore[deprecated]
from django_compat import close_new_connections  # type: ignore[attr-defined]

version: str = django_compat.__version__

close_old_connections()
close_old_connections(signal=object(), sender=None)
close_old_connections("default")  # type: ignore[call-arg]

close_connection(sender=None)
django_compat.close_connection()  # type: ignore[deprecated]

close_all_connections()
close_all_connections(None)
close_all_connections("default")
close_all_connections(using=["default", "replica"])
close_all_connections(using=(alias for alias in {"default": 1}))
close_all_connections(1)  # type: ignore[arg-type]
close_all_connections([1])  # type: ignore[list-item]
close_all_connections(alias="default")  # type: ignore[call-arg]
closed = close_all_connections()  # type: ignore[func-returns-value]


for alias, reason in close_stale_connections(["default"]):
    alias + reason
discard_connections("default")
with guard_connections() as guard:
    guard.undo()


@fresh_connections
def count(number: int) -> int:
    return number


@closing_connections("default")
def name(text: str) -> str:
    return text


@fresh_connections(using=["default"])
async def answer() -> int:
    async with fresh_connections():
        return len(await aclose_stale_connections())


@retry_on_disconnect
def pay(number: int) -> int:
    return number


@retry_on_disconnect(attempts=3, delay=0.5, backoff=1.5, using=["default"])
async def fetch() -> int:
    return 1


paid: int = pay(1)
pay("1")  # type: ignore[arg-type]
fetched: Coroutine[Any, Any, int] = fetch()
retry_on_disconnect("default")  # type: ignore[call-overload]
is_lost: bool = is_disconnect(ValueError()) or is_disconnect(None)
is_disconnect("gone")  # type: ignore[arg-type]

with fresh_connections(), closing_connections("default"):
    total: int = count(1)
    word: str = name(1)  # type: ignore[arg-type]
coroutine: Coroutine[Any, Any, int] = answer()
fresh_connections(1)  # type: ignore[call-overload]

with django_compat.ThreadPoolExecutor(max_workers=2) as pool:
    future: int = pool.submit(count, 1).result()


async def worker() -> None:
    await aclose_old_connections(sender=None)
    await aclose_all_connections()
    await aclose_all_connections(["default"])
    await aclose_all_connections(1)  # type: ignore[arg-type]
    aclose_old_connections()  # type: ignore[unused-coroutine]


job: Coroutine[Any, Any, None] = aclose_all_connections("default")

warnings.simplefilter("error", RemovedInDjango18Warning)
warnings.simplefilter("error", django_compat.RemovedInDjango60Warning)
django_compat.RemovedInDjango17Warning  # type: ignore[attr-defined]
try:
    pass
except RemovedInDjango2028Warning as warning:
    message: str = warning.args[0]

category: type[Warning] = deprecation.removed_in_warning("RemovedInDjango18Warning")
deprecation.warn("gone", category)
deprecation.warn("gone", ValueError)  # type: ignore[arg-type]

python, django = matrix.pairs()[0]
last: str = matrix.SERIES[-1].last
matrix.SERIES[0].django = "1.3"  # type: ignore[misc]
