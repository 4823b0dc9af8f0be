"""Answers on the wire, decoded: a whole one, or a stream event by event."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import httpx
import msgspec

from service import sse
from service.errors import (
    GatewayError,
    UpstreamEmptyError,
    UpstreamMalformedError,
    UpstreamResponseError,
    UpstreamTruncatedError,
)
from service.interfaces import Taker
from service.schemas.gemini import MALFORMED, GenerateContentResponse
from service.schemas.gemini_usage import RunningUsage
from service.surrogates import replace_encoded_surrogates, replace_lone_surrogates
from service.telemetry import counting_tokens
from service.transport import Reply
from service.upstream.failures import failure_of, refusal, upstream_failures
from service.upstream.google_error import is_error
from service.upstream.http import GoogleHttp
from service.upstream.repeats import Repeats, last_event

T = TypeVar("T")

#: Makes a response of one event's data, or of a whole body; takes an upstream's envelope off.
Unwrap = Callable[[bytes], GenerateContentResponse]


def parse(decoder: msgspec.json.Decoder[T], data: bytes) -> T:
    """Decode JSON from Google; raise what an error in its place says.

    Raise `msgspec.DecodeError` or one of its kin for what is neither.
    """
    try:
        return decoder.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        if is_error(data):
            raise refusal(httpx.codes.OK, data) from None
        repaired = replace_lone_surrogates(replace_encoded_surrogates(data))
        if repaired == data:
            raise
        return decoder.decode(repaired)


def read_answer(body: bytes, unwrap: Unwrap) -> GenerateContentResponse:
    """Decode a whole answer; raise `GatewayError` for one that is none."""
    with upstream_failures():
        response = unwrap(body)
    if response.usage_metadata is not None:
        counting_tokens(RunningUsage(response.usage_metadata))
    _refuse_malformed(response)
    if not (says_something(response) or _is_complete(response)):
        raise UpstreamEmptyError("Gemini's answer was empty. Ask again.")
    return response


async def open_answer(
    http: GoogleHttp, url: str, body: bytes, unwrap: Unwrap, upstream: str
) -> "ResponseStream":
    """Start a streaming call; return when the first event that says something has parsed."""
    async with http.first_byte():
        stream = ResponseStream(await http.open(url, body), http, unwrap, upstream)
        try:
            await stream.begin()
        except BaseException:
            await stream.aclose()
            raise
    return stream


class ResponseStream:
    """An `AnswerStream` over one HTTP response."""

    __slots__ = (
        "_begun",
        "_chunks",
        "_declined",
        "_decoder",
        "_ended",
        "_failure",
        "_patience",
        "_repeats",
        "_response",
        "_taker",
        "_unread",
        "_unwrap",
        "_usage",
        "is_empty",
        "left_out",
        "upstream",
    )

    def __init__(self, response: Reply, http: GoogleHttp, unwrap: Unwrap, upstream: str) -> None:
        self.upstream = upstream
        self.left_out: Sequence[str] = ()
        self.is_empty = False
        self._response = response
        self._patience = http.patience()
        self._unwrap = unwrap
        self._chunks = response.reads()
        self._decoder = sse.Decoder()
        self._begun: list[GenerateContentResponse] = []
        self._failure: GatewayError | None = None
        self._ended = False
        self._usage = RunningUsage()
        counting_tokens(self._usage)
        self._repeats = Repeats()
        #: What came last, if nothing but the words of it has been read.
        self._unread: bytes | None = None
        #: What was offered and not taken, and how many of the next bytes said it.
        self._declined: tuple[list[GenerateContentResponse], int] = [], 0

    async def begin(self) -> None:
        """Read on until something is said, so that what goes wrong before can be tried again."""
        says = False
        while not says:
            batch = await self._read()
            if not batch:
                if not any(map(_is_complete, self._begun)):
                    msg = "Gemini's answer ended before it began. Ask again."
                    raise UpstreamEmptyError(msg) if self._begun else UpstreamTruncatedError(msg)
                self.is_empty = True
                return
            for response in batch:
                # What follows the first words is the stream's, however it was cut into reads.
                if not says:
                    _refuse_malformed(response)
                    says = says_something(response)
                self._begun.append(response)

    def __aiter__(self) -> "ResponseStream":
        return self

    async def __anext__(self) -> list[GenerateContentResponse]:
        if self._begun:
            begun, self._begun = self._begun, []
            return begun
        async with self._patience:
            batch = await self._read()
        if not batch:
            raise StopAsyncIteration
        return batch

    def offer_to(self, taker: Taker) -> None:
        self._taker = taker
        self._patience.heed(lambda: taker.taken_at)
        self._response.offer_to(self._take)

    async def aclose(self) -> None:
        """Hang up, unless Google has finished."""
        self._patience.end()
        with suppress(GatewayError, msgspec.DecodeError):
            self._count_unread()
        await self._response.aclose()

    async def _read(self) -> list[GenerateContentResponse]:
        """Return what the next reads bring, as soon as it is anything; nothing at the end."""
        while True:
            if self._failure is not None:
                raise self._failure
            if self._ended:
                return []
            with upstream_failures():
                chunk = await anext(self._chunks, None)
            if chunk is None:
                batch = self._end()
            else:
                batch, size = self._declined
                self._declined = [], max(0, size - len(chunk))
                if self._failure is None:  # else what follows is not the answer's
                    batch += self._decode(self._events(chunk[size:]))
            if batch:
                return batch

    def _take(self, data: bytes) -> bool:
        """Do with what comes as a read would, before one can; what nobody takes is left to it."""
        words = self._repeats.words_in(data)
        if words and self._taker.take_words(words):
            self._unread = data
            return True
        events = self._events(data)
        if not (events or self._failure):
            self._repeats.forget()  # what comes next is the rest of an event
            return True
        batch = self._decode(events)
        if batch and self._failure is None and (said := self._taker.take(batch)):
            if self._decoder.is_between_events:
                self._repeats.learn(data, said[-1])
            return True
        self._declined = batch, len(data)
        return False

    def _events(self, data: bytes) -> Sequence[bytes]:
        """Return the events that bytes complete; a failure waits until what precedes it is out."""
        try:
            return self._decoder.feed(data)
        except sse.EventTooLargeError as error:
            self._failure = failure_of(error)
            return ()

    def _decode(
        self, events: Sequence[bytes], *, ends: bool = False
    ) -> list[GenerateContentResponse]:
        """Decode events; a failure waits, too. With `ends` they are the last."""
        batch: list[GenerateContentResponse] = []
        try:
            self._repeats.forget()
            is_behind = (bool(events) or ends) and self._count_unread()
            for event in events:
                response = self._unwrap(event)
                if is_behind and response.usage_metadata is None:
                    response.usage_metadata = self._usage.latest
                is_behind = False
                batch.append(response)  # kept if a later one fails
                self._usage.complete(response)
            if is_behind:
                batch.append(GenerateContentResponse(usage_metadata=self._usage.latest))
        except Exception as error:  # noqa: BLE001  (raised again if it is not Google's)
            self._failure = failure_of(error)
        return batch

    def _count_unread(self) -> bool:
        """Count the tokens of what has not been read; return whether there was anything."""
        unread, self._unread = self._unread, None
        if unread is None:
            return False
        self._usage.complete(self._unwrap(sse.Decoder().feed(last_event(unread))[0]))
        return True

    def _end(self) -> list[GenerateContentResponse]:
        self._ended = True
        batch = self._decode(self._events(sse.END), ends=True)
        if isinstance(self._failure, UpstreamResponseError):
            self._failure = UpstreamTruncatedError("Gemini's answer broke off. Ask again.")
        return batch + self._decode(_bodies(self._decoder.stray))


_lists = msgspec.json.Decoder(list[msgspec.Raw])


def _bodies(stray: bytes) -> list[bytes]:
    """Lines outside of events: an error, or answers from a server that ignored `alt=sse`."""
    if stray.startswith(b"[") and not is_error(stray):
        try:
            return [bytes(item) for item in _lists.decode(stray)]
        except (msgspec.DecodeError, RecursionError):
            pass
    return [stray] if stray else []


#: The only ends that do not explain why nothing was said.
_NORMAL = (None, "STOP")


def says_something(response: GenerateContentResponse) -> bool:
    """Whether there is anything for the client: words, thoughts, calls, or why there is nothing."""
    if response.prompt_feedback is not None:
        return True
    for candidate in response.candidates or []:
        if candidate.finish_reason not in _NORMAL:
            return True
        for part in (candidate.content and candidate.content.parts) or []:
            if part.text != "":
                return True
    return False


def _is_complete(response: GenerateContentResponse) -> bool:
    return any(candidate.finish_reason for candidate in response.candidates or [])


def _refuse_malformed(response: GenerateContentResponse) -> None:
    for candidate in response.candidates or []:
        if candidate.finish_reason in MALFORMED:
            msg = f"Gemini could not finish its answer ({candidate.finish_reason}). Ask again."
            raise UpstreamMalformedError(msg)
