"""The Gemini Developer API: a key, and nothing else."""

from collections.abc import Coroutine, Sequence
from typing import Any

from msgspec import structs

from service.interfaces import Answer, AnswerStream, Counted, Embedded, GeminiRequest
from service.schemas.gemini import ToolConfig
from service.schemas.gemini_embeddings import EmbedRequest
from service.schemas.gemini_native import NativeRequest
from service.upstream import bare, counting
from service.upstream.embeddings import embed_contents
from service.upstream.fields import Fitted, fitted
from service.upstream.http import GoogleHttp
from service.upstream.listing import listed_models

NAME = "gemini_api"


class GeminiApi:
    """An `Upstream`, an `Embedder` and a `TokenCounter`.

    Args:
        http: authenticates with the key, in a header.
        endpoint: scheme, host and port.

    """

    def __init__(self, http: GoogleHttp, *, endpoint: str) -> None:
        self._http = http
        self._endpoint = endpoint

    def generate(self, model: str, request: GeminiRequest) -> Coroutine[Any, Any, Answer]:
        return bare.generate(self._http, self.url(model), _fitted(request), NAME)

    def stream(self, model: str, request: GeminiRequest) -> Coroutine[Any, Any, AnswerStream]:
        return bare.stream(self._http, self.url(model), _fitted(request), NAME)

    async def embed(self, model: str, request: EmbedRequest) -> Embedded:
        return await embed_contents(self._http, self.url(model), model, request, NAME)

    async def count_tokens(self, model: str, request: NativeRequest) -> Counted:
        url = f"{self.url(model)}:countTokens"
        asked = counting.for_gemini_api(request, model)
        return await counting.count(self._http, url, asked, NAME)

    async def list_models(self) -> Sequence[str]:
        return await listed_models(self._http, f"{self._endpoint}/v1beta/models")

    def url(self, model: str) -> str:
        """Return the address of a model, without a method."""
        return f"{self._endpoint}/v1beta/models/{model}"


def _fitted(request: GeminiRequest) -> Fitted:
    """Ask once more for functions beside Google's own tools, as this API wants it."""
    if isinstance(request, NativeRequest):
        return fitted(request, NAME)
    kinds = {bool(tool.function_declarations) for tool in request.tools or []}
    if len(kinds) > 1:
        config = structs.replace(
            request.tool_config or ToolConfig(), include_server_side_tool_invocations=True
        )
        request = structs.replace(request, tool_config=config)
    return fitted(request, NAME)
