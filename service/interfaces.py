"""What can be replaced, on one page.

The rest of the service is written against these; `service.app` chooses who plays them.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, Protocol

from service.errors import CredentialsError, GatewayError
from service.metrics import Metrics
from service.models import Model
from service.rates.counting import Shelf
from service.schemas.code_assist import CodeAssistProject
from service.schemas.gemini import GenerateContentRequest, GenerateContentResponse
from service.schemas.gemini_embeddings import EmbedRequest
from service.schemas.gemini_native import NativeRequest
from service.schemas.oauth import AccessToken, Credential, SharedToken
from service.schemas.openai_media import Fetched
from service.settings import Secret, Settings

#: From a client of OpenAI's, translated; or from one of Google's, whose answer then comes as a
#: `NativeResponse`.
GeminiRequest = GenerateContentRequest | NativeRequest


class Answer(NamedTuple):
    """A complete answer, and who gave it."""

    response: GenerateContentResponse
    upstream: str  # the upstream's name in settings and in `x-upstream`
    #: Fields of the request, in Google's words, that this upstream does not take.
    left_out: Sequence[str] = ()


class Taker(Protocol):
    """Takes all that one read has brought, or leaves it. Called in nobody's context."""

    #: When it took something last, by the event loop's clock.
    taken_at: float

    def take(self, responses: list[GenerateContentResponse]) -> Sequence[str] | None:
        """Take responses that are words; return the words of each, or None if it leaves them."""
        ...

    def take_words(self, words: Sequence[bytes]) -> bool:
        """Take the words of more like the last that `take` has had, as JSON strings."""
        ...


class AnswerStream(Protocol):
    """An answer that has begun: iterate to its end, or `aclose` to hang up on Google at once.

    Each item holds the responses that one network read brought, so that they can leave in one
    write. Iterating raises `GatewayError` when the answer breaks off.
    """

    upstream: str
    left_out: Sequence[str]  # as in `Answer`
    is_empty: bool  # complete, and without a word

    def __aiter__(self) -> AsyncIterator[list[GenerateContentResponse]]: ...

    async def __anext__(self) -> list[GenerateContentResponse]: ...

    def offer_to(self, taker: Taker) -> None:
        """Offer what comes while an iteration waits for it to a callback first.

        That saves a task's turn, a third of what a response costs. What the callback does not take,
        the iteration gets; and all of it, where it cannot be offered.
        """
        ...

    async def aclose(self) -> None: ...


class Upstream(Protocol):
    """Someone who answers Gemini requests. Behaviours such as retry wrap one of these."""

    async def generate(self, model: str, request: GeminiRequest) -> Answer:
        """Return the whole answer; raise `GatewayError`."""
        ...

    async def stream(self, model: str, request: GeminiRequest) -> AnswerStream:
        """Return once the first event has parsed; raise `GatewayError` for what came instead."""
        ...


class Counted(NamedTuple):
    """How many tokens a request has, in Google's own words."""

    body: bytes
    upstream: str
    left_out: Sequence[str] = ()


class TokenCounter(Protocol):
    """Someone who counts the tokens of a request without an answer to it."""

    async def count_tokens(self, model: str, request: NativeRequest) -> Counted:
        """Count them; raise `GatewayError`."""
        ...


class Models(Protocol):
    """Who knows which models can be asked for."""

    def now_served(self) -> Sequence[Model]:
        """Return what is known, at once; if that is old, look again beside the request."""
        ...


class Embedded(NamedTuple):
    """A vector for each text, in their order."""

    vectors: Sequence[list[float]]
    tokens: int  # 0 where Google counts none
    upstream: str


class Embedder(Protocol):
    """Someone who makes embeddings."""

    async def embed(self, model: str, request: EmbedRequest) -> Embedded:
        """Embed all texts; raise `GatewayError`."""
        ...


class Gateway(Protocol):
    """What a route handler is given: one thing, because each costs every request some time."""

    settings: Settings
    metrics: Metrics

    async def upstream(self) -> Upstream:
        """Return who answers; waits only while the gateway is starting."""
        ...

    async def connection(self) -> "Connection":
        """Return everything that speaks to Google; waits only while the gateway is starting."""
        ...

    async def api_keys(self) -> Sequence[Secret]:
        """Return the keys that clients may present; none if the gateway is open."""
        ...

    def models(self) -> Sequence[Model]:
        """Return the models that can be asked for, from memory."""
        ...

    def refusal(self) -> GatewayError | None:
        """Say, from memory, why requests cannot be served; None if nothing speaks against it."""
        ...


class AccessTokens(Protocol):
    """Someone who has a valid access token whenever one is asked for."""

    #: Where the token that was given out last is from.
    origin: Literal["refresh", "shared", "credential"]

    async def token(self, *, rejected: AccessToken | None = None) -> AccessToken:
        """Return a token that is valid, and is not the one that Google just `rejected`.

        Raise `CredentialsError` or `TokenEndpointError`.
        """
        ...


