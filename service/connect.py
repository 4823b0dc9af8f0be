"""The composition root's other half: who plays which part towards Google.

Apart from `service.app`, because importing an HTTP client takes as long as importing Litestar.
"""

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Mapping, Sequence
from types import ModuleType
from typing import NamedTuple

from service import background
from service.credentials.api_key import ApiKey
from service.credentials.caches import Expendable, UnsharedTokenCache
from service.credentials.identity import DefaultCredentials, MetadataServer
from service.credentials.issuers import RefreshTokenGrant
from service.credentials.provider import TokenProvider
from service.credentials.secret_manager import SecretManager
from service.credentials.sources import StaticSource, find_source, resolve
from service.errors import CredentialsError, GatewayError
from service.interfaces import (
    Embedder,
    MediaSource,
    Models,
    SignatureStore,
    TokenCache,
    TokenCounter,
    Upstream,
    Way,
)
from service.media import MediaFetcher
from service.rates.counting import Shelf
from service.schemas.oauth import Credential
from service.settings import Secret, Settings, SettingsError, split
from service.signatures.memory import MemorySignatures
from service.signatures.shared import SharedSignatures
from service.transport import Pool, open_transport
from service.upstream.again import AskAgain
from service.upstream.catalog import Catalog
from service.upstream.code_assist import CodeAssist
from service.upstream.failover import Failover, Named
from service.upstream.fake_thinking import FakeThinking
from service.upstream.gemini_api import GeminiApi
from service.upstream.http import GoogleHttp, TimeLimits
from service.upstream.project import Project
from service.upstream.strict import Strict
from service.upstream.vertex import Vertex

logger = logging.getLogger(__name__)

#: What the other instances call this one.
INSTANCE = uuid.uuid4().hex[:12]


class GoogleConnection:
    """A `Connection`. What it is given to close, it closes."""

    def __init__(
        self,
        *,
        upstream: Upstream,
        is_open: Callable[[str], bool],
        media: MediaSource,
        signatures: SignatureStore,
        tallies: Shelf | None,
        embedder: Embedder,
        counter: TokenCounter,
        models: Models,
        ways: Sequence[Way],
        http: Mapping[str, GoogleHttp],
        api_keys: Sequence[Secret],
        close: Sequence[Callable[[], Awaitable[None]]],
        project: str | None = None,
    ) -> None:
        self.upstream = upstream
        self.is_open = is_open
        self.media = media
        self.signatures = signatures
        self.tallies = tallies
        self.embedder = embedder
        self.counter = counter
        self.models = models
        self.ways = ways
        self.http = http
        self.api_keys = api_keys
        self._close = close
        self.project = project

    def refusal(self) -> GatewayError | None:
        """Say so only if none of the ways is left."""
        refusals = [way.tokens.refusal for way in self.ways]
        return refusals[0] if all(refusals) else None

    async def aclose(self, *, in_a_hurry: bool = False) -> None:
        if not in_a_hurry:
            await background.finished()
        for close in self._close:
            await close()


async def connect(settings: Settings) -> GoogleConnection:
    """Read what settings refer to, all of it at once, and put the upstreams together.

    Raise `CredentialsError` or `SettingsError` if something cannot be read, or cannot work.
    """
    store = SecretManager(settings.secret_manager_endpoint, settings.google_cloud_project)
    transport = await asyncio.to_thread(open_transport, settings.http_client)  # certificates
    close: list[Callable[[], Awaitable[None]]] = [transport.aclose]
    try:
        async with asyncio.TaskGroup() as group:
            caches = group.create_task(_open_caches(settings, close))
            builder = _Builder(settings, store, transport, caches)
            keys = group.create_task(_api_keys(settings.openai_api_key, store))
            building = [group.create_task(builder.build(name)) for name in settings.ways]
    except BaseExceptionGroup as failures:
        await asyncio.gather(*(each() for each in close))
        raise _first_of(failures) from None
    ways = [task.result() for task in building]
    failover = Failover(
        [Named(way.name, _wrapped(way, settings), way.embedder, way.counter) for way in ways]
    )
    upstream: Upstream = failover
    if settings.enable_fake_thinking:
        upstream = FakeThinking(upstream, name=ways[0].name)
    media = MediaFetcher(
        max_bytes=settings.media_max_bytes, allow_hosts=split(settings.media_allow_hosts)
    )
    close.append(media.aclose)
    connection = GoogleConnection(
        upstream=upstream,
        is_open=failover.is_open,
        media=media,
        signatures=caches.result().signatures,
        tallies=caches.result().tallies,
        embedder=failover,
        counter=failover,
        models=Catalog(
            {way.name: way.lister for way in ways if way.lister is not None},
            # A request's held-back end would hold up the next one on its connection.
            start=background.beside_the_answer if settings.on_cloud_run else background.apart,
        ),
        ways=ways,
        http=builder.http,
        api_keys=keys.result(),
        close=close,
        project=settings.google_cloud_project,
    )
    if connection.project is None and settings.metadata_host is not None:
        background.apart(_learn_project(connection, transport, settings.metadata_host))
    return connection


