"""Fetches what the URLs of a message lead to, and reaches nothing that is not public.

A URL's host is resolved once for each hop. Every address that comes out is looked at, and the
connection goes to one of those, so that a second look-up cannot lead elsewhere. The name is only
used for the Host header and for TLS.
"""

import asyncio
import binascii
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from http import HTTPStatus
from typing import Any, NamedTuple

import httpx

from service import __version__
from service.addresses import is_address, is_public, may_be_allowed
from service.errors import GatewayError, InvalidRequestError
from service.limits import hold
from service.schemas.openai_media import Fetched
from service.transport import open_once_only

#: Returns all addresses of a host; raises `OSError`.
Lookup = Callable[[str, int], Awaitable[Sequence[str]]]

SECONDS = 10  # for one URL, its redirects included
CONNECT_SECONDS = 3  # to one of its addresses
REDIRECTS = 3
#: How many URLs of one request are fetched at the same time, and how many it may have.
AT_ONCE = 8
MOST_URLS = 100

_HEADERS = {
    "user-agent": f"gemini-openai-gateway/{__version__}",
    "accept": "*/*",
    "accept-encoding": "identity",  # what is measured is what arrives
}
_MOVED = {301, 302, 303, 307, 308}
_PORTS = {"http": 80, "https": 443}
_HIGHEST_PORT = 65_535
_METADATA = re.compile(r"metadata|(?:.+\.)?google\.internal|instance-data(?:\..+)?")


#: Threads of their own: someone's slow name server must not keep us from finding Google.
_RESOLVERS = ThreadPoolExecutor(AT_ONCE, thread_name_prefix="media-lookup")


class MediaError(Exception):
    """Says why a URL leads to nothing. Never holds the URL: it may be a secret."""


class _Hop(NamedTuple):
    url: httpx.URL
    host: str
    port: int
    addresses: Sequence[str]


class _Budget:
    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._left = limit

    def check(self, announced: str | None) -> None:
        if announced is not None and announced.isdecimal() and int(announced) > self._left:
            raise self._too_large()

    def take(self, size: int) -> None:
        self._left -= size
        if self._left < 0:
            raise self._too_large()
        hold(size)

    def _too_large(self) -> MediaError:
        return MediaError(
            f"images and files of a request may have {self._limit} bytes together, and there is "
            "more"
        )


@contextmanager
def _network() -> Iterator[None]:
    """Put what goes wrong on the way into words that do not tell what there is in the network."""
    try:
        yield
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        raise MediaError("its server could not be reached, or broke off") from None


