"""What tests of the shared document have in common."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from service.credentials.firestore import Firestore, FirestoreTokenCache
from service.interfaces import Lease
from service.schemas.code_assist import CodeAssistProject
from service.schemas.oauth import AccessToken, Credential, SharedToken

NOW = 1_800_000_000.0
CREDENTIAL = Credential(refresh_token="1//r", client_id="id", client_secret="s")
PROJECT = CodeAssistProject("p", "standard-tier")

#: Makes one of the instances that share the document.
Instance = Callable[..., FirestoreTokenCache]


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
