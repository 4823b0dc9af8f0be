"""HTTP to Google, below httpx's interface: which client does it is the operator's choice."""

import ssl

import httpx

from service.settings import HttpClient


class Pool(httpx.AsyncBaseTransport):
    """A transport that keeps connections."""

    @property
    def in_use(self) -> int:
        """How many connections wait for an answer, or for the rest of one."""
        raise NotImplementedError


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
