"""An httpx transport on `HttpConnection`: the ones that are not in use are kept for a minute."""

import asyncio
import functools
import itertools
import ssl
from collections import defaultdict
from collections.abc import AsyncIterator

import httpx

from service.transport import Headers, Pool, Taker
from service.transport.connection import HttpConnection
from service.transport.tls import connect_to

_KEEPALIVE_SECONDS = 60

_Origin = tuple[str, str, int]  # scheme, host, port


class HttptoolsTransport(Pool):
    """Connections without a limit. The time for one is for a name, TCP and TLS together."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._context = context
        self._idle: defaultdict[_Origin, list[HttpConnection]] = defaultdict(list)
        self._busy: set[HttpConnection] = set()

    async def ask(
        self,
        method: str,
        url: str,
        headers: Headers,
        body: bytes,
        *,
        connect: float | None,
        read: float | None = None,
    ) -> "HttpReply":
        """Return when the answer's body has begun, or is none; raise `httpx.TransportError`.

        `read` is seconds for each piece of the body; see `Pool.ask` for the others.
        """
        origin, target = _place(url)
        head = _head(method, target, headers)
        idle = self._idle[origin]
        kept = idle.pop() if idle else None
        connection = kept if kept and not kept.is_closed else await self._connect(origin, connect)
        self._busy.add(connection)
        try:
            return HttpReply(self, origin, connection, await connection.exchange(head, body, read))
        except BaseException as error:
            self.release(origin, connection)
            # If it was closed while nobody looked, so were the others: whoever asks once more
            # shall not meet one of them.
            was_lost = connection is kept and isinstance(error, httpx.ReadError)
            while was_lost and idle and not connection.headers:
                idle.pop().close()
            raise

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        """Do the same with httpx's models. Of its time-outs `connect` and `read` are heeded."""
        timeout = request.extensions.get("timeout", {})
        connect, read = timeout.get("connect"), timeout.get("read")
        url, headers, body = str(request.url), request.headers.raw, await request.aread()
        reply = await self.ask(request.method, url, headers, body, connect=connect, read=read)
        return reply.as_httpx()

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
        try:
            async with asyncio.timeout(seconds):
                return await connect_to(host, port, HttpConnection(), context)
        except TimeoutError as error:
            raise httpx.ConnectTimeout("no connection in time") from error
        except (OSError, UnicodeError) as error:
            raise httpx.ConnectError(type(error).__name__) from error

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


class HttpReply(httpx.AsyncByteStream):
    """A `Reply`, and its body: reads, as they come; its end gives the connection back."""

    def __init__(
        self, pool: HttptoolsTransport, origin: _Origin, connection: HttpConnection, status: int
    ) -> None:
        self.status = status
        self._pool = pool
        self._origin = origin
        self._connection: HttpConnection | None = connection
        self._headers = connection.headers
        self._is_plain = b"content-encoding" not in [name.lower() for name, _ in self._headers]

    @property
    def headers(self) -> httpx.Headers:
        return httpx.Headers(self._headers)

    def as_httpx(self) -> httpx.Response:
        return httpx.Response(self.status, headers=self._headers, stream=self)

    def reads(self) -> AsyncIterator[bytes]:
        return self if self._is_plain else self.as_httpx().aiter_bytes()

    def whole(self) -> bytes | None:
        connection = self._connection
        if connection is None or not (connection.is_complete and self._is_plain):
            return None
        self._connection, data = None, connection.take()
        self._pool.release(self._origin, connection)
        return data

    def offer_to(self, taker: Taker) -> None:
        if self._connection is not None and self._is_plain:
            self._connection.offer_to(taker)

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


@functools.lru_cache(maxsize=1024)
def _place(address: str) -> tuple[_Origin, bytes]:
    url = httpx.URL(address)
    return (url.scheme, url.host, url.port or {"http": 80, "https": 443}[url.scheme]), url.raw_path


def _head(method: str, target: bytes, headers: Headers) -> bytes:
    lines = [b"%b %b HTTP/1.1" % (method.encode(), target), *[b"%b: %b" % one for one in headers]]
    head = b"\r\n".join(lines)
    if head.count(b"\r") != len(lines) - 1 or head.count(b"\n") != len(lines) - 1:
        raise httpx.LocalProtocolError("a line end in a header")
    return head + b"\r\n\r\n"
