"""The composition root: the one place that knows who plays which part."""

import asyncio
import logging
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import asynccontextmanager

from litestar import Litestar, Router
from litestar.config.cors import CORSConfig
from litestar.di import Provide
from litestar.types import ASGIApp

from service.api import diagnostics
from service.api.chat import ChatController
from service.api.documentation import openapi_config
from service.api.edge import Edge
from service.api.errors import HANDLERS
from service.api.guards import requires_api_key
from service.api.models import ModelController
from service.credentials.sources import find_credential
from service.errors import GatewayError, ModelNotFoundError, OverloadedError
from service.interfaces import Connection, Gateway, Upstream
from service.models import find_model
from service.schemas.oauth import Credential
from service.settings import Settings, SettingsError, split

logger = logging.getLogger(__name__)

_CONTROLLERS = (ChatController, ModelController)
_EXPOSED = [
    "x-request-id",
    "x-upstream",
    "x-ignored-params",
    "x-should-retry",
    "retry-after",
    "retry-after-ms",
    "openai-processing-ms",
]


def create_app(settings: Settings) -> ASGIApp:
    """Build the gateway.

    Raise `SettingsError` or `CredentialsError` if it could not work as it is configured.
    """
    gateway = GoogleGateway(settings, find_credential(settings, now=time.time()))
    if settings.default_model is not None:
        _must_be_a_model(settings.default_model)
    keys = settings.api_keys
    if not keys:
        logger.warning("OPENAI_API_KEY is not set: everyone who reaches this address may use it")

    def provide_gateway() -> Gateway:
        return gateway

    guards = requires_api_key(keys)
    app = Litestar(
        route_handlers=[
            Router("/v1", route_handlers=_CONTROLLERS, guards=guards),
            # base URLs without the prefix, and SDKs that add it to one that has it
            Router("/", route_handlers=_CONTROLLERS, guards=guards, include_in_schema=False),
            Router("/v1/v1", route_handlers=_CONTROLLERS, guards=guards, include_in_schema=False),
            diagnostics.index,
            diagnostics.health,
            diagnostics.ready,
        ],
        dependencies={"gateway": Provide(provide_gateway, sync_to_thread=False)},
        exception_handlers=HANDLERS,
        lifespan=[gateway.connected],
        cors_config=CORSConfig(
            allow_origins=split(settings.cors_allow_origins), expose_headers=_EXPOSED
        ),
        openapi_config=openapi_config(key_needed=bool(keys)),
        request_max_body_size=settings.max_request_bytes,
        logging_config=None,
    )
    return Edge(app)


def _must_be_a_model(name: str) -> None:
    try:
        find_model(name)
    except ModelNotFoundError as error:
        raise SettingsError("DEFAULT_MODEL must be the id of a Gemini model.") from error


class GoogleGateway:
    """A `Gateway`, whose connection to Google is put together beside the start of the server.

    What that imports takes as long as all the rest, and `/health` needs none of it.
    """

    def __init__(self, settings: Settings, credential: Credential) -> None:
        self.settings = settings
        self._credential = credential

    @asynccontextmanager
    async def connected(self, _: Litestar) -> AsyncGenerator[None]:
        """Begin to connect, and disconnect at the end."""
        self._connecting = asyncio.create_task(self._connect())
        try:
            yield
        finally:
            connection = await self._connecting
            await connection.aclose()

    async def _connect(self) -> Connection:
        connect = await asyncio.to_thread(_import_connect)
        return await connect(self.settings, self._credential)

    async def upstream(self) -> Upstream:
        if self._connecting.done():
            return self._connecting.result().upstream
        return (await asyncio.shield(self._connecting)).upstream

    def refusal(self) -> GatewayError | None:
        if not self._connecting.done():
            return OverloadedError("The gateway is starting.", retry_after=1)
        return self._connecting.result().refusal()


def _import_connect() -> Callable[[Settings, Credential], Awaitable[Connection]]:
    from service.connect import connect  # noqa: PLC0415  (slow: see above)

    return connect
