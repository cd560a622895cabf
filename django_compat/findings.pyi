from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from django_compat.demand import Demand
from django_compat.limits import Limits
from django_compat.policies import Policy

__all__ = [
    "ABOUT_SERVERS",
    "ERROR",
    "Finding",
    "INFO",
    "WARNING",
    "find_age_above_timeout",
    "find_demand_above_limit",
    "find_idle_above_timeout",
    "find_pool_above_limit",
    "find_proxy",
    "finding",
    "findings",
    "is_worth_asking",
    "seconds",
]

ERROR: Final[str]
INFO: Final[str]
WARNING: Final[str]

class Finding(NamedTuple):
    alias: str
    id: str  # "django_compat.W001"
    level: str  # "ERROR", "WARNING", "INFO"
    figures: Mapping[str, object]
    message: str  # without the alias
    hint: str

# What the server's limits say of one alias: W001, W002, W005, W006, I001. One function
# each behind it, which return a Finding or None.
def findings(policy: Policy, limits: Limits, demand: Demand) -> list[Finding]: ...
def is_worth_asking(policy: Policy, demand: Demand) -> bool: ...

_Find = Callable[[Policy, Limits, Demand], Finding | None]

ABOUT_SERVERS: tuple[_Find, ...]

def find_age_above_timeout(
    policy: Policy, limits: Limits, demand: Demand
) -> Finding | None: ...
def find_demand_above_limit(
    policy: Policy, limits: Limits, demand: Demand
) -> Finding | None: ...
def find_pool_above_limit(
    policy: Policy, limits: Limits, demand: Demand
) -> Finding | None: ...
def find_idle_above_timeout(
    policy: Policy, limits: Limits, demand: Demand
) -> Finding | None: ...
def find_proxy(
    policy: Policy, limits: Limits, demand: Demand
) -> Finding | None: ...
def finding(
    number: int,
    alias: str,
    message: str,
    hint: str,
    level: str = ...,
    **figures: object,
) -> Finding: ...
def seconds(value: float | None) -> str: ...
