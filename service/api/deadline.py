"""How long a request may take: Cloud Run would cut it without a word a little later."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from contextvars import ContextVar

from service.errors import RequestDeadlineError

#: When the request at hand came, by the event loop's clock: its body, and what it points to, may
#: have taken a while.
arrived_at: ContextVar[float] = ContextVar("arrived_at")


@asynccontextmanager
async def within(seconds: float | None) -> AsyncGenerator[None]:
    """Around an answer: raise `RequestDeadlineError` when its request takes longer than it may."""
    if seconds is None:
        yield
        return
    limit = asyncio.timeout_at(arrived_at.get(asyncio.get_running_loop().time()) + seconds)
    try:
        async with limit:
            yield
    except TimeoutError as error:
        if not limit.expired():
            raise
        raise RequestDeadlineError(
            f"This gateway ends a request after {seconds:g} seconds, and the answer was not "
            "complete by then. Ask for a shorter one. The operator can set "
            "REQUEST_DEADLINE_SECONDS."
        ) from error
