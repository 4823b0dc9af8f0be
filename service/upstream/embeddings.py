"""Embeddings from the Developer API and from Vertex AI: batches that they take, joined in order."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any

import msgspec

from service.errors import InvalidRequestError, UpstreamResponseError
from service.interfaces import Embedded
from service.schemas.gemini import Content, Part
from service.schemas.gemini_embeddings import (
    BatchEmbedContents,
    ContentToEmbed,
    EmbedContent,
    EmbedContentConfig,
    EmbedRequest,
    EmbedResponse,
    Instance,
    Predict,
    PredictParameters,
    Vector,
)
from service.upstream.answers import parse
from service.upstream.failures import refusal, upstream_failures
from service.upstream.google_error import is_error
from service.upstream.http import GoogleHttp

#: The Developer API's contents in one call, and Vertex AI's instances.
MOST_CONTENTS = 100
MOST_INSTANCES = 250
#: Calls at once for one request: fewer than a quota of a minute's would mind.
_AT_ONCE = 4

#: Vertex AI's models that `:predict`; the ones after them `:embedContent`, one text at a time.
_PREDICTING = ("gemini-embedding-001", "text-")

_encoder = msgspec.json.Encoder()
_responses = msgspec.json.Decoder(EmbedResponse)

#: Answers for some of the texts.
Ask = Callable[[Sequence[str]], Awaitable[EmbedResponse]]


async def embed_contents(
    http: GoogleHttp, url: str, model: str, request: EmbedRequest, name: str
) -> Embedded:
    """Ask a model's `:batchEmbedContents`; raise `GatewayError`."""

    async def ask(texts: Sequence[str]) -> EmbedResponse:
        requests = [
            ContentToEmbed(
                model=f"models/{model}",
                content=_content(text),
                task_type=request.task_type,
                output_dimensionality=request.dimensions,
            )
            for text in texts
        ]
        return await _call(http, f"{url}:batchEmbedContents", BatchEmbedContents(requests))

    return await _in_batches(ask, request.texts, MOST_CONTENTS, name)


async def embed_content(http: GoogleHttp, url: str, request: EmbedRequest, name: str) -> Embedded:
    """Ask Vertex AI's `:embedContent`, once for each text; raise `GatewayError`."""
    config = EmbedContentConfig(request.task_type, request.dimensions)

    async def ask(texts: Sequence[str]) -> EmbedResponse:
        (text,) = texts
        return await _call(http, f"{url}:embedContent", EmbedContent(_content(text), config))

    return await _in_batches(ask, request.texts, 1, name)


class Predictions:
    """Vertex AI's `:predict`, with what is learned of how many texts a model takes at once."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}

    def knows(self, model: str) -> bool:
        return model.startswith(_PREDICTING)

    async def embed(
        self, http: GoogleHttp, url: str, model: str, request: EmbedRequest, name: str
    ) -> Embedded:
        """Ask a model; raise `GatewayError`."""
        parameters = PredictParameters(request.dimensions)

        async def ask(texts: Sequence[str]) -> EmbedResponse:
            instances = [Instance(text, request.task_type) for text in texts]
            return await _call(http, f"{url}:predict", Predict(instances, parameters))

        size = self._sizes.get(model, MOST_INSTANCES)
        try:
            return await _in_batches(ask, request.texts, size, name)
        except InvalidRequestError as error:
            # Some models, or some of their versions, take one text only. Google's page names them,
            # and that page has changed before.
            if "too many instances" not in error.message or size == 1:
                raise
        self._sizes[model] = 1
        return await _in_batches(ask, request.texts, 1, name)


def _content(text: str) -> Content:
    return Content(parts=[Part(text=text)])


async def _call(http: GoogleHttp, url: str, body: Any) -> EmbedResponse:
    reply = await http.call(url, _encoder.encode(body))
    with upstream_failures():
        response = parse(_responses, reply)
    if not _vectors(response) and is_error(reply):
        raise refusal(200, reply)
    return response


async def _in_batches(ask: Ask, texts: Sequence[str], size: int, name: str) -> Embedded:
    """Ask for all texts, a few batches at a time; the first that fails ends the others."""
    turns = asyncio.Semaphore(_AT_ONCE)

    async def one(batch: Sequence[str]) -> EmbedResponse:
        async with turns:
            response = await ask(batch)
        if len(_vectors(response)) != len(batch):
            raise UpstreamResponseError("Gemini did not answer with one vector for each text.")
        return response

    batches = [texts[start : start + size] for start in range(0, len(texts), size)]
    tasks = [asyncio.ensure_future(one(batch)) for batch in batches]
    try:
        responses = await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    vectors = [vector.values for response in responses for vector in _vectors(response)]
    return Embedded(vectors, sum(map(_tokens, responses)), name)


def _vectors(response: EmbedResponse) -> list[Vector]:
    if response.predictions is not None:
        return [prediction.embeddings for prediction in response.predictions]
    return response.embeddings or ([response.embedding] if response.embedding else [])


def _tokens(response: EmbedResponse) -> int:
    """Count what Google counted, which is nothing for some models."""
    usage = response.usage_metadata
    if usage is not None:
        return int(usage.prompt_token_count or usage.total_token_count or 0)
    statistics = [vector.statistics for vector in _vectors(response)]
    return sum(int(one.token_count or 0) for one in statistics if one)
