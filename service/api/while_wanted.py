"""Work for an answer that somebody still waits for, and that still has time.

A task that waits for ASGI's message of a client that left, and `asyncio.timeout` beside it, would
cost a small request one twentieth of its CPU time, and a stream some kilobytes.
"""

import asyncio
from collections.abc import Callable, Coroutine
from contextvars import ContextVar
from types import TracebackType
from typing import Any

from service.connections import Client
from service.draining import drain_at_hand
from service.errors import (
    ClientDisconnectedError,
    GatewayError,
    GoingAwayError,
    RequestDeadlineError,
)
from service.telemetry import annotate

#: When the request at hand came, by the event loop's clock: its body, and what it points to, may
#: have taken a while.
arrived_at: ContextVar[float] = ContextVar("arrived_at")

Tick = Callable[[], Coroutine[Any, Any, float]]


class WhileWanted:
    """`async with`: cancels its body when it is in vain, and raises the reason.

    Which is `ClientDisconnectedError`, `RequestDeadlineError`, or `GoingAwayError` when the process
    cannot wait any longer.

    Args:
        client: whose request it is.
        deadline: seconds from the request's arrival: Cloud Run would cut it without a word a little
            later. None for no end.
        tick: called after the time it returns, again and again, as long as the body runs.
        first_tick: seconds until the first time.

    """

    __slots__ = (
        "_client",
        "_deadline",
        "_drain",
        "_end",
        "_first_tick",
        "_next_tick",
        "_reasons",
        "_task",
        "_tick",
        "_ticking",
    )

    def __init__(
        self,
        client: Client,
        deadline: float | None = None,
        tick: Tick | None = None,
        first_tick: float = 0,
    ) -> None:
        self._client = client
        self._deadline = deadline
        self._tick = tick
        self._reasons: list[GatewayError] = []
        self._end: asyncio.TimerHandle | None = None
        self._first_tick = first_tick
        self._next_tick: asyncio.TimerHandle | None = None
        self._ticking: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("There is no task to cancel.")
        self._task = task
        loop = task.get_loop()
        self._drain = drain_at_hand.get(None)
        if self._drain is not None:
            self._drain.add_cut(self._go_away)
        if self._deadline is not None:
            arrived = arrived_at.get(None)
            end = (loop.time() if arrived is None else arrived) + self._deadline
            self._end = loop.call_at(end, self._expire, self._deadline)
        if self._tick is not None:
            self._wait(self._tick, self._first_tick)
        self._client.on_leaving = self._leave
        if self._client.has_left:
            self._leave()

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.on_leaving = None
        if self._drain is not None:
            self._drain.remove_cut(self._go_away)
        if self._end is not None:
            self._end.cancel()
        if self._next_tick is not None:
            self._next_tick.cancel()
        if self._ticking is not None:
            self._ticking.cancel()
        reasons, self._reasons = self._reasons, []
        left = [self._task.uncancel() for _ in reasons]
        if left and left[-1] == 0 and kind is asyncio.CancelledError:
            if isinstance(reasons[0], ClientDisconnectedError):
                annotate(client_gone=True)
            # Kept by nobody here: its traceback has this frame, and all of the request with it.
            raise reasons.pop(0) from None

    def _leave(self) -> None:
        self._cancel(ClientDisconnectedError())

    def _go_away(self) -> None:
        self._cancel(GoingAwayError())

    def _expire(self, seconds: float) -> None:
        self._cancel(
            RequestDeadlineError(
                f"This gateway ends a request after {seconds:g} seconds, and the answer was not "
                "complete by then. Ask for a shorter one. The operator can set "
                "REQUEST_DEADLINE_SECONDS."
            )
        )

    def _cancel(self, reason: GatewayError) -> None:
        self._reasons.append(reason)
        self._task.cancel()

    def _wait(self, tick: Tick, seconds: float) -> None:
        self._next_tick = self._task.get_loop().call_later(seconds, self._due, tick)

    def _due(self, tick: Tick) -> None:
        async def ticking() -> None:
            self._wait(tick, await tick())

        self._ticking = self._task.get_loop().create_task(ticking())
