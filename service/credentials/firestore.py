"""Firestore: the client, and the document in which instances share a credential's token state.

Import this module in a worker thread: Google's libraries take over a second.
"""

import asyncio
import hashlib
import logging
import time
from collections import Counter
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

from google.api_core import exceptions
from google.cloud import firestore

from service.credentials.encryption import Seal
from service.credentials.issuers import remembered_refusal
from service.errors import CredentialsError
from service.interfaces import Lease
from service.schemas.code_assist import CodeAssistProject
from service.schemas.oauth import AccessToken, Credential, SharedToken

logger = logging.getLogger(__name__)

# At this level the library would log whole documents, and serialise each of them for that.
logging.getLogger("google.cloud.firestore_v1").setLevel(logging.INFO)

#: Seconds for a call, or for the two that belong together.
CALL_SECONDS = 2.0
#: Seconds to make a client, for which a busy processor and the metadata server may take long.
PREPARE_SECONDS = 5.0
#: Seconds for which Firestore is left alone after it failed.
DOWN_SECONDS = 5.0
#: Seconds after which a lease is another's to take: its holder has died.
LEASE_SECONDS = 10
#: Seconds for which what one instance was refused is every instance's answer.
REFUSAL_SECONDS = 60
#: How long Firestore keeps a document that nobody writes any more.
KEPT = timedelta(days=30)

# The client's own retries go on for minutes, whatever `timeout` says.
_ONCE: dict[str, Any] = {"retry": None, "timeout": CALL_SECONDS}
_LOST = (
    exceptions.FailedPrecondition,
    exceptions.AlreadyExists,
    exceptions.Aborted,
    exceptions.NotFound,
)


class FirestoreDownError(Exception):
    """Firestore cannot be used at the moment."""


class Firestore:
    """An `AsyncClient` that is made when first needed, and made anew after a failure.

    A channel that lost its server waits up to two minutes before it tries again.

    Args:
        project: that holds the database; None asks Google's libraries.
        database: its name.
        collection: where the gateway's documents are.

    """

    def __init__(self, *, project: str | None, database: str, collection: str) -> None:
        self._project = project
        self._database = database
        self._collection = collection
        self._making: asyncio.Task[firestore.AsyncClient] | None = None
        self._users: Counter[asyncio.Task[firestore.AsyncClient]] = Counter()
        self._preparing: asyncio.Task[None] | None = None
        self._down_until = 0.0

    def path(self, name: str) -> str:
        """Return the path of a document, within the database."""
        return f"{self._collection}/{name}"

    @asynccontextmanager
    async def client(self) -> AsyncGenerator[firestore.AsyncClient]:
        """Around calls that belong together; raise `FirestoreDownError` if they fail."""
        if self._preparing is not None:
            await asyncio.wait([self._preparing])
        if time.monotonic() < self._down_until:
            raise FirestoreDownError("Firestore failed a moment ago.")
        making = self.made()
        self._users[making] += 1
        try:
            async with asyncio.timeout(CALL_SECONDS):
                yield await asyncio.shield(making)
        except (*_LOST, CredentialsError):
            raise
        except Exception as error:
            self._down_until = time.monotonic() + DOWN_SECONDS
            if self._making is making and making.done():
                self._making = None
            raise FirestoreDownError(f"{type(error).__name__}: {error}") from error
        finally:
            self._users[making] -= 1
            if not self._users[making]:
                del self._users[making]
                if making is not self._making:
                    # Not before: to close a channel is to cancel everyone who waits for an answer.
                    await _close(making)

    async def prepare(self) -> None:
        """Connect, which may take longer than a call; calls wait until that is done."""
        self._preparing = asyncio.create_task(self._prepare())
        await self._preparing
        self._preparing = None

    async def _prepare(self) -> None:
        try:
            async with asyncio.timeout(PREPARE_SECONDS):
                client = await asyncio.shield(self.made())
            async with asyncio.timeout(CALL_SECONDS):
                await client.document(self.path("none")).get(**_ONCE)
        except Exception as error:  # noqa: BLE001  (whatever it is, the instance does without)
            logger.warning("firestore could not be reached at the start: %s", error)
            self._down_until = time.monotonic() + DOWN_SECONDS

    def made(self) -> asyncio.Task[firestore.AsyncClient]:
        """Return the task that makes the client; what it makes belongs to all who call."""
        if self._making is None:
            # It may ask the metadata server, and blocks while it does.
            self._making = asyncio.create_task(asyncio.to_thread(self._make))
        return self._making

    def _make(self) -> firestore.AsyncClient:
        return firestore.AsyncClient(project=self._project, database=self._database)

    async def aclose(self) -> None:
        making, self._making = self._making, None
        if making is not None:
            await _close(making)


async def _close(making: asyncio.Task[firestore.AsyncClient]) -> None:
    if not making.done():
        making.cancel()
    elif not making.cancelled() and making.exception() is None:
        # Its own `close` leaves the channel open.
        await making.result()._firestore_api.transport.close()  # noqa: SLF001


