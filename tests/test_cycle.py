"""A response on its way to a client, byte by byte, from a real server."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from service.connections import Protocol

Said = tuple[int, list[tuple[bytes, bytes]], Sequence[bytes]]

GET = b"GET / HTTP/1.1\r\nhost: gateway\r\n\r\n"
HEAD = GET.replace(b"GET", b"HEAD")
LAST = GET.replace(b"\r\n\r\n", b"\r\nconnection: close\r\n\r\n")
OLD = b"GET / HTTP/1.0\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\n"
FIVE = (b"Content-Length", b"5")


def saying(status: int, headers: list[tuple[bytes, bytes]], bodies: Sequence[bytes]) -> Any:
    """Make an application that says this, the last of the bodies as the last."""

    async def app(_: Any, __: Any, send: Callable[..., Any]) -> None:
        await send({"type": "http.response.start", "status": status, "headers": headers})
        for body in bodies[:-1]:
            await send({"type": "http.response.body", "body": body, "more_body": True})
        await send({"type": "http.response.body", "body": bodies[-1]})

    return app


@asynccontextmanager
async def asking(app: Any) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    config = uvicorn.Config(app, log_config=None, server_header=False, lifespan="off")
    config.load()
    loop, state = asyncio.get_running_loop(), ServerState()
    server = await loop.create_server(lambda: Protocol(config, state, {}), "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    try:
        async with asyncio.timeout(5):
            yield reader, writer
    finally:
        writer.close()
        server.close()


@pytest.mark.parametrize(
    ("request_", "said", "answer", "stays_open"),
    [
        (GET, (200, [FIVE], [b"hello"]), OK + b"content-length: 5\r\n\r\nhello", True),
        (GET, (200, [FIVE], [b"he", b"llo"]), OK + b"content-length: 5\r\n\r\nhello", True),
        (
            GET,
            (200, [], [b"he", b"", b"llo"]),
            OK + b"transfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n",
            True,
        ),
        (GET, (200, [], [b""]), OK + b"transfer-encoding: chunked\r\n\r\n0\r\n\r\n", True),
        (HEAD, (200, [FIVE], [b"hello"]), OK + b"content-length: 5\r\n\r\n", True),
        (HEAD, (200, [], [b"hello"]), OK + b"\r\n", True),
        (GET, (204, [], [b""]), b"HTTP/1.1 204 No Content\r\n\r\n", True),
        (
            LAST,
            (200, [FIVE], [b"hello"]),
            OK + b"content-length: 5\r\nconnection: close\r\n\r\nhello",
            False,
        ),
        (
            OLD,
            (200, [FIVE], [b"hello"]),
            OK + b"content-length: 5\r\nconnection: close\r\n\r\nhello",
            False,
        ),
        (
            GET,
            (503, [FIVE, (b"connection", b"Close")], [b"hello"]),
            (
                b"HTTP/1.1 503 Service Unavailable\r\n"
                b"content-length: 5\r\nconnection: Close\r\n\r\nhello"
            ),
            False,
        ),
    ],
)
async def test_an_answer_to_the_byte(
    request_: bytes, said: Said, answer: bytes, *, stays_open: bool
) -> None:
    async with asking(saying(*said)) as (reader, writer):
        for _ in range(2 if stays_open else 1):
            writer.write(request_)
            assert await reader.readexactly(len(answer)) == answer
        if not stays_open:
            assert await reader.read() == b""


async def test_the_head_waits_for_the_first_of_the_body() -> None:
    goes_on = asyncio.Event()

    async def app(_: Any, __: Any, send: Callable[..., Any]) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": [FIVE]})
        await goes_on.wait()
        await send({"type": "http.response.body", "body": b"hello"})

    async with asking(app) as (reader, writer):
        writer.write(GET)
        waiting = asyncio.ensure_future(reader.read(1000))
        for _ in range(100):  # turns of the event loop, in which nothing comes
            await asyncio.sleep(0)
        assert not waiting.done()
        goes_on.set()
        assert (await waiting).endswith(b"\r\n\r\nhello")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        # Before anything has gone out the client can be told; later it must see that it is no end.
        ((200, [(b"x", b"a\r\nset-cookie: b")], [b""]), b""),
        ((200, [(b"x\n", b"a")], [b""]), b""),
        ((200, [(b"x", b"a\0")], [b""]), b""),
        ((200, [FIVE], [b"hell"]), b""),
        ((200, [FIVE], [b"hello!"]), b""),
        ((200, [FIVE], [b"he", b"l"]), OK + b"content-length: 5\r\n\r\nhe"),
        ((200, [FIVE], [b"he", b"llo!"]), OK + b"content-length: 5\r\n\r\nhe"),
    ],
)
async def test_what_is_no_answer_ends_the_connection(
    said: Said, answer: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL, "uvicorn.error")
    async with asking(saying(*said)) as (reader, writer):
        writer.write(GET)
        assert await reader.read() == answer
