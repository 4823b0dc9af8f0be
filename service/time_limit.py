"""Limits to the time that something takes."""

import asyncio
from collections.abc import Callable
from types import TracebackType


class TimeLimit:
    """`async with`: cancels its body when the time has come, and raises an error instead.

    What `asyncio.timeout_at` does, at a third of its cost.

    Args:
        end: by the event loop's clock; None for never.
        otherwise: makes the error.

    """

    __slots__ = ("_before", "_end", "_is_over", "_otherwise", "_task", "_timer")

    def __init__(self, end: float | None, otherwise: Callable[[], Exception]) -> None:
        self._end = end
        self._otherwise = otherwise
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        if self._end is not None:
            task = asyncio.current_task()
            if task is None:
                raise RuntimeError("There is no task to cancel.")
            self._task = task
            self._before = task.cancelling()
            self._timer = task.get_loop().call_at(self._end, self._expire)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._timer is not None:
            self._timer.cancel()
        if (
            self._is_over
            and self._task.uncancel() <= self._before
            and kind is asyncio.CancelledError
        ):
            raise self._otherwise() from error

    def _expire(self) -> None:
        self._is_over = True
        self._task.cancel()


class Patience:
    """`async with`, again and again: what a `TimeLimit` for each of the bodies would do.

    One timer serves for all of them: this stands around every read. `end` it after the last.

    Args:
        seconds: that each may take.
        otherwise: makes the error.

    """

    __slots__ = (
        "_before",
        "_is_over",
        "_otherwise",
        "_renewed_at",
        "_seconds",
        "_since",
        "_task",
        "_timer",
    )

    def __init__(self, seconds: float, otherwise: Callable[[], Exception]) -> None:
        self._seconds = seconds
        self._otherwise = otherwise
        self._since: float | None = None
        self._renewed_at: Callable[[], float] | None = None
        self._is_over = False
        self._timer: asyncio.TimerHandle | None = None

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("There is no task to cancel.")
        self._task = task
        self._before = task.cancelling()
        loop = task.get_loop()
        self._since = loop.time()
        if self._timer is None:
            self._timer = loop.call_later(self._seconds, self._look)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._since = None
        if not self._is_over:
            return
        self._is_over = False
        if self._task.uncancel() <= self._before and kind is asyncio.CancelledError:
            raise self._otherwise() from error

    def heed(self, renewed_at: Callable[[], float]) -> None:
        """Let the time of a body begin anew, by the event loop's clock, when something happens."""
        self._renewed_at = renewed_at

    def end(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _look(self) -> None:
        self._timer = None
        if self._since is None:
            return
        loop = self._task.get_loop()
        since = self._since if self._renewed_at is None else max(self._since, self._renewed_at())
        left = since + self._seconds - loop.time()
        if left > 0:
            self._timer = loop.call_later(left, self._look)
        else:
            self._is_over = True
            self._task.cancel()
