from django.apps import AppConfig  # type: ignore[import-untyped]

__all__ = ["DjangoCompatConfig", "install"]

class DjangoCompatConfig(AppConfig):
    name: str
    def ready(self) -> None: ...

def install() -> None: ...
