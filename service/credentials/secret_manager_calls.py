"""Google's library for Secret Manager. Import this only in a worker thread: it takes a second."""

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import google.auth
import grpc  # type: ignore[import-untyped]
from google.api_core.exceptions import GoogleAPICallError
from google.auth.credentials import Credentials
from google.auth.exceptions import GoogleAuthError
from google.cloud.secretmanager_v1 import SecretManagerServiceAsyncClient, SecretPayload
from google.cloud.secretmanager_v1.services.secret_manager_service.transports import (
    SecretManagerServiceGrpcAsyncIOTransport as Transport,
)

from service.credentials.secret_manager import (
    CALL_SECONDS,
    Calls,
    NoIdentityError,
    Payload,
    RefusedError,
)

# Connections that share nothing also share no waiting time after one of them failed.
_OPTIONS = [("grpc.use_local_subchannel_pool", 1)]

# At this level the library would log the secrets that it reads.
logging.getLogger("google.cloud.secretmanager_v1").setLevel(logging.INFO)


def open_calls(endpoint: str | None) -> Calls:
    """Find the service's identity, unless an endpoint is given that needs none.

    This asks files and the metadata server, and blocks. Raise `NoIdentityError`.
    """
    if endpoint is not None:
        return GrpcCalls(endpoint, None, None)
    try:
        credentials, project = google.auth.default(scopes=Transport.AUTH_SCOPES)
    except GoogleAuthError as error:
        raise NoIdentityError from error
    return GrpcCalls(None, credentials, project)


class GrpcCalls:
    """A `Calls`: each one on a connection of its own."""

    def __init__(
        self, endpoint: str | None, credentials: Credentials | None, project: str | None
    ) -> None:
        self.project = project
        self._endpoint = endpoint
        self._credentials = credentials

    async def access(self, version: str) -> Payload:
        async with self._client() as client:
            answer = await client.access_secret_version(
                name=version, retry=None, timeout=CALL_SECONDS
            )
            return Payload(answer.payload.data, answer.payload.data_crc32c)

    async def add(self, secret: str, payload: Payload) -> None:
        content = SecretPayload(data=payload.data, data_crc32c=payload.crc32c)
        async with self._client() as client:
            await client.add_secret_version(
                parent=secret, payload=content, retry=None, timeout=CALL_SECONDS
            )

    @asynccontextmanager
    async def _client(self) -> AsyncIterator[SecretManagerServiceAsyncClient]:
        channel = (
            grpc.aio.insecure_channel(self._endpoint, options=_OPTIONS)
            if self._endpoint
            else Transport.create_channel(credentials=self._credentials, options=_OPTIONS)
        )
        async with channel:
            try:
                yield SecretManagerServiceAsyncClient(transport=Transport(channel=channel))
            except GoogleAPICallError as error:
                status = error.grpc_status_code
                raise RefusedError(status.name if status else "UNKNOWN") from error
