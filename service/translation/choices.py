"""Several Gemini streams, as the choices of one."""

from collections.abc import Sequence

from service.schemas import gemini
from service.schemas.openai_chat import ChatCompletionChunk
from service.translation.reasoning import ReasoningField
from service.translation.response import Metadata
from service.translation.stream import ChunkTranslator
from service.translation.usage import total


class ChoicesTranslator:
    """Translates `n` streams at once: what is pushed says which one it is from.

    The role of every choice goes first, in their order, because clients count them up as they come.
    """

    def __init__(
        self, metadata: Metadata, n: int, *, include_usage: bool, reasoning: ReasoningField = "both"
    ) -> None:
        self._include_usage = include_usage
        self._begun = False
        self._choices = [
            ChunkTranslator(metadata, include_usage=include_usage, reasoning=reasoning, index=index)
            for index in range(n)
        ]

    def rename(self, model: str) -> None:
        """Take the name of the model that answers, before its first response."""
        for choice in self._choices:
            choice.rename(model)

    def push(
        self, numbered: tuple[int, gemini.GenerateContentResponse]
    ) -> Sequence[ChatCompletionChunk]:
        """Take the number of a choice and a response for it; raise as `ChunkTranslator` does."""
        index, response = numbered
        chunks = self._choices[index].push(response)
        if not chunks or self._begun:
            return chunks
        # The chunk of this choice's own role is already among its own, the first of them.
        roles = [chunks[0], *self._start()]
        return [*sorted(roles, key=lambda chunk: chunk.choices[0].index), *chunks[1:]]

    def _start(self) -> list[ChatCompletionChunk]:
        self._begun = True
        return [chunk for choice in self._choices for chunk in choice.start()]

    @property
    def finished(self) -> bool:
        return all(choice.finished for choice in self._choices)

    def has_finished(self, index: int) -> bool:
        """Whether that choice is complete, whatever the others are."""
        return self._choices[index].finished

    def finish(self) -> Sequence[ChatCompletionChunk]:
        """Take the end of all streams; return the last chunks, with the sum of what they cost."""
        chunks = self._start()
        for choice in self._choices:
            chunks += choice.end()
        if self._include_usage:
            usage = total([choice.usage for choice in self._choices])
            chunks.append(self._choices[0].usage_chunk(usage))
        return chunks

    def break_off(self) -> Sequence[ChatCompletionChunk]:
        """Return what must precede the error that ends the stream."""
        return [chunk for choice in self._choices for chunk in choice.break_off()]
