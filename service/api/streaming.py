"""Streams to clients, written straight to ASGI's `send`; and hanging up with a client that left."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from typing import Any, Protocol

import msgspec
from litestar.types import Receive, Scope, Send

from service import sse
from service.api import errors
from service.api.choices import BREAKS
from service.api.direct import DirectResponse
from service.api.while_wanted import WhileWanted
from service.connections import Client, client_of
from service.errors import ClientDisconnectedError, GatewayError
from service.interfaces import Taker
from service.telemetry import annotate, answer_begins, request_at_hand, streaming

logger = logging.getLogger(__name__)

_encoder = msgspec.json.Encoder()


class Translator(Protocol):
    """Turns an upstream's stream into an endpoint's chunks."""

    @property
    def finished(self) -> bool: ...

    def push(self, response: Any) -> Sequence[msgspec.Struct]: ...

    def finish(self) -> Sequence[msgspec.Struct]: ...

    def break_off(self) -> Sequence[msgspec.Struct]: ...


class Responses(Protocol):
    """An upstream's stream, or several: what it yields is what the translator takes."""

    upstream: str
    left_out: Sequence[str]

    def __aiter__(self) -> AsyncIterator[Sequence[Any]]: ...

    def offer_to(self, taker: Taker) -> None: ...

    async def aclose(self) -> None: ...


class WordsTranslator(Protocol):
    """A translator that does what most reads bring at once, and without raising."""

    def push_words(
        self, responses: Sequence[Any]
    ) -> tuple[Sequence[msgspec.Struct], Sequence[str]] | None:
        """Do as `push` for responses that are words, and return them, too; None for others."""
        ...

    @property
    def around_words(self) -> msgspec.Struct | None:
        """What more words like the last become, with "" for them; None if it has to see them."""
        ...


class EventStream(DirectResponse):
    """A response of server-sent events.

    It begins when the first chunk is ready, so that what goes wrong before that has its real
    status, or with a keep-alive comment when that takes long.

    Args:
        open_answer: asks the upstream.
        translator: of this endpoint, new.
        at_once: the translator, if it is one of words, too.
        headers: of the response.
        keepalive: seconds of silence after which a comment is sent.
        deadline: seconds after which the stream is ended with an error.

    """

    def __init__(
        self,
        open_answer: Callable[[], Awaitable[Responses]],
        translator: Translator,
        *,
        at_once: WordsTranslator | None = None,
        headers: dict[str, str],
        keepalive: float,
        deadline: float | None = None,
    ) -> None:
        super().__init__()
        self.open_answer = open_answer
        self.translator = translator
        self.at_once = at_once
        self.extra_headers = headers
        self.keepalive = keepalive
        self.deadline = deadline

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return Writer(self)


