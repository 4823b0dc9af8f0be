"""What Google's library for Firestore logs, where it logs everything."""

import logging

import pytest

from service.credentials.firestore import Firestore, FirestoreTokenCache
from service.interfaces import Lease
from service.schemas.oauth import AccessToken, Credential, SharedToken
from tests.firestore_emulator import FirestoreEmulator


async def test_it_logs_no_document(
    firestore: FirestoreEmulator, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    del firestore
    database = Firestore(project="sim-project", database="(default)", collection="gateway")
    credential = Credential(refresh_token="1//sim-refresh", client_id="i", client_secret="s")
    cache = FirestoreTokenCache(database, credential, instance="one")
    await database.prepare()  # from here on the library keeps its lines to itself
    monkeypatch.setattr(logging.getLogger("google"), "propagate", True)
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, logger="google")
    token = SharedToken(token=AccessToken("ya29.sim-shared", 4e9))
    await cache.keep(Lease(), token)
    assert await cache.read() == token
    await database.aclose()
    assert [record for record in caplog.records if record.name.startswith("google")] == []
