"""A stand-in for Google that costs next to nothing: `python -m tests.bench.upstream PORT`.

It speaks the Gemini API, Code Assist, and OpenAI's form of the same answers for who passes bytes on
as they are. Nothing of a request is looked at but its length, its path and the mark in its prompt.
"""

import argparse
import asyncio
import re
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from secrets import token_urlsafe
from typing import Any, cast

import msgspec
import uvloop

from tests.bench.asking import MODEL, STAMP, Wanted
from tests.bench.counting import counted
from tests.certificate import server_context

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_STREAM_HEAD = (
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
)
_UNWRITTEN = STAMP % 0
_END = b"0\r\n\r\n"
_ID = b"aBcDeFgHiJkLmNoPqRsTuV"
_PROJECT = "bench-project"
_TIER = {"id": "standard-tier", "name": "Standard"}

Fields = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("port", type=int)
    parser.add_argument("--tls", type=Path, metavar="FILE", help="a certificate and its key")
    arguments = parser.parse_args()
    uvloop.run(serve(arguments.port, arguments.tls))


async def serve(port: int, certificate: Path | None) -> None:
    context = server_context(certificate) if certificate is not None else None
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Upstream, "127.0.0.1", port, ssl=context, backlog=4096)
    await server.serve_forever()


class Upstream(asyncio.Protocol):
    """One connection: requests come one after the other."""

    def __init__(self) -> None:
        self._received = bytearray()
        self._open = True
        self._paced: _Paced | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002
        self._open = False
        if self._paced is not None:
            self._paced.end()

    def data_received(self, data: bytes) -> None:
        self._received += data
        while (end := self._received.find(b"\r\n\r\n")) >= 0:
            head = bytes(self._received[: end + 2])
            length = _LENGTH.search(head)
            complete = end + 4 + (int(length[1]) if length else 0)
            if len(self._received) < complete:
                return
            body = bytes(self._received[end + 4 : complete])
            del self._received[:complete]
            self._answer(head.split(b" ", 2)[1], body)

    def _answer(self, path: bytes, body: bytes) -> None:
        kind = kind_of(path)
        if kind is None:
            self._transport.write(fixed(path))
            return
        streamed = b"streamGenerateContent" in path or b'"stream":true' in body
        if b"[count]" in body:
            self._transport.write(_reply(whole_of(kind, counted(body))))
            return
        wanted = Wanted.read(body)
        if not streamed:
            self._transport.write(_whole(kind, wanted))
            return
        self._transport.write(_STREAM_HEAD)
        if wanted.pause:
            events = _cut(kind, wanted)
            own = token_urlsafe(16).encode()  # as Google's answers have an id each
            events = [(before, after.replace(_ID, own)) for before, after in events]
            self._paced = _Paced(self._transport.write, events, wanted.pause)
            _clock.begin(self._paced)
        else:
            self._burst(asyncio.get_running_loop(), iter(_events(kind, wanted)))

    def _burst(self, loop: asyncio.AbstractEventLoop, events: Iterator[bytes]) -> None:
        """Write one chunk in each turn of the loop."""
        event = next(events, None)
        if event is not None and self._open:
            self._transport.write(event)
            loop.call_soon(self._burst, loop, events)


class _Paced:
    """A stream with pauses.

    Args:
        write: sends bytes to its client.
        events: each cut where the time belongs.
        pause: milliseconds.

    """

    def __init__(
        self, write: Callable[[bytes], object], events: list[tuple[bytes, bytes]], pause: int
    ) -> None:
        self.pause = pause
        self._write = write
        self._events = iter(events)

    def go_on(self) -> bool:
        """Write the next event; return whether there was one."""
        for before, after in self._events:
            self._write(before + STAMP % time.monotonic_ns() + after)
            return True
        return False

    def end(self) -> None:
        self._events = iter(())


class _Clock:
    """Lets all paced streams of a process go on at their times, to the millisecond.

    A timer for each would cost more than what they write.
    """

    def __init__(self) -> None:
        self._due: dict[int, list[_Paced]] = {}
        self._next = 0

    def begin(self, stream: _Paced) -> None:
        now = int(1000 * asyncio.get_running_loop().time())
        if not self._due:
            self._next = now + 1
            self._wait()
        if stream.go_on():
            self._due.setdefault(now + stream.pause, []).append(stream)

    def _wait(self) -> None:
        asyncio.get_running_loop().call_at(self._next / 1000, self._strike)

    def _strike(self) -> None:
        now = int(1000 * asyncio.get_running_loop().time())
        for time_ in range(self._next, now + 1):
            for stream in self._due.pop(time_, ()):
                if stream.go_on():
                    self._due.setdefault(time_ + stream.pause, []).append(stream)
        self._next = now + 1
        if self._due:
            self._wait()


