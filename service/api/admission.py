"""Who is let in: nobody whom there is no room for, and of that is told before sending a body."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from service.limits import claim_at_hand
from service.telemetry import request_at_hand


def admits(*, largest: int) -> Guard:
    """Return the guard for what takes memory and time, to come after the one that asks for a key.

    Args:
        largest: bytes that a body may have; a larger one is refused when somebody wants to read it.

    """

    async def check(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if connection.scope.get("method") == "OPTIONS":
            return
        claim = claim_at_hand.get()
        claim.admit()
        announced = request_at_hand.get().headers.get(b"content-length")
        if announced is None:
            claim.unannounced = True
        elif (size := int(announced)) <= largest:
            claim.take(size)

    return check
