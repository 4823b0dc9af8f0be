"""One connection to a server, for one exchange after the other, on llhttp's parser.

HTTP/1.1 as RFC 9112 has it, without what Google's APIs do without: trailers, upgrades.
"""

import asyncio
import sys
from typing import cast

import httptools
import httpx

from service.transport import Taker

#: Bytes of an answer that are read at once; the server is made to wait while more have come. What
#: is read is there several times over until it has been sent on.
_MOST = 1 << 16
_FIRST_FINAL_STATUS = 200


class HttpConnection(asyncio.Protocol):
    """What a connection has received, and who waits for it."""

    __slots__ = (
        "_error", "_has_head", "_is_paused", "_loop", "_offers_to", "_parser", "_pieces",
        "_read_timeout", "_size", "_status", "_stays_open", "_taker", "_transport", "_waiter",
        "headers", "idle_since", "is_closed", "is_complete", "on_body",
    )  # fmt: skip

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._waiter: asyncio.Future[None] | None = None
        self.is_closed = False
        #: When it was put aside, on the event loop's clock.
        self.idle_since = 0.0
        self._begin(None)

    def _begin(self, read_timeout: float | None) -> None:
        self._pieces: list[bytes] = []  # of the body, which nobody has read yet
        self.on_body = self._pieces.append
        self._parser = httptools.HttpResponseParser(self)
        self._read_timeout = read_timeout
        self.headers: list[tuple[bytes, bytes]] = []
        self._size = 0  # of them, at most
        self._has_head = self.is_complete = self._is_paused = self._stays_open = False
        self._error: httpx.TransportError | None = None
        self._taker: Taker | None = None
        #: The same while a read waits for a piece.
        self._offers_to: Taker | None = None

    async def exchange(self, head: bytes, body: bytes, read_timeout: float | None) -> int:
        """Send a request; return the status of the response once its body has begun, or ended.

        `headers` are there, too. `read_timeout` is seconds, for each piece of the body. Raise
        `httpx.TransportError`.
        """
        self._begin(read_timeout)
        self._transport.writelines([head, body])
        while not (self._pieces or self.is_complete):
            await self._more()
        return self._status

    async def read(self) -> bytes:
        """Return some of what has arrived of the body, or nothing at its end.

        Raise `httpx.TransportError`.
        """
        while not self._pieces:
            if self.is_complete:
                return b""
            await self._more()
        return self.take(_MOST)

    def take(self, most: int = sys.maxsize) -> bytes:
        """Return what has arrived and nobody has read, so many bytes at most."""
        data = b"".join(self._pieces)
        self._pieces[:] = [data[most:]] if len(data) > most else []
        self._size = max(0, len(data) - most)
        if self._is_paused and not self._pieces:
            self._is_paused = False
            self._transport.resume_reading()
        return data[:most]

    def offer_to(self, taker: Taker) -> None:
        """Offer what arrives while a `read` waits, which takes a task's turn, to a callback first.

        It returns whether it has taken all of it; if so, the `read` waits on.
        """
        if not self.is_complete:
            self._taker = taker

    @property
    def is_reusable(self) -> bool:
        """Whether another exchange may follow: all has been said, and nobody wants to end it."""
        behind = self._transport.get_write_buffer_size()  # of a request that was refused halfway
        return self._stays_open and not (self.is_closed or self._error or self._is_paused or behind)

    def close(self) -> None:
        self.is_closed = True
        self._transport.abort()  # `close` would send first what is left of a request

    async def _more(self) -> None:
        if self._error is not None:
            raise self._error
        self._waiter = self._loop.create_future()
        self._offers_to = self._taker
        try:
            if self._read_timeout is None:
                await self._waiter
            else:
                async with asyncio.timeout(self._read_timeout):
                    await self._waiter
        except TimeoutError:
            raise httpx.ReadTimeout("nothing arrived in time") from None
        finally:
            self._waiter = self._offers_to = None

    def _wake(self) -> None:
        self._offers_to = None
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        if self.is_complete:
            self.close()  # nobody has asked
            return
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade) as error:
            self._error = httpx.RemoteProtocolError(str(error))
            self._wake()
            self.close()
        pieces = self._pieces
        if pieces and self._offers_to and len(data) <= _MOST and self._offers_to(b"".join(pieces)):
            pieces.clear()
            return
        if pieces:  # the head alone is no news, and twenty coroutines would hear it
            self._size += len(data)
            self._wake()
        if self._size > _MOST and not (self._is_paused or self.is_closed):
            self._is_paused = True
            self._transport.pause_reading()

    def connection_lost(self, exc: Exception | None) -> None:
        self.is_closed = True
        if not self.is_complete and self._error is None:
            names = {name.lower() for name, _ in self.headers}
            if exc is not None or not self._has_head:
                self._error = httpx.ReadError(type(exc).__name__ if exc else "hung up")
            elif names & {b"content-length", b"transfer-encoding"}:
                self._error = httpx.RemoteProtocolError("the answer broke off")
            else:
                self.is_complete = True  # without a length it goes on until the connection ends
        self._wake()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        self._status = self._parser.get_status_code()
        self._has_head = self._status >= _FIRST_FINAL_STATUS
        if not self._has_head:
            self.headers = []  # 100 and its kin: the answer follows

    def on_message_complete(self) -> None:
        # Later the parser would not say whether the connection stays open.
        self.is_complete, self._stays_open = self._has_head, self._parser.should_keep_alive()
        self._taker = None
        self._wake()  # and offers nothing: there is more to say than what the pieces are

    def on_message_begin(self) -> None:
        if self.is_complete:
            raise ValueError("more than one answer")  # ends the parsing
