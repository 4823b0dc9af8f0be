"""Something to read while Gemini has not begun: thoughts that nobody had.

For clients that show a model's thoughts, where the thoughts themselves were not asked for.
"""

import asyncio
from collections import deque
from collections.abc import Iterator, Sequence
from typing import Self

from service.interfaces import Answer, AnswerStream, GeminiRequest, Taker, Upstream
from service.models import find_model
from service.schemas.gemini import (
    Candidate,
    Content,
    GenerateContentRequest,
    GenerateContentResponse,
    Part,
)
from service.schemas.gemini_native import NativeRequest

#: Seconds for which the first text waits, so that what Google refuses at once has its real status.
GRACE = 0.25
#: Seconds between two texts.
PACE = 0.1
#: Characters of the user's words that are quoted.
QUOTED = 100


class FakeThinking:
    """An `Upstream` around another one: streams begin before it answers.

    A stream of a model that thinks begins with thoughts, unless real ones were asked for, or none
    at all. Nothing waits for them: the first goes out with the answer at the latest, and those that
    were not sent by then are dropped. Every choice has its own. A failure after the first of them
    ends the stream.

    Args:
        inner: who answers.
        name: of who is asked first; answers are said to be its, because they begin before anybody
            has answered.

    """

    def __init__(self, inner: Upstream, *, name: str) -> None:
        self._inner = inner
        self._name = name

    async def generate(self, model: str, request: GeminiRequest) -> Answer:
        return await self._inner.generate(model, request)

    async def stream(self, model: str, request: GeminiRequest) -> AnswerStream:
        # Google's own clients know when nothing has been said yet.
        if isinstance(request, NativeRequest) or not _is_wanted(model, request):
            return await self._inner.stream(model, request)
        opening = asyncio.ensure_future(self._inner.stream(model, request))
        stream = _ThinkingStream(opening, thoughts(request), self._name)
        try:
            await stream.begin()
        except BaseException:
            await stream.aclose()
            raise
        return stream


def _is_wanted(model: str, request: GenerateContentRequest) -> bool:
    config = request.generation_config and request.generation_config.thinking_config
    said = config.include_thoughts if config else None
    return said is None and find_model(model).thinking is not None


class _ThinkingStream:
    """An `AnswerStream` around one that is being opened."""

    left_out: Sequence[str] = ()
    is_empty = False

    def __init__(
        self, opening: asyncio.Future[AnswerStream], texts: Iterator[str], upstream: str
    ) -> None:
        self.upstream = upstream
        self._opening = opening
        self._texts = deque(texts)
        self._delay = 0.0

    async def begin(self) -> None:
        """Wait for a moment; raise what refuses the request within it."""
        if await self._has_opened(GRACE):
            opened = await self._opening
            self.upstream, self.left_out = opened.upstream, opened.left_out

    def offer_to(self, taker: Taker) -> None:
        """Offer nothing: there is a task for what is said before the answer."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[GenerateContentResponse]:
        if not self._texts:
            return await anext(await self._opening)
        has_opened = await self._has_opened(self._delay)
        is_first = self._delay == 0
        self._delay = PACE
        said = [_thought(self._texts.popleft())] if is_first or not has_opened else []
        if has_opened:
            self._texts.clear()
            # A failure now has nothing before it that is worth sending.
            said += await anext(await self._opening)
        return said

    async def _has_opened(self, seconds: float) -> bool:
        done, _ = await asyncio.wait([self._opening], timeout=seconds)
        return bool(done)

    async def aclose(self) -> None:
        """Hang up on Google, or leave before it has answered."""
        self._opening.cancel()
        await asyncio.wait([self._opening])
        if not self._opening.cancelled() and self._opening.exception() is None:
            await self._opening.result().aclose()


def _thought(text: str) -> GenerateContentResponse:
    content = Content(role="model", parts=[Part(text=text, thought=True)])
    return GenerateContentResponse(candidates=[Candidate(content=content)])


def thoughts(request: GenerateContentRequest) -> Iterator[str]:
    """Return five texts, to be joined as they are."""
    asked = _last_words(request)
    if asked:
        yield f"The request is: “{asked[:QUOTED]}{'…' if len(asked) > QUOTED else ''}” "
    else:
        yield "The request comes without words. "
    yield "Before anything else, what exactly does it call for? "
    yield "Next: which facts bear on that, and how sure are they? "
    yield "There is more than one way to put this; the plainest should win. "
    yield "That settles it, so here is the answer.\n\n"


def _last_words(request: GenerateContentRequest) -> str:
    """Return the text that the user sent last."""
    for content in reversed(request.contents):
        if content.role == "user":
            texts = [part.text for part in content.parts or [] if part.text]
            if words := " ".join(texts).strip():
                return words
    return ""
