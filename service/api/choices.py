"""Several choices: as many calls to Gemini, which has no such thing in a stream."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import Protocol, Self, TypeVar

from service.errors import (
    UpstreamDisconnectedError,
    UpstreamResponseError,
    UpstreamTimeoutError,
)
from service.interfaces import AnswerStream
from service.schemas.gemini import GenerateContentResponse

logger = logging.getLogger(__name__)

T = TypeVar("T")

#: A response, and the choice that it belongs to.
Numbered = tuple[int, GenerateContentResponse]

#: What a stream may end with that is no loss when its answer was complete before.
BREAKS = (UpstreamDisconnectedError, UpstreamTimeoutError, UpstreamResponseError)


async def each(asks: Sequence[Callable[[], Awaitable[T]]]) -> list[T]:
    """Ask for each choice; the first that fails ends the others."""
    if len(asks) == 1:
        return [await asks[0]()]
    tasks = [asyncio.ensure_future(ask()) for ask in asks]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


class Choices(Protocol):
    """Who knows how far each choice has come."""

    def has_finished(self, index: int) -> bool: ...


class HasOrigin(Protocol):
    @property
    def upstream(self) -> str: ...

    @property
    def left_out(self) -> Sequence[str]: ...


def origin_of(answers: Sequence[HasOrigin]) -> tuple[str, Sequence[str]]:
    """Return who gave them, separated by commas, and what at least one of those did not take."""
    if len(answers) == 1:
        return answers[0].upstream, sorted(answers[0].left_out)
    names = dict.fromkeys(answer.upstream for answer in answers)
    return ",".join(names), sorted({name for answer in answers for name in answer.left_out})


class ManyAnswers:
    """Answer streams, one for each choice, as one: items come as soon as any of them has some.

    A stream that fails ends the whole, unless its choice was complete.
    """

    def __init__(self, answers: list[AnswerStream], choices: Choices) -> None:
        self.upstream, self.left_out = origin_of(answers)
        self._answers = answers
        self._choices = choices
        self._pending = {
            asyncio.ensure_future(anext(answer, None)): index
            for index, answer in enumerate(answers)
        }

    @classmethod
    async def open(
        cls, asks: Sequence[Callable[[], Awaitable[AnswerStream]]], choices: Choices
    ) -> Self:
        """Return when every stream has begun; raise what the first one that fails raises."""
        opened: list[AnswerStream] = []

        async def keep(ask: Callable[[], Awaitable[AnswerStream]]) -> AnswerStream:
            answer = await ask()
            opened.append(answer)
            return answer

        try:
            return cls(await each([partial(keep, ask) for ask in asks]), choices)
        except BaseException:
            await _close(opened)
            raise

    def offer_to(self, taker: object) -> None:
        """Offer nothing: each answer has a task of its own."""

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> list[Numbered]:
        while self._pending:
            done, _ = await asyncio.wait(self._pending, return_when=asyncio.FIRST_COMPLETED)
            items: list[Numbered] = []
            for task in sorted(done, key=self._pending.__getitem__):
                if (error := task.exception()) and items:
                    continue  # what the others brought goes out before it
                items += self._take(task, self._pending.pop(task), error)
            if items:
                return items
        raise StopAsyncIteration

    def _take(
        self,
        task: asyncio.Future[list[GenerateContentResponse] | None],
        index: int,
        error: BaseException | None,
    ) -> list[Numbered]:
        if error is not None:
            if not isinstance(error, BREAKS) or not self._choices.has_finished(index):
                raise error
            logger.warning("gemini's stream broke after the end of its answer")
            return []
        responses = task.result()
        if responses is None:
            return []
        self._pending[asyncio.ensure_future(anext(self._answers[index], None))] = index
        return [(index, response) for response in responses]

    async def aclose(self) -> None:
        """Hang up on all of them."""
        for task in self._pending:
            task.cancel()
        await asyncio.gather(*self._pending, return_exceptions=True)
        await _close(self._answers)


async def _close(answers: list[AnswerStream]) -> None:
    await asyncio.gather(*[answer.aclose() for answer in answers])
