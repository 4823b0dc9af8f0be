"""How long a request may take: Cloud Run would cut it without a word a little later."""

import asyncio
from contextvars import ContextVar

from service.errors import RequestDeadlineError
from service.time_limit import TimeLimit

#: When the request at hand came, by the event loop's clock: its body, and what it points to, may
#: have taken a while.
arrived_at: ContextVar[float] = ContextVar("arrived_at")


def within(seconds: float | None) -> TimeLimit:
    """`async with`: raises `RequestDeadlineError` when its request takes longer than it may.

    Args:
        seconds: from the request's arrival; None for no end.

    """
    end = None
    if seconds is not None:
        end = arrived_at.get(asyncio.get_running_loop().time()) + seconds
    return TimeLimit(end, lambda: _too_long(seconds))


def _too_long(seconds: float | None) -> RequestDeadlineError:
    return RequestDeadlineError(
        f"This gateway ends a request after {seconds:g} seconds, and the answer was not complete "
        "by then. Ask for a shorter one. The operator can set REQUEST_DEADLINE_SECONDS."
    )
