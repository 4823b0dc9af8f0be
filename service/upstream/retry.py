"""One more try, as long as the client has got nothing.

Few tries, because the clients try again themselves: openai's SDKs twice, some agents thirty times.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TypeVar

from service.errors import GatewayError

T = TypeVar("T")

#: Seconds. A wait that Google asks for is kept if it is short, and told to the client otherwise.
LONGEST_BACKOFF = 0.5
LONGEST_DELAY = 2.0


async def twice(
    ask: Callable[[], Awaitable[T]],
    *,
    in_a_hurry: bool = False,
    around: Callable[[], AbstractContextManager[None]] = nullcontext,
) -> T:
    """Ask, and once more after a failure that may pass; raise `GatewayError`.

    Args:
        ask: sends the request.
        in_a_hurry: whether there is another way, so that what is busy here is left at once.
        around: makes what each of the tries is in.

    """
    try:
        with around():
            return await ask()
    except GatewayError as error:
        delay = delay_before_retry(error)
        if delay is None or (in_a_hurry and leaves_at_once(error)):
            raise
    await asyncio.sleep(delay)
    with around():
        return await ask()


def leaves_at_once(error: GatewayError) -> bool:
    """Whether another way, where there is one, is better than one more try."""
    return error.closing is not None and error.closing.at_once


def delay_before_retry(error: GatewayError) -> float | None:
    """Return the seconds to wait before the second try, or None if there is to be none."""
    if not error.transient or error.tried_again:
        return None
    if error.retry_after is None:
        return random.uniform(0, LONGEST_BACKOFF)  # noqa: S311  (jitter, not a secret)
    return error.retry_after if error.retry_after <= LONGEST_DELAY else None
