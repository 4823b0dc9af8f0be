"""A limit to the time that something takes."""

import asyncio
from collections.abc import Callable
from types import TracebackType


class TimeLimit:
    """`async with`: cancels its body when the time has come, and raises an error instead.

    A class, because it stands around every read: a generator costs three times as much.

    Args:
        end: by the event loop's clock; None for never.
        otherwise: makes the error.

    """

    __slots__ = ("_otherwise", "_timeout")

    def __init__(self, end: float | None, otherwise: Callable[[], Exception]) -> None:
        self._timeout = asyncio.timeout_at(end)
        self._otherwise = otherwise

    async def __aenter__(self) -> None:
        await self._timeout.__aenter__()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._timeout.__aexit__(kind, error, traceback)
        except TimeoutError as expired:
            raise self._otherwise() from expired
