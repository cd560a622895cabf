from unittest import TestResult

__all__ = ["NoLeakedConnections"]

class NoLeakedConnections:
    def run(self, result: TestResult | None = None) -> TestResult | None: ...