async def _learn_project(connection: GoogleConnection, transport: Pool, host: str) -> None:
    """Ask in which project this runs, for the names of traces; nothing waits for it."""
    try:
        connection.project = await MetadataServer(transport, host=host).project()
    except GatewayError:
        logger.warning("the project that this runs in is not known: log lines name no trace")


def _wrapped(way: Way, settings: Settings) -> Upstream:
    upstream = AskAgain(way.upstream)
    return Strict(upstream, way.name) if settings.strict_params else upstream


def _first_of(failures: BaseException) -> BaseException:
    while isinstance(failures, BaseExceptionGroup):
        failures = failures.exceptions[0]
    return failures


class _Builder:
    """Puts each way to Gemini together."""

    def __init__(
        self,
        settings: Settings,
        store: SecretManager,
        transport: Pool,
        caches: "asyncio.Task[_Caches]",
    ) -> None:
        self._settings = settings
        self._store = store
        self._transport = transport
        self._caches = caches
        self._unreadable = 0
        #: How each upstream is called, by its name.
        self.http: dict[str, GoogleHttp] = {}
        self._limits = TimeLimits(
            connect=settings.upstream_connect_seconds,
            first_byte=settings.upstream_first_byte_seconds,
            idle=settings.upstream_idle_seconds,
        )

    async def build(self, name: str) -> Way:
        match name:
            case "vertex":
                return self._vertex()
            case "gemini_api":
                return await self._gemini_api()
            case _:
                return await self._code_assist()

    async def _code_assist(self) -> Way:
        settings = self._settings
        source = find_source(settings, self._store)
        await self._if_needed(source.load())
        caches = await self._caches
        tokens = TokenProvider(
            source,
            RefreshTokenGrant(self._transport, url=settings.oauth_token_url),
            caches.of,
            instance=INSTANCE,
        )
        http = self.http["code_assist"] = GoogleHttp(self._transport, tokens, self._limits)
        endpoint = settings.code_assist_endpoint.rstrip("/")
        project = Project(
            http, endpoint=endpoint, configured=settings.gemini_project_id, memory=tokens
        )
        background.beside_the_answer(_look_ahead(caches, tokens))
        upstream = CodeAssist(http, endpoint=endpoint, project=project)
        return Way("code_assist", upstream, tokens, project, upstream.list_models, upstream)

    def _vertex(self) -> Way:
        settings = self._settings
        default = DefaultCredentials(token_url=settings.oauth_token_url)
        issuer: MetadataServer | DefaultCredentials = default
        host = settings.metadata_host
        if host is not None and not settings.google_application_credentials:
            issuer = MetadataServer(self._transport, host=host, connect=self._limits.connect)
        unshared = UnsharedTokenCache()
        tokens = TokenProvider(StaticSource(Credential()), issuer, lambda _: unshared)
        http = GoogleHttp(self._transport, tokens, self._limits, bill=default.billed)
        self.http["vertex"] = http
        configured = settings.vertex_project or settings.google_cloud_project

        async def project() -> str | None:
            return configured or await issuer.project()

        endpoint = settings.vertex_endpoint and settings.vertex_endpoint.rstrip("/")
        upstream = Vertex(
            http, project=project, location=settings.vertex_location, endpoint=endpoint
        )
        return Way("vertex", upstream, tokens, None, upstream.list_models, upstream, upstream)

    async def _gemini_api(self) -> Way:
        secret = self._settings.gemini_api_key
        tokens = ApiKey(lambda: resolve(secret, self._store))
        await self._if_needed(tokens.renew())
        http = GoogleHttp(self._transport, tokens, self._limits, key=True)
        self.http["gemini_api"] = http
        endpoint = self._settings.gemini_api_endpoint.rstrip("/")
        upstream = GeminiApi(http, endpoint=endpoint)
        return Way("gemini_api", upstream, tokens, None, upstream.list_models, upstream, upstream)

    async def _if_needed(self, reading: Awaitable[object]) -> None:
        """Read it now; as long as another way is left, one that cannot be read is read later."""
        try:
            await reading
        except (CredentialsError, SettingsError) as error:
            self._unreadable += 1
            if self._unreadable == len(self._settings.ways):
                raise
            logger.warning("one of the ways to gemini cannot be used yet: %s", error)


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
    tallies: Shelf | None = None


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
    tallies = None
    if settings.rate_limits is not None:
        rates = await asyncio.to_thread(_import_rates)
        tallies = rates.FirestoreTallies(database, collection=settings.firestore_collection)
    return _Caches(cache_of, database.prepare, signatures, tallies)


async def _look_ahead(caches: _Caches, tokens: TokenProvider) -> None:
    """Have the shared token in memory before the first request wants it."""
    await caches.prepare()
    await tokens.peek()


def _import_firestore() -> tuple[ModuleType, ModuleType]:
    from service.credentials import firestore as tokens  # noqa: PLC0415  (slow: see there)
    from service.signatures import firestore as signatures  # noqa: PLC0415

    return tokens, signatures


def _import_rates() -> ModuleType:
    from service.rates import firestore  # noqa: PLC0415

    return firestore
