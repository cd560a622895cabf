from typing import NamedTuple

__all__ = ["BadDeployment", "Deployment", "read_deployment"]

class Deployment(NamedTuple):
    server: str
    processes: int
    threads: int
    notes: list[str]

class BadDeployment(ValueError): ...

POSITIVE: str
KINDS: str

def read_deployment(
    path: str, processes: int | None = None, threads: int | None = None
) -> Deployment: ...
