"""A Gemini stream, as chat completion chunks.

The translator is a state machine without I/O. Gemini's responses are pushed in one by one, chunks
come out, and `finish` says what can only be known at the end.
"""

import itertools
from collections.abc import Iterator, Sequence

from msgspec import UNSET, UnsetType

from service.schemas import gemini
from service.schemas.openai import Usage
from service.schemas.openai_chat import ChatCompletionChunk, ChunkChoice, Delta, ServiceTier
from service.schemas.openai_tools import ToolCall
from service.translation.grounding import Grounding
from service.translation.images import blobs, images
from service.translation.logprobs import logprobs
from service.translation.reasoning import Piece, ReasoningField, ThoughtWriter, pieces
from service.translation.response import (
    Metadata,
    audio_id,
    fingerprint,
    finish_reason,
    first_candidate,
    is_blocked,
    is_final,
    lone_text,
    malformed,
    text_signature,
)
from service.translation.signatures import extra_content
from service.translation.speech import SpeechWriter
from service.translation.tool_calls import CallTranslator
from service.translation.usage import tier, to_usage


class ChunkTranslator:
    """Translates one stream; make a new one for each request.

    What outlives a single response is all of its state: whether the role has been sent, whether any
    content has, whether thoughts stand in an open tag, the calls, the signature of the text, the
    finish reason, whether the prompt was blocked, and the usage so far.

    The finish reason is held back until `finish`, because usage and noise may follow it, and its
    chunk must be the choice's last.
    """

    def __init__(
        self,
        metadata: Metadata,
        *,
        include_usage: bool,
        reasoning: ReasoningField = "both",
        index: int = 0,
    ) -> None:
        self._metadata = metadata
        self._include_usage = include_usage
        self._thoughts = ThoughtWriter(reasoning)
        self._grounding = Grounding(follows=metadata.may_cite)
        self._index = index

        self._started = False
        self._empty = True
        self._native: str | None = None
        self._fingerprint: str | UnsetType | None = None
        self._blocked = False
        self._signature: str | None = None
        self._images = 0
        self._speech = SpeechWriter(audio_id(metadata, index), metadata.created)
        self._calls = CallTranslator(metadata.calling, f"{metadata.call_prefix}{index}_")
        self._tier: ServiceTier | UnsetType = UNSET
        self._usage: gemini.UsageMetadata | None = None

    def rename(self, model: str) -> None:
        """Take the name of the model that answers, before its first response."""
        self._metadata = self._metadata._replace(model=model)

    def push(self, response: gemini.GenerateContentResponse) -> list[ChatCompletionChunk]:
        """Take one response; return the chunks that say the same, maybe none.

        Raise `UpstreamMalformedError` when the model failed.
        """
        self._look_at(response)
        if text := lone_text(response):
            return [*self.start(), self._words(text)]
        self._blocked = self._blocked or is_blocked(response)
        candidate = first_candidate(response)
        native = candidate.finish_reason
        if native is not None and is_final(native):
            if native in gemini.MALFORMED:
                raise malformed(native)
            self._native = native
        self._signature = text_signature(candidate) or self._signature
        self._grounding.learn(candidate)
        deltas: list[Delta] = []
        for run in _runs(candidate):
            deltas += [delta for piece in pieces(run) if (delta := self._say(piece))]
            if calls := self._calls.take(run):
                deltas += self._call(calls)
        deltas += self._media(candidate)
        sure = logprobs(candidate)
        if sure and not deltas:
            deltas = [Delta()]
        chunks = [*self.start(), *map(self._delta, deltas)] if deltas else []
        if sure:
            chunks[-1].choices[0].logprobs = sure
        return chunks

    def push_words(
        self, responses: Sequence[gemini.GenerateContentResponse]
    ) -> tuple[list[ChatCompletionChunk], list[str]] | None:
        """Do the same for responses that are some words in mid-answer; return None for others.

        Also return the words of each.
        """
        if not self._started:
            return None
        texts = [text for response in responses if (text := lone_text(response))]
        if len(texts) < len(responses):
            return None
        chunks = []
        for response, text in zip(responses, texts, strict=True):
            self._look_at(response)
            chunks.append(self._words(text))
        return chunks, texts

    @property
    def around_words(self) -> ChatCompletionChunk | None:
        """A chunk for more words like the last, without them; None if words have to be followed."""
        if self._grounding.follows or self._thoughts.is_open:
            return None
        return self._delta(Delta(content=""))

    def _look_at(self, response: gemini.GenerateContentResponse) -> None:
        """Take note of what stands beside the words."""
        usage = response.usage_metadata
        if usage is not None:
            self._usage = usage
            self._tier = tier(usage) or self._tier
        if self._fingerprint is None and response.model_version:
            found = fingerprint([response.model_version], self._metadata.model)
            self._fingerprint = found or UNSET

    def _media(self, candidate: gemini.Candidate) -> Iterator[Delta]:
        if drawn := images(candidate, self._images):
            self._images += len(drawn)
            self._empty = False
            yield Delta(images=drawn)
        if spoken := blobs(candidate, "audio/"):
            self._empty = False
            yield Delta(audio=self._speech.write(spoken))

    def _say(self, piece: Piece) -> Delta | None:
        if piece.thought:
            self._grounding.follow(piece)
            delta = self._thoughts.write(piece.text)
            self._grounding.skip(len((delta and delta.content) or ""))
            return delta
        content = self._told(piece.text, code=piece.code)
        return Delta(content=content) if content else None

    def _words(self, text: str) -> ChatCompletionChunk:
        return self._delta(Delta(content=self._told(text)))

    def _told(self, text: str, *, code: bool = False) -> str:
        """Return words, and before them the end of the thoughts, if that has not been said."""
        tag = self._close_tag() if self._thoughts.is_open else ""
        if text:
            self._empty = False
            if self._grounding.follows:
                self._grounding.follow(Piece(text, thought=False, code=code))
        return tag + text if tag else text

    def _close_tag(self) -> str:
        tag = self._thoughts.close()
        self._grounding.skip(len(tag))
        return tag

    def _call(self, calls: list[ToolCall]) -> list[Delta]:
        self._empty = False
        tag = self._close_tag()
        before = [Delta(content=tag)] if tag else []
        if not self._metadata.calling.legacy:
            return [*before, Delta(tool_calls=calls)]
        call = calls[0]
        return [
            *before,
            Delta(function_call=call.function or None, extra_content=call.extra_content or None),
        ]

    @property
    def finished(self) -> bool:
        """Whether the answer is complete, so that a connection lost from here on loses nothing."""
        return self._native is not None or self._blocked

    def finish(self) -> list[ChatCompletionChunk]:
        """Take the end of the stream; return the last chunks.

        Raise `UpstreamResponseError` if the stream ended before the answer did.
        """
        chunks = self.end()
        if self._include_usage:
            chunks.append(self.usage_chunk(self.usage))
        return chunks

    def usage_chunk(self, usage: Usage) -> ChatCompletionChunk:
        """Return the chunk of no choice that ends a stream."""
        return self._chunk(usage=usage)

    def start(self) -> list[ChatCompletionChunk]:
        """Return the chunk with the role, unless that has been sent."""
        if self._started:
            return []
        self._started = True
        return [self._delta(Delta(role="assistant", content=""))]

    def end(self) -> list[ChatCompletionChunk]:
        """Return the choice's last chunks; what follows them is usage. Raise as `finish` does."""
        called = self._calls.finish
        reason = finish_reason(
            self._native, blocked=self._blocked, empty=self._empty, called=called
        )
        chunks = [*self.start(), *self.break_off(), *self._cite()]
        chunks += [self._delta(Delta(audio=said)) for said in self._speech.end()]
        if self._signature and not called:
            # Only now, because clients join what comes twice.
            chunks.append(self._delta(Delta(extra_content=extra_content(self._signature))))
        last = ChunkChoice(index=self._index, delta=Delta(), finish_reason=reason)
        return [*chunks, self._chunk(last)]

    def _cite(self) -> list[ChatCompletionChunk]:
        """Say what the answer rests on: once, because clients refuse a second list."""
        annotations = self._grounding.annotations()
        if not annotations:
            return []
        chunks = [self._delta(Delta(annotations=annotations))]
        if self._metadata.inline_citations:
            # The words have gone, so that no link can stand among them any more.
            chunks.insert(0, self._delta(Delta(content=self._grounding.listed())))
        return chunks

    def break_off(self) -> list[ChatCompletionChunk]:
        """Return what must precede the error that ends a stream: a tag that is still open."""
        tag = self._thoughts.close()
        return [self._delta(Delta(content=tag))] if tag else []

    @property
    def usage(self) -> Usage:
        """What the answer has cost so far."""
        return to_usage(self._usage)

    def _delta(self, delta: Delta) -> ChatCompletionChunk:
        return self._chunk(ChunkChoice(index=self._index, delta=delta))

    def _chunk(
        self, *choices: ChunkChoice, usage: Usage | UnsetType | None = UNSET
    ) -> ChatCompletionChunk:
        if usage is UNSET and self._include_usage:
            usage = None
        return ChatCompletionChunk(
            id=self._metadata.id,
            created=self._metadata.created,
            model=self._metadata.model,
            system_fingerprint=self._fingerprint or UNSET,
            service_tier=self._tier,
            choices=list(choices),
            usage=usage,
        )


def _runs(candidate: gemini.Candidate) -> Iterator[gemini.Candidate]:
    """Part a candidate into calls and what stands between them."""
    parts = (candidate.content and candidate.content.parts) or []
    if all(part.function_call is None for part in parts):
        yield candidate
        return
    for _, run in itertools.groupby(parts, key=lambda part: part.function_call is not None):
        yield gemini.Candidate(content=gemini.Content(parts=list(run)))
