"""An httpx transport on `HttpConnection`: the ones that are not in use are kept for a minute."""

import asyncio
import itertools
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator

import httpx

from service.transport import Pool
from service.transport.connection import HttpConnection

_KEEPALIVE_SECONDS = 60
_PORTS = {"http": 80, "https": 443}

_Origin = tuple[str, str, int]  # scheme, host, port
_Message = tuple[bytes, bytes, float | None]  # what `HttpConnection.exchange` takes


class HttptoolsTransport(Pool):
    """Connections without a limit.

    Of a request's time-outs it heeds `connect` (a name, a connection and TLS, together) and `read`.
    """

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._idle: defaultdict[_Origin, list[HttpConnection]] = defaultdict(list)
        self._busy: set[HttpConnection] = set()

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Return the response when its headers are there; raise `httpx.TransportError`."""
        url, timeout = request.url, request.extensions.get("timeout", {})
        origin = (url.scheme, url.host, url.port or _PORTS[url.scheme])
        message = (_head(request), await request.aread(), timeout.get("read"))
        idle = self._idle[origin]
        if idle and not (connection := idle.pop()).is_closed:
            try:
                return await self._exchange(origin, connection, message)
            except httpx.ReadError:
                # If it was closed while nobody looked, so were the others: whoever asks once more
                # shall not meet one of them.
                while idle:
                    idle.pop().close()
                raise
        connection = await self._connect(origin, timeout.get("connect"))
        return await self._exchange(origin, connection, message)

    @property
    def in_use(self) -> int:
        return len(self._busy)

    async def aclose(self) -> None:
        for connection in [*self._busy, *itertools.chain(*self._idle.values())]:
            connection.close()
        await asyncio.sleep(0)  # asyncio's transports close in the loop's next turn

    async def _connect(self, origin: _Origin, seconds: float | None) -> HttpConnection:
        scheme, host, port = origin
        context = self._context if scheme == "https" else None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(seconds):
                made = await loop.create_connection(HttpConnection, host, port, ssl=context)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(type(error).__name__) from error
        return made[1]

    async def _exchange(
        self, origin: _Origin, connection: HttpConnection, message: _Message
    ) -> httpx.Response:
        self._busy.add(connection)
        try:
            status = await connection.exchange(*message)
        except BaseException:
            self.release(origin, connection)
            raise
        stream = _Body(self, origin, connection)
        return httpx.Response(status, headers=connection.headers, stream=stream)

    def release(self, origin: _Origin, connection: HttpConnection) -> None:
        """Take back a connection that an answer has been read from, or part of one."""
        self._busy.discard(connection)
        if not connection.is_reusable:
            connection.close()
            return
        now, idle = asyncio.get_running_loop().time(), self._idle[origin]
        while idle and idle[0].idle_since < now - _KEEPALIVE_SECONDS:
            idle.pop(0).close()
        connection.idle_since = now
        idle.append(connection)


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
        if self._connection is None or not (data := await self._connection.read()):
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
