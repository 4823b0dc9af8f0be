"""The composition root's other half: who plays which part towards Google.

Apart from `service.app`, because importing an HTTP client takes as long as importing Litestar.
"""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Sequence
from types import ModuleType
from typing import NamedTuple

from service import background
from service.credentials.caches import Expendable, UnsharedTokenCache
from service.credentials.issuers import RefreshTokenGrant
from service.credentials.provider import TokenProvider
from service.credentials.secret_manager import SecretManager
from service.credentials.sources import find_source, resolve
from service.errors import CredentialsError, GatewayError
from service.interfaces import MediaSource, SignatureStore, TokenCache, Upstream
from service.media import MediaFetcher
from service.schemas.oauth import Credential
from service.settings import Secret, Settings, split
from service.signatures.memory import MemorySignatures
from service.signatures.shared import SharedSignatures
from service.upstream.code_assist import NAME, CodeAssist
from service.upstream.fake_thinking import FakeThinking
from service.upstream.http import GoogleHttp, TimeLimits, open_transport
from service.upstream.project import Project
from service.upstream.retry import Retry
from service.upstream.unsigned import BypassRefusedSignatures

#: What the other instances call this one.
INSTANCE = uuid.uuid4().hex[:12]


class GoogleConnection:
    """A `Connection`. What it is given to close, it closes."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        media: MediaSource,
        api_keys: Sequence[Secret],
        signatures: SignatureStore,
        tokens: TokenProvider,
        project: Project,
        http: GoogleHttp,
        close: Sequence[Callable[[], Awaitable[None]]],
    ) -> None:
        self.upstream = upstream
        self.media = media
        self.api_keys = api_keys
        self.signatures = signatures
        self.tokens = tokens
        self.project = project
        self.http = http
        self._close = close

    def refusal(self) -> GatewayError | None:
        return self.tokens.refusal

    async def aclose(self) -> None:
        await background.finished()
        for close in self._close:
            await close()


async def connect(settings: Settings) -> GoogleConnection:
    """Read what settings refer to, all of it at once, and put the upstream together.

    Raise `CredentialsError` or `SettingsError` if something cannot be read, or cannot work.
    """
    store = SecretManager(settings.secret_manager_endpoint, settings.google_cloud_project)
    transport = await asyncio.to_thread(open_transport)  # reads the certificates
    close: list[Callable[[], Awaitable[None]]] = [transport.aclose]
    source = find_source(settings, store)
    try:
        async with asyncio.TaskGroup() as group:
            caches = group.create_task(_open_caches(settings, close))
            keys = group.create_task(_api_keys(settings.openai_api_key, store))
            _ = group.create_task(source.load())
    except BaseExceptionGroup as failures:
        await asyncio.gather(*(each() for each in close))
        raise failures.exceptions[0] from None
    tokens = TokenProvider(
        source,
        RefreshTokenGrant(transport, url=settings.oauth_token_url),
        caches.result().of,
        instance=INSTANCE,
    )
    limits = TimeLimits(
        connect=settings.upstream_connect_seconds,
        first_byte=settings.upstream_first_byte_seconds,
        idle=settings.upstream_idle_seconds,
    )
    http = GoogleHttp(transport, tokens, limits)
    endpoint = settings.code_assist_endpoint.rstrip("/")
    project = Project(http, endpoint=endpoint, configured=settings.gemini_project_id, memory=tokens)
    code_assist = CodeAssist(http, endpoint=endpoint, project=project)
    upstream: Upstream = BypassRefusedSignatures(Retry(code_assist))
    if settings.enable_fake_thinking:
        upstream = FakeThinking(upstream, name=NAME)
    media = MediaFetcher(
        max_bytes=settings.media_max_bytes, allow_hosts=split(settings.media_allow_hosts)
    )
    close.append(media.aclose)
    background.beside_the_answer(_look_ahead(caches.result(), tokens))
    return GoogleConnection(
        upstream=upstream,
        media=media,
        api_keys=keys.result(),
        signatures=caches.result().signatures,
        tokens=tokens,
        project=project,
        http=http,
        close=close,
    )


async def _api_keys(secret: Secret | None, store: SecretManager) -> list[Secret]:
    keys = [Secret(key) for key in split(await resolve(secret, store) or "")]
    if secret is not None and not keys:
        raise CredentialsError(
            f"{secret.reference} holds no API key. Add a version that holds one, or several "
            "separated by commas. The operator of this gateway has to act.",
            code="credentials_unavailable",
        )
    return keys


class _Caches(NamedTuple):
    of: Callable[[Credential], TokenCache]
    prepare: Callable[[], Awaitable[None]]
    signatures: SignatureStore


async def _open_caches(settings: Settings, close: list[Callable[[], Awaitable[None]]]) -> _Caches:
    unshared = UnsharedTokenCache()
    if not settings.shares_tokens:
        return _Caches(lambda _: unshared, unshared.prepare, MemorySignatures())
    firestore, firestore_signatures = await asyncio.to_thread(_import_firestore)
    database = firestore.Firestore(
        project=settings.google_cloud_project,
        database=settings.firestore_database,
        collection=settings.firestore_collection,
    )
    close.append(database.aclose)

    def cache_of(credential: Credential) -> TokenCache:
        if credential.refresh_token is None:
            return unshared  # there is nothing to seal it with
        cache = firestore.FirestoreTokenCache(database, credential, instance=INSTANCE)
        return Expendable(cache)

    shelf = firestore_signatures.FirestoreSignatures(
        database, collection=settings.firestore_collection
    )
    signatures = SharedSignatures(MemorySignatures(), shelf)
    return _Caches(cache_of, database.prepare, signatures)


async def _look_ahead(caches: _Caches, tokens: TokenProvider) -> None:
    """Have the shared token in memory before the first request wants it."""
    await caches.prepare()
    await tokens.peek()


def _import_firestore() -> tuple[ModuleType, ModuleType]:
    from service.credentials import firestore as tokens  # noqa: PLC0415  (slow: see there)
    from service.signatures import firestore as signatures  # noqa: PLC0415

    return tokens, signatures
