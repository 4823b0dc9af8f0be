"""How long a request may take: Cloud Run would cut it without a word a little later."""

import asyncio
from contextvars import ContextVar
from types import TracebackType

from service.errors import RequestDeadlineError

#: When the request at hand came, by the event loop's clock: its body, and what it points to, may
#: have taken a while.
arrived_at: ContextVar[float] = ContextVar("arrived_at")


class within:  # noqa: N801  (used as a function is)
    """`async with`: raises `RequestDeadlineError` when its request takes longer than it may.

    Args:
        seconds: from the request's arrival; None for no end.

    """

    __slots__ = ("_limit", "_seconds")

    def __init__(self, seconds: float | None) -> None:
        self._seconds = seconds
        end = None
        if seconds is not None:
            end = arrived_at.get(asyncio.get_running_loop().time()) + seconds
        self._limit = asyncio.timeout_at(end)

    async def __aenter__(self) -> None:
        await self._limit.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._limit.__aexit__(kind, error, traceback)
        except TimeoutError as expired:
            raise RequestDeadlineError(
                f"This gateway ends a request after {self._seconds:g} seconds, and the answer was "
                "not complete by then. Ask for a shorter one. The operator can set "
                "REQUEST_DEADLINE_SECONDS."
            ) from expired
