"""What can be replaced, on one page.

The rest of the service is written against these; `service.app` chooses who plays them.
"""

from collections.abc import AsyncIterator
from typing import NamedTuple, Protocol

from service.errors import GatewayError
from service.schemas.gemini import GenerateContentRequest, GenerateContentResponse
from service.schemas.oauth import AccessToken, Credential
from service.settings import Settings


class Answer(NamedTuple):
    """A complete answer, and who gave it."""

    response: GenerateContentResponse
    upstream: str  # the upstream's name in settings and in `x-upstream`


class AnswerStream(Protocol):
    """An answer that has begun: iterate to its end, or `aclose` to hang up on Google at once.

    Each item holds the responses that one network read brought, so that they can leave in one
    write. Iterating raises `GatewayError` when the answer breaks off.
    """

    upstream: str

    def __aiter__(self) -> AsyncIterator[list[GenerateContentResponse]]: ...

    async def __anext__(self) -> list[GenerateContentResponse]: ...

    async def aclose(self) -> None: ...


class Upstream(Protocol):
    """Someone who answers Gemini requests. Behaviours such as retry wrap one of these."""

    async def generate(self, model: str, request: GenerateContentRequest) -> Answer:
        """Return the whole answer; raise `GatewayError`."""
        ...

    async def stream(self, model: str, request: GenerateContentRequest) -> AnswerStream:
        """Return once the first event has parsed; raise `GatewayError` for what came instead."""
        ...


class Gateway(Protocol):
    """What a route handler is given: one thing, because each costs every request some time."""

    settings: Settings

    async def upstream(self) -> Upstream:
        """Return who answers; waits only while the gateway is starting."""
        ...

    def refusal(self) -> GatewayError | None:
        """Say, from memory, why requests cannot be served; None if nothing speaks against it."""
        ...


class AccessTokens(Protocol):
    """Someone who has a valid access token whenever one is asked for."""

    async def token(self, *, rejected: AccessToken | None = None) -> AccessToken:
        """Return a token that is valid, and is not the one that Google just `rejected`.

        Raise `CredentialsError` or `TokenEndpointError`.
        """
        ...


class Connection(Protocol):
    """Everything that speaks to Google, put together."""

    upstream: Upstream

    def refusal(self) -> GatewayError | None:
        """Say why Google would refuse every request, if that is known."""
        ...

    async def aclose(self) -> None: ...


class CredentialSource(Protocol):
    """Where the long-lived credential is kept."""

    async def load(self) -> Credential: ...


class TokenIssuer(Protocol):
    """Who makes a new access token. Slow, and rate limited: see `TokenProvider`."""

    async def issue(self) -> AccessToken: ...


class TokenCache(Protocol):
    """Where instances share an access token. Losing it costs one refresh."""

    async def get(self) -> AccessToken | None: ...

    async def put(self, token: AccessToken) -> None: ...
