"""A valid access token, whenever one is asked for, with as few refreshes as possible."""

import asyncio
import logging
import time
from collections.abc import Callable

from service.errors import CredentialsError
from service.interfaces import TokenCache, TokenIssuer
from service.schemas.oauth import AccessToken

logger = logging.getLogger(__name__)

#: Seconds before its end from which on a token counts as stale, as in Google's own library.
FRESH_SECONDS = 300
#: Seconds for which a refusal that only the operator can mend is repeated without asking again.
QUIET_SECONDS = 60


class TokenProvider:
    """Looks in memory, then in the shared cache, then asks the issuer.

    However many requests find the token stale, one refresh is made, in a task of its own: the
    request that started it may be cancelled, the others still get its result.

    A rejected token is told by identity and not by value. Google may well issue the same string
    again, and then it counts as new.
    """

    def __init__(
        self,
        issuer: TokenIssuer,
        cache: TokenCache,
        *,
        initial: AccessToken | None = None,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._issuer = issuer
        self._cache = cache
        self._now = now
        self._token = initial
        self._refresh: asyncio.Task[AccessToken] | None = None
        self._refusal: CredentialsError | None = None
        self._refused_at = 0.0

    @property
    def refusal(self) -> CredentialsError | None:
        """Why Google gives no tokens, if that is known; None otherwise."""
        return self._refusal

    async def token(self, *, rejected: AccessToken | None = None) -> AccessToken:
        """Return a token that is fresh, and is not the one that was just `rejected`.

        Raise `CredentialsError` when Google refuses, `TokenEndpointError` when it cannot be asked.
        """
        token = self._token
        if token is not None and token is not rejected and self._is_fresh(token):
            return token
        if self._refresh is None:
            self._refresh = asyncio.create_task(self._obtain(rejected))
            self._refresh.add_done_callback(self._refreshed)
        return await asyncio.shield(self._refresh)

    def _refreshed(self, task: asyncio.Task[AccessToken]) -> None:
        self._refresh = None
        if not task.cancelled():
            task.exception()  # every waiter may be gone; asyncio would complain of it then

    def _is_fresh(self, token: AccessToken) -> bool:
        return token.expires_at - self._now() > FRESH_SECONDS

    async def _obtain(self, rejected: AccessToken | None) -> AccessToken:
        cached = await self._read_cache()
        if cached is not None and cached is not rejected and self._is_fresh(cached):
            self._token = cached
            return cached
        self._raise_known_refusal()
        try:
            token = await self._issuer.issue()
        except CredentialsError as error:
            logger.error("google refused to refresh: %s", error.code)  # noqa: TRY400
            self._refusal, self._refused_at = error, self._now()
            raise
        self._refusal = None
        self._token = token
        await self._write_cache(token)
        return token

    def _raise_known_refusal(self) -> None:
        if self._refusal is not None and self._now() - self._refused_at < QUIET_SECONDS:
            raise self._refusal.with_traceback(None)

    async def _read_cache(self) -> AccessToken | None:
        try:
            return await self._cache.get()
        except Exception:
            logger.warning("token cache could not be read", exc_info=True)
            return None

    async def _write_cache(self, token: AccessToken) -> None:
        try:
            await self._cache.put(token)
        except Exception:
            logger.warning("token cache could not be written", exc_info=True)
