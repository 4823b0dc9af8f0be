"""Requests of a soak: what is asked, how often, and what may come of it."""

import asyncio
import base64
import os
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple

import aiohttp
import msgspec

from tests.soak.google import ALWAYS, ONCE, prompt

KEY = "sk-soak"
_CHAT = "/v1/chat/completions"
_TOOL = {
    "type": "function",
    "function": {
        "name": "get_weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
#: A picture by its first bytes; of 150 KB.
_PICTURE = base64.b64encode(b"\x89PNG\r\n\x1a\n" + os.urandom(150_000)).decode()
_SLOW_READ, _PATIENCE = 4096, 0.01

Json = dict[str, Any]


class Asking(NamedTuple):
    """Where to ask."""

    client: aiohttp.ClientSession
    address: tuple[str, int]


class Kind(NamedTuple):
    """Some kind of request."""

    #: Sends the one of this number; returns what came of it, as in `200` or `502 upstream_timeout`.
    ask: Callable[[Asking, int], Awaitable[str]]
    #: How many of a thousand are of this kind.
    weight: int
    #: What may come of it.
    expected: frozenset[str]
    #: What the log may say of it; the same, unless the client does not stay to see.
    logged: frozenset[str]


def id_of(number: int) -> str:
    return f"soak-{number}"


def headers_of(number: int, key: str | None = KEY) -> dict[str, str]:
    given = {"x-request-id": id_of(number)}
    return given | ({"authorization": f"Bearer {key}"} if key else {})


async def outcome_of(response: aiohttp.ClientResponse) -> str:
    """Put status and code together: of a stream that breaks off 200, and its error's code."""
    content = await response.read()
    told: Json | None = None
    if response.content_type == "text/event-stream":
        _, begins, event = content.rpartition(b'data: {"error"')
        told = msgspec.json.decode(b'{"error"' + event.partition(b"\n")[0]) if begins else None
    elif not response.ok:
        told = msgspec.json.decode(content)
    if told is None:
        return str(response.status)
    return f"{response.status} {told['error'].get('code') or told['error'].get('type')}"


def _sends(
    method: str, path: str, body: Callable[[int], Any] | None = None, key: str | None = KEY
) -> Callable[[Asking, int], Awaitable[str]]:
    async def ask(asking: Asking, number: int) -> str:
        content = None if body is None else body(number)
        if content is not None and not isinstance(content, bytes):
            content = msgspec.json.encode(content)
        headers = headers_of(number, key) | {"content-type": "application/json"}
        asked = asking.client.request(method, path, data=content, headers=headers)
        async with asked as response:
            return await outcome_of(response)

    return ask


def _chat(play: str, **more: Any) -> Callable[[int], Json]:
    def body(number: int) -> Json:
        said = [{"role": "user", "content": prompt(number, play)}]
        return {"model": "gemini-2.5-flash", "messages": said} | more

    return body


def _picture(number: int) -> Json:
    url = f"data:image/png;base64,{_PICTURE}"
    parts = [
        {"type": "text", "text": prompt(number, "say")},
        {"type": "image_url", "image_url": {"url": url}},
    ]
    return {"model": "gemini-2.5-flash", "messages": [{"role": "user", "content": parts}]}


def _native(number: int) -> Json:
    return {"contents": [{"role": "user", "parts": [{"text": prompt(number, "say")}]}]}


def _bare(body: Callable[[int], Json], number: int, cut: int = 0) -> bytes:
    """Write a request for a connection without a client around it; leave out its last bytes."""
    content = msgspec.json.encode(body(number))
    headers = {**headers_of(number), "host": "gateway", "content-length": str(len(content))}
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"POST {_CHAT} HTTP/1.1\r\n{lines}\r\n".encode() + content[: len(content) - cut]


def _leaves(
    play: str, *, stream: bool, until: bytes = b"", after: float = 0.1, cut: int = 0
) -> Callable[[Asking, int], Awaitable[str]]:
    """Hang up: when these bytes have come, or after so many seconds."""

    async def ask(asking: Asking, number: int) -> str:
        reader, writer = await asyncio.open_connection(*asking.address)
        writer.write(_bare(_chat(play, stream=stream), number, cut))
        await writer.drain()
        if until:
            await reader.readuntil(until)
        else:
            await asyncio.sleep(after)
        writer.close()
        return "left"

    return ask


async def _reads_slowly(asking: Asking, number: int) -> str:
    reader, writer = await asyncio.open_connection(*asking.address, limit=_SLOW_READ)
    writer.write(_bare(_chat("long", stream=True), number))
    last = b""
    while data := await reader.read(_SLOW_READ):
        last = (last + data)[-100:]
        if b"data: [DONE]\n\n\r\n0\r\n\r\n" in last:
            break
        await asyncio.sleep(_PATIENCE)
    writer.close()
    return "200" if b"[DONE]" in last else "cut off"


def _kind(
    weight: int,
    ask: Callable[[Asking, int], Awaitable[str]],
    *expected: str,
    logged: tuple[str, ...] = (),
) -> Kind:
    allowed = frozenset(expected or ("200",))
    return Kind(ask, weight, allowed, frozenset(logged) or allowed)


_GONE = ("499 client_disconnected",)
_GOOD = {
    "chat": _kind(130, _sends("POST", _CHAT, _chat("say"))),
    "chat, streamed": _kind(180, _sends("POST", _CHAT, _chat("say", stream=True))),
    "slow stream": _kind(60, _sends("POST", _CHAT, _chat("slowly", stream=True))),
    "long stream": _kind(20, _sends("POST", _CHAT, _chat("long", stream=True))),
    "two choices": _kind(20, _sends("POST", _CHAT, _chat("say", n=2, stream=True))),
    "tools": _kind(40, _sends("POST", _CHAT, _chat("calls", tools=[_TOOL]))),
    "tools, streamed": _kind(40, _sends("POST", _CHAT, _chat("calls", tools=[_TOOL], stream=True))),
    "picture": _kind(20, _sends("POST", _CHAT, _picture)),
    "images": _kind(
        15,
        _sends(
            "POST",
            "/v1/images/generations",
            lambda number: {"model": "gemini-2.5-flash-image", "prompt": prompt(number, "draw")},
        ),
    ),
    "embeddings": _kind(
        40,
        _sends(
            "POST",
            "/v1/embeddings",
            lambda number: {"model": "gemini-embedding-2", "input": [prompt(number, "say"), "b"]},
        ),
    ),
    "old completion": _kind(
        20,
        _sends(
            "POST",
            "/v1/completions",
            lambda number: {"model": "gemini-2.5-pro", "prompt": prompt(number, "say")},
        ),
    ),
    "native": _kind(30, _sends("POST", "/v1beta/models/gemini-2.5-flash:generateContent", _native)),
    "native, streamed": _kind(
        30,
        _sends("POST", "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse", _native),
    ),
    "native count": _kind(
        15, _sends("POST", "/v1beta/models/gemini-2.5-flash:countTokens", _native)
    ),
    "models": _kind(30, _sends("GET", "/v1/models")),
    "metrics": _kind(2, _sends("GET", "/metrics")),
    "slow reader": _kind(5, _reads_slowly),
}
_CLIENTS = {
    "leaves before the answer": _kind(12, _leaves("waits", stream=False), "left", logged=_GONE),
    "leaves before the stream": _kind(12, _leaves("waits", stream=True), "left", logged=_GONE),
    "leaves in mid-stream": _kind(
        25, _leaves("stays", stream=True, until=b"Quok"), "left", logged=_GONE
    ),
    "leaves in mid-request": _kind(12, _leaves("say", stream=True, cut=9), "left", logged=_GONE),
    "wrong key": _kind(20, _sends("POST", _CHAT, _chat("say"), "sk-no"), "401 invalid_api_key"),
    "no key": _kind(12, _sends("POST", _CHAT, _chat("say"), None), "401 invalid_api_key"),
    "no JSON": _kind(
        12, _sends("POST", _CHAT, lambda _: b'{"model": '), "400 invalid_request_error"
    ),
    "wrong type": _kind(
        12, _sends("POST", _CHAT, _chat("say", temperature="hot")), "400 invalid_type"
    ),
    "no such model": _kind(
        10,
        _sends("POST", _CHAT, _chat("say", model="gpt-x")),
        "404 model_not_found",
    ),
    "no such page": _kind(10, _sends("GET", "/v1/nothing"), "404 unknown_url"),
    "wrong method": _kind(8, _sends("GET", _CHAT), "405 method_not_supported"),
}
#: What comes of what goes wrong at Google's however often it is asked: streamed, and whole.
_TOLD = {
    "busy": ("429 rate_limit_exceeded",) * 2,
    "quota": ("429 insufficient_quota",) * 2,
    "overloaded": ("503 server_is_overloaded",) * 2,
    "broken": ("500 server_error",) * 2,
    "wrong": ("400 invalid_argument",) * 2,
    "denied": ("403 permission_denied",) * 2,
    "page": ("502 upstream_invalid_response",) * 2,
    "reset_in_the_middle": ("200 upstream_unreachable", "502 upstream_unreachable"),
    "truncated": ("200 upstream_truncated", "502 upstream_truncated"),
    "error_in_the_middle": ("200 server_is_overloaded", "503 server_is_overloaded"),
    "silence": ("504 upstream_timeout",) * 2,
    "silence_in_the_middle": ("200 upstream_timeout", "504 upstream_timeout"),
    "malformed": ("502 upstream_malformed_response",) * 2,
}
#: A comment that keeps a stream alive may have come before that, and a status with it.
_OR = {"silence, streamed": "200 upstream_timeout"}
#: A thousand requests meet so many of each of Google's faults, streamed and whole.
_FAULTY = 4


def _faults() -> dict[str, Kind]:
    kinds = {}
    for name in (*ONCE, *ALWAYS):
        told = _TOLD.get(name, ("200", "200"))
        words = name.replace("_", " ")
        for stream, expected in zip((True, False), told, strict=True):
            ask = _sends("POST", _CHAT, _chat(name, stream=stream))
            kind = f"{words}, {'streamed' if stream else 'whole'}"
            kinds[kind] = _kind(_FAULTY, ask, expected, *([_OR[kind]] if kind in _OR else []))
    return kinds


FAULTS = _CLIENTS | _faults()
KINDS: dict[str, Kind] = _GOOD | FAULTS
