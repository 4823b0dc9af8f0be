"""Fixtures, and nothing else."""

from collections.abc import AsyncIterator

import pytest

from service.credentials.firestore import Firestore, FirestoreTokenCache
from service.schemas.oauth import Credential
from tests.credentials.sharing import CREDENTIAL, Clock, Instance
from tests.firestore_emulator import FirestoreEmulator


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def database(firestore: FirestoreEmulator) -> AsyncIterator[Firestore]:
    del firestore
    database = Firestore(project="sim-project", database="(default)", collection="gateway")
    yield database
    await database.aclose()


@pytest.fixture
def instance(database: Firestore, clock: Clock) -> Instance:
    """Make one of the instances that share the document."""

    def make(name: str = "a", credential: Credential = CREDENTIAL) -> FirestoreTokenCache:
        return FirestoreTokenCache(database, credential, instance=name, now=clock)

    return make