class FirestoreTokenCache:
    """A `TokenCache`: one document for each credential.

    Args:
        database: where.
        credential: whose token it is. It must have a refresh token; a new one is another document.
        instance: our own name, for `refreshed_by`.
        now: seconds since 1970.

    """

    def __init__(
        self,
        database: Firestore,
        credential: Credential,
        *,
        instance: str,
        now: Callable[[], float] = time.time,
    ) -> None:
        identity = f"{credential.client_id}\0{credential.refresh_token}"
        self._path = database.path(hashlib.sha256(identity.encode()).hexdigest()[:32])
        self._database = database
        self._seal = Seal(credential.refresh_token or "", self._path)
        self._instance = instance
        self._now = now

    async def read(self) -> SharedToken | None:
        async with self._database.client() as client:
            snapshot = await client.document(self._path).get(**_ONCE)
        return self._shared(snapshot.to_dict() or {})

    async def acquire(
        self, usable: Callable[[SharedToken], bool], *, heed_refusal: bool = True
    ) -> SharedToken | Lease | None:
        """See `TokenCache`.

        A precondition on what was read, and not a transaction: twenty instances that contend for
        one would stall for seconds.
        """
        async with self._database.client() as client:
            document = client.document(self._path)
            snapshot = await document.get(**_ONCE)
            fields = snapshot.to_dict() or {}
            shared = self._shared(fields)
            if shared is not None and usable(shared):
                return shared
            if heed_refusal:
                self._raise_refusal(fields)
            if self._is_held(fields.get("lease_until")):
                return None
            lease = {
                "lease_owner": self._instance,
                "lease_until": self._at(self._now() + LEASE_SECONDS),
            }
            try:
                if snapshot.exists:
                    option = client.write_option(last_update_time=snapshot.update_time)
                    result = await document.update(lease, option=option, **_ONCE)
                else:
                    result = await document.create(self._kept(lease), **_ONCE)
            except _LOST:
                return None
            return Lease(result.update_time)

    async def keep(self, lease: Lease, token: SharedToken) -> None:
        fields: dict[str, Any] = {
            "access_token": self._seal.close(token.token.value),
            "expires_at": self._at(token.token.expires_at),
            "refreshed_at": None if token.refreshed_at is None else self._at(token.refreshed_at),
            "refreshed_by": token.refreshed_by,
            "refusal": None,
            "refused_at": None,
        }
        await self._end(lease, fields)

    async def give_up(self, lease: Lease, refusal: CredentialsError | None) -> None:
        fields = {}
        if refusal is not None:
            fields = {"refusal": refusal.code, "refused_at": self._at(self._now())}
        await self._end(lease, fields)

    async def known_project(self) -> CodeAssistProject | None:
        async with self._database.client() as client:
            snapshot = await client.document(self._path).get(**_ONCE)
        match snapshot.to_dict():
            case {"project_id": str(project), "tier": str(tier)}:
                return CodeAssistProject(project, tier)
            case _:
                return None

    async def keep_project(self, project: CodeAssistProject) -> None:
        async with self._database.client() as client:
            fields = self._kept({"project_id": project.id, "tier": project.tier})
            await client.document(self._path).set(fields, merge=True, **_ONCE)

    async def _end(self, lease: Lease, fields: dict[str, Any]) -> None:
        fields = self._kept(fields | {"lease_owner": None, "lease_until": None})
        async with self._database.client() as client:
            document = client.document(self._path)
            if lease.fence is None:
                await document.set(fields, merge=True, **_ONCE)
                return
            fence = lease.fence
            while fence is not None:
                option = client.write_option(last_update_time=fence)
                try:
                    await document.update(fields, option=option, **_ONCE)
                except _LOST:
                    # Someone may only have noted the project.
                    snapshot = await document.get(**_ONCE)
                    is_ours = (snapshot.to_dict() or {}).get("lease_owner") == self._instance
                    fence = snapshot.update_time if is_ours else None
                else:
                    return
        logger.info("the lease was another's by the time the refresh was done")

    def _kept(self, fields: dict[str, Any]) -> dict[str, Any]:
        """Add the field by which Firestore deletes what nobody writes any more."""
        return fields | {"expire_at": self._at(self._now()) + KEPT}

    def _shared(self, fields: dict[str, Any]) -> SharedToken | None:
        value = self._seal.open(fields.get("access_token"))
        expires_at = fields.get("expires_at")
        if value is None or not isinstance(expires_at, datetime):
            return None
        refreshed_at, refreshed_by = fields.get("refreshed_at"), fields.get("refreshed_by")
        return SharedToken(
            token=AccessToken(value, expires_at.timestamp()),
            refreshed_at=refreshed_at.timestamp() if isinstance(refreshed_at, datetime) else None,
            refreshed_by=refreshed_by if isinstance(refreshed_by, str) else None,
        )

    def _raise_refusal(self, fields: dict[str, Any]) -> None:
        code, at = fields.get("refusal"), fields.get("refused_at")
        if isinstance(code, str) and isinstance(at, datetime):
            age = self._now() - at.timestamp()
            refusal = remembered_refusal(code)
            if refusal is not None and 0 <= age < REFUSAL_SECONDS:
                raise refusal

    def _is_held(self, until: object) -> bool:
        """Heed a lease, but none that is longer than any: that comes from a clock that is wrong."""
        left = until.timestamp() - self._now() if isinstance(until, datetime) else 0
        return 0 < left <= LEASE_SECONDS + 1

    @staticmethod
    def _at(seconds: float) -> datetime:
        return datetime.fromtimestamp(seconds, UTC)
