"""A Gemini stream, as chat completion chunks.

The translator is a state machine without I/O. Gemini's responses are pushed in one by one, chunks
come out, and `finish` says what can only be known at the end.
"""

from msgspec import UNSET, UnsetType, structs

from service.schemas import gemini
from service.schemas.openai import Usage
from service.schemas.openai_chat import ChatCompletionChunk, ChunkChoice, Delta
from service.schemas.openai_tools import ToolCall
from service.translation.response import (
    Metadata,
    finish_reason,
    first_candidate,
    is_blocked,
    is_final,
    malformed,
    text_signature,
    to_usage,
    visible_text,
)
from service.translation.signatures import extra_content
from service.translation.tool_calls import CallTranslator


class ChunkTranslator:
    """Translates one stream; make a new one for each request.

    What outlives a single response is all of its state: whether the role has been sent, whether any
    content has, the calls, the signature of the text, the finish reason, whether the prompt was
    blocked, and the usage so far.

    The finish reason is held back until `finish`, because usage and noise may follow it, and its
    chunk must be the choice's last.
    """

    def __init__(self, metadata: Metadata, *, include_usage: bool) -> None:
        self._metadata = metadata
        self._include_usage = include_usage

        self._started = False
        self._empty = True
        self._native: str | None = None
        self._blocked = False
        self._signature: str | None = None
        self._calls = CallTranslator(metadata.calling, f"{metadata.call_prefix}0_")
        self._usages: list[gemini.UsageMetadata] = []

    def push(self, response: gemini.GenerateContentResponse) -> list[ChatCompletionChunk]:
        """Take one response; return the chunks that say the same, maybe none.

        Raise `UpstreamMalformedError` when the model failed.
        """
        if response.usage_metadata is not None:
            self._usages.append(response.usage_metadata)
        self._blocked = self._blocked or is_blocked(response)
        candidate = first_candidate(response)
        native = candidate.finish_reason
        if native is not None and is_final(native):
            if native in gemini.MALFORMED:
                raise malformed(native)
            self._native = native
        self._signature = text_signature(candidate) or self._signature
        deltas = [Delta(content=text)] if (text := visible_text(candidate)) else []
        if calls := self._calls.take(candidate):
            deltas.append(self._called(calls))
        if not deltas:
            return []
        self._empty = False
        return [*self._start(), *(self._chunk(ChunkChoice(delta=delta)) for delta in deltas)]

    @property
    def finished(self) -> bool:
        """Whether the answer is complete, so that a connection lost from here on loses nothing."""
        return self._native is not None or self._blocked

    def finish(self) -> list[ChatCompletionChunk]:
        """Take the end of the stream; return the last chunks.

        Raise `UpstreamResponseError` if the stream ended before the answer did.
        """
        reason = finish_reason(
            self._native, blocked=self._blocked, empty=self._empty, called=self._calls.finish
        )
        chunks = self._start()
        if (
            self._signature and not self._calls.finish
        ):  # only now, because clients join what comes twice
            signed = Delta(extra_content=extra_content(self._signature))
            chunks.append(self._chunk(ChunkChoice(delta=signed)))
        chunks.append(self._chunk(ChunkChoice(delta=Delta(), finish_reason=reason)))
        if self._include_usage:
            chunks.append(self._chunk(usage=to_usage(_latest(self._usages))))
        return chunks

    def _called(self, calls: list[ToolCall]) -> Delta:
        if not self._metadata.calling.legacy:
            return Delta(tool_calls=calls)
        return Delta(
            function_call=calls[0].function or None, extra_content=calls[0].extra_content or None
        )

    def _start(self) -> list[ChatCompletionChunk]:
        if self._started:
            return []
        self._started = True
        return [self._chunk(ChunkChoice(delta=Delta(role="assistant", content="")))]

    def _chunk(
        self, *choices: ChunkChoice, usage: Usage | UnsetType | None = UNSET
    ) -> ChatCompletionChunk:
        if usage is UNSET and self._include_usage:
            usage = None
        return ChatCompletionChunk(
            id=self._metadata.id,
            created=self._metadata.created,
            model=self._metadata.model,
            choices=list(choices),
            usage=usage,
        )


def _latest(usages: list[gemini.UsageMetadata]) -> gemini.UsageMetadata:
    """Return the last of each count: they are running totals, and events leave some of them out."""
    said = {
        name: value
        for usage in usages
        for name, value in structs.asdict(usage).items()
        if value is not None
    }
    return gemini.UsageMetadata(**said)
