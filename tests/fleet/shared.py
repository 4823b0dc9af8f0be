"""What instances have written to Firestore."""

import asyncio
from typing import Any

import msgspec

from service.credentials.firestore import Firestore, FirestoreTokenCache
from service.schemas.oauth import Credential, SharedToken
from service.settings import Settings


def shared_token(settings: Settings) -> SharedToken | None:
    """Return the token that the instances with these settings share."""
    assert settings.gcp_service_account is not None
    credential = msgspec.json.decode(settings.gcp_service_account.reveal(), type=Credential)

    async def read() -> SharedToken | None:
        database = _database(settings)
        try:
            return await FirestoreTokenCache(database, credential, instance="test").read()
        finally:
            await database.aclose()

    return asyncio.run(read())


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
