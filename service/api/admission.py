"""Who is let in: nobody whom there is no room for, and of that is told before sending a body."""

from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from service.api.guards import account_of
from service.limits import claim_at_hand
from service.rates.counting import Rates
from service.telemetry import request_at_hand


def admits(*, largest: int, rates: Rates | None = None) -> Guard:
    """Return the guard for what takes memory and time, to come after the one that asks for a key.

    Args:
        largest: bytes that a body may have; a larger one is refused when somebody wants to read it.
        rates: what each key may ask in a minute, if there is a limit to that.

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
        if rates is not None and connection.scope.get("method") == "POST":
            claim.account = rates.account(account_of(connection))
            claim.account.admit()

    return check