class InspectableTokens(AccessTokens, Protocol):
    """The same, for those who look after it."""

    async def peek(self) -> SharedToken | None:
        """Return the token at hand or in the shared cache, fresh or not; refresh nothing."""
        ...

    async def renew(self) -> SharedToken:
        """Refresh now, whatever there is."""
        ...

    @property
    def refusal(self) -> CredentialsError | None:
        """Why Google would refuse, if that is known."""
        ...


class Projects(Protocol):
    """Who knows which project an account is served in."""

    async def find(self) -> CodeAssistProject:
        """Ask Google unless it is known; raise `GatewayError` where the account has none."""
        ...


class ProjectMemory(Protocol):
    """Where the instances that use one credential keep which project it is served in."""

    def account(self) -> object:
        """Return what tells whose project is known: another object for another credential."""
        ...

    async def known_project(self) -> CodeAssistProject | None: ...

    async def keep_project(self, project: CodeAssistProject, account: object) -> None:
        """Keep it if the account is still the same."""
        ...


class Way(NamedTuple):
    """One way to Gemini, with what it takes to look after it."""

    name: str  # the upstream's, in settings and in `x-upstream`
    upstream: Upstream
    tokens: InspectableTokens
    #: Who knows where Code Assist serves the account; None elsewhere.
    project: Projects | None = None
    #: Brings the ids of the models that it has.
    lister: Callable[[], Awaitable[Sequence[str]]] | None = None
    counter: TokenCounter | None = None
    #: Who makes embeddings there; None where nobody does.
    embedder: Embedder | None = None


class MediaSource(Protocol):
    """Who gets what the URLs of a message lead to."""

    async def fetch(self, urls: Mapping[str, str]) -> Mapping[str, Fetched]:
        """Get all of them at once.

        Args:
            urls: each with what an error calls it, as in `messages[0].content[1].image_url`.

        Returns:
            what each led to.

        Raises:
            InvalidRequestError: one cannot be had, or must not be reached.

        """
        ...


class Connection(Protocol):
    """Everything that speaks to others than clients, put together."""

    upstream: Upstream
    media: MediaSource
    embedder: Embedder
    counter: TokenCounter
    models: Models
    api_keys: Sequence[Secret]
    #: At least one, in the operator's order.
    ways: Sequence[Way]
    signatures: "SignatureStore"
    #: Where instances add up what keys use; None where there is one instance, or no limit.
    tallies: Shelf | None
    #: The project that this runs in, once it is known.
    project: str | None

    def is_open(self, model: str) -> bool:
        """Whether nothing is known to speak against a model on at least one of the ways."""
        ...

    def refusal(self) -> GatewayError | None:
        """Say why Google would refuse every request, if that is known."""
        ...

    async def aclose(self, *, in_a_hurry: bool = False) -> None:
        """Hang up; in a hurry, without a wait for work beside the answers."""
        ...


class CredentialSource(Protocol):
    """Where the long-lived credential is kept."""

    async def load(self) -> Credential:
        """Return the credential, from memory once it has been read; raise `CredentialsError`."""
        ...

    async def reload(self) -> Credential:
        """Read the credential again, where it may have been replaced since."""
        ...

    async def keep(self, credential: Credential) -> None:
        """Keep a credential whose refresh token Google has replaced."""
        ...


class Refreshed(NamedTuple):
    """What a refresh brings."""

    token: AccessToken
    refresh_token: str | None = None  # a new one; the old one may end

    def __repr__(self) -> str:
        return "Refreshed(…)"


class TokenIssuer(Protocol):
    """Who makes a new access token. Slow, and rate limited: see `TokenProvider`."""

    async def issue(self, credential: Credential) -> Refreshed:
        """Refresh; raise `CredentialsError` for a refusal, `TokenEndpointError` for an outage."""
        ...


class Lease(NamedTuple):
    """The right to refresh for everyone; `fence` tells whether it is still ours."""

    fence: Any = None


class TokenCache(Protocol):
    """Where the instances that use one credential share its token state. Losing it costs a refresh.

    `keep` and `give_up` end a lease.
    """

    async def read(self) -> SharedToken | None: ...

    async def acquire(
        self, usable: Callable[[SharedToken], bool], *, heed_refusal: bool = True
    ) -> SharedToken | Lease | None:
        """Return the shared token if it is usable; else the lease, or None if another holds it.

        With `heed_refusal`, raise `CredentialsError` if an instance was refused a minute ago.
        """
        ...

    async def keep(self, lease: Lease, token: SharedToken) -> None: ...

    async def give_up(self, lease: Lease, refusal: CredentialsError | None) -> None: ...

    async def known_project(self) -> CodeAssistProject | None: ...

    async def keep_project(self, project: CodeAssistProject) -> None: ...


class SignatureStore(Protocol):
    """Where thought signatures are kept, for clients that drop them. Losing one is no failure.

    Keys are `service.translation.kept_signatures`'.
    """

    async def find(self, steps: Sequence[Sequence[str]]) -> Mapping[str, str]:
        """Return what is kept of the calls of these steps, soon; raise nothing."""
        ...

    def keep(self, signatures: Mapping[str, str]) -> None:
        """Keep them: here at once, elsewhere beside the answer."""
        ...
