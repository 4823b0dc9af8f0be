"""The service's own identity on Google Cloud, as Application Default Credentials define it.

https://cloud.google.com/docs/authentication/application-default-credentials
"""

import asyncio
import math
import time
from collections.abc import Callable
from typing import Protocol

import httpx
import msgspec

from service.credentials.token_endpoint import lifetime
from service.errors import CredentialsError, TokenEndpointError
from service.interfaces import Refreshed
from service.schemas.oauth import AccessToken, Credential, TokenReply

#: Seconds before each further try, and for one of them at most: the server is on the same machine.
RETRY_DELAYS = (0.05, 0.2)
TIMEOUT = 3.0

_SCOPE = "https://www.googleapis.com/auth/cloud-platform"
_ROOT = "computeMetadata/v1"
_replies = msgspec.json.Decoder(TokenReply)


class _NobodyThereError(TokenEndpointError):
    """No connection was taken in time."""


class MetadataServer:
    """A `TokenIssuer` where the machine itself has an identity: Cloud Run, Compute Engine, GKE.

    Args:
        transport: the pool to use.
        host: name or address, with a port if it is not 80.
        connect: seconds that a connection may take.
        now: seconds since 1970.

    """

    def __init__(
        self,
        transport: httpx.AsyncBaseTransport,
        *,
        host: str,
        connect: float = TIMEOUT,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._transport = transport
        self._root = f"http://{host}/{_ROOT}"
        self._timeout = {"connect": min(connect, TIMEOUT), "read": TIMEOUT}
        self._now = now
        self._project: str | None = None

    async def issue(self, credential: Credential) -> Refreshed:
        """Return the server's token, which it keeps itself until five minutes before its end.

        Raise `CredentialsError` where there is no service account, `TokenEndpointError` where there
        is no answer.
        """
        del credential
        path = f"instance/service-accounts/default/token?scopes={_SCOPE}"
        try:
            reply = _replies.decode(await self._get(path))
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            msg = "The metadata server answered with something that is no token. Ask again."
            raise TokenEndpointError(msg) from error
        ends = math.floor(self._now() + lifetime(reply, otherwise=0))
        return Refreshed(AccessToken(reply.access_token, ends))

    async def project(self) -> str | None:
        """Return the id of the project that this runs in; raise as `issue` does."""
        if self._project is None:
            answer = await self._get("project/project-id")
            self._project = answer.decode(errors="replace").strip() or None
        return self._project

    async def _get(self, path: str) -> bytes:
        for delay in RETRY_DELAYS:
            try:
                return await self._ask(path)
            except _NobodyThereError:
                raise  # the kernel has tried several times already, and another way may be open
            except TokenEndpointError:
                await asyncio.sleep(delay)
        return await self._ask(path)

    async def _ask(self, path: str) -> bytes:
        request = httpx.Request(
            "GET",
            f"{self._root}/{path}",
            headers={"metadata-flavor": "Google", "accept-encoding": "identity"},
            extensions={"timeout": self._timeout},
        )
        try:
            response = await self._transport.handle_async_request(request)
            try:
                content = await response.aread()
            finally:
                await response.aclose()
        except httpx.HTTPError as error:
            msg = "Google's metadata server could not be reached. Ask again."
            if isinstance(error, httpx.ConnectTimeout):
                raise _NobodyThereError(msg) from error
            raise TokenEndpointError(msg) from error
        if response.status_code == httpx.codes.NOT_FOUND:
            raise CredentialsError(
                "This machine has no service account. The operator of this gateway has to give "
                "the service one that may use Vertex AI (roles/aiplatform.user).",
                code="credentials_unavailable",
            )
        if not response.is_success or response.headers.get("metadata-flavor") != "Google":
            msg = f"The metadata server answered with status {response.status_code}. Ask again."
            raise TokenEndpointError(msg)
        return content


class DefaultCredentials:
    """A `TokenIssuer` where a file says who this is: a person, a service account, a workload.

    Google's own library finds and reads it.

    Args:
        token_url: where people's tokens are refreshed.

    """

    def __init__(self, *, token_url: str) -> None:
        self._token_url = token_url
        self._found: Found | None = None

    async def issue(self, credential: Credential) -> Refreshed:
        """Raise `CredentialsError` for a refusal, `TokenEndpointError` for an outage."""
        del credential
        found = await self._find()
        return Refreshed(await asyncio.to_thread(found.refresh))

    async def project(self) -> str | None:
        """Return the id of the project that the file names; raise as `issue` does."""
        return (await self._find()).project

    async def _find(self) -> "Found":
        if self._found is None:
            self._found = await asyncio.to_thread(_find, self._token_url)
        return self._found

    def billed(self) -> str | None:
        """Return the project that pays for a person's calls; None before the first token, too."""
        return self._found.quota_project if self._found else None


class Found(Protocol):
    """Credentials that were found. What blocks is called in a thread."""

    project: str | None
    quota_project: str | None

    def refresh(self) -> AccessToken: ...


def _find(token_url: str) -> Found:
    from service.credentials import default_credentials  # noqa: PLC0415  (slow: Google's library)

    return default_credentials.find(token_url)
