"""What type checkers accept and refuse: read by ``mypy --strict`` and pyright, not run.

A line with "type: ignore" is a mistake that both find; else they would call the comment
unused.
"""
# pyright: strict, reportUnnecessaryTypeIgnoreComment=true

from __future__ import annotations

import warnings
from collections.abc import Callable, Coroutine, Iterator
from unittest import TestCase

from typing_extensions import assert_type

import django_compat
from django_compat import (
    FORKED,
    HUNG_UP,
    IDLE,
    INTERRUPTED,
    UNUSABLE,
    RemovedInDjango18Warning,
    RemovedInDjango2028Warning,
    aclose_all_connections,
    aclose_old_connections,
    aclose_stale_connections,
    close_all_connections,
    close_old_connections,
    close_stale_connections,
    closing_connections,
    discard_connections,
    fresh_connections,
    guard_connections,
    is_disconnect,
    matrix,
    retry_on_disconnect,
    stats,
)
from django_compat.apps import install
from django_compat.contrib.apscheduler import ThreadPoolExecutor
from django_compat.contrib.arq import on_job_end, on_job_start, on_shutdown
from django_compat.contrib.leaks import NoLeakedConnections

version: str = django_compat.__version__

close_old_connections()
close_old_connections(signal=object(), sender=None)
close_old_connections("default")  # type: ignore[call-arg]

django_compat.close_connection()  # type: ignore[deprecated]
django_compat.close_connection(sender=None)  # type: ignore[deprecated]
django_compat.close_new_connections()  # type: ignore[attr-defined]

close_all_connections()
close_all_connections(None)
close_all_connections("default")
close_all_connections(using=["default", "replica"])
close_all_connections(using=(alias for alias in {"default": 1}))
close_all_connections(1)  # type: ignore[arg-type]
close_all_connections([1])  # type: ignore[list-item]
close_all_connections(alias="default")  # type: ignore[call-arg]

for alias, reason in close_stale_connections(["default"]):
    assert_type(alias, str)
    lost: bool = reason in (FORKED, HUNG_UP, IDLE, INTERRUPTED, UNUSABLE)
IDLE = "for long"  # type: ignore[misc]
discard_connections("default")
assert_type(stats()["default"]["replaced"], int)
assert_type(stats()["default"]["closed"][HUNG_UP], int)
stats()["default"]["lost"]  # type: ignore[typeddict-item]
with guard_connections() as guard:
    guard.undo()
install().undo()

assert_type(is_disconnect(ValueError()) or is_disconnect(None), bool)
is_disconnect("gone")  # type: ignore[arg-type]

# A decorator keeps the signature, with and without parentheses.


@fresh_connections
def count(number: int, *, step: int = 1) -> int:
    return number + step


@closing_connections("default")
def name(text: str) -> str:
    return text


@fresh_connections(using=["default"])
async def answer(question: str) -> int:
    async with fresh_connections(), closing_connections("default"):
        return len(await aclose_stale_connections())


@retry_on_disconnect
def pay(number: int, *rest: str, **more: bool) -> int:
    return number


@retry_on_disconnect(attempts=3, delay=0.5, backoff=1.5, using=["default"])
async def fetch(number: int) -> int:
    return number


@fresh_connections()
@retry_on_disconnect(attempts=3)
def rows(first: int) -> Iterator[int]:
    return iter(range(first))


class Job:
    @fresh_connections
    def run(self, number: int) -> Job:
        return self

    @retry_on_disconnect()
    async def wait(self, number: int) -> Job:
        return self

    @classmethod
    @closing_connections
    def make(cls, number: int) -> Job:
        return cls()

    @staticmethod
    @fresh_connections("default")
    def help(number: int) -> str:
        return str(number)

    @fresh_connections
    def __call__(self, number: int) -> int:
        return number


assert_type(count(1, step=2), int)
count("1")  # type: ignore[arg-type]
count(1, 2)  # type: ignore[call-arg]
count()  # type: ignore[call-arg]
assert_type(name(text="a"), str)
name(1)  # type: ignore[arg-type]
assert_type(pay(1, "a", now=True), int)
pay("1")  # type: ignore[arg-type]
pay(1, now="yes")  # type: ignore[arg-type]
assert_type(rows(first=1), Iterator[int])
rows("1")  # type: ignore[arg-type]
assert_type(Job.make(number=1).run(1).run(number=2), Job)
assert_type(Job.run(Job(), 1), Job)
assert_type(Job.help(1), str)
assert_type(Job()(1), int)
Job().run("1")  # type: ignore[arg-type]
Job.make("1")  # type: ignore[arg-type]
assert_type(fresh_connections(Job())(number=1), int)  # the result is a function
assert_type(fresh_connections(lambda: 1)(), int)
target: Callable[[], str] = closing_connections(lambda: "a")
coroutine: Coroutine[object, object, int] = answer("why")
fresh_connections(1)  # type: ignore[call-overload]
closing_connections(alias="default")  # type: ignore[call-overload]
retry_on_disconnect("default")  # type: ignore[call-overload]
fresh_connections()(1)  # type: ignore[arg-type]

with fresh_connections(), closing_connections(using=["default"]):
    pass
with retry_on_disconnect():  # type: ignore[attr-defined]
    pass
with django_compat.ThreadPoolExecutor(max_workers=2) as pool:
    assert_type(pool.submit(count, 1, step=2).result(), int)
    pool.submit(count, "1")  # type: ignore[arg-type]


async def worker() -> None:
    assert_type(await answer(question="why"), int)
    assert_type(await fetch(1), int)
    await fetch("1")  # type: ignore[arg-type]
    assert_type(await Job().wait(number=1), Job)
    await aclose_old_connections(sender=None)
    await aclose_all_connections()
    await aclose_all_connections(["default"])
    await aclose_all_connections(1)  # type: ignore[arg-type]
    aclose_old_connections()  # type: ignore[unused-coroutine]
    await on_job_start({})
    await on_job_end({})
    await on_shutdown({})


warnings.simplefilter("error", RemovedInDjango18Warning)
warnings.simplefilter("error", django_compat.RemovedInDjango60Warning)
django_compat.RemovedInDjango17Warning  # type: ignore[attr-defined]
try:
    pass
except RemovedInDjango2028Warning as warning:
    message = str(warning)

python, django = matrix.pairs()[0]
assert_type(matrix.SERIES[-1].last, str)
matrix.SERIES[0].django = "1.3"  # type: ignore[misc]

# Runners and tests.

ThreadPoolExecutor(4, pool_kwargs={"thread_name_prefix": "job"}).shutdown()
ThreadPoolExecutor("4")  # type: ignore[arg-type]


class BlogTests(NoLeakedConnections, TestCase):
    pass


# Moved names that Python has; typing_django_example.py has Django's.

assert_type(django_compat.get_ident(), int)
assert_type(django_compat.simplejson.dumps(1), str)
assert_type(django_compat.md5_constructor(b"a").hexdigest(), str)
django_compat.md5_constructor(1)  # type: ignore[arg-type]
assert_type(django_compat.text_type(1), str)
django_compat.no_such_name  # type: ignore[attr-defined]
