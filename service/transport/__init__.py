"""HTTP to Google, below httpx's interface: which client does it is the operator's choice."""

import ssl
from collections.abc import AsyncIterator, Callable
from typing import Protocol

import httpx

from service.settings import HttpClient

Headers = list[tuple[bytes, bytes]]

#: Takes some of a body, or leaves it. Called by the event loop itself: in nobody's context.
Taker = Callable[[bytes], bool]


class Reply(Protocol):
    """An answer whose head has come."""

    status: int

    @property
    def headers(self) -> httpx.Headers: ...

    def reads(self) -> AsyncIterator[bytes]:
        """Return the body as it comes, with nothing compressed."""
        ...

    def whole(self) -> bytes | None:
        """Return all of the body, and end, if it has come with the head; None if it has not."""
        ...

    def offer_to(self, taker: Taker) -> None:
        """Offer what comes while a read waits to a callback, which saves a task's turn.

        A client that cannot do so does not.
        """
        ...

    async def aclose(self) -> None: ...


class Pool(httpx.AsyncBaseTransport):
    """A transport that keeps connections."""

    async def ask(
        self, method: str, url: str, headers: Headers, body: bytes, *, connect: float
    ) -> Reply:
        """Do as `handle_async_request`, whose models of request and response some can spare.

        Args:
            method: of HTTP.
            url: of the resource.
            headers: all of them, as they go out.
            body: all of it.
            connect: seconds for a connection.

        """
        request = httpx.Request(
            method,
            url,
            headers=headers,
            stream=httpx.ByteStream(body),
            extensions={"timeout": {"connect": connect}},
        )
        return _HttpxReply(await self.handle_async_request(request))

    @property
    def in_use(self) -> int:
        """How many connections wait for an answer, or for the rest of one."""
        raise NotImplementedError


class _HttpxReply:
    def __init__(self, response: httpx.Response) -> None:
        self.status = response.status_code
        self.headers = response.headers
        self.reads = response.aiter_bytes
        self.aclose = response.aclose

    def whole(self) -> bytes | None:
        return None

    def offer_to(self, taker: Taker) -> None:
        pass


def open_transport(client: HttpClient = "httptools") -> Pool:
    """Make a pool of connections; close it with `aclose`. Reads the system's certificates."""
    context = httpx.create_ssl_context()
    if client == "aiohttp":
        from service.transport.aiohttp import AiohttpPool  # noqa: PLC0415  (a third of a second)

        return AiohttpPool(context)
    from service.transport.pool import HttptoolsTransport  # noqa: PLC0415

    return HttptoolsTransport(context)


def open_once_only(context: ssl.SSLContext) -> Pool:
    """Make what opens a connection for each request, for those that belong to an address."""
    from service.transport.aiohttp import AiohttpPool  # noqa: PLC0415

    return AiohttpPool(context, used_once=True)
