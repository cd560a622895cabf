from typing import Any

__all__ = ["Unknown", "assignments"]

class Unknown:
    line: int
    def __init__(self, line: int) -> None: ...

def assignments(text: str) -> dict[str, Any]: ...
