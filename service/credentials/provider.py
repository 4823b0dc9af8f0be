"""A valid access token, whenever one is asked for, with as few refreshes as possible."""

import asyncio
import logging
import random
import time
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Literal, TypeVar

from msgspec import structs

from service.background import beside_the_answer, start
from service.credentials.documents import own_access_token
from service.errors import CredentialsError, TokenEndpointError
from service.interfaces import CredentialSource, Lease, TokenCache, TokenIssuer
from service.logs import report
from service.schemas.code_assist import CodeAssistProject
from service.schemas.oauth import AccessToken, Credential, SharedToken
from service.telemetry import step

T = TypeVar("T")

logger = logging.getLogger(__name__)

#: Seconds before its end at which a token is renewed, as in Google's own library.
FRESH_SECONDS = 300
#: Seconds by which instances differ in that, so that they do not all turn to Firestore at once.
JITTER_SECONDS = 30
#: Seconds that a token must still last to be used.
USABLE_SECONDS = 30
#: Seconds for which a refusal that only the operator can mend is repeated without asking again.
QUIET_SECONDS = 60
#: Seconds for which a refresh ahead of time is not tried again after it failed.
PATIENCE_SECONDS = 10
#: Seconds that a refresh may take: less than another instance waits before it takes over.
REFRESH_SECONDS = 9
#: Seconds that a request waits for another instance's refresh, that one's death included.
LONGEST_WAIT = 25
#: Seconds between looks at what another instance is refreshing; random, between the two.
POLL_SECONDS = (0.05, 0.25)

#: How many rejected tokens are remembered, lest they be taken from elsewhere again.
REMEMBERED = 8

Origin = Literal["refresh", "shared", "credential"]


