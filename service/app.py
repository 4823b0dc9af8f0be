"""The composition root: the one place that knows who plays which part."""

import asyncio
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.types import ASGIApp

from service import background
from service.api import diagnostics
from service.api.admission import admits
from service.api.asking import find_chat_model
from service.api.chat import ChatController
from service.api.completions import CompletionController
from service.api.debug import DebugController, only_from_here
from service.api.documentation import openapi_config
from service.api.edge import Edge
from service.api.embeddings import EmbeddingController
from service.api.errors import respond_to, unexpected
from service.api.guards import in_turn, requires_api_key
from service.api.image_generations import ImageController
from service.api.metrics import MetricsController
from service.api.models import (
    ModelController,
    NativeModelController,
    PublisherModelController,
)
from service.api.native import DeveloperController, VertexController
from service.api.responses import ResponsesController
from service.api.short_way import ShortWay
from service.api.transcriptions import TranscriptionController
from service.credentials.sources import check_credential
from service.draining import Drain
from service.errors import CredentialsError, GatewayError, ModelNotFoundError, OverloadedError
from service.interfaces import Connection, Gateway, Upstream
from service.limits import Load
from service.metrics import Metrics
from service.models import Model, find_model, table_of, unaliased
from service.rates.counting import Rates
from service.settings import Secret, Settings, SettingsError, split
from service.telemetry import Observer

logger = logging.getLogger(__name__)

_Lifespan = Callable[[Any], AbstractAsyncContextManager[None]]

#: Seconds for which a request waits for credentials that are being read.
LONGEST_WAIT = 10
#: Seconds after which what could not be read is tried again.
RETRY_SECONDS = 60

_CONTROLLERS = (
    ChatController,
    CompletionController,
    EmbeddingController,
    ImageController,
    ModelController,
    ResponsesController,
    TranscriptionController,
)
_EXPOSED = [
    "x-request-id",
    "x-upstream",
    "x-model-fallback",
    "x-ignored-params",
    "x-should-retry",
    "retry-after",
    "retry-after-ms",
    "openai-processing-ms",
    *(
        f"x-ratelimit-{what}-{of}"
        for what in ("limit", "remaining", "reset")
        for of in ("requests", "tokens")
    ),
]


def create_app(settings: Settings, drain: Drain | None = None) -> ASGIApp:
    """Build the gateway.

    Args:
        settings: what the operator wants.
        drain: knows what is under way, for who ends the process.

    Raise `SettingsError` or `CredentialsError` if it could not work as it is configured.

    """
    check_credential(settings)
    drain = drain or Drain()
    gateway = GoogleGateway(settings, drain)
    if settings.default_model is not None:
        wanted = unaliased(settings.default_model, settings.aliases)
        _must_be_a_model(wanted, _DEFAULT_MODEL, find_chat_model)
    for id_ in settings.aliases.values():
        _must_be_a_model(id_, f"MODEL_ALIASES must name ids of Gemini models: {id_!r} is none.")
    if settings.openai_api_key is None:
        logger.warning("OPENAI_API_KEY is not set: everyone who reaches this address may use it")

    def provide_gateway() -> Gateway:
        return gateway

    observer, exporting = _observer(settings, gateway.metrics)
    key_guards = [requires_api_key(gateway.api_keys)] if settings.openai_api_key else []
    guards = [in_turn(*key_guards, admits(largest=settings.largest_request, rates=gateway.rates))]
    load = Load(requests=settings.max_concurrent_requests, bytes_=settings.max_inflight_bytes)
    app = Litestar(
        route_handlers=[
            Router("/v1", route_handlers=_CONTROLLERS, guards=guards),
            # base URLs without the prefix, and SDKs that add it to one that has it
            Router("/", route_handlers=_CONTROLLERS, guards=guards, include_in_schema=False),
            Router("/v1/v1", route_handlers=_CONTROLLERS, guards=guards, include_in_schema=False),
            Router(
                "/v1beta",
                route_handlers=[DeveloperController, NativeModelController],
                guards=guards,
            ),
            Router(
                "/v1beta1",
                route_handlers=[VertexController, PublisherModelController],
                guards=guards,
            ),
            Router(
                "/v1",
                route_handlers=[DeveloperController, VertexController, PublisherModelController],
                guards=guards,
                include_in_schema=False,
            ),
            Router("/v1", route_handlers=[DebugController], guards=key_guards or [only_from_here]),
            Router("/", route_handlers=[MetricsController], guards=key_guards or [only_from_here]),
            diagnostics.index,
            diagnostics.health,
            diagnostics.ready,
        ],
        dependencies={"gateway": Provide(provide_gateway, sync_to_thread=False)},
        exception_handlers={Exception: respond_to},
        lifespan=[gateway.connected, *exporting],
        cors_config=CORSConfig(
            allow_origins=split(settings.cors_allow_origins), expose_headers=_EXPOSED
        ),
        openapi_config=openapi_config(key_needed=settings.openai_api_key is not None),
        request_max_body_size=settings.largest_request,
        logging_config=None,
    )
    short_way = ShortWay(app, gateway, ["/v1/chat/completions"])
    return Edge(short_way, drain, load, observer=observer, project=gateway.project)


