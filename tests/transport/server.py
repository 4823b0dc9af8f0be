"""A server that says exactly what a test wants it to say, and what asks it."""

import asyncio
import ssl
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

import httpx

from service.transport import Pool

OK = b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello"
CHUNKED = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"
UNTIL_CLOSED = b"HTTP/1.1 200 OK\r\n\r\nhello"


class Server:
    """Answers each request with the next of these pieces; the last serves for all that follow.

    Args:
        answers: each in the pieces that it is sent in.
        hang_up: whether it closes the connection after each.

    """

    #: Of TLS; without one there is none.
    context: ssl.SSLContext | None = None

    def __init__(self, *answers: Sequence[bytes], hang_up: bool = False) -> None:
        self._answers = list(answers)
        self._hang_up = hang_up
        self.connections = 0
        self.requests: list[bytes] = []
        self.asked = asyncio.Event()
        self.said_all = asyncio.Event()
        self.gone = asyncio.Event()
        self._serving: set[asyncio.Task[None]] = set()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        server = await asyncio.start_server(self._accept, "127.0.0.1", 0, ssl=self.context)
        async with server:
            port = server.sockets[0].getsockname()[1]
            yield f"{'https' if self.context else 'http'}://127.0.0.1:{port}/path"
        for task in self._serving:
            task.cancel()
        await asyncio.gather(*self._serving, return_exceptions=True)

    def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._serving.add(asyncio.create_task(self._serve(reader, writer)))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                size = next(
                    int(line.partition(b":")[2])
                    for line in head.split(b"\r\n")
                    if line.lower().startswith(b"content-length")
                )
                self.requests.append(head + await reader.readexactly(size))
                self.asked.set()
                answer = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
                await self._say(writer, answer)
                self.said_all.set()
                if self._hang_up:
                    break
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self.gone.set()
            writer.close()
            with suppress(ConnectionError):
                await writer.wait_closed()

    async def _say(self, writer: asyncio.StreamWriter, answer: Sequence[bytes]) -> None:
        for piece in answer:
            writer.write(piece)
            await writer.drain()


async def ask(pool: Pool, url: str, body: bytes = b"{}", **extensions: object) -> bytes:
    response = await pool.handle_async_request(post(url, body, **extensions))
    try:
        return await response.aread()
    finally:
        await response.aclose()


def post(url: str, body: bytes = b"{}", **extensions: object) -> httpx.Request:
    return httpx.Request("POST", url, content=body, extensions={"timeout": extensions})
