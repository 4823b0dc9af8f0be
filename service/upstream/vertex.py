"""Vertex AI: Gemini for a Google Cloud project, by the service's own identity."""

from collections.abc import Awaitable, Callable, Sequence

from service.errors import CredentialsError
from service.interfaces import Answer, AnswerStream, Counted, Embedded, GeminiRequest
from service.schemas.gemini_embeddings import EmbedRequest
from service.schemas.gemini_native import NativeRequest
from service.upstream import bare, counting
from service.upstream.embeddings import Predictions, embed_content
from service.upstream.fields import fitted
from service.upstream.http import GoogleHttp
from service.upstream.listing import listed_models

NAME = "vertex"

#: Locations that are several regions; their names have another form.
_MULTI_REGIONS = ("us", "eu")


def endpoint_of(location: str) -> str:
    """Return scheme and host for a region, a multi-region or `global`.

    https://cloud.google.com/vertex-ai/generative-ai/docs/learn/locations
    """
    if location == "global":
        return "https://aiplatform.googleapis.com"
    if location in _MULTI_REGIONS:
        return f"https://aiplatform.{location}.rep.googleapis.com"
    return f"https://{location}-aiplatform.googleapis.com"


class Vertex:
    """An `Upstream`, an `Embedder` and a `TokenCounter`.

    Args:
        http: authenticates as someone who may use Vertex AI in the project.
        project: returns the project's id, or None where nothing says which it is.
        location: where the models run.
        endpoint: scheme, host and port, where it is not the location's own.

    """

    def __init__(
        self,
        http: GoogleHttp,
        *,
        project: Callable[[], Awaitable[str | None]],
        location: str,
        endpoint: str | None = None,
    ) -> None:
        self._http = http
        self._project = project
        self.location = location
        self._endpoint = endpoint or endpoint_of(location)
        self._list_url = f"{self._endpoint}/v1beta1/publishers/google/models"
        self._predictions = Predictions()

    async def generate(self, model: str, request: GeminiRequest) -> Answer:
        url = await self.url(model)
        return await bare.generate(self._http, url, fitted(request, NAME), NAME)

    async def stream(self, model: str, request: GeminiRequest) -> AnswerStream:
        url = await self.url(model)
        return await bare.stream(self._http, url, fitted(request, NAME), NAME)

    async def embed(self, model: str, request: EmbedRequest) -> Embedded:
        url = await self.url(model)
        if self._predictions.knows(model):
            return await self._predictions.embed(self._http, url, model, request, NAME)
        return await embed_content(self._http, url, request, NAME)

    async def count_tokens(self, model: str, request: NativeRequest) -> Counted:
        url = f"{await self.url(model)}:countTokens"
        return await counting.count(self._http, url, counting.for_vertex(request), NAME)

    async def list_models(self) -> Sequence[str]:
        """Return the ids of the models, some of which may be served in other locations only."""
        return await listed_models(self._http, self._list_url)

    async def url(self, model: str) -> str:
        """Return the address of a model, without a method; raise `CredentialsError`."""
        where = f"projects/{await self.project()}/locations/{self.location}"
        return f"{self._endpoint}/v1/{where}/publishers/google/models/{model}"

    async def project(self) -> str:
        """Return the id of the project that is used; raise `CredentialsError`."""
        project = await self._project()
        if project is None:
            raise CredentialsError(
                "It is not known in which Google Cloud project Vertex AI shall be used. The "
                "operator of this gateway has to set VERTEX_PROJECT or GOOGLE_CLOUD_PROJECT.",
                code="project_required",
            )
        return project
