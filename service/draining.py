"""Going away: what is under way may end, nothing new begins, and what takes too long is told.

Cloud Run sends SIGTERM and kills ten seconds later. See `service.server` for the order of things.
"""

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

#: Of the gateway that the request at hand came to.
drain_at_hand: ContextVar["Drain"] = ContextVar("drain_at_hand")


class Drain:
    """Knows what is under way in one gateway. Used in the event loop's thread only."""

    def __init__(self) -> None:
        self.begun = False
        self._requests = 0
        self._idle: asyncio.Event | None = None
        self._cuts: set[Callable[[], None]] = set()
        self._holds: set[asyncio.Task[None]] = set()

    @contextmanager
    def request(self) -> Generator[None]:
        """Around a request that is worth waiting for."""
        token = drain_at_hand.set(self)
        self._requests += 1
        try:
            yield
        finally:
            drain_at_hand.reset(token)
            self._requests -= 1
            if self._requests == 0 and self._idle is not None:
                self._idle.set()

    def add_cut(self, cut: Callable[[], None]) -> None:
        """Have `cut` called to end what is under way with a word to the client, at the last."""
        self._cuts.add(cut)

    def remove_cut(self, cut: Callable[[], None]) -> None:
        self._cuts.discard(cut)

    async def hold(self, work: Coroutine[Any, Any, None]) -> None:
        """Wait for work beside an answer, unless we are going away."""
        task = asyncio.create_task(work)
        if self.begun:
            task.cancel()
        self._holds.add(task)
        try:
            await asyncio.wait([task])
        finally:
            self._holds.discard(task)
            task.cancel()

    def begin(self) -> None:
        """Take no more requests, and wait for nothing beside the answers."""
        self.begun = True
        for task in self._holds:
            task.cancel()

    async def idle(self, seconds: float) -> None:
        """Return when no request is under way any more, or after so long."""
        self._idle = asyncio.Event()
        if self._requests:
            try:
                async with asyncio.timeout(seconds):
                    await self._idle.wait()
            except TimeoutError:
                pass

    def end(self) -> None:
        """End what is still under way."""
        for cut in list(self._cuts):
            cut()


def drain_of_request() -> Drain:
    """Return what knows of the request at hand; outside of one, one that knows of nothing."""
    return drain_at_hand.get(None) or Drain()