def _observer(settings: Settings, metrics: Metrics) -> tuple[Observer, Sequence[_Lifespan]]:
    """Return who is told of requests, and what has to be around the gateway's life for it."""
    endpoint = settings.otel_exporter_otlp_endpoint
    if endpoint is None:
        return metrics, []
    from service.otlp import Otlp, OtlpMissingError  # noqa: PLC0415  (few have a collector)

    try:
        otlp = Otlp(metrics, endpoint, cpu_stops=settings.on_cloud_run)
    except OtlpMissingError:
        raise SettingsError(
            "OTEL_EXPORTER_OTLP_ENDPOINT is set, and what it needs is not installed. "
            "Install it with `pip install '.[otlp]'`, or from requirements-otlp.txt."
        ) from None
    return otlp, [otlp.exporting]


_DEFAULT_MODEL = "DEFAULT_MODEL must be the id of a Gemini model."


def _must_be_a_model(name: str, otherwise: str, find: Callable[[str], Model] = find_model) -> None:
    try:
        find(name)
    except ModelNotFoundError as error:
        raise SettingsError(otherwise) from error


class GoogleGateway:
    """A `Gateway`, whose connection to Google is put together beside the start of the server.

    What that imports takes as long as all the rest, and `/health` needs none of it.
    """

    def __init__(self, settings: Settings, drain: Drain) -> None:
        self.settings = settings
        self.metrics = Metrics()
        limits = settings.rate_limits
        self.rates = None if limits is None else Rates(limits)
        self._drain = drain
        self._api_keys = settings.api_keys
        self._connection: Connection | None = None
        self._failure: GatewayError | None = None

    @asynccontextmanager
    async def connected(self, _: Litestar) -> AsyncGenerator[None]:
        """Begin to connect, and disconnect at the end."""
        self._tried = asyncio.Event()
        connecting = asyncio.create_task(self._connect())
        try:
            yield
        finally:
            if self._connection is None:
                connecting.cancel()
            await asyncio.wait([connecting])
            if self._connection is not None:
                await self._connection.aclose(in_a_hurry=self._drain.begun)

    async def _connect(self) -> None:
        """Try until it works: a secret may be added, and a permission given, while we run."""
        connect = await asyncio.to_thread(_import_connect)
        while True:
            try:
                self._connection = await connect(self.settings)
            except (CredentialsError, SettingsError) as error:
                logger.error("not ready: %s", error)  # noqa: TRY400
                self._failure = (
                    error if isinstance(error, GatewayError) else CredentialsError(str(error))
                )
            except Exception as error:  # noqa: BLE001  (the server is up: better to go on trying)
                self._failure = unexpected(error)
            self._tried.set()
            if self._connection is not None:
                self._share_rates(self._connection)
                return
            await asyncio.sleep(RETRY_SECONDS)

    def _share_rates(self, connection: Connection) -> None:
        if self.rates is not None and connection.tallies is not None:
            from service.rates.sharing import Sharing  # noqa: PLC0415  (few have limits)

            # Without its CPU an instance can only do so while a request waits for it.
            on_cloud_run = self.settings.on_cloud_run
            start = background.beside_the_answer if on_cloud_run else background.apart
            Sharing(self.rates, connection.tallies, start)

    async def connection(self) -> Connection:
        if self._connection is None:
            try:
                async with asyncio.timeout(LONGEST_WAIT):
                    await self._tried.wait()
            except TimeoutError:
                raise _STARTING from None
        if self._connection is None:
            raise self._failure or _STARTING
        return self._connection

    async def upstream(self) -> Upstream:
        return (self._connection or await self.connection()).upstream

    async def api_keys(self) -> Sequence[Secret]:
        return self._api_keys or (await self.connection()).api_keys

    def models(self) -> Sequence[Model]:
        if self._connection is not None:
            return self._connection.models.now_served()
        ways = self.settings.ways
        tables = {model.id for name in ways for model in table_of(name)}
        return [model for model in table_of(None) if model.id in tables]

    def project(self) -> str | None:
        """Return the project that this runs in, if that is known by now."""
        known = self.settings.google_cloud_project
        return known or (self._connection.project if self._connection is not None else None)

    def refusal(self) -> GatewayError | None:
        if self._connection is None:
            return self._failure or _STARTING
        return self._connection.refusal()


_STARTING = OverloadedError("The gateway is starting.", retry_after=1)


def _import_connect() -> Callable[[Settings], Awaitable[Connection]]:
    from service.connect import connect  # noqa: PLC0415  (slow: see above)

    return connect
