from collections.abc import Mapping, Sequence
from typing import NamedTuple

from django_compat.demand import Demand
from django_compat.limits import Limits
from django_compat.policies import Policy

__all__ = ["ERROR", "Finding", "INFO", "WARNING", "findings"]

ERROR: str
INFO: str
WARNING: str

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
