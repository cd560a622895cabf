from collections.abc import Iterable

from django.apps import AppConfig

__all__ = ["GUARDED_COMMANDS", "DjangoCompatConfig", "guarded_commands", "install"]

class DjangoCompatConfig(AppConfig):
    name: str
    def ready(self) -> None: ...

class Installation:
    def undo(self) -> None: ...

GUARDED_COMMANDS: tuple[str, ...]

def guarded_commands() -> Iterable[str]: ...
def install() -> Installation: ...
