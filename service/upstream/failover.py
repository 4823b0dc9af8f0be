"""Several ways to Gemini: when one is closed, the next is asked.

What is remembered of a way orders the choice and refuses nothing: when no other way is open, the
closed one is asked all the same.
"""

import copy
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeVar

from service.errors import GatewayError, NotThisWayError, UnsupportedEndpointError
from service.interfaces import (
    Answer,
    AnswerStream,
    Counted,
    Embedded,
    Embedder,
    GeminiRequest,
    TokenCounter,
    Upstream,
)
from service.logs import report
from service.schemas.gemini_embeddings import EmbedRequest
from service.schemas.gemini_native import NativeRequest
from service.telemetry import answered, step
from service.upstream.retry import twice

T = TypeVar("T")

logger = logging.getLogger(__name__)


#: How many closed ways and models are remembered before those that are open again are forgotten.
_REMEMBERED = 1000


class Named(NamedTuple):
    name: str
    upstream: Upstream
    embedder: Embedder | None = None
    counter: TokenCounter | None = None


class Failover:
    """An `Upstream` around others, which are asked in their order; each of them twice, if it helps.

    It is an `Embedder` and a `TokenCounter`, too, around those that are.

    Args:
        ways: at least one.
        now: seconds.

    """

    def __init__(self, ways: Sequence[Named], *, now: Callable[[], float] = time.monotonic) -> None:
        self._ways = ways
        self._now = now
        #: When a way, or a model on it, may be asked again.
        self._closed: dict[tuple[str, str | None], float] = {}

    # What only hands on is no coroutine of its own: when the answer comes, Python goes through each
    # level of them once more.

    def generate(self, model: str, request: GeminiRequest) -> Coroutine[Any, Any, Answer]:
        return self._first(model, lambda way: way.upstream.generate(model, request))

    def stream(self, model: str, request: GeminiRequest) -> Coroutine[Any, Any, AnswerStream]:
        return self._first(model, lambda way: way.upstream.stream(model, request))

    async def embed(self, model: str, request: EmbedRequest) -> Embedded:
        embedders = {way.name: way.embedder for way in self._ways if way.embedder is not None}
        if not embedders:
            raise UnsupportedEndpointError(
                "Code Assist, the only way to Gemini that this gateway has, makes no embeddings. "
                "The operator can add Vertex AI or a GEMINI_API_KEY, see UPSTREAMS."
            )
        return await self._first(
            model,
            lambda way: embedders[way.name].embed(model, request),
            [way for way in self._ways if way.name in embedders],
        )

    async def count_tokens(self, model: str, request: NativeRequest) -> Counted:
        counters = {way.name: way.counter for way in self._ways if way.counter is not None}
        return await self._first(
            model,
            lambda way: counters[way.name].count_tokens(model, request),
            [way for way in self._ways if way.name in counters],
        )

    async def _first(
        self,
        model: str,
        ask: Callable[[Named], Awaitable[T]],
        ways: Sequence[Named] | None = None,
    ) -> T:
        asked = self._ways if ways is None else ways
        left = list(asked)
        failures: list[tuple[str, GatewayError]] = []
        while left:
            ready = [one for one in left if self._is_open(one.name, model)]
            way = (ready or left)[0]
            left.remove(way)
            try:
                seen = partial(step, "upstream", upstream=way.name, model=model)
                answer = await twice(partial(ask, way), in_a_hurry=len(ready) > 1, around=seen)
            except GatewayError as error:
                if error.closing is None:
                    raise
                self._close(way.name, model, error)
                failures.append((way.name, error))
            else:
                self._closed.pop((way.name, model), None)
                self._closed.pop((way.name, None), None)
                answered(model, way.name, stands_in=way is not asked[0])
                return answer
        raise _told(failures)

    def is_open(self, model: str) -> bool:
        """Whether nothing is known to speak against a model on at least one of the ways."""
        return any(self._is_open(way.name, model) for way in self._ways)

    def _is_open(self, name: str, model: str) -> bool:
        if not self._closed:
            return True
        now = self._now()
        return all(self._closed.get((name, which), 0) <= now for which in (model, None))

    def _close(self, name: str, model: str, error: GatewayError) -> None:
        if error.closing is None or isinstance(error, NotThisWayError):
            return
        seconds = error.closing.seconds if error.retry_after is None else error.retry_after
        what = (name, model if error.closing.model else None)
        if len(self._closed) > _REMEMBERED:
            # Clients may name any model, also those that do not exist.
            now = self._now()
            self._closed = {key: until for key, until in self._closed.items() if until > now}
        # Of requests that were under way at the same time, the one that knows more may fail first.
        until = self._closed.get(what, 0)
        self._closed[what] = max(until, self._now() + seconds)
        if until <= self._now():
            report(
                logger,
                logging.WARNING,
                "upstream_closed",
                f"{name} is left alone for {seconds:.0f} s, if there is another way: {error.code}",
                upstream=name,
                model=what[1],
                code=error.code,
                seconds=seconds,
            )


def _told(failures: list[tuple[str, GatewayError]]) -> GatewayError:
    """Return the failure that is over first, with what the other ways said."""
    met = [failure for failure in failures if not isinstance(failure[1], NotThisWayError)]
    if not met:
        return failures[0][1].with_traceback(None)
    name, first = min(met, key=lambda failure: _wait(failure[1]))
    others = [f"{other}: {error.code}" for other, error in failures if other != name]
    if not others:
        return first.with_traceback(None)
    told = copy.copy(first)
    told.other_model = any(error.other_model for _, error in failures)
    told.message = f"{name}: {first.message} No other way to Gemini is open ({', '.join(others)})."
    told.args = (told.message,)
    return told


def _wait(error: GatewayError) -> tuple[bool, float]:
    return not error.transient, error.retry_after or 0.0
