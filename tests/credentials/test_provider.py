"""One refresh, however many requests wait for it."""

import asyncio

import pytest

from service.credentials.caches import MemoryTokenCache
from service.credentials.provider import FRESH_SECONDS, QUIET_SECONDS, TokenProvider
from service.errors import CredentialsError, TokenEndpointError
from service.schemas.oauth import AccessToken


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


class Issuer:
    """Issues a token each time it is let go, or fails with what it was given."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked = 0
        self.go = asyncio.Event()
        self.go.set()
        self.failure: Exception | None = None

    async def issue(self) -> AccessToken:
        self.asked += 1
        await self.go.wait()
        if self.failure:
            raise self.failure
        return AccessToken("ya29.same", self.clock() + 3600)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> Issuer:
    return Issuer(clock)


@pytest.fixture
def provider(clock: Clock, issuer: Issuer) -> TokenProvider:
    return TokenProvider(issuer, MemoryTokenCache(), now=clock)


async def test_a_fresh_token_is_kept(provider: TokenProvider, issuer: Issuer) -> None:
    assert await provider.token() is await provider.token()
    assert issuer.asked == 1


async def test_a_token_is_refreshed_five_minutes_before_its_end(
    provider: TokenProvider, issuer: Issuer, clock: Clock
) -> None:
    await provider.token()
    clock.time += 3600 - FRESH_SECONDS - 1
    await provider.token()
    assert issuer.asked == 1
    clock.time += 1
    await provider.token()
    assert issuer.asked == 2


async def test_the_credentials_own_token_is_used_first(clock: Clock, issuer: Issuer) -> None:
    own = AccessToken("ya29.own", clock() + 3600)
    provider = TokenProvider(issuer, MemoryTokenCache(), initial=own, now=clock)
    assert await provider.token() is own
    assert issuer.asked == 0


async def test_fifty_who_were_rejected_share_one_refresh(
    provider: TokenProvider, issuer: Issuer
) -> None:
    rejected = await provider.token()
    issuer.go.clear()
    waiting = [asyncio.ensure_future(provider.token(rejected=rejected)) for _ in range(50)]
    await asyncio.sleep(0)
    issuer.go.set()
    tokens = await asyncio.gather(*waiting)
    late = await provider.token(rejected=rejected)
    assert issuer.asked == 2
    assert {id(token) for token in [*tokens, late]} == {id(tokens[0])}
    assert tokens[0] is not rejected, "the same string is a new token once it was issued again"


async def test_one_who_leaves_does_not_take_the_refresh_along(
    provider: TokenProvider, issuer: Issuer
) -> None:
    issuer.go.clear()
    first, second = (asyncio.ensure_future(provider.token()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    issuer.go.set()
    assert (await second).value == "ya29.same"
    assert issuer.asked == 1


async def test_all_may_leave(provider: TokenProvider, issuer: Issuer) -> None:
    issuer.failure = TokenEndpointError("down")
    issuer.go.clear()
    only = asyncio.ensure_future(provider.token())
    await asyncio.sleep(0)
    only.cancel()
    issuer.go.set()
    await asyncio.gather(only, return_exceptions=True)
    issuer.failure = None
    assert (await provider.token()).value == "ya29.same"


async def test_a_refusal_is_repeated_from_memory_for_a_minute(
    provider: TokenProvider, issuer: Issuer, clock: Clock
) -> None:
    issuer.failure = CredentialsError("revoked", code="credentials_revoked")
    for _ in range(3):
        with pytest.raises(CredentialsError):
            await provider.token()
    assert issuer.asked == 1
    assert provider.refusal is issuer.failure

    clock.time += QUIET_SECONDS
    issuer.failure = None
    await provider.token()
    assert provider.refusal is None


async def test_an_outage_is_asked_again_at_once(provider: TokenProvider, issuer: Issuer) -> None:
    issuer.failure = TokenEndpointError("down")
    with pytest.raises(TokenEndpointError):
        await provider.token()
    assert provider.refusal is None
    issuer.failure = None
    assert (await provider.token()).value == "ya29.same"


async def test_a_token_of_another_instance_saves_the_refresh(clock: Clock, issuer: Issuer) -> None:
    cache = MemoryTokenCache()
    shared = AccessToken("ya29.shared", clock() + 3600)
    await cache.put(shared)
    assert await TokenProvider(issuer, cache, now=clock).token() is shared
    assert issuer.asked == 0


class BrokenCache:
    async def get(self) -> AccessToken | None:
        raise OSError

    async def put(self, _: AccessToken) -> None:
        raise OSError


async def test_a_broken_cache_costs_a_refresh_and_no_request(clock: Clock, issuer: Issuer) -> None:
    token = await TokenProvider(issuer, BrokenCache(), now=clock).token()
    assert token.value == "ya29.same"
    assert issuer.asked == 1
