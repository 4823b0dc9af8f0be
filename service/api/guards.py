"""Who may call."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from service.errors import AuthenticationError
from service.settings import Secret
from service.telemetry import annotate

#: Where the digest of the key that was accepted is kept, in the scope's state.
_ACCEPTED = "accepted_key"
#: Headers that hold a key and nothing else. They come before `Authorization`, in which there may be
#: what Cloud Run's own check wants, another one every hour.
_HEADERS = (b"x-api-key", b"api-key", b"x-goog-api-key")
#: Hexadecimal digits of a key's digest that are logged: enough to tell keys apart.
_LOGGED = 8
#: The same for a name that instances share.
_NAMED = 16


def requires_api_key(keys: Callable[[], Awaitable[Sequence[Secret]]]) -> Guard:
    """Return the guard for a route that costs money.

    A key is taken from `Authorization: Bearer`, `x-api-key`, `api-key` or `x-goog-api-key`, and
    compared with every one of ours, as digests, so that the time taken tells nothing of any. Where
    several are given one that is right is enough. It is not taken from the address, which ends up
    in logs.

    Args:
        keys: brings ours, which may have to be read first.

    """
    expected: list[bytes] = []

    async def check(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if connection.scope.get("method") == "OPTIONS":
            return
        given = [_digest(key) for key in _given(dict(connection.scope["headers"]))]
        if not given:
            raise AuthenticationError(
                "No API key was given. Send the gateway's key as 'Authorization: Bearer KEY'."
            )
        if not expected:
            expected.extend(
                [_digest(key.reveal().encode("utf-8", "surrogateescape")) for key in await keys()]
            )
        matches = [one for one in given for ours in expected if hmac.compare_digest(one, ours)]
        if not matches:
            raise AuthenticationError(
                "Incorrect API key provided. The key is the one that the operator of this gateway "
                "has set, not a key of Google's or OpenAI's."
            )
        connection.scope["state"][_ACCEPTED] = matches[0]
        annotate(key=matches[0].hex()[:_LOGGED])

    return check


def in_turn(*guards: Guard) -> Guard:
    """Make one guard of several: Litestar copies the whole handler for each."""

    async def check(
        connection: ASGIConnection[Any, Any, Any, Any], handler: BaseRouteHandler
    ) -> None:
        for guard in guards:
            if (checking := guard(connection, handler)) is not None:
                await checking

    return check


def caller(connection: ASGIConnection[Any, Any, Any, Any]) -> bytes:
    """Return what tells one caller from another: a digest of the key, also where none is asked."""
    accepted: bytes | None = connection.scope["state"].get(_ACCEPTED)
    if accepted is not None:
        return accepted
    return _digest(next(_given(dict(connection.scope["headers"])), b""))


def account_of(connection: ASGIConnection[Any, Any, Any, Any]) -> str:
    """Return a name for whoever is to share a limit: a key that was accepted, or all strangers."""
    accepted: bytes | None = connection.scope["state"].get(_ACCEPTED)
    return "anyone" if accepted is None else accepted.hex()[:_NAMED]


def key_digest(headers: Mapping[bytes, bytes]) -> str | None:
    """Return what may be logged of a key that nobody has looked at; None if there is none."""
    key = next(_given(headers), None)
    return None if key is None else _digest(key).hex()[:_LOGGED]


def _digest(key: bytes) -> bytes:
    return hashlib.sha256(key).digest()


def _given(headers: Mapping[bytes, bytes]) -> Iterator[bytes]:
    for name in _HEADERS:
        if key := headers.get(name, b"").strip():
            yield key
    scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
    if scheme.lower() == b"bearer" and (token := token.strip()):
        yield token
