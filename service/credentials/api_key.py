"""A key of the Gemini Developer API, in the part of an access token."""

import math
from collections.abc import Awaitable, Callable
from typing import Literal

from service.errors import CredentialsError
from service.schemas.oauth import AccessToken, SharedToken


class ApiKey:
    """`InspectableTokens` that has one, for ever.

    Args:
        read: brings the key; raises `CredentialsError`.

    """

    origin: Literal["refresh", "shared", "credential"] = "refresh"

    def __init__(self, read: Callable[[], Awaitable[str | None]]) -> None:
        self._read = read
        self._shared: SharedToken | None = None

    @property
    def refusal(self) -> CredentialsError | None:
        """Nothing is known to speak against a key until it is used."""
        return None

    async def token(self, *, rejected: AccessToken | None = None) -> AccessToken:
        """Return the key; if it was rejected, what stands in its place by now."""
        if self._shared is None or rejected is not None:
            await self.renew()
        if self._shared is None:
            raise RuntimeError("A key was read, and is not there.")
        return self._shared.token

    async def peek(self) -> SharedToken | None:
        return self._shared

    async def renew(self) -> SharedToken:
        """Read it again."""
        key = await self._read()
        if not key:
            msg = "GEMINI_API_KEY leads to nothing. The operator of this gateway has to set it."
            raise CredentialsError(msg, code="credentials_unavailable")
        self._shared = SharedToken(token=AccessToken(key, math.inf))
        return self._shared
