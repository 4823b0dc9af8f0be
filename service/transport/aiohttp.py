"""aiohttp's connections under httpx's interface."""

import ssl
from collections.abc import AsyncIterator, Generator
from contextlib import contextmanager
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from service.transport import Pool

_KEEPALIVE_SECONDS = 60


class AiohttpPool(Pool):
    """A pool without a limit, and httpx's errors by what happened.

    httpx-aiohttp's name for a connection that broke is a time-out, and some of aiohttp's errors it
    does not name at all.

    Args:
        context: of TLS.
        used_once: whether each connection serves one request only.

    """

    def __init__(self, context: ssl.SSLContext, *, used_once: bool = False) -> None:
        keep: dict[str, Any] = {"force_close": True}
        if not used_once:
            keep = {"keepalive_timeout": _KEEPALIVE_SECONDS}

        def session() -> aiohttp.ClientSession:
            # Without a number aiohttp would let the 101st stream wait; 0 is no limit.
            connector = aiohttp.TCPConnector(limit=0, ssl=context, **keep)
            return aiohttp.ClientSession(
                connector=connector, cookie_jar=aiohttp.DummyCookieJar(), trust_env=False
            )

        self._transport = AiohttpTransport(verify=context, client=session)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        with _named():
            response = await self._transport.handle_async_request(request)
        if isinstance(response.stream, httpx.AsyncByteStream):
            response.stream = _Body(response.stream)
        return response

    @property
    def in_use(self) -> int:
        session = self._transport.client
        if not isinstance(session, aiohttp.ClientSession) or session.connector is None:
            return 0  # nothing has been sent yet
        return len(session.connector._acquired)  # noqa: SLF001  (there is no other count)

    async def aclose(self) -> None:
        await self._transport.aclose()


class _Body(httpx.AsyncByteStream):
    def __init__(self, stream: httpx.AsyncByteStream) -> None:
        self._stream = stream

    async def __aiter__(self) -> AsyncIterator[bytes]:
        with _named():
            async for chunk in self._stream:
                yield chunk

    async def aclose(self) -> None:
        await self._stream.aclose()


@contextmanager
def _named() -> Generator[None]:
    try:
        yield
    except (httpx.HTTPError, aiohttp.ClientError, OSError) as error:
        cause = error.__cause__ or error
        raise _kind_of(cause)(type(cause).__name__) from cause


def _kind_of(cause: BaseException) -> type[httpx.TransportError]:
    if isinstance(cause, aiohttp.ConnectionTimeoutError):
        return httpx.ConnectTimeout
    if isinstance(cause, aiohttp.ClientConnectorError):
        return httpx.ConnectError
    if isinstance(cause, aiohttp.ServerTimeoutError):
        return httpx.ReadTimeout
    return httpx.ReadError
