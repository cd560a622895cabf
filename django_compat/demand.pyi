from collections.abc import Iterable, Mapping
from typing import NamedTuple

from django_compat.answers import Unknown

__all__ = ["Demand", "Figure", "Share", "demand", "setting"]

class Figure(NamedTuple):
    value: int | Unknown
    source: str  # "--processes", "DJANGO_COMPAT_THREADS", "uwsgi.opt", "assumed"

class Share(NamedTuple):
    alias: str
    same_account: bool  # the same user at that server
    same_database: bool
    pool_size: int | None

class Demand(NamedTuple):
    alias: str
    processes: Figure  # of one host; Unknown when nothing tells
    threads: Figure  # of one process; assumed 1 when nothing tells
    hosts: Figure  # assumed 1 when nothing tells
    shares: tuple[Share, ...]  # every alias at the same server, this one first
    @property
    def aliases(self) -> tuple[str, ...]: ...  # those of the same host, port and user
    @property
    def total(self) -> int | Unknown: ...  # of ``aliases``
    @property
    def arithmetic(self) -> str: ...  # "10 processes x 5 threads = 50"
    # Of a scope: "account" (as ``total``), "server" or "database".
    def of(self, scope: str) -> int | Unknown: ...
    def sharing(self, scope: str) -> tuple[str, ...]: ...
    def explain(self, scope: str) -> str: ...

# processes, threads, hosts: a number, a Figure of yours (from a file), or None: then
# the settings DJANGO_COMPAT_*, then uwsgi.opt, are asked. ImproperlyConfigured for bad
# settings, ValueError for bad arguments; both name it, the value and what is allowed.
def demand(
    alias: str,
    databases: Mapping[str, Mapping[str, object]] | None = None,
    processes: int | Figure | None = None,
    threads: int | Figure | None = None,
    hosts: int | Figure | None = None,
) -> Demand: ...
def setting(name: str) -> int | None: ...
