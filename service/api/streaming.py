"""Streams to clients, written straight to ASGI's `send`; and hanging up with a client that left."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from types import TracebackType
from typing import Any, Protocol, Self

import msgspec
from litestar.response.base import ASGIResponse
from litestar.types import Receive, Scope, Send

from service import sse
from service.api import errors
from service.api.choices import BREAKS
from service.api.deadline import within
from service.api.direct import DirectResponse
from service.draining import drain_of_request
from service.errors import ClientDisconnectedError, GatewayError, GoingAwayError
from service.telemetry import annotate, answer_begins, streaming

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

    async def aclose(self) -> None: ...


class WhileConnected:
    """`async with`: cancels its body when the client leaves, and raises `ClientDisconnectedError`.

    It does the same with `GoingAwayError` when the process cannot wait any longer.

    Args:
        receive: ASGI's; the body of the request must have been read.
        tick: called after the time it returns, again and again, as long as the client stays.
        first_tick: seconds until the first time.

    """

    def __init__(
        self,
        receive: Receive,
        *,
        tick: Callable[[], Awaitable[float]] | None = None,
        first_tick: float | None = None,
    ) -> None:
        self._receive = receive
        self._tick = tick
        self._first_tick = first_tick
        self._left = False
        self._going_away = False

    async def __aenter__(self) -> Self:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("There is no task to cancel.")
        self._task = task
        self._drain = drain_of_request()
        self._drain.add_cut(self._go_away)
        self._watcher = asyncio.create_task(self._watch())
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._watcher.cancel()
        self._drain.remove_cut(self._go_away)
        cancelled = [self._task.uncancel() for ours in (self._left, self._going_away) if ours]
        if cancelled and cancelled[-1] == 0 and kind is asyncio.CancelledError:
            if self._left:
                raise ClientDisconnectedError from None
            raise GoingAwayError from None

    def _go_away(self) -> None:
        self._going_away = True
        self._task.cancel()

    async def _watch(self) -> None:
        delay = self._first_tick
        while True:
            try:
                async with asyncio.timeout(delay):
                    message = await self._receive()
            except TimeoutError:
                delay = await self._tick() if self._tick else None
                continue
            if message["type"] == "http.disconnect":
                self._left = True
                self._task.cancel()
                return


class EventStream(DirectResponse):
    """A response of server-sent events.

    It begins when the first chunk is ready, so that what goes wrong before that has its real
    status, or with a keep-alive comment when that takes long.

    Args:
        open_answer: asks the upstream.
        translator: of this endpoint, new.
        headers: of the response.
        keepalive: seconds of silence after which a comment is sent.
        deadline: seconds after which the stream is ended with an error.

    """

    def __init__(
        self,
        open_answer: Callable[[], Awaitable[Responses]],
        translator: Translator,
        *,
        headers: dict[str, str],
        keepalive: float,
        deadline: float | None = None,
    ) -> None:
        super().__init__()
        self.open_answer = open_answer
        self.translator = translator
        self.extra_headers = headers
        self.keepalive = keepalive
        self.deadline = deadline

    def to_asgi_response(self, *_: Any, **__: Any) -> ASGIResponse:
        return Writer(self)


class Writer(ASGIResponse):
    """One stream on its way to the client, as OpenAI's clients expect it."""

    content_type = b"text/event-stream; charset=utf-8"
    #: What bridges a silence.
    filler = sse.KEEPALIVE

    def __init__(self, stream: EventStream) -> None:
        super().__init__()
        self._open_answer = stream.open_answer
        self._translator = stream.translator
        self._extra_headers = stream.extra_headers
        self._keepalive = stream.keepalive
        self._deadline = stream.deadline
        self._started = False
        self._begun = False  # with the answer: a comment may go before it
        self._writing = asyncio.Lock()  # the keep-alive comes from another task
        self._loop = asyncio.get_running_loop()
        self._written_at = self._loop.time()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        del scope
        self._send = send
        with streaming():
            await self._run(receive)

    async def _run(self, receive: Receive) -> None:
        try:
            connected = WhileConnected(receive, tick=self._tick, first_tick=self._keepalive)
            async with connected, within(self._deadline):
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
            async for responses in answer:
                await self._push(responses)
        except BREAKS:
            if not self._translator.finished:
                raise
            logger.warning("gemini's stream broke after the end of its answer")
        finally:
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
        silence = self._loop.time() - self._written_at
        if silence < self._keepalive:
            return self._keepalive - silence
        await self._write(self.filler, filler=True)
        return self._keepalive


def _encode(chunks: Sequence[msgspec.Struct]) -> bytes:
    return b"".join([sse.encode(_encoder.encode(chunk)) for chunk in chunks])