class Writer:
    """One stream on its way to the client, as OpenAI's clients expect it."""

    content_type = b"text/event-stream; charset=utf-8"
    #: What bridges a silence.
    filler = sse.KEEPALIVE

    def __init__(self, stream: EventStream) -> None:
        self._open_answer = stream.open_answer
        self._translator = stream.translator
        self._at_once = stream.at_once
        self._extra_headers = stream.extra_headers
        self._keepalive = stream.keepalive
        self._deadline = stream.deadline
        self._started = False
        self._begun = False  # with the answer: a comment may go before it
        self._writing = asyncio.Lock()  # the keep-alive comes from another task
        self._loop = asyncio.get_running_loop()
        self._written_at = self._loop.time()
        self._shortcut: Shortcut | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del receive
        self._send = send
        self._client = client_of(scope)
        with streaming():
            await self._run()

    async def _run(self) -> None:
        try:
            async with WhileWanted(self._client, self._deadline, self._tick, self._keepalive):
                await self._answer()
            # Not before: a response that has ended looks like a client that has left.
            await self._write(self.ending(), last=True)
        except ClientDisconnectedError as error:
            annotate(code=error.code, status=error.status)
        except Exception as error:
            if not self._started:
                raise
            failure = error if isinstance(error, GatewayError) else errors.unexpected(error)
            annotate(code=failure.code or failure.type)
            await self._write(self.broken(failure), last=True)

    def chunks(self, response: Any) -> bytes:
        """Return what one of the upstream's responses becomes."""
        return _encode(self._translator.push(response))

    def ending(self) -> bytes:
        return _encode(self._translator.finish()) + sse.DONE

    def broken(self, failure: GatewayError) -> bytes:
        """Return the end of a stream that something has gone wrong with."""
        data = _encode(self._translator.break_off())
        return data + sse.encode(errors.body(failure)) + sse.DONE

    async def _answer(self) -> None:
        answer = await self._open_answer()
        del self._open_answer  # and with it the request: an image's bytes, a long history
        self._extra_headers["x-upstream"] = answer.upstream
        try:
            if self._at_once is not None:
                self._shortcut = Shortcut(self._client, self._at_once, self._loop)
                answer.offer_to(self._shortcut)
            async for responses in answer:
                await self._push(responses)
        except BREAKS:
            if not self._translator.finished:
                raise
            logger.warning("gemini's stream broke after the end of its answer")
        finally:
            if self._shortcut is not None:
                request_at_hand.get().size += self._shortcut.size
            await answer.aclose()

    async def _push(self, responses: Sequence[Any]) -> None:
        """Write what one read brought in one go, also if its last part is a failure."""
        data = bytearray()
        try:
            for response in responses:
                data += self.chunks(response)
        finally:
            if data:
                await self._write(bytes(data))

    async def _write(self, data: bytes, *, last: bool = False, filler: bool = False) -> None:
        async with self._writing:
            if not (self._begun or filler):
                self._begun = True
                answer_begins()
            if not self._started:
                await self._send(
                    {"type": "http.response.start", "status": 200, "headers": self._head()}
                )
                self._started = True
            await self._send({"type": "http.response.body", "body": data, "more_body": not last})
        self._written_at = self._loop.time()

    def _head(self) -> list[tuple[bytes, bytes]]:
        return [
            (b"content-type", self.content_type),
            (b"cache-control", b"no-cache"),
            (b"x-accel-buffering", b"no"),
            *((name.encode(), value.encode()) for name, value in self._extra_headers.items()),
        ]

    async def _tick(self) -> float:
        """Bridge the silence if there was any; return the seconds until it may be long again."""
        written_at = self._written_at
        if self._shortcut is not None:
            written_at = max(written_at, self._shortcut.taken_at)
        silence = self._loop.time() - written_at
        if silence < self._keepalive:
            return self._keepalive - silence
        await self._write(self.filler, filler=True)
        return self._keepalive


def _encode(chunks: Iterable[msgspec.Struct]) -> bytes:
    return b"".join([b"data: %b\n\n" % _encoder.encode(chunk) for chunk in chunks])


class Shortcut:
    """A `Taker`: the short way of words to a client, on which no task has to wake up.

    Each word takes it, in the turn of another stream each time: what it looks at has to be little,
    and each function on it costs more than what it does.
    """

    __slots__ = ("_around", "_client", "_now", "_translator", "size", "taken_at")

    def __init__(
        self, client: Client, translator: WordsTranslator, loop: asyncio.AbstractEventLoop
    ) -> None:
        self._client = client
        self._translator = translator
        self._now = loop.time
        #: What stands before, between and after words; None if they have to be looked at.
        self._around: tuple[bytes, bytes, bytes] | None = None
        #: Bytes that have gone this way.
        self.size = 0
        self.taken_at = loop.time()

    def take(self, responses: Sequence[Any]) -> Sequence[str] | None:
        # Nobody can take back what the translator has taken.
        if self._client.is_slow or (pushed := self._translator.push_words(responses)) is None:
            return None
        chunks, words = pushed
        data = _encode(chunks)
        self._client.write_more(data)
        self.size += len(data)
        self.taken_at = self._now()
        chunk = self._translator.around_words
        self._around = None if chunk is None else _cut(_encode([chunk]))
        return words

    def take_words(self, words: Sequence[bytes]) -> bool:
        if self._around is None or self._client.is_slow:
            return False
        before, between, after = self._around
        data = b"%b%b%b" % (before, between.join(words), after)
        self._client.write_more(data)
        self.size += len(data)
        self.taken_at = self._now()
        return True


def _cut(event: bytes) -> tuple[bytes, bytes, bytes]:
    name = b'"content":'
    before, _, after = event.partition(name + b'""')
    before += name
    return before, after + before, after
