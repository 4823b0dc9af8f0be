"""One more try, as long as the client has got nothing.

Few tries, because the clients try again themselves: openai's SDKs twice, some agents thirty times.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar

from service.errors import GatewayError
from service.interfaces import Answer, AnswerStream, Upstream
from service.schemas.gemini import GenerateContentRequest

T = TypeVar("T")

#: Seconds. A wait that Google asks for is kept if it is short, and told to the client otherwise.
LONGEST_BACKOFF = 0.5
LONGEST_DELAY = 2.0


class Retry:
    """An `Upstream` around another one."""

    def __init__(self, inner: Upstream) -> None:
        self._inner = inner

    async def generate(self, model: str, request: GenerateContentRequest) -> Answer:
        return await _twice(lambda: self._inner.generate(model, request))

    async def stream(self, model: str, request: GenerateContentRequest) -> AnswerStream:
        return await _twice(lambda: self._inner.stream(model, request))


async def _twice(ask: Callable[[], Awaitable[T]]) -> T:
    try:
        return await ask()
    except GatewayError as error:
        delay = delay_before_retry(error)
        if delay is None:
            raise
    await asyncio.sleep(delay)
    return await ask()


def delay_before_retry(error: GatewayError) -> float | None:
    """Return the seconds to wait before the second try, or None if there is to be none."""
    if not error.transient:
        return None
    if error.retry_after is None:
        return random.uniform(0, LONGEST_BACKOFF)  # noqa: S311  (jitter, not a secret)
    return error.retry_after if error.retry_after <= LONGEST_DELAY else None
