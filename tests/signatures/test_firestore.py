"""Signatures in Firestore, against Google's own emulator."""

from collections.abc import AsyncIterator

import pytest

from service.credentials.firestore import Firestore
from service.signatures.firestore import COLLECTION_SUFFIX, FirestoreSignatures
from service.signatures.memory import KEPT_SECONDS
from tests.firestore_emulator import FirestoreEmulator

NOW = 1_800_000_000.0


@pytest.fixture
async def database(firestore: FirestoreEmulator) -> AsyncIterator[Firestore]:
    del firestore
    database = Firestore(project="sim-project", database="(default)", collection="gateway")
    yield database
    await database.aclose()


async def test_what_is_written_is_read_until_it_expires(database: Firestore) -> None:
    now = NOW
    shelf = FirestoreSignatures(database, collection="gateway", now=lambda: now)
    await shelf.write({"a": "b25l", "b": "dHdv"})
    assert await shelf.read(["a", "x", "b"]) == {"a": "b25l", "b": "dHdv"}
    now += KEPT_SECONDS
    assert await shelf.read(["a", "b"]) == {}


async def test_a_document_holds_when_it_may_go(database: Firestore) -> None:
    await FirestoreSignatures(database, collection="gateway", now=lambda: NOW).write({"a": "b25l"})
    async with database.client() as client:
        [document] = await client.collection("gateway" + COLLECTION_SUFFIX).get()
    fields = document.to_dict() or {}
    assert fields.pop("expire_at").timestamp() == NOW + KEPT_SECONDS
    assert fields == {"signature": "b25l"}


async def test_what_is_no_signature_is_not_taken_for_one(database: Firestore) -> None:
    shelf = FirestoreSignatures(database, collection="gateway")
    await shelf.write({"good": "b25l"})
    async with database.client() as client:
        collection = client.collection("gateway" + COLLECTION_SUFFIX)
        await collection.document("bad").set({"signature": 1})
        await collection.document("empty").set({})
    assert await shelf.read(["good", "bad", "empty"]) == {"good": "b25l"}
