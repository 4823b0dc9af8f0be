"""HTTP to Google: one pool of connections, our own User-Agent, time limits, a fresh token.

The pool is called below httpx's client, which costs three times what the request does (cookies,
redirects, merging of URLs), and none of that is wanted here.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine, Mapping
from typing import Any, NamedTuple

import httpx

from service import __version__
from service.errors import CredentialsError, GatewayError, UpstreamTimeoutError
from service.interfaces import AccessTokens
from service.time_limit import Patience, TimeLimit
from service.transport import Pool, Reply
from service.upstream.failures import refusal, upstream_failures

USER_AGENT = f"gemini-openai-gateway/{__version__}"

_UNAUTHORIZED = 401
#: How often a token is replaced at most: by the shared one, the credential's own, a new one.
_RENEWALS = 3

_HEADERS = (
    (b"content-type", b"application/json"),
    (b"user-agent", USER_AGENT.encode()),
    # A compressed stream that is cut off looks complete.
    (b"accept-encoding", b"identity"),
)

#: Makes an error of a refusal: its status, body and headers.
Refuse = Callable[[int, bytes, Mapping[str, str]], GatewayError]


class TimeLimits(NamedTuple):
    """Seconds that Google may take."""

    connect: float = 5
    first_byte: float = 300  # a model that thinks says nothing for minutes
    idle: float = 120


class GoogleHttp:
    """Calls methods of one Google API with a bearer token, or with a key.

    Args:
        pool: of connections.
        tokens: whose value goes into the header.
        limits: to Google's time.
        key: whether it is an API key and no bearer token.
        bill: returns the project that pays, where the token does not say it itself.

    """

    def __init__(
        self,
        pool: Pool,
        tokens: AccessTokens,
        limits: TimeLimits,
        *,
        key: bool = False,
        bill: Callable[[], str | None] = lambda: None,
    ) -> None:
        self._bill = bill
        self._pool = pool
        self._tokens = tokens
        self._is_key = key
        self._header = b"x-goog-api-key" if key else b"authorization"
        self._scheme = "" if key else "Bearer "
        self._limits = limits

    async def call(self, url: str, body: bytes | None, *, refuse: Refuse = refusal) -> bytes:
        """POST JSON and return the whole answer; raise `GatewayError` for every other outcome.

        Args:
            url: of the method.
            body: None makes it a GET.
            refuse: puts into words what Google refused.

        """
        async with self.first_byte():
            response = await self.open(url, body, refuse=refuse)
        return await self._whole(response)

    async def open(self, url: str, body: bytes | None, *, refuse: Refuse = refusal) -> Reply:
        """Send JSON; return the successful response, unread. The caller closes it.

        A token that Google no longer takes is renewed, until a freshly made one is rejected, too; a
        key, if another one has taken its place.
        """
        token = await self._tokens.token()
        renewals = _RENEWALS
        while True:
            with upstream_failures():
                response = await self._send(url, body, self._scheme + token.value)
            if httpx.codes.is_success(response.status):
                return response
            content = await self._whole(response)  # so that the connection can be used again
            error = refuse(response.status, content, response.headers)
            if not renewals or not self._is_rejected(response.status, error):
                raise error
            rejected, token = token, await self._tokens.token(rejected=token)
            if self._is_key and token.value == rejected.value:
                raise error
            # After an outage of the cache what is shared may be as dead as what was rejected.
            renewals = 0 if self._tokens.origin == "refresh" else renewals - 1

    def _is_rejected(self, status: int, error: GatewayError) -> bool:
        """Whether a new token might help. A dead key is a bad request to the Developer API."""
        return status == _UNAUTHORIZED or (self._is_key and isinstance(error, CredentialsError))

    def _send(self, url: str, body: bytes | None, token: str) -> Coroutine[Any, Any, Reply]:
        # As httpx's client makes them by itself, at half the cost of a small request.
        headers = [(b"host", _host(url)), *_HEADERS]
        for name, value in ((b"x-goog-user-project", self._bill()), (self._header, token)):
            if not value:
                continue
            if not (value.isascii() and value.isprintable()):
                raise CredentialsError(
                    "The gateway's credentials hold characters that Google cannot be sent. The "
                    "operator of this gateway has to renew them; your API key is fine."
                )
            headers.append((name, value.encode()))
        if body is not None:
            headers.append((b"content-length", b"%d" % len(body)))
        method, connect = "GET" if body is None else "POST", self._limits.connect
        return self._pool.ask(method, url, headers, body or b"", connect=connect)

    async def _whole(self, response: Reply) -> bytes:
        if (body := response.whole()) is not None:
            return body
        chunks = response.reads()
        pieces: list[bytes] = []
        patience = self.patience()
        try:
            with upstream_failures():
                while True:
                    async with patience:
                        piece = await anext(chunks, None)
                    if piece is None:
                        return b"".join(pieces)
                    pieces.append(piece)
        finally:
            patience.end()
            await response.aclose()

    def first_byte(self) -> TimeLimit:
        """Around everything that is waited for before an answer begins."""
        end = asyncio.get_running_loop().time() + self._limits.first_byte
        return TimeLimit(end, self._late)

    def patience(self) -> Patience:
        """Around each read from an answer that has begun."""
        return Patience(self._limits.idle, self._silent)

    def _late(self) -> UpstreamTimeoutError:
        seconds = f"{self._limits.first_byte:g} seconds"
        return UpstreamTimeoutError(f"Gemini did not begin to answer within {seconds}.")

    def _silent(self) -> UpstreamTimeoutError:
        seconds = f"{self._limits.idle:g} seconds"
        return UpstreamTimeoutError(f"Gemini fell silent for {seconds} in mid-answer.")


@functools.lru_cache(maxsize=1024)
def _host(url: str) -> bytes:
    return httpx.URL(url).netloc
