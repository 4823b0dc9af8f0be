"""The document that instances share, in Google's own emulator."""

import re
from typing import Any

import pytest

from service.credentials.firestore import (
    KEPT,
    LEASE_SECONDS,
    Firestore,
    FirestoreTokenCache,
)
from service.interfaces import Lease
from service.schemas.oauth import AccessToken, Credential, SharedToken
from tests.credentials.sharing import (
    CREDENTIAL,
    NOW,
    PROJECT,
    Instance,
    anything,
    leased,
    moment,
    raw,
    token,
    write,
)
from tests.firestore_emulator import FirestoreEmulator


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