async def look_up(host: str, port: int) -> Sequence[str]:
    """Ask the system, which also knows 2130706433 and 0x7f.1 for what they are."""
    loop = asyncio.get_running_loop()
    ask = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
    found = await loop.run_in_executor(_RESOLVERS, ask)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class MediaFetcher:
    """A `MediaSource`.

    Args:
        max_bytes: all of a request together.
        allow_hosts: hosts, or `host:port`, whose addresses may be private.
        lookup: resolves names.
        certificates: reads whose certificates are trusted; slow, so done when first needed.

    """

    def __init__(
        self,
        *,
        max_bytes: int,
        allow_hosts: Sequence[str] = (),
        lookup: Lookup = look_up,
        certificates: Callable[[], ssl.SSLContext] = httpx.create_ssl_context,
    ) -> None:
        self._max_bytes = max_bytes
        self._allowed = {host.lower().strip("[]").replace("]:", ":") for host in allow_hosts}
        self._lookup = lookup
        self._certificates = certificates
        self._transport: httpx.AsyncBaseTransport | None = None
        self._opening = asyncio.Lock()

    async def fetch(self, urls: Mapping[str, str]) -> dict[str, Fetched]:
        if len(urls) > MOST_URLS:
            param = list(urls.values())[MOST_URLS]
            msg = f"'{param}' is one too many: a request may name {MOST_URLS} different URLs."
            raise InvalidRequestError(msg, param=param, code="invalid_value")
        budget = _Budget(self._max_bytes)
        turns = asyncio.Semaphore(AT_ONCE)

        async def one(url: str, param: str) -> Fetched:
            async with turns:
                try:
                    async with asyncio.timeout(SECONDS):
                        return await self._fetch(url, budget)
                except TimeoutError:
                    why = f"it took longer than {SECONDS} seconds"
                except MediaError as error:
                    why = str(error)
            msg = f"Could not fetch what '{param}' names: {why}."
            raise InvalidRequestError(msg, param=param, code="media_unavailable")

        try:
            async with asyncio.TaskGroup() as group:
                tasks = {url: group.create_task(one(url, param)) for url, param in urls.items()}
        except* GatewayError as failures:
            raise failures.exceptions[0] from None
        return {url: task.result() for url, task in tasks.items()}

    async def aclose(self) -> None:
        if self._transport is not None:
            await self._transport.aclose()

    async def _fetch(self, url: str, budget: _Budget) -> Fetched:
        target = _parsed(url)
        for _ in range(REDIRECTS + 1):
            response = await self._open(await self._checked(target))
            try:
                with _network():
                    moved = response.headers.get("location")
                    if moved and response.status_code in _MOVED:
                        target = _parsed(moved, target)
                        continue
                    return await _read(response, budget)
            finally:
                await response.aclose()
        raise MediaError(f"it redirects more than {REDIRECTS} times")

    async def _checked(self, url: httpx.URL) -> _Hop:
        """Resolve the host of a URL; raise `MediaError` unless it may be reached."""
        if url.scheme not in _PORTS:
            raise MediaError("only http and https can be fetched")
        if url.userinfo:
            raise MediaError("a URL with a user name or password in it is not fetched")
        host = url.raw_host.decode().strip("[]").rstrip(".").lower()
        port = _PORTS[url.scheme] if url.port is None else url.port
        if not 0 < port <= _HIGHEST_PORT:
            raise MediaError("it is no proper URL")
        if not host or _METADATA.fullmatch(host):
            raise _not_public()
        try:
            addresses = [host] if is_address(host) else await self._lookup(host, port)
        except (OSError, ValueError):
            raise MediaError("its host is not known") from None
        allowed = bool(self._allowed & {host, f"{host}:{port}"})
        may = may_be_allowed if allowed else is_public
        if not addresses or not all(may(address) for address in addresses):
            raise _not_public()
        return _Hop(url, host, port, addresses)

    async def _open(self, hop: _Hop) -> httpx.Response:
        """Connect to the first address that answers, and send the request there."""
        transport = await self._opened()
        extensions: dict[str, Any] = {"timeout": {"connect": CONNECT_SECONDS}}
        if hop.url.scheme == "https" and not is_address(hop.host):
            extensions["sni_hostname"] = hop.host  # whose certificate it must be
        failure: MediaError | None = None
        for address in hop.addresses:
            request = httpx.Request(
                "GET",
                hop.url.copy_with(host=address, fragment=None),
                headers={**_HEADERS, "host": hop.url.netloc.decode()},
                extensions=extensions,
            )
            try:
                with _network():
                    return await transport.handle_async_request(request)
            except MediaError as error:
                failure = error
        raise failure or _not_public()

    async def _opened(self) -> httpx.AsyncBaseTransport:
        async with self._opening:
            if self._transport is None:
                # A connection is used once: it belongs to an address, not to a name.
                self._transport = await asyncio.to_thread(
                    lambda: open_once_only(self._certificates())
                )
        return self._transport


async def _read(response: httpx.Response, budget: _Budget) -> Fetched:
    if response.status_code != HTTPStatus.OK:
        raise MediaError(f"its server answered with status {response.status_code}")
    if response.headers.get("content-encoding", "identity") not in ("identity", ""):
        raise MediaError("its server compressed it, which it was asked not to")
    budget.check(response.headers.get("content-length"))
    content = bytearray()
    async for chunk in response.aiter_raw():
        budget.take(len(chunk))
        content += chunk
    data = binascii.b2a_base64(content, newline=False).decode()
    return Fetched(data, response.headers.get("content-type"))


def _parsed(url: str, base: httpx.URL | None = None) -> httpx.URL:
    try:
        return httpx.URL(url) if base is None else base.join(url)
    except (httpx.InvalidURL, ValueError):  # the latter for what IDNA refuses
        raise MediaError("it is no proper URL") from None


def _not_public() -> MediaError:
    return MediaError("its address is not a public one")
