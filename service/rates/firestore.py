"""Firestore documents in which instances add up what keys use: one for each key and minute.

Import this module in a worker thread: Google's libraries take over a second.
"""

from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager
from datetime import UTC, datetime
from typing import Any, Protocol

from google.cloud import firestore

from service.rates.counting import MINUTE, Used, Which

#: What is added to the name of the gateway's collection, for the same reason as signatures have.
COLLECTION_SUFFIX = "-limits"
#: Seconds after its minute until Firestore may delete a document.
KEPT_SECONDS = 3600

#: Seconds.
CALL_SECONDS = 2.0
# Told twice, it would count twice.
_ONCE: dict[str, Any] = {"retry": None, "timeout": CALL_SECONDS}


class Database(Protocol):
    def client(self) -> AbstractAsyncContextManager[firestore.AsyncClient]:
        """Around calls; raise if Firestore cannot be used, at once if that is known."""
        ...


class FirestoreTallies:
    """A `Shelf`.

    Args:
        database: where.
        collection: the gateway's own; the one for tallies has a longer name.

    """

    def __init__(self, database: Database, *, collection: str) -> None:
        self._database = database
        self._collection = collection + COLLECTION_SUFFIX

    async def add(self, more: Mapping[Which, Used]) -> dict[Which, Used]:
        async with self._database.client() as client:
            batch = client.batch()
            for which, used in more.items():
                until = datetime.fromtimestamp((which.minute + 1) * MINUTE + KEPT_SECONDS, UTC)
                fields = {
                    "requests": firestore.Increment(used.requests),
                    "tokens": firestore.Increment(used.tokens),
                    "expire_at": until,
                }
                document = client.document(self._collection, f"{which.account}-{which.minute}")
                batch.set(document, fields, merge=True)
            results = await batch.commit(**_ONCE)
        # The values after the additions, in the order of the fields' names.
        sums = [[value.integer_value for value in one.transform_results] for one in results]
        return {which: Used(*values) for which, values in zip(more, sums, strict=True)}
