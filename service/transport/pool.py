"""An httpx transport on `HttpConnection`: the ones that are not in use are kept for a minute."""

import asyncio
import itertools
import ssl
from collections.abc import AsyncIterator
from typing import NamedTuple

import httpx

from service.transport import Pool
from service.transport.connection import HttpConnection

_KEEPALIVE_SECONDS = 60
_PORTS = {"http": 80, "https": 443}


class _Origin(NamedTuple):
    scheme: str
    host: str
    port: int


class HttptoolsTransport(Pool):
    """Connections without a limit, by origin.

    Of a request's time-outs it heeds `connect` (a name, a connection and TLS, together) and `read`.

    Args:
        context: of TLS.

    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._idle: dict[_Origin, list[HttpConnection]] = {}
        self._busy: set[HttpConnection] = set()
        self._sweep: asyncio.TimerHandle | None = None

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response when its headers are there; raise `httpx.TransportError`."""
        url, timeout = request.url, request.extensions.get("timeout", {})
        origin = _Origin(url.scheme, url.host, url.port or _PORTS[url.scheme])
        head, body = _head(request), await request.aread()
        if (connection := self._put_aside(origin)) is not None:
            try:
                return await self._exchange(origin, connection, head, body, timeout.get("read"))
            except httpx.ReadError:
                if connection.has_answered:
                    raise
                # It had been closed while nobody looked (RFC 9112 section 9.3.1).
        connection = await self._connect(origin, timeout.get("connect"))
        return await self._exchange(origin, connection, head, body, timeout.get("read"))

    async def _exchange(
        self,
        origin: _Origin,
        connection: HttpConnection,
        head: bytes,
        body: bytes,
        seconds: float | None,
    ) -> httpx.Response:
        self._busy.add(connection)
        try:
            status = await connection.exchange(head, body, seconds)
        except BaseException:
            self._busy.discard(connection)
            connection.close()
            raise
        answer = _Body(self, origin, connection)
        return httpx.Response(status, headers=connection.headers, stream=answer)

    @property
    def in_use(self) -> int:
        return len(self._busy)

    async def aclose(self) -> None:
        if self._sweep is not None:
            self._sweep.cancel()
        for connection in [*self._busy, *itertools.chain(*self._idle.values())]:
            connection.close()
        await asyncio.sleep(0)  # asyncio's transports close in the loop's next turn

    def _put_aside(self, origin: _Origin) -> HttpConnection | None:
        idle = self._idle.get(origin)
        while idle:
            connection = idle.pop()
            if connection.is_open:
                return connection
        return None

    async def _connect(self, origin: _Origin, seconds: float | None) -> HttpConnection:
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                _, connection = await loop.create_connection(
                    HttpConnection,
                    origin.host,
                    origin.port,
                    ssl=self._context if origin.scheme == "https" else None,
                )
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(type(error).__name__) from error
        return connection

    def release(self, origin: _Origin, connection: HttpConnection) -> None:
        """Take back a connection that an answer has been read from, or part of one."""
        self._busy.discard(connection)
        if not connection.is_reusable:
            connection.close()
            return
        loop = asyncio.get_running_loop()
        connection.idle_since = loop.time()
        self._idle.setdefault(origin, []).append(connection)
        if self._sweep is None:
            self._sweep = loop.call_later(_KEEPALIVE_SECONDS, self._close_old)

    def _close_old(self) -> None:
        """Close what has not been used for a while; look again when the next may be old enough."""
        loop = asyncio.get_running_loop()
        oldest = loop.time() - _KEEPALIVE_SECONDS
        kept: dict[_Origin, list[HttpConnection]] = {}
        for origin, connections in self._idle.items():
            for connection in connections:
                if connection.is_open and connection.idle_since > oldest:
                    kept.setdefault(origin, []).append(connection)
                else:
                    connection.close()
        self._idle, self._sweep = kept, None
        if kept:
            first = min(one.idle_since for ones in kept.values() for one in ones)
            self._sweep = loop.call_at(first + _KEEPALIVE_SECONDS, self._close_old)


class _Body(httpx.AsyncByteStream):
    """The body of a response: reads, as they come; its end gives the connection back."""

    def __init__(
        self, pool: HttptoolsTransport, origin: _Origin, connection: HttpConnection
    ) -> None:
        self._pool = pool
        self._origin = origin
        self._connection: HttpConnection | None = connection

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._connection is None:
            raise StopAsyncIteration
        data = await self._connection.read()
        if not data:
            await self.aclose()
            raise StopAsyncIteration
        return data

    async def aclose(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            self._pool.release(self._origin, connection)


def _head(request: httpx.Request) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
    lines += [b"%b: %b" % item for item in request.headers.raw]
    head = b"\r\n".join(lines)
    if head.count(b"\r") != len(lines) - 1 or head.count(b"\n") != len(lines) - 1:
        raise httpx.LocalProtocolError("a line end in a header")
    return head + b"\r\n\r\n"
