"""A key of the Gemini Developer API, in the part of an access token."""

import logging
import math
import time
from collections.abc import Awaitable, Callable
from typing import Literal

from service.credentials.sources import REREAD_SECONDS
from service.errors import CredentialsError
from service.logs import report
from service.schemas.oauth import AccessToken, SharedToken

logger = logging.getLogger(__name__)


class ApiKey:
    """`InspectableTokens` that has one, for ever.

    Args:
        read: brings the key; raises `CredentialsError`.
        now: seconds.

    """

    origin: Literal["refresh", "shared", "credential"] = "refresh"

    def __init__(
        self,
        read: Callable[[], Awaitable[str | None]],
        *,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read = read
        self._now = now
        self._read_at = -math.inf
        self._shared: SharedToken | None = None
        self._rejected_at = -math.inf

    @property
    def refusal(self) -> CredentialsError | None:
        """Say that Google rejected the key, for a minute after it did."""
        if self._now() - self._rejected_at >= REREAD_SECONDS:
            return None
        msg = "Google rejected the gateway's API key. The operator of this gateway has to replace "
        return CredentialsError(f"{msg}GEMINI_API_KEY. See https://aistudio.google.com/apikey")

    async def token(self, *, rejected: AccessToken | None = None) -> AccessToken:
        """Return the key; if it was rejected, what stands in its place by now.

        That is looked up at most once in `REREAD_SECONDS`.
        """
        known = self._shared
        if known is None:
            return (await self.renew()).token
        if rejected is None:
            return known.token
        if self._now() - self._read_at >= REREAD_SECONDS:
            try:
                known = await self.renew()
            except CredentialsError as error:
                logger.warning("the API key could not be read again: %s", error)
        if known.token.value == rejected.value:
            if self.refusal is None:
                code = CredentialsError.code
                message = "google rejects the API key"
                report(logger, logging.ERROR, "credentials_refused", message, code=code)
            self._rejected_at = self._now()
        return known.token

    async def peek(self) -> SharedToken | None:
        return self._shared

    async def renew(self) -> SharedToken:
        """Read it again; raise `CredentialsError`."""
        self._read_at = self._now()
        key = await self._read()
        if not key:
            msg = "GEMINI_API_KEY leads to nothing. The operator of this gateway has to set it."
            raise CredentialsError(msg, code="credentials_unavailable")
        if not (key.isascii() and key.isprintable()):
            msg = (
                "GEMINI_API_KEY leads to something that cannot be a key. The operator of this "
                "gateway has to put one line of letters, digits, - and _ there."
            )
            raise CredentialsError(msg, code="credentials_unavailable")
        if self._shared is None or self._shared.token.value != key:
            self._shared = SharedToken(token=AccessToken(key, math.inf))
        return self._shared
