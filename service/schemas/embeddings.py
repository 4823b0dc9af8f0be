"""`POST /v1/embeddings`, as OpenAI's clients see it. The rules of `schemas.openai` hold."""

from typing import Literal

from service.schemas.wire import Wire

#: Text, or what is refused with a hint: a text as its tokens.
Item = str | int | list[int]


class EmbeddingRequest(Wire, kw_only=True):
    input: str | list[Item]
    model: str
    encoding_format: Literal["float", "base64"] | None = None
    dimensions: int | None = None
    user: str | None = None
    #: What the vector is for: Google's names, and those of other servers.
    task_type: str | None = None
    input_type: str | None = None


class Embedding(Wire, kw_only=True):
    object: Literal["embedding"] = "embedding"
    index: int
    embedding: list[float] | str


class EmbeddingUsage(Wire):
    prompt_tokens: int
    total_tokens: int


class EmbeddingList(Wire, kw_only=True):
    object: Literal["list"] = "list"
    data: list[Embedding]
    model: str
    usage: EmbeddingUsage