_clock = _Clock()


def kind_of(path: bytes) -> str | None:
    """Say whose generation method it is; None if it is none."""
    if path.endswith(b"/chat/completions"):
        return "openai"
    if b"enerateContent" not in path:
        return None
    return "code_assist" if b"/v1internal:" in path else "gemini_api"


def whole_of(kind: str, text: str, tokens: int = 10) -> Fields:
    """Return the body of an answer that is not streamed."""
    if kind != "openai":
        return _gemini(kind, text, tokens, last=True)
    choice = {"index": 0, "message": {"role": "assistant", "content": text}}
    usage = {"prompt_tokens": 12, "completion_tokens": tokens, "total_tokens": 12 + tokens}
    return _openai("chat.completion", choice | {"finish_reason": "stop"}) | {"usage": usage}


def _gemini(kind: str, text: str, tokens: int, *, last: bool) -> Fields:
    candidate: Fields = {"content": {"role": "model", "parts": [{"text": text}]}, "index": 0}
    answer: Fields = {
        "candidates": [candidate | ({"finishReason": "STOP"} if last else {})],
        "usageMetadata": {
            "promptTokenCount": 12,
            "candidatesTokenCount": tokens,
            "totalTokenCount": 12 + tokens,
            "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 12}],
        },
        "modelVersion": MODEL,
        "responseId": _ID.decode(),
    }
    return {"response": answer, "traceId": "0123456789abcdef"} if kind == "code_assist" else answer


def _openai(object_: str, choice: Fields) -> Fields:
    head = {"id": "chatcmpl-bench", "object": object_, "created": 1767225600, "model": MODEL}
    return head | {"choices": [choice]}


@cache
def _events(kind: str, wanted: Wanted, stamp: str = "") -> list[bytes]:
    """Return the stream's body, in the pieces in which it is written."""
    texts = [stamp + text for text in wanted.texts()]
    if kind == "openai":
        deltas: list[Fields] = [{"content": text} for text in texts]
        events = [_one(_chunk(delta, None), b"\n") for delta in deltas]
        events[-1] += _one(_chunk({}, "stop"), b"\n") + _framed(b"data: [DONE]\n\n")
    else:
        answers = [
            _gemini(kind, text, 10 * number, last=number == len(texts))
            for number, text in enumerate(texts, 1)
        ]
        events = [_one(answer) for answer in answers]
    events[-1] += _END
    return events


def _chunk(delta: Fields, reason: str | None) -> Fields:
    choice = {"index": 0, "delta": delta, "finish_reason": reason}
    return _openai("chat.completion.chunk", choice)


@cache
def _cut(kind: str, wanted: Wanted) -> list[tuple[bytes, bytes]]:
    """Return the same, cut where the time belongs."""
    events = _events(kind, wanted, _UNWRITTEN.decode())
    pieces = (event.partition(_UNWRITTEN) for event in events)
    return [(before, after) for before, _, after in pieces]


@cache
def _whole(kind: str, wanted: Wanted) -> bytes:
    return _reply(whole_of(kind, "".join(wanted.texts()), 10 * wanted.chunks))


def _one(answer: Fields, end_of_line: bytes = b"\r\n") -> bytes:
    """Write an event as a chunk of HTTP; Google ends its lines with CRLF."""
    return _framed(b"data: " + msgspec.json.encode(answer) + 2 * end_of_line)


def _framed(event: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(event), event)


def _reply(answer: Fields) -> bytes:
    body = msgspec.json.encode(answer)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    return head % len(body) + body


@cache
def fixed(path: bytes) -> bytes:
    """Return what is said beside generation."""
    if path == b"/token":
        return _reply({"access_token": "bench-token", "expires_in": 3599, "token_type": "Bearer"})
    if path.endswith(b":loadCodeAssist"):
        return _reply({"currentTier": _TIER, "cloudaicompanionProject": _PROJECT})
    if path.startswith(b"/v1beta/models"):
        return _reply({"models": []})
    return _reply({"status": "ok"})


if __name__ == "__main__":
    main()
