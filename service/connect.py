"""The composition root's other half: who plays which part towards Google.

Apart from `service.app`, because importing an HTTP client takes as long as importing Litestar.
"""

import asyncio

import httpx

from service.credentials.caches import MemoryTokenCache
from service.credentials.issuers import RefreshTokenGrant
from service.credentials.provider import TokenProvider
from service.credentials.sources import StaticSource, own_access_token
from service.errors import GatewayError
from service.interfaces import Upstream
from service.schemas.oauth import Credential
from service.settings import Settings
from service.upstream.code_assist import CodeAssist
from service.upstream.http import GoogleHttp, TimeLimits, open_transport
from service.upstream.project import Project
from service.upstream.retry import Retry


class GoogleConnection:
    """A `Connection`."""

    def __init__(
        self, upstream: Upstream, tokens: TokenProvider, transport: httpx.AsyncBaseTransport
    ) -> None:
        self.upstream = upstream
        self._tokens = tokens
        self._transport = transport

    def refusal(self) -> GatewayError | None:
        return self._tokens.refusal

    async def aclose(self) -> None:
        await self._transport.aclose()


async def connect(settings: Settings, credential: Credential) -> GoogleConnection:
    """Put the upstream together. Nothing is sent to Google yet."""
    transport = await asyncio.to_thread(open_transport)  # reads the certificates
    tokens = TokenProvider(
        RefreshTokenGrant(transport, StaticSource(credential), url=settings.oauth_token_url),
        MemoryTokenCache(),
        initial=own_access_token(credential),
    )
    limits = TimeLimits(
        connect=settings.upstream_connect_seconds,
        first_byte=settings.upstream_first_byte_seconds,
        idle=settings.upstream_idle_seconds,
    )
    http = GoogleHttp(transport, tokens, limits)
    endpoint = settings.code_assist_endpoint.rstrip("/")
    project = Project(http, endpoint=endpoint, configured=settings.gemini_project_id, memory=None)
    code_assist = CodeAssist(http, endpoint=endpoint, project=project)
    return GoogleConnection(Retry(code_assist), tokens, transport)
