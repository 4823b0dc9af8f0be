"""The lease, and what becomes of it, in Google's own emulator."""

import asyncio
import socket
from collections.abc import Iterator

import pytest

from service.credentials import firestore as module
from service.credentials.firestore import (
    LEASE_SECONDS,
    REFUSAL_SECONDS,
    Firestore,
    FirestoreDownError,
    FirestoreTokenCache,
)
from service.errors import CredentialsError
from service.interfaces import Lease
from service.schemas.oauth import SharedToken
from tests.credentials.sharing import (
    CREDENTIAL,
    NOW,
    PROJECT,
    Clock,
    Instance,
    anything,
    leased,
    moment,
    nothing,
    raw,
    token,
    write,
)
from tests.firestore_emulator import FirestoreEmulator

REFUSAL = CredentialsError("revoked", code="credentials_revoked")


async def test_who_comes_first_gets_the_lease_and_the_others_its_token(instance: Instance) -> None:
    first, second = instance("a"), instance("b")
    assert await first.read() is None
    lease = await leased(first)
    assert await second.acquire(anything) is None
    await first.keep(lease, token())
    assert await second.acquire(anything) == token()
    assert await second.read() == token()
    assert await second.acquire(nothing) is not None, "the lease has ended with the refresh"


async def test_of_those_who_come_at_once_one_gets_the_lease(instance: Instance) -> None:
    for known in (None, token()):
        if known:
            await instance().keep(Lease(), known)
        found = await asyncio.gather(*(instance(str(n)).acquire(nothing) for n in range(10)))
        assert [type(each) for each in found].count(Lease) == 1
        assert found.count(None) == 9


@pytest.mark.parametrize(
    ("seconds", "is_free"),
    [
        (0, False),
        (LEASE_SECONDS - 1, False),
        (LEASE_SECONDS, True),
        pytest.param(-120, True, id="the clock of the holder is wrong"),
    ],
)
async def test_a_lease_ends_by_itself(
    instance: Instance, clock: Clock, seconds: float, *, is_free: bool
) -> None:
    await leased(instance("a"))
    clock.time += seconds
    assert (await instance("b").acquire(nothing) is not None) == is_free


async def test_one_who_lost_the_lease_overwrites_nothing(
    instance: Instance, clock: Clock, database: Firestore
) -> None:
    slow, quick = instance("a"), instance("b")
    lease = await leased(slow)
    clock.time += LEASE_SECONDS
    await leased(quick)
    before = await raw(database)
    await slow.keep(lease, token("ya29.late"))
    await slow.give_up(lease, REFUSAL)
    assert await raw(database) == before
    assert before["lease_owner"] == "b"


async def test_one_who_lost_the_lease_overwrites_no_newer_token(
    instance: Instance, clock: Clock
) -> None:
    slow, quick = instance("a"), instance("b")
    lease = await leased(slow)
    clock.time += LEASE_SECONDS
    await quick.keep(await leased(quick), token("ya29.new"))
    await slow.keep(lease, token("ya29.late"))
    assert await slow.read() == token("ya29.new")


async def test_a_project_that_is_noted_meanwhile_costs_nobody_the_lease(
    instance: Instance,
) -> None:
    holder, other = instance("a"), instance("b")
    lease = await leased(holder)
    await other.keep_project(PROJECT)
    await holder.keep(lease, token())
    assert await other.read() == token()
    assert await holder.known_project() == PROJECT


async def test_a_lease_without_a_fence_writes_in_any_case(instance: Instance) -> None:
    await leased(instance("a"))
    await instance("b").keep(Lease(), token())
    assert await instance("a").acquire(anything) == token()


@pytest.mark.parametrize("refusal", [None, REFUSAL])
async def test_a_lease_can_be_given_up(instance: Instance, refusal: CredentialsError) -> None:
    first = instance("a")
    await first.keep(Lease(), token())
    await first.give_up(await leased(first), refusal)
    assert await first.read() == token(), "the token is as good as before"
    assert await instance("b").acquire(nothing, heed_refusal=False) is not None


@pytest.mark.parametrize(
    ("seconds", "heed_refusal", "is_raised"),
    [
        (0, True, True),
        (REFUSAL_SECONDS - 1, True, True),
        (REFUSAL_SECONDS, True, False),
        (0, False, False),
        pytest.param(-120, True, False, id="a clock was wrong"),
    ],
)
async def test_what_one_was_refused_all_were_for_a_minute(
    instance: Instance, clock: Clock, seconds: float, *, heed_refusal: bool, is_raised: bool
) -> None:
    await instance("a").give_up(await leased(instance("a")), REFUSAL)
    clock.time += seconds
    asked = instance("b").acquire(nothing, heed_refusal=heed_refusal)
    if is_raised:
        with pytest.raises(CredentialsError) as raised:
            await asked
        assert raised.value.code == REFUSAL.code
        assert "credentials login" in str(raised.value)
    else:
        assert isinstance(await asked, Lease)


async def test_a_refusal_ends_with_the_next_token_and_does_not_hide_a_usable_one(
    instance: Instance,
) -> None:
    cache = instance()
    await cache.keep(Lease(), token())
    await cache.give_up(await leased(cache), REFUSAL)
    assert await cache.acquire(anything) == token()
    await cache.keep(Lease(), token())
    assert isinstance(await cache.acquire(nothing), Lease)


async def test_a_refusal_of_an_unknown_kind_is_none(
    instance: Instance, database: Firestore
) -> None:
    """A newer version of the gateway may have written it."""
    await instance().keep(Lease(), token())
    await write(database, refusal="of_the_future", refused_at=moment(NOW))
    assert isinstance(await instance().acquire(nothing), Lease)


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Something that takes connections, and never says a word."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        host, port = server.getsockname()
        monkeypatch.setenv("FIRESTORE_EMULATOR_HOST", f"{host}:{port}")
        yield


@pytest.mark.usefixtures("silent")
async def test_each_call_has_its_time_and_one_that_fails_takes_no_other_along(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "CALL_SECONDS", 0.2)
    database = Firestore(project="sim-project", database="(default)", collection="gateway")
    cache = FirestoreTokenCache(database, CREDENTIAL, instance="a")

    first = asyncio.ensure_future(cache.read())
    await asyncio.wait([first], timeout=0.1)
    second = asyncio.ensure_future(cache.acquire(anything))
    for call in (first, second):
        with pytest.raises(FirestoreDownError):
            await call
    with pytest.raises(FirestoreDownError, match="a moment ago"):
        await cache.read()
    await database.aclose()


async def test_after_a_failure_it_is_left_alone_and_then_used_again(
    firestore: FirestoreEmulator, instance: Instance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "DOWN_SECONDS", 0)
    cache = instance()
    await cache.keep(Lease(), token())
    firestore.stop()
    for _ in range(2):
        with pytest.raises(FirestoreDownError):
            await cache.read()
    firestore.start()
    async with asyncio.timeout(20):
        while await kept(cache) is None:  # gRPC waits after a failure, and tells nobody how long
            pass
    assert await cache.read() == token()


async def kept(cache: FirestoreTokenCache) -> SharedToken | None:
    """Keep the token and read it; None as long as Firestore is down."""
    try:
        await cache.keep(Lease(), token())
        return await cache.read()
    except FirestoreDownError:
        return None
