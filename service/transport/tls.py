"""TLS between a TCP connection and what is spoken on it, on OpenSSL's memory BIOs.

The event loop's own TLS keeps a buffer of 256 kB for what each connection reads.
"""

import asyncio
import ssl
from collections.abc import Iterable
from contextlib import suppress
from typing import TypeVar, cast

#: Bytes that are encrypted or decrypted at once, the longest record of RFC 8446 (section 5.1): a
#: memory BIO stays as large as the most that was ever in it.
_RECORD = 1 << 14

_P = TypeVar("_P", bound=asyncio.Protocol)


async def connect_to(host: str, port: int, protocol: _P, context: ssl.SSLContext | None) -> _P:
    """Return the protocol, connected, with TLS if there is a context; raise `OSError`."""
    loop = asyncio.get_running_loop()
    if context is None:
        await loop.create_connection(lambda: protocol, host, port)
    else:
        tls = _TlsConnection(protocol, context, host)
        await loop.create_connection(lambda: tls, host, port)
        await tls.shake_hands()
    return protocol


class _TlsConnection(asyncio.Protocol, asyncio.Transport):
    """The protocol of a TCP connection, and the transport of another protocol.

    Args:
        protocol: hears of the connection once hands have been shaken.
        context: whom to trust.
        host: whose name the certificate must have.

    """

    __slots__ = (
        "_below", "_error", "_incoming", "_is_over", "_is_ready", "_outgoing", "_protocol", "_ssl",
        "_waiter",
    )  # fmt: skip

    def __init__(self, protocol: asyncio.Protocol, context: ssl.SSLContext, host: str) -> None:
        self._protocol = protocol
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_hostname=host)
        self._is_ready = self._is_over = False
        self._waiter: asyncio.Future[None] | None = None
        #: What the end of the connection means, unless the server says first that it ends (RFC
        #: 8446, section 6.1): nobody else shall say where an answer ends.
        self._error: Exception | None = ssl.SSLEOFError("no close_notify")

    async def shake_hands(self) -> None:
        """Let the protocol have the connection, or close it and raise `OSError`.

        That is for a server that is not to be trusted, speaks no TLS or hangs up.
        """
        try:
            while not self._has_shaken_hands():
                self._waiter = asyncio.get_running_loop().create_future()
                await self._waiter
        except BaseException:
            self._below.close()  # once the server has been told why
            raise
        self._is_ready = True
        self._protocol.connection_made(self)
        self.data_received(self._incoming.read())  # what came with the end of the handshake

    def _has_shaken_hands(self) -> bool:
        if self._below.is_closing():
            raise ConnectionResetError("hung up in the handshake")
        try:
            self._ssl.do_handshake()
        except ssl.SSLWantReadError:
            return False
        finally:
            self._flush()
        return True

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _flush(self) -> None:
        if self._outgoing.pending:
            self._below.write(self._outgoing.read())

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._below = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        texts: list[bytes] = []
        for start in range(0, len(data), _RECORD):
            self._incoming.write(data[start : start + _RECORD])
            if self._is_ready:
                self._decrypt(texts)
        if not self._is_ready:
            self._wake()
            return
        self._flush()  # a server may ask for new keys, too
        if texts:
            self._protocol.data_received(b"".join(texts))
        if self._is_over:
            self._below.close()

    def _decrypt(self, texts: list[bytes]) -> None:
        try:
            while self._incoming.pending and not self._is_over:
                if text := self._ssl.read(_RECORD):
                    texts.append(text)
                else:
                    self._error, self._is_over = None, True
                    with suppress(ssl.SSLError):
                        self._ssl.unwrap()  # it may wait to hear the same
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            self._error, self._is_over = error, True

    def connection_lost(self, exc: Exception | None) -> None:
        self._wake()
        if self._is_ready:
            self._protocol.connection_lost(exc or self._error)

    def writelines(self, list_of_data: Iterable[bytes | bytearray | memoryview]) -> None:
        try:
            for data in list_of_data:
                for start in range(0, len(data), _RECORD):
                    self._ssl.write(data[start : start + _RECORD])
                    self._flush()
        except ssl.SSLError as error:
            self._error = error
            self.abort()

    def get_write_buffer_size(self) -> int:
        return self._below.get_write_buffer_size()

    def pause_reading(self) -> None:
        self._below.pause_reading()

    def resume_reading(self) -> None:
        self._below.resume_reading()

    def abort(self) -> None:
        self._below.abort()
