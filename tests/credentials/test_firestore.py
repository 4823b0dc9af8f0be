"""The document that instances share, in Google's own emulator."""

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from service.credentials import firestore as module
from service.credentials.firestore import (
    KEPT,
    LEASE_SECONDS,
    REFUSAL_SECONDS,
    Firestore,
    FirestoreDownError,
    FirestoreTokenCache,
)
from service.errors import CredentialsError
from service.interfaces import Lease
from service.schemas.code_assist import CodeAssistProject
from service.schemas.oauth import AccessToken, Credential, SharedToken
from tests.firestore_emulator import FirestoreEmulator

NOW = 1_800_000_000.0
CREDENTIAL = Credential(refresh_token="1//r", client_id="id", client_secret="s")
PROJECT = CodeAssistProject("p", "standard-tier")
REFUSAL = CredentialsError("revoked", code="credentials_revoked")


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def __call__(self) -> float:
        return self.time


def token(value: str = "ya29.one") -> SharedToken:
    return SharedToken(
        token=AccessToken(value, NOW + 3600), refreshed_at=NOW, refreshed_by="somebody"
    )


def anything(_: SharedToken) -> bool:
    return True


def nothing(_: SharedToken) -> bool:
    return False


def moment(seconds: float) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(firestore: FirestoreEmulator) -> AsyncIterator[Firestore]:
    del firestore
    database = Firestore(project="sim-project", database="(default)", collection="gateway")
    yield database
    await database.aclose()


Instance = Callable[..., FirestoreTokenCache]


@pytest.fixture
def instance(database: Firestore, clock: Clock) -> Instance:
    """Make one of the instances that share the document."""

    def make(name: str = "a", credential: Credential = CREDENTIAL) -> FirestoreTokenCache:
        return FirestoreTokenCache(database, credential, instance=name, now=clock)

    return make


async def raw(database: Firestore) -> dict[str, Any]:
    """Return the only document, as it is."""
    async with database.client() as client:
        [document] = await client.collection("gateway").get()
    return document.to_dict() or {}


async def write(database: Firestore, **fields: Any) -> None:
    """Change the only document."""
    async with database.client() as client:
        [document] = await client.collection("gateway").get()
        await document.reference.update(fields)


async def leased(cache: FirestoreTokenCache) -> Lease:
    lease = await cache.acquire(nothing)
    assert isinstance(lease, Lease)
    return lease


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
    ("seconds", "is_free"), [(0, False), (LEASE_SECONDS - 1, False), (LEASE_SECONDS, True)]
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


@pytest.mark.parametrize(
    "fields",
    [
        {"access_token": b""},
        {"access_token": b"short"},
        {"access_token": b"\0" * 64},
        {"access_token": "ya29.in-clear-text"},
        {"access_token": None},
        {"expires_at": None},
        {"expires_at": "tomorrow"},
    ],
    ids=str,
)
async def test_what_makes_no_sense_counts_as_absent(
    instance: Instance, database: Firestore, fields: dict[str, Any]
) -> None:
    cache = instance()
    await cache.keep(Lease(), token())
    await write(database, **fields)
    assert await cache.read() is None
    assert isinstance(await cache.acquire(anything), Lease)


async def test_a_token_opens_at_its_own_path_and_with_its_own_refresh_token_only(
    instance: Instance, database: Firestore
) -> None:
    await instance().keep(Lease(), token())
    other = instance(credential=Credential(refresh_token="1//other", client_id="id"))
    fields = await raw(database)
    async with database.client() as client:
        await client.document(other._path).set(fields)
    assert await other.read() is None

    same_key = FirestoreTokenCache(
        Firestore(project="sim-project", database="(default)", collection="elsewhere"),
        CREDENTIAL,
        instance="a",
    )
    async with database.client() as client:
        await client.document(same_key._path).set(fields)
    assert await same_key.read() is None
    await same_key._database.aclose()


@pytest.mark.parametrize(
    "other",
    [
        Credential(refresh_token="1//new", client_id="id"),
        Credential(refresh_token="1//r", client_id="id2"),
    ],
    ids=["refresh token", "client"],
)
async def test_another_credential_meets_no_old_token(instance: Instance, other: Credential) -> None:
    await instance().keep(Lease(), token())
    assert await instance(credential=other).read() is None
    same = Credential(refresh_token="1//r", client_id="id", client_secret="rotated")
    assert await instance(credential=same).read() == token()


async def test_the_document_is_what_the_readme_says_and_shows_no_secret(
    instance: Instance, database: Firestore
) -> None:
    cache = instance()
    await cache.keep_project(PROJECT)
    lease = await leased(cache)
    assert (await raw(database))["lease_until"] == moment(NOW + LEASE_SECONDS)
    await cache.keep(lease, token())
    document = await raw(database)
    sealed = document.pop("access_token")
    assert document == {
        "expires_at": moment(NOW + 3600),
        "refreshed_at": moment(NOW),
        "refreshed_by": "somebody",
        "project_id": "p",
        "tier": "standard-tier",
        "lease_owner": None,
        "lease_until": None,
        "refusal": None,
        "refused_at": None,
        "expire_at": moment(NOW) + KEPT,
    }
    assert isinstance(sealed, bytes)
    assert b"ya29" not in sealed
    await cache.keep(Lease(), token())
    assert (await raw(database))["access_token"] != sealed, "each time with a nonce of its own"


async def test_its_name_is_a_digest(instance: Instance, database: Firestore) -> None:
    await instance().keep(Lease(), token())
    async with database.client() as client:
        [document] = await client.collection("gateway").get()
    assert re.fullmatch("[0-9a-f]{32}", document.id)


async def test_a_token_of_the_credentials_own_was_refreshed_by_nobody(instance: Instance) -> None:
    own = SharedToken(token=AccessToken("ya29.own", NOW + 60))
    await instance().keep(Lease(), own)
    assert await instance().read() == own


async def test_the_database_and_the_collection_are_as_configured(
    firestore: FirestoreEmulator,
) -> None:
    firestore.clear(database="named")
    database = Firestore(project="sim-project", database="named", collection="mine")
    usual = Firestore(project="sim-project", database="(default)", collection="mine")
    cache = FirestoreTokenCache(database, CREDENTIAL, instance="a")
    await cache.keep(Lease(), token())
    async with database.client() as client:
        assert len(await client.collection("mine").get()) == 1
    assert await cache.read() == token()
    assert await FirestoreTokenCache(usual, CREDENTIAL, instance="a").read() is None
    await database.aclose()
    await usual.aclose()


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
    await cache.keep(Lease(), token())
    assert await cache.read() == token()
