"""What instances have written to Firestore."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec
from google.cloud import firestore

from service.credentials.firestore import Firestore, FirestoreTokenCache
from service.interfaces import Lease
from service.schemas.oauth import AccessToken, Credential, SharedToken
from service.settings import Settings

T = TypeVar("T")


def shared_token(settings: Settings) -> SharedToken | None:
    """Return the token that the instances with these settings share."""

    async def read(cache: FirestoreTokenCache) -> SharedToken | None:
        return await cache.read()

    return asyncio.run(_with_cache(settings, read))


def share(settings: Settings, value: str) -> None:
    """Put a token there, as an instance would that has refreshed."""
    token = SharedToken(token=AccessToken(value, time.time() + 3600), refreshed_by="test")

    async def keep(cache: FirestoreTokenCache) -> None:
        await cache.keep(Lease(), token)

    asyncio.run(_with_cache(settings, keep))


def exercise(settings: Settings) -> None:
    """Do once what instances do, elsewhere, and take the time that it takes."""

    async def run() -> None:
        client = firestore.AsyncClient(
            project=settings.google_cloud_project, database=settings.firestore_database
        )
        document = client.document("exercise/one")
        await document.create({"n": 1})
        read = await document.get()
        option = client.write_option(last_update_time=read.update_time)
        await document.update({"n": 2}, option=option)
        await client._firestore_api.transport.close()

    asyncio.run(run())


async def _with_cache(settings: Settings, use: Callable[[FirestoreTokenCache], Awaitable[T]]) -> T:
    assert settings.gcp_service_account is not None
    credential = msgspec.json.decode(settings.gcp_service_account.reveal(), type=Credential)
    database = _database(settings)
    try:
        return await use(FirestoreTokenCache(database, credential, instance="test"))
    finally:
        await database.aclose()


def documents(settings: Settings) -> list[dict[str, Any]]:
    """Return all documents of these instances, as they are."""

    async def read() -> list[dict[str, Any]]:
        database = _database(settings)
        try:
            async with database.client() as client:
                found = await client.collection(settings.firestore_collection).get()
        finally:
            await database.aclose()
        return [document.to_dict() or {} for document in found]

    return asyncio.run(read())


def _database(settings: Settings) -> Firestore:
    return Firestore(
        project=settings.google_cloud_project,
        database=settings.firestore_database,
        collection=settings.firestore_collection,
    )