class TokenProvider:
    """`AccessTokens`: from memory, the shared cache, the credential itself, or a refresh.

    Five minutes before a token's end one request renews it beside its own answer, and everyone goes
    on with the old one meanwhile. When there is none, however many requests wait, one refresh is
    made, in a task of its own: the request that started it may be cancelled, the others still get
    its result.

    In this process a rejected token is told by identity and not by value. Google may well issue the
    same string again, and then it counts as new.

    Args:
        source: the credential.
        issuer: refreshes.
        cache_for: the shared cache of a credential.
        instance: our own name, which the other instances see.
        now: seconds since 1970.

    """

    def __init__(
        self,
        source: CredentialSource,
        issuer: TokenIssuer,
        cache_for: Callable[[Credential], TokenCache],
        *,
        instance: str = "",
        now: Callable[[], float] = time.time,
    ) -> None:
        self._source = source
        self._issuer = issuer
        self._cache_for = cache_for
        self._instance = instance
        self._now = now
        self._stale_seconds = FRESH_SECONDS - random.uniform(0, JITTER_SECONDS)  # noqa: S311

        self._shared: SharedToken | None = None
        self._rejected: deque[AccessToken] = deque(maxlen=REMEMBERED)
        self.origin: Origin = "shared"
        self._credential: Credential | None = None
        self._cache: TokenCache | None = None
        self._project: CodeAssistProject | None = None
        self._refresh: asyncio.Task[AccessToken] | None = None
        self._ahead: asyncio.Task[None] | None = None
        self._not_ahead_before = 0.0
        self._refusal: CredentialsError | None = None
        self._refused_at = 0.0

    @property
    def refusal(self) -> CredentialsError | None:
        """Why Google gives no tokens, if that is known; None otherwise, or a minute later."""
        is_recent = self._now() - self._refused_at < QUIET_SECONDS
        return self._refusal if is_recent else None

    async def token(self, *, rejected: AccessToken | None = None) -> AccessToken:
        """Return a token that lasts, and is not the one that was just `rejected`.

        Raise `CredentialsError` when Google refuses, `TokenEndpointError` when it cannot be asked.
        """
        if self._shared is not None:
            token = self._shared.token
            if token is not rejected and self._lasts(token, USABLE_SECONDS):
                if not self._lasts(token, self._stale_seconds):
                    self._renew_ahead()
                return token
        if self._refresh is None:
            self._refresh = asyncio.create_task(self._obtain(rejected))
            self._refresh.add_done_callback(self._refreshed)
        return await asyncio.shield(self._refresh)

    async def peek(self) -> SharedToken | None:
        """Return the token at hand or in the shared cache, fresh or not; refresh nothing."""
        if self._shared is None:
            cache, _ = await self._current()
            found = await cache.read()
            if self._shared is None:  # meanwhile there may be a newer one
                self._shared = found
        return self._shared

    async def renew(self) -> SharedToken:
        """Refresh now, whatever there is: for whoever wants to see it work."""
        cache, credential = await self._current()
        return await self._issue(cache, credential, Lease())

    async def known_project(self) -> CodeAssistProject | None:
        """See `ProjectMemory`."""
        if self._project is None:
            cache, _ = await self._current()
            self._project = await cache.known_project()
        return self._project

    def account(self) -> object:
        return self._credential

    async def keep_project(self, project: CodeAssistProject, account: object) -> None:
        cache, credential = await self._current()
        if credential is account:
            self._project = project
            beside_the_answer(cache.keep_project(project))

    def _refreshed(self, task: asyncio.Task[AccessToken]) -> None:
        self._refresh = None
        if not task.cancelled():
            task.exception()  # every waiter may be gone; asyncio would complain of it then

    def _lasts(self, token: AccessToken, seconds: float) -> bool:
        return token.expires_at - self._now() > seconds

    def _renew_ahead(self) -> None:
        is_due = self._now() >= self._not_ahead_before and self.refusal is None
        if self._ahead is None and is_due:
            self._not_ahead_before = self._now() + PATIENCE_SECONDS
            self._ahead = start(self._renew())
            self._ahead.add_done_callback(self._renewed)

    def _renewed(self, _: asyncio.Task[None]) -> None:
        self._ahead = None

    async def _renew(self) -> None:
        """Renew a token that is still good; if another instance does, leave it to that."""
        try:
            await self._with_newest_credential(self._find_fresher)
        except CredentialsError:
            pass  # it is noted, and there is a token still
        except TokenEndpointError:
            logger.warning("the access token could not be renewed ahead of time")

    async def _obtain(self, rejected: AccessToken | None) -> AccessToken:
        if self.refusal is not None:
            raise self.refusal.with_traceback(None)
        if self._ahead is not None:
            await asyncio.wait([self._ahead])
        if rejected is not None:
            self._rejected.append(rejected)
        try:
            async with asyncio.timeout(LONGEST_WAIT):
                return await self._with_newest_credential(self._find)
        except TimeoutError as error:
            msg = "Google's access token could not be renewed in time. Ask again."
            raise TokenEndpointError(msg) from error

    async def _with_newest_credential(self, attempt: Callable[[bool], Awaitable[T]]) -> T:
        """Attempt it; if Google refuses, once more with what the operator may have put in place.

        `attempt` is told whether to heed what other instances were refused.
        """
        _, tried = await self._current()
        try:
            return await attempt(True)  # noqa: FBT003  (as its own words below)
        except CredentialsError as error:
            if not await self._is_replaced(tried):
                self._note(error)
                raise
        try:
            return await attempt(False)  # noqa: FBT003
        except CredentialsError as error:
            self._note(error)
            raise

    async def _find_fresher(self, heed_refusal: bool) -> None:  # noqa: FBT001
        cache, credential = await self._current()
        found = await cache.acquire(
            lambda shared: self._lasts(shared.token, self._stale_seconds),
            heed_refusal=heed_refusal,
        )
        if isinstance(found, SharedToken):
            self._take(found, "shared")
        elif found is not None:
            await self._issue(cache, credential, found)

    async def _find(self, heed_refusal: bool) -> AccessToken:  # noqa: FBT001
        def usable(shared: SharedToken) -> bool:
            token = shared.token
            return token not in self._rejected and self._lasts(token, USABLE_SECONDS)

        cache, credential = await self._current()
        while True:
            found = await cache.acquire(usable, heed_refusal=heed_refusal)
            if isinstance(found, SharedToken):
                self._take(found, "shared")
                return found.token
            if found is not None:
                break
            await asyncio.sleep(random.uniform(*POLL_SECONDS))  # noqa: S311
        own = own_access_token(credential)
        if own is not None and usable(SharedToken(token=own)):
            shared = SharedToken(token=own)
            self._take(shared, "credential")
            beside_the_answer(cache.keep(found, shared))
            return own
        return (await self._issue(cache, credential, found)).token

    async def _issue(self, cache: TokenCache, credential: Credential, lease: Lease) -> SharedToken:
        began = time.perf_counter()
        try:
            with step("refresh"):
                async with asyncio.timeout(REFRESH_SECONDS):
                    refreshed = await self._issuer.issue(credential)
        except CredentialsError as error:
            beside_the_answer(cache.give_up(lease, error))
            raise
        except TimeoutError as error:
            beside_the_answer(cache.give_up(lease, None))
            raise TokenEndpointError("Google's token endpoint is slow. Ask again.") from error
        except BaseException:
            beside_the_answer(cache.give_up(lease, None))
            raise
        seconds = round(time.perf_counter() - began, 3)
        message = f"google has given an access token after {seconds} s"
        report(logger, logging.INFO, "token_refreshed", message, seconds=seconds)
        shared = SharedToken(
            token=refreshed.token, refreshed_at=self._now(), refreshed_by=self._instance
        )
        beside_the_answer(cache.keep(lease, shared))
        if credential is not self._credential:  # it was replaced meanwhile
            return shared
        self._take(shared, "refresh")
        if refreshed.refresh_token and refreshed.refresh_token != credential.refresh_token:
            await self._rotate(credential, refreshed.refresh_token, shared)
        return shared

    async def _rotate(
        self, credential: Credential, refresh_token: str, shared: SharedToken
    ) -> None:
        """Go on with a new refresh token, and with the document in the cache that belongs to it."""
        logger.info("google has replaced the refresh token")
        rotated = structs.replace(
            credential, refresh_token=refresh_token, access_token=None, expiry_date=None
        )
        project = self._project
        await self._adopt(rotated)
        cache, _ = await self._current()
        self._project = project
        beside_the_answer(cache.keep(Lease(), shared))
        beside_the_answer(self._source.keep(rotated))

    def _take(self, shared: SharedToken, origin: Origin) -> None:
        self._shared, self.origin, self._refusal = shared, origin, None

    def _note(self, refusal: CredentialsError) -> None:
        message = f"google gives no access token: {refusal.code}"
        report(logger, logging.ERROR, "credentials_refused", message, code=refusal.code)
        self._refusal, self._refused_at = refusal, self._now()

    async def _current(self) -> tuple[TokenCache, Credential]:
        if self._cache is None or self._credential is None:
            await self._adopt(await self._source.load())
        if self._cache is None or self._credential is None:
            raise RuntimeError("A credential was adopted, and is not there.")
        return self._cache, self._credential

    async def _adopt(self, credential: Credential) -> None:
        self._cache = await asyncio.to_thread(self._cache_for, credential)
        self._credential = credential
        self._project = None

    async def _is_replaced(self, tried: Credential) -> bool:
        """Look whether the operator has given us another credential meanwhile."""
        if self._credential is not tried:
            return True
        credential = await self._source.reload()
        if credential == tried:
            return False
        logger.info("the credential was replaced: going on with the new one")
        await self._adopt(credential)
        return True
