from typing import Any

from dramatiq import Broker, Middleware
from dramatiq.broker import MessageProxy

__all__ = ["ConnectionsMiddleware"]

class ConnectionsMiddleware(Middleware):
    def after_process_message(
        self,
        broker: Broker,
        message: MessageProxy,
        result: Any | None = None,
        exception: BaseException | None = None,
    ) -> None: ...
    def after_skip_message(
        self,
        broker: Broker,
        message: MessageProxy,
        result: Any | None = None,
        exception: BaseException | None = None,
    ) -> None: ...
