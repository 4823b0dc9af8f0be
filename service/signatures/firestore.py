"""Firestore documents in which instances share thought signatures: one for each call.

Import this module in a worker thread: Google's libraries take over a second.
"""

import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from google.cloud import firestore

from service.signatures.memory import KEPT_SECONDS

#: What is added to the name of the gateway's collection. Signatures come and go by the thousand,
#: and Firestore's time to live is a setting of a collection.
COLLECTION_SUFFIX = "-signatures"
#: The field by which Firestore deletes a document, some time after.
EXPIRY_FIELD = "expire_at"
SIGNATURE_FIELD = "signature"

#: Seconds.
CALL_SECONDS = 2.0
# The client's own retries go on for minutes, whatever `timeout` says.
_ONCE: dict[str, Any] = {"retry": None, "timeout": CALL_SECONDS}


class Database(Protocol):
    def client(self) -> AbstractAsyncContextManager[firestore.AsyncClient]:
        """Around calls; raise if Firestore cannot be used, at once if that is known."""
        ...


class FirestoreSignatures:
    """A `Shelf`.

    Args:
        database: where.
        collection: the gateway's own; the one for signatures has a longer name.
        now: seconds since 1970.

    """

    def __init__(
        self, database: Database, *, collection: str, now: Callable[[], float] = time.time
    ) -> None:
        self._database = database
        self._collection = collection + COLLECTION_SUFFIX
        self._now = now

    async def read(self, keys: Iterable[str]) -> dict[str, str]:
        found: dict[str, str] = {}
        async with self._database.client() as client:
            documents = [client.document(self._collection, key) for key in keys]
            async for snapshot in client.get_all(documents, **_ONCE):
                match snapshot.to_dict():
                    # Expired ones are there until Firestore comes round to them.
                    case {"signature": str(signature), "expire_at": datetime() as until} if (
                        until.timestamp() > self._now()
                    ):
                        found[snapshot.id] = signature
                    case _:
                        pass
        return found

    async def write(self, signatures: Mapping[str, str]) -> None:
        until = datetime.fromtimestamp(self._now() + KEPT_SECONDS, UTC)
        async with self._database.client() as client:
            batch = client.batch()
            for key, signature in signatures.items():
                fields = {SIGNATURE_FIELD: signature, EXPIRY_FIELD: until}
                batch.set(client.document(self._collection, key), fields)
            await batch.commit(**_ONCE)
