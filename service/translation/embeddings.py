"""OpenAI's embeddings request to Google's, and Google's vectors to OpenAI's list."""

import base64
import math
import sys
from array import array
from collections.abc import Sequence

from service.errors import InvalidRequestError
from service.models import Model
from service.schemas.embeddings import (
    Embedding,
    EmbeddingList,
    EmbeddingRequest,
    EmbeddingUsage,
    Item,
)
from service.schemas.gemini_embeddings import EmbedRequest

#: OpenAI's.
MOST_TEXTS = 2048

_TASKS = (
    "RETRIEVAL_QUERY",
    "RETRIEVAL_DOCUMENT",
    "SEMANTIC_SIMILARITY",
    "CLASSIFICATION",
    "CLUSTERING",
    "QUESTION_ANSWERING",
    "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
)
#: What Cohere, Voyage and NVIDIA call the first two.
_OTHER_NAMES = {
    "QUERY": "RETRIEVAL_QUERY",
    "SEARCH_QUERY": "RETRIEVAL_QUERY",
    "DOCUMENT": "RETRIEVAL_DOCUMENT",
    "PASSAGE": "RETRIEVAL_DOCUMENT",
    "SEARCH_DOCUMENT": "RETRIEVAL_DOCUMENT",
}


def to_embed_request(request: EmbeddingRequest) -> EmbedRequest:
    """Say the same in Google's words; raise `InvalidRequestError`."""
    if request.dimensions is not None and request.dimensions < 1:
        msg = f"Invalid 'dimensions': {request.dimensions} is not at least 1."
        raise InvalidRequestError(msg, param="dimensions", code="integer_below_min_value")
    return EmbedRequest(_texts(request.input), _task(request), request.dimensions)


def _texts(given: str | list[Item]) -> list[str]:
    items: list[Item] = [given] if isinstance(given, str) else given
    if not items:
        msg = "Invalid 'input': an empty list. Send at least one text."
        raise InvalidRequestError(msg, param="input", code="empty_array")
    if not all(isinstance(item, str) for item in items):
        raise InvalidRequestError(
            "Invalid 'input': tokens. Gemini's are not OpenAI's, so send the texts themselves, as "
            "strings. In LangChain that is OpenAIEmbeddings(check_embedding_ctx_length=False).",
            param="input",
            code="invalid_type",
        )
    if len(items) > MOST_TEXTS:
        msg = f"Invalid 'input': {len(items)} texts. Send at most {MOST_TEXTS}."
        raise InvalidRequestError(msg, param="input", code="array_above_max_length")
    texts = [item for item in items if isinstance(item, str)]
    if "" in texts:
        param = "input" if isinstance(given, str) else f"input[{texts.index('')}]"
        msg = f"Invalid '{param}': an empty text has no embedding."
        raise InvalidRequestError(msg, param=param, code="invalid_value")
    return texts


def _task(request: EmbeddingRequest) -> str | None:
    param, given = "task_type", request.task_type
    if given is None:
        param, given = "input_type", request.input_type
    if given is None:
        return None
    name = given.upper()
    task = _OTHER_NAMES.get(name, name)
    if task not in _TASKS:
        accepted = ", ".join([*_TASKS, *_OTHER_NAMES])
        msg = f"Invalid '{param}': it is none of {accepted}."
        raise InvalidRequestError(msg, param=param, code="invalid_value")
    return task


def to_embeddings(
    vectors: Sequence[list[float]],
    tokens: int,
    request: EmbeddingRequest,
    model: Model,
) -> EmbeddingList:
    """List the vectors in the order of the texts.

    Gemini cuts a vector that shall be shorter, and what is left of it is not of length 1.
    """
    full = model.dimensions or 0
    if request.dimensions is not None and (not full or request.dimensions < full):
        vectors = [_normalised(vector) for vector in vectors]
    as_text = request.encoding_format == "base64"
    data = [
        Embedding(index=index, embedding=_base64(vector) if as_text else vector)
        for index, vector in enumerate(vectors)
    ]
    return EmbeddingList(data=data, model=request.model, usage=EmbeddingUsage(tokens, tokens))


def _normalised(vector: list[float]) -> list[float]:
    length = math.hypot(*vector)
    return [value / length for value in vector] if length else vector


def _base64(vector: list[float]) -> str:
    numbers = array("f", vector)
    if sys.byteorder == "big":
        numbers.byteswap()
    return base64.b64encode(numbers.tobytes()).decode()
