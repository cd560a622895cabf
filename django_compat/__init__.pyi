from django_compat._async import (
    aclose_all_connections,
    aclose_old_connections,
    aclose_stale_connections,
)
from django_compat.connections import (
    close_all_connections,
    close_old_connections,
    close_stale_connections,
    discard_connections,
)
from django_compat.disconnects import is_disconnect, retry_on_disconnect
from django_compat.executors import ThreadPoolExecutor
from django_compat.guard import guard_connections
from django_compat.scopes import closing_connections, fresh_connections
from django_compat.connections import close_connection  # type: ignore[deprecated]

__all__ = [
    "RemovedInDjango110Warning",
    "RemovedInDjango18Warning",
    "RemovedInDjango19Warning",
    "RemovedInDjango2028Warning",
    "RemovedInDjango20Warning",
    "RemovedInDjango21Warning",
    "RemovedInDjango30Warning",
    "RemovedInDjango31Warning",
    "RemovedInDjango40Warning",
    "RemovedInDjango41Warning",
    "RemovedInDjango50Warning",
    "RemovedInDjango51Warning",
    "RemovedInDjango60Warning",
    "RemovedInDjango61Warning",
    "RemovedInDjango70Warning",
    "ThreadPoolExecutor",
    "aclose_all_connections",
    "aclose_old_connections",
    "aclose_stale_connections",
    "close_all_connections",
    "close_connection",
    "close_old_connections",
    "close_stale_connections",
    "closing_connections",
    "discard_connections",
    "fresh_connections",
    "guard_connections",
    "is_disconnect",
    "retry_on_disconnect",
]

__version__: str

# Django's own class, or ours: a DeprecationWarning or a PendingDeprecationWarning, by
# how near the release is.
class RemovedInDjango18Warning(Warning): ...
class RemovedInDjango19Warning(Warning): ...
class RemovedInDjango110Warning(Warning): ...
class RemovedInDjango20Warning(Warning): ...
class RemovedInDjango21Warning(Warning): ...
class RemovedInDjango30Warning(Warning): ...
class RemovedInDjango31Warning(Warning): ...
class RemovedInDjango40Warning(Warning): ...
class RemovedInDjango41Warning(Warning): ...
class RemovedInDjango50Warning(Warning): ...
class RemovedInDjango51Warning(Warning): ...
class RemovedInDjango60Warning(Warning): ...
class RemovedInDjango61Warning(Warning): ...
class RemovedInDjango70Warning(Warning): ...
class RemovedInDjango2028Warning(Warning): ...
