"""Google's emulator does what the tests take for granted."""

from collections.abc import AsyncIterator

import pytest
from google.cloud.firestore import AsyncClient

from tests.firestore_emulator import FirestoreEmulator

PLACE = "gateway/one"


@pytest.fixture
async def client(firestore: FirestoreEmulator) -> AsyncIterator[AsyncClient]:
    del firestore
    client = AsyncClient(project="sim-project")
    yield client
    await client._firestore_api.transport.close()


async def exists(client: AsyncClient, place: str = PLACE) -> bool:
    return bool((await client.document(place).get(timeout=10)).exists)


async def test_it_keeps_documents_until_it_is_cleared(
    firestore: FirestoreEmulator, client: AsyncClient
) -> None:
    await client.document(PLACE).set({"n": 1})
    assert await exists(client)
    firestore.clear()
    assert not await exists(client)


async def test_a_test_finds_nothing_of_the_one_before(client: AsyncClient) -> None:
    assert not await exists(client)


async def test_databases_are_apart(firestore: FirestoreEmulator, client: AsyncClient) -> None:
    other = AsyncClient(project="sim-project", database="gateway")
    await other.document(PLACE).set({"n": 1})
    assert not await exists(client)
    firestore.clear()
    assert await exists(other)
    firestore.clear(database="gateway")
    assert not await exists(other)
    await other._firestore_api.transport.close()


async def test_it_stops_and_starts_on_the_same_port(
    firestore: FirestoreEmulator, client: AsyncClient
) -> None:
    address = firestore.address
    await client.document(PLACE).set({"n": 1})
    firestore.stop()
    with pytest.raises(Exception, match=r"(?i)refused|reset|closed|unavailable|removed"):
        await client.document(PLACE).get(retry=None, timeout=2)
    firestore.start()
    assert firestore.address == address
    assert not await exists(client)
