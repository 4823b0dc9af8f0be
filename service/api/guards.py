"""Who may call."""

import hashlib
import hmac
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import Any

from litestar.connection import ASGIConnection
from litestar.handlers import BaseRouteHandler
from litestar.types import Guard

from service.errors import AuthenticationError
from service.settings import Secret


def requires_api_key(keys: Callable[[], Awaitable[Sequence[Secret]]]) -> Guard:
    """Return the guard for a route that costs money.

    A key is taken from `Authorization: Bearer`, `x-api-key`, `api-key` or `x-goog-api-key`, and
    compared with every one of ours, as digests, so that the time taken tells nothing of any. It is
    not taken from the address, which ends up in logs.

    Args:
        keys: brings ours, which may have to be read first.

    """
    expected: list[bytes] = []

    async def check(connection: ASGIConnection[Any, Any, Any, Any], _: BaseRouteHandler) -> None:
        if connection.scope.get("method") == "OPTIONS":
            return
        given = list(_given(connection))
        if not given:
            raise AuthenticationError(
                "No API key was given. Send the gateway's key as 'Authorization: Bearer KEY'."
            )
        if not expected:
            expected.extend([_digest(key.reveal()) for key in await keys()])
        matches = [hmac.compare_digest(_digest(ours), one) for ours in given for one in expected]
        if not any(matches):
            raise AuthenticationError(
                "Incorrect API key provided. The key is the one that the operator of this gateway "
                "has set, not a key of Google's or OpenAI's."
            )

    return check


def caller(connection: ASGIConnection[Any, Any, Any, Any]) -> bytes:
    """Return what tells one caller from another: a digest of the key, also where none is asked."""
    return _digest(next(_given(connection), ""))


def _digest(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogateescape")).digest()


def _given(connection: ASGIConnection[Any, Any, Any, Any]) -> Iterator[str]:
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer" and token.strip():
        yield token.strip()
    for name in ("x-api-key", "api-key", "x-goog-api-key"):
        if key := connection.headers.get(name, "").strip():
            yield key
