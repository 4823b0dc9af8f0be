"""One refresh, however many requests wait for it, and however many instances share the token."""

import asyncio
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from msgspec import structs

from service import background
from service.credentials import provider as module
from service.credentials.caches import Expendable, UnsharedTokenCache
from service.credentials.provider import FRESH_SECONDS, QUIET_SECONDS, TokenProvider
from service.credentials.sources import StaticSource
from service.errors import CredentialsError, TokenEndpointError
from service.interfaces import CredentialSource, Lease, Refreshed, TokenCache
from service.schemas.code_assist import CodeAssistProject
from service.schemas.oauth import AccessToken, Credential, SharedToken

CREDENTIAL = Credential(refresh_token="1//r", client_id="id", client_secret="s")
PROJECT = CodeAssistProject("p", "standard-tier")


class Clock:
    def __init__(self) -> None:
        self.time = 1_800_000_000.0

    def __call__(self) -> float:
        return self.time


class Issuer:
    """Issues a token each time it is let go, or fails with what it was given."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.asked: list[Credential] = []
        self.go = asyncio.Event()
        self.go.set()
        self.arrived = asyncio.Event()
        self.failure: Exception | None = None
        self.revoked: Credential | None = None
        self.new_refresh_token: str | None = None

    async def issue(self, credential: Credential) -> Refreshed:
        self.asked.append(credential)
        self.arrived.set()
        await self.go.wait()
        if self.failure:
            raise self.failure
        if credential is self.revoked:
            raise CredentialsError("revoked", code="credentials_revoked")
        token = AccessToken("ya29.same", self.clock() + 3600)
        return Refreshed(token, self.new_refresh_token)


class Shelf(UnsharedTokenCache):
    """What instances share, within this process."""

    def __init__(self) -> None:
        self.shared: SharedToken | None = None
        self.taken = False
        self.refusal: CredentialsError | None = None
        self.project: CodeAssistProject | None = None

    async def read(self) -> SharedToken | None:
        return self.shared

    async def acquire(
        self, usable: Callable[[SharedToken], bool], *, heed_refusal: bool = True
    ) -> SharedToken | Lease | None:
        if self.shared is not None and usable(self.shared):
            return self.shared
        if self.refusal is not None and heed_refusal:
            raise self.refusal
        if self.taken:
            return None
        self.taken = True
        return Lease("ours")

    async def keep(self, lease: Lease, token: SharedToken) -> None:
        del lease
        self.shared, self.taken, self.refusal = token, False, None

    async def give_up(self, lease: Lease, refusal: CredentialsError | None) -> None:
        del lease
        self.taken, self.refusal = False, refusal

    async def known_project(self) -> CodeAssistProject | None:
        return self.project

    async def keep_project(self, project: CodeAssistProject) -> None:
        self.project = project


class Safe(StaticSource):
    """A source in which the operator may put another credential."""

    def __init__(self, credential: Credential = CREDENTIAL) -> None:
        super().__init__(credential)
        self.newest = credential
        self.kept: Credential | None = None

    async def reload(self) -> Credential:
        return self.newest

    async def keep(self, credential: Credential) -> None:
        self.kept = credential


@pytest.fixture(autouse=True)
def short_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "POLL_SECONDS", (0, 0))


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def issuer(clock: Clock) -> Issuer:
    return Issuer(clock)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


@pytest.fixture
async def instance(clock: Clock, issuer: Issuer, shelf: Shelf) -> AsyncIterator[Any]:
    """Make one of the instances that share a shelf."""

    def make(
        cache: TokenCache = shelf, source: CredentialSource | None = None, name: str = "a"
    ) -> TokenProvider:
        source = source or StaticSource(CREDENTIAL)
        return TokenProvider(source, issuer, lambda _: cache, instance=name, now=clock)

    yield make
    await background.finished()


@pytest.fixture
def provider(instance: Any) -> Any:
    return instance(UnsharedTokenCache())


async def test_a_fresh_token_is_kept(provider: TokenProvider, issuer: Issuer) -> None:
    assert await provider.token() is await provider.token()
    assert len(issuer.asked) == 1


async def test_five_minutes_before_its_end_one_request_renews_it_and_nobody_waits(
    provider: TokenProvider, issuer: Issuer, clock: Clock
) -> None:
    old = await provider.token()
    clock.time += 3600 - FRESH_SECONDS - 1
    assert await provider.token() is old
    assert len(issuer.asked) == 1, "not yet"

    clock.time += module.JITTER_SECONDS + 1
    issuer.go.clear()
    assert [await provider.token() for _ in range(3)] == [old] * 3
    issuer.go.set()
    await background.finished()
    assert await provider.token() is not old
    assert len(issuer.asked) == 2


async def test_the_request_that_renews_a_token_ends_after_that(
    provider: TokenProvider, issuer: Issuer, clock: Clock
) -> None:
    await provider.token()
    clock.time += 3600 - 60
    work: set[asyncio.Task[Any]] = set()
    background.request_work.set(work)
    await provider.token()
    assert len(work) == 1
    await background.finished(work)
    assert len(issuer.asked) == 2


async def test_a_renewal_that_fails_is_not_tried_again_at_once(
    provider: TokenProvider, issuer: Issuer, clock: Clock
) -> None:
    old = await provider.token()
    clock.time += 3600 - 60
    issuer.failure = TokenEndpointError("down")
    for _ in range(3):
        assert await provider.token() is old
        await background.finished()
    assert len(issuer.asked) == 2
    clock.time += module.PATIENCE_SECONDS
    assert await provider.token() is old
    await background.finished()
    assert len(issuer.asked) == 3


async def test_the_renewal_of_another_instance_is_taken_over(
    instance: Any, issuer: Issuer, clock: Clock
) -> None:
    first, second = instance(name="a"), instance(name="b")
    await first.token()
    await second.token()
    clock.time += 3600 - 60
    await first.token()
    await background.finished()
    await second.token()
    await background.finished()
    assert await second.token() == await first.token()
    assert len(issuer.asked) == 2
    assert (await second.peek()).refreshed_by == "a"


async def test_a_renewal_is_left_to_the_instance_that_has_begun_it(
    instance: Any, issuer: Issuer, clock: Clock, shelf: Shelf
) -> None:
    provider = instance()
    old = await provider.token()
    await background.finished()
    clock.time += 3600 - 60
    shelf.taken = True
    assert await provider.token() is old
    await background.finished()
    assert len(issuer.asked) == 1


async def test_the_credentials_own_token_is_used_and_shared(
    instance: Any, clock: Clock, issuer: Issuer, shelf: Shelf
) -> None:
    own = structs.replace(CREDENTIAL, access_token="ya29.own", expiry_date=(clock() + 3600) * 1000)
    provider = instance(source=StaticSource(own))
    token = await provider.token()
    await background.finished()
    assert (token.value, provider.origin, issuer.asked) == ("ya29.own", "credential", [])
    assert shelf.shared == SharedToken(token=token)
    assert (await provider.token(rejected=token)).value == "ya29.same"


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
    assert len(issuer.asked) == 2
    assert {id(token) for token in [*tokens, late]} == {id(tokens[0])}
    assert tokens[0] is not rejected, "the same string is a new token once it was issued again"


async def test_instances_that_were_rejected_at_once_share_one_refresh(
    instance: Any, issuer: Issuer, clock: Clock
) -> None:
    fleet = [instance(name=str(number)) for number in range(20)]
    tokens = [await provider.token() for provider in fleet]
    clock.time += 1
    issuer.go.clear()
    waiting = [
        asyncio.ensure_future(provider.token(rejected=token))
        for provider, token in zip(fleet, tokens, strict=True)
    ]
    await asyncio.sleep(0)
    issuer.go.set()
    renewed = await asyncio.gather(*waiting)
    assert len(issuer.asked) == 2
    assert len({token.expires_at for token in renewed}) == 1


async def test_only_the_rejected_token_is_dropped(
    instance: Any, issuer: Issuer, clock: Clock
) -> None:
    first, second = instance(), instance()
    old = await first.token()
    assert await second.token() == old
    clock.time += 1
    await first.token(rejected=old)
    await background.finished()
    assert await second.token(rejected=await second.token()) == await first.token()
    assert len(issuer.asked) == 2


async def test_one_who_leaves_does_not_take_the_refresh_along(
    provider: TokenProvider, issuer: Issuer
) -> None:
    issuer.go.clear()
    first, second = (asyncio.ensure_future(provider.token()) for _ in range(2))
    await asyncio.sleep(0)
    first.cancel()
    issuer.go.set()
    assert (await second).value == "ya29.same"
    assert len(issuer.asked) == 1


async def test_all_may_leave(provider: TokenProvider, issuer: Issuer) -> None:
    issuer.failure = TokenEndpointError("down")
    issuer.go.clear()
    only = asyncio.ensure_future(provider.token())
    await asyncio.sleep(0)
    only.cancel()
    issuer.go.set()
    await asyncio.gather(only, return_exceptions=True)
    if provider._refresh is not None:
        await asyncio.wait([provider._refresh])
    issuer.failure = None
    assert (await provider.token()).value == "ya29.same"


async def test_a_refusal_is_repeated_from_memory_for_a_minute(
    provider: TokenProvider, issuer: Issuer, clock: Clock
) -> None:
    issuer.failure = CredentialsError("revoked", code="credentials_revoked")
    for _ in range(3):
        with pytest.raises(CredentialsError):
            await provider.token()
    assert len(issuer.asked) == 1
    known: object = provider.refusal
    assert known is issuer.failure

    clock.time += QUIET_SECONDS
    assert provider.refusal is None, "that is no longer known"
    issuer.failure = None
    await provider.token()
    assert len(issuer.asked) == 2


async def test_what_one_instance_was_refused_the_others_do_not_ask_for(
    instance: Any, issuer: Issuer
) -> None:
    issuer.failure = CredentialsError("revoked", code="credentials_revoked")
    for provider in (instance(), instance()):
        with pytest.raises(CredentialsError):
            await provider.token()
        await background.finished()
        assert provider.refusal is not None
    assert len(issuer.asked) == 1


async def test_a_new_credential_heals_a_refusal_in_the_same_request(
    instance: Any, issuer: Issuer, shelf: Shelf
) -> None:
    safe = Safe()
    safe.newest = structs.replace(CREDENTIAL, client_secret="new")
    shelf.refusal = CredentialsError("revoked", code="oauth_client_invalid")
    shelf.project = PROJECT
    provider = instance(source=safe)
    assert (await provider.token()).value == "ya29.same"
    assert issuer.asked == [safe.newest]
    assert provider.refusal is None


async def test_a_new_credential_is_found_by_a_renewal_ahead_before_anyone_notices(
    instance: Any, issuer: Issuer, clock: Clock
) -> None:
    safe = Safe()
    provider = instance(UnsharedTokenCache(), safe)
    old = await provider.token()
    clock.time += 3600 - 60
    issuer.revoked = CREDENTIAL
    safe.newest = structs.replace(CREDENTIAL, refresh_token="1//new")
    assert await provider.token() is old
    await background.finished()
    assert await provider.token() is not old
    assert issuer.asked == [CREDENTIAL, CREDENTIAL, safe.newest]
    assert provider.refusal is None


async def test_a_renewal_that_was_refused_is_quiet_for_a_minute_and_the_old_token_is_used(
    provider: TokenProvider, issuer: Issuer, clock: Clock
) -> None:
    old = await provider.token()
    clock.time += 3600 - 120
    issuer.revoked = CREDENTIAL
    for _ in range(3):
        assert await provider.token() is old
        await background.finished()
        clock.time += module.PATIENCE_SECONDS
    assert len(issuer.asked) == 2
    known: object = provider.refusal
    assert known is not None
    clock.time += QUIET_SECONDS
    assert provider.refusal is None, "that is no longer known"


async def test_what_the_old_credential_brings_late_does_not_count(
    instance: Any, issuer: Issuer, clock: Clock
) -> None:
    safe = Safe()
    provider = instance(UnsharedTokenCache(), safe)
    await provider.token()
    account = provider.account()
    clock.time += 3600 - 60
    issuer.go.clear()
    issuer.arrived.clear()
    await provider.token()  # begins to renew
    await issuer.arrived.wait()
    safe.newest = structs.replace(CREDENTIAL, refresh_token="1//new")
    await provider._adopt(safe.newest)
    issuer.go.set()
    await background.finished()
    await provider.keep_project(PROJECT, account)
    assert await provider.known_project() is None, "that was the other account's"
    clock.time += 60
    fresh = await provider.token()
    assert issuer.asked[-1] is safe.newest
    assert fresh.expires_at == clock() + 3600


async def test_a_new_refresh_token_is_kept_and_used(clock: Clock, issuer: Issuer) -> None:
    safe, shelves = Safe(), {"1//r": Shelf(), "1//new": Shelf()}
    provider = TokenProvider(
        safe, issuer, lambda credential: shelves[credential.refresh_token or ""], now=clock
    )
    issuer.new_refresh_token = "1//new"
    assert await provider.known_project() is None
    await provider.keep_project(PROJECT, provider.account())
    token = await provider.token()
    await background.finished()
    assert safe.kept is not None
    assert safe.kept.refresh_token == "1//new"
    assert [shelf.shared.token for shelf in shelves.values() if shelf.shared] == [token, token]
    assert await provider.known_project() == PROJECT, "the account is the same"
    await provider.token(rejected=token)
    assert [credential.refresh_token for credential in issuer.asked] == ["1//r", "1//new"]


async def test_an_outage_is_asked_again_at_once(
    instance: Any, issuer: Issuer, shelf: Shelf
) -> None:
    provider = instance()
    issuer.failure = TokenEndpointError("down")
    with pytest.raises(TokenEndpointError):
        await provider.token()
    await background.finished()
    assert provider.refusal is None
    assert not shelf.taken, "the lease is not kept from the others"
    issuer.failure = None
    assert (await provider.token()).value == "ya29.same"


@pytest.mark.parametrize("limit", ["REFRESH_SECONDS", "LONGEST_WAIT"])
async def test_a_refresh_that_does_not_end_gives_the_lease_back(
    limit: str, instance: Any, issuer: Issuer, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, limit, 0.01)
    issuer.go.clear()
    with pytest.raises(TokenEndpointError):
        await instance().token()
    await background.finished()
    assert not shelf.taken


class BrokenCache(UnsharedTokenCache):
    async def acquire(self, *_: Any, **__: Any) -> SharedToken | Lease | None:
        raise OSError

    async def keep(self, *_: Any) -> None:
        raise OSError

    async def read(self) -> SharedToken | None:
        raise OSError

    async def known_project(self) -> CodeAssistProject | None:
        raise OSError


async def test_a_broken_cache_costs_a_refresh_and_no_request(
    instance: Any, issuer: Issuer, caplog: pytest.LogCaptureFixture
) -> None:
    provider = instance(Expendable(BrokenCache()))
    assert await provider.peek() is None
    token = await provider.token()
    await provider.token(rejected=token)
    await background.finished()
    assert await provider.known_project() is None
    assert len(issuer.asked) == 2
    assert len([line for line in caplog.messages if "token cache" in line]) <= 1, "once a minute"
