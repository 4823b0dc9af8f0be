"""Work beside an answer: a refresh ahead of time, a write that nobody waits for.

Cloud Run stops the CPU between requests, so the request that started such work holds its own end
back until the work is done, for a moment at most: see `service.api.edge`.
"""

import asyncio
import logging
from collections.abc import Coroutine
from contextvars import ContextVar
from typing import Any, TypeVar

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Seconds for which a request, or the end of the process, waits for such work.
LONGEST_WAIT = 2.0

#: What the request at hand has started. Filled here, waited for by `finished`.
request_work: ContextVar[set[asyncio.Task[Any]]] = ContextVar("request_work")
_all_work: set[asyncio.Task[Any]] = set()


def beside_the_answer(work: Coroutine[Any, Any, object]) -> None:
    """Start work that outlives whoever starts it; its failure is logged, not raised."""
    _ = start(work)


def apart(work: Coroutine[Any, Any, object]) -> None:
    """Do the same, without the request's end being held back: where the CPU stays on anyway."""
    token = request_work.set(set())
    try:
        _ = start(work)
    finally:
        request_work.reset(token)


def start(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """Do the same, for whoever may want to wait for it."""
    task = asyncio.create_task(work)
    _all_work.add(task)
    if (started := request_work.get(None)) is not None:
        started.add(task)
    task.add_done_callback(_ended)
    return task


def _ended(task: asyncio.Task[Any]) -> None:
    _all_work.discard(task)
    if not task.cancelled() and (error := task.exception()):
        logger.warning("work beside an answer failed", exc_info=error)


async def finished(work: set[asyncio.Task[Any]] | None = None) -> None:
    """Wait until the work, or all there is of this loop, has ended; not for long."""
    loop = asyncio.get_running_loop()
    waiting = [task for task in (_all_work if work is None else work) if task.get_loop() is loop]
    if waiting:
        await asyncio.wait(waiting, timeout=LONGEST_WAIT)
