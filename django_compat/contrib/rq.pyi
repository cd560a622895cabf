from typing import Any

import rq
from rq.job import Job

__all__ = ["ConnectionsMixin", "SimpleWorker", "Worker"]

class ConnectionsMixin:
    def perform_job(self, job: Job, *args: Any, **kwargs: Any) -> bool: ...

class Worker(ConnectionsMixin, rq.Worker): ...
class SimpleWorker(ConnectionsMixin, rq.SimpleWorker): ...
