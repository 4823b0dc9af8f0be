"""One connection to a server, for one exchange after the other, on llhttp's parser.

HTTP/1.1 as RFC 9112 has it, without what Google's APIs do without: trailers are dropped, nothing is
upgraded, requests have a length.
"""

import asyncio
from http import HTTPStatus
from typing import cast

import httptools
import httpx

#: Bytes of an answer that wait to be read before the server is made to wait.
_HIGH_WATER = 1 << 18

_FRAMING = (b"content-length", b"transfer-encoding")


class HttpConnection(asyncio.Protocol):
    """What a connection has received, and who waits for it."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self.is_open = False
        #: When it was put aside, on the event loop's clock.
        self.idle_since = 0.0
        self._begin(None)

    def _begin(self, read_timeout: float | None) -> None:
        self._parser = httptools.HttpResponseParser(self)
        self._read_timeout = read_timeout
        self.headers: list[tuple[bytes, bytes]] = []
        self._pieces: list[bytes] = []
        self._size = 0
        self._has_head = self._is_complete = self._is_paused = self._stays_open = False
        self._error: httpx.TransportError | None = None
        #: Whether anything has arrived since the request was sent.
        self.has_answered = False

    async def exchange(self, head: bytes, body: bytes, read_timeout: float | None) -> int:
        """Send a request; return the status of the response, whose `headers` have arrived.

        Args:
            head: request line and headers, to the empty line.
            body: may be empty.
            read_timeout: seconds that each read may take.

        Raise `httpx.TransportError`.

        """
        self._begin(read_timeout)
        self._transport.writelines([head, body] if body else [head])
        while not self._has_head:
            await self._more()
        return self._parser.get_status_code()

    async def read(self) -> bytes:
        """Return what has arrived of the body, at least a byte; nothing at its end.

        Raise `httpx.TransportError`.
        """
        while not self._pieces:
            if self._is_complete:
                return b""
            await self._more()
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        if self._is_paused:
            self._is_paused = False
            self._transport.resume_reading()
        return data

    @property
    def is_reusable(self) -> bool:
        """Whether another exchange may follow: all has been said, and nobody wants to end it."""
        return self.is_open and self._stays_open and not (self._error or self._is_paused)

    def close(self) -> None:
        self.is_open = False
        if self._is_complete:
            self._transport.close()
        else:
            self._transport.abort()  # what is left to send would be sent first

    async def _more(self) -> None:
        """Wait until something has arrived."""
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        try:
            if self._read_timeout is None:
                await self._waiter
            else:
                async with asyncio.timeout(self._read_timeout):
                    await self._waiter
        except TimeoutError:
            raise httpx.ReadTimeout("nothing arrived in time") from None
        finally:
            self._waiter = None

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self.is_open = True

    def data_received(self, data: bytes) -> None:
        self.has_answered = True
        if self._is_complete:
            self.close()  # nobody has asked
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._error = httpx.RemoteProtocolError(str(error))
            self.close()
        if self._size > _HIGH_WATER and not self._is_paused and self.is_open:
            self._is_paused = True
            self._transport.pause_reading()
        self._wake()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_open = False
        if not self._is_complete and self._error is None:
            if exc is None and self._has_head and not self._is_framed():
                self._is_complete = True
            elif exc is None and self._has_head:
                self._error = httpx.RemoteProtocolError("the answer broke off")
            else:
                self._error = httpx.ReadError(type(exc).__name__ if exc else "hung up")
        self._wake()

    def _is_framed(self) -> bool:
        """Whether the body has an end of its own, and does not go on until the connection's."""
        return any(name.lower() in _FRAMING for name, _ in self.headers)

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        if self._parser.get_status_code() < HTTPStatus.OK:
            self.headers = []  # 100 and its kin: the answer follows
        else:
            self._has_head = True

    def on_body(self, data: bytes) -> None:
        self._pieces.append(data)
        self._size += len(data)

    def on_message_complete(self) -> None:
        self._is_complete = self._has_head
        self._stays_open = self._parser.should_keep_alive()  # later it would not say

    def on_message_begin(self) -> None:
        if self._is_complete:
            self._error = httpx.RemoteProtocolError("more than one answer")
